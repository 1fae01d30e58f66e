"""What we made in the org is taken away again, whatever goes wrong meanwhile; nothing else is."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from connectors.errors import ConnectorError, RequestRefused
from connectors.sandbox.faults import KINDS, Fault
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.metadata.settings import MetadataSettings
from connectors.sandbox.salesforce.settings import (
    ValidationRule,
)
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned
from tests.contract.salesforce_made import (
    ALPHA,
    NAMES,
    holders,
    ours_in,
)
from tests.seed import SEED


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_what_would_go_is_shown_with_what_it_holds(front: Front) -> None:
    """How many accounts hold a value, the fields that only people fill in, and everything beside them by name."""
    there = provisioned(front)
    there.update("Account", ALPHA, {"KAM_Score__c": 5, "KAM_Tier_Override__c": "key"})
    with connected(front) as connector:
        shown = connector.removal(FIELDS)
    assert tuple(shown.fields) == NAMES
    assert (shown.fields["KAM_Score__c"], shown.fields["KAM_Tier_Override__c"], shown.fields["KAM_Rfm__c"]) == (1, 1, 0)
    assert set(shown.typed_by_people) == {
        "KAM_Tier_Override__c",
        "KAM_Tier_Override_Reason__c",
        "KAM_Tier_Override_Until__c",
        "KAM_Strategic_Value__c",
    }
    assert {(part.kind, part.name) for part in shown.parts} == {
        ("layout", "Account Layout"),
        ("layout", "Partner (EMEA) Layout"),
        ("list view", "KAM_Key_Accounts"),
        ("permission set", "KAM_Integration"),
        ("permission set", "KAM_Reader"),
        ("assignments", "of these permission sets: 1"),
    }
    assert front.asked("deployRequest") == 0


@pytest.mark.parametrize("dropping_out", [True, False])
def test_remove_takes_all_of_ours_and_nothing_else(front: Front, dropping_out: bool) -> None:
    """Whether or not deleted fields drop out of pages by themselves; after a trial; a second run has nothing to do."""
    there = provisioned(front, metadata=MetadataSettings(used_fields_can_be_deleted=dropping_out))
    there.add_field("Account", text("KAM_Other__c", "Not ours", 10, custom=True))
    others = len(there.table("Account").fields)
    with connected(front) as connector:
        connector.remove(FIELDS, dry_run=True)
        assert len(there.table("Account").fields) == others
        connector.remove(FIELDS)
        assert ours_in(there) == {"field KAM_Other__c"}
        assert len(there.table("Account").fields) == others - 18
        assert holders(there) == []
        asked = front.asked("POST /services/data/v66.0/metadata/deployRequest")
        assert connector.remove(FIELDS).is_empty
        assert front.asked("POST /services/data/v66.0/metadata/deployRequest") == asked
        assert connector.provision(FIELDS, "en").created == NAMES


def test_fields_that_are_in_use_stop_a_removal_whole(front: Front) -> None:
    """Salesforce names what uses them; nothing is half gone."""
    rule = ValidationRule("Account", bool, name="Guards_Tier", field="KAM_Tier__c")
    there = provisioned(front)
    before = ours_in(there)
    there.settings.validation_rules.append(rule)
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"KAM_Tier__c.*Guards_Tier"):
        connector.remove(FIELDS)
    assert ours_in(there) == before


def test_counts_that_cannot_be_read_are_unknown(front: Front) -> None:
    """A field that kam's user may not see is not told to be empty."""
    there = provisioned(front)
    sets = [r["Id"] for r in there.records("PermissionSet") if r["Name"] == "KAM_Integration"]
    assignments = there.records("PermissionSetAssignment")
    (assignment,) = [r["Id"] for r in assignments if r["PermissionSetId"] in sets]
    there.delete("PermissionSetAssignment", assignment)
    with connected(front) as connector:
        shown = connector.removal(FIELDS)
    assert set(shown.fields) == set(NAMES)
    assert set(shown.fields.values()) == {None}


def calls_of(front: Front, *, removing: bool) -> int:
    """Calls of a provisioning, or of a removal, that nothing disturbs."""
    provisioned(front) if removing else front.show(org())
    with connected(front) as connector:
        connector.remove(FIELDS) if removing else connector.provision(FIELDS, "en")
    return len(front.faults.log)


def disturb(front: Front, position: int, kind: Fault, *, removing: bool, times: int = 1) -> None:
    """One call goes wrong, or all from it on; a run that fails is run again, and then all is there, or nothing."""
    there = provisioned(front) if removing else front.show(org())
    front.faults.at(position, kind, times=times)
    for last in (False, True):
        try:
            with connected(front) as connector:
                connector.remove(FIELDS) if removing else connector.provision(FIELDS, "en")
            break
        except ConnectorError:
            assert not last, (kind, position)
            front.faults.clear()
    ours, held = ours_in(there), holders(there)
    if removing:
        assert (ours, held) == (set(), []), (kind, position)
    else:
        assert (len(ours), held) == (18 + 2 + 1 + 4, [("KAM_Integration", there.integration_user_id)]), (kind, position)


@pytest.mark.parametrize("removing", [False, True])
def test_what_is_killed_half_way_is_finished_by_the_next_run(front: Front, removing: bool) -> None:
    """The connection is gone from some call on; a second run ends where an undisturbed one does."""
    for position in random.Random(SEED).sample(range(calls_of(front, removing=removing)), 3):
        disturb(front, position, "dropped_before", removing=removing, times=60)


@pytest.mark.exhaustive
@pytest.mark.parametrize("removing", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_any_call_ends_the_same(front: Front, kind: Fault, removing: bool) -> None:
    """Whatever goes wrong with whichever call, once or from then on."""
    for position in range(calls_of(front, removing=removing)):
        disturb(front, position, kind, removing=removing)
        disturb(front, position, kind, removing=removing, times=60)
