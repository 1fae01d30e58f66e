"""Provisioning an org beyond its fields: pages, a trial, a second user, what is in the way, and taking it away."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.contract import Finding, Part, Provisioned
from connectors.errors import ConnectorError, FieldsNotProvisioned, RequestRefused, TryAgainLater
from connectors.salesforce.connector import SalesforceConnector
from connectors.sandbox.faults import KINDS, Fault
from connectors.sandbox.salesforce.fields import text
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.metadata.new_org import ACCOUNT_LAYOUT, MANAGED_LAYOUT, PARTNER_LAYOUT
from connectors.sandbox.salesforce.metadata.settings import ApexTrigger, MetadataSettings, RecordTriggeredFlow
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
    NIGHTLY_PERMISSIONS,
    ValidationRule,
)
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned
from tests.seed import SEED

NS = "{http://soap.sforce.com/2006/04/metadata}"
NAMES = tuple(f.salesforce_name for f in FIELDS)
ALPHA = salesforce_id("001", 1)
LIST_VIEW = "Account.KAM_Key_Accounts"
ADMIN: dict[str, Any] = {"admin_client_id": ADMIN_CLIENT_ID, "admin_client_secret": SecretStr(ADMIN_CLIENT_SECRET)}
LEFT_ALONE = Part("layout", "acmebill__Billing Layout", "left alone", "it belongs to the package acmebill")


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def on_layout(there: Org, name: str) -> list[tuple[str | None, str | None]]:
    """Fields of ours on a layout, with who may edit them there."""
    items = there.metadata.layouts[name].xml.iter(f"{NS}layoutItems")
    rows = [(item.findtext(f"{NS}field"), item.findtext(f"{NS}behavior")) for item in items]
    return [row for row in rows if (row[0] or "").startswith("KAM_")]


def ours_in(there: Org) -> set[str]:
    """Everything of ours that an org has, by kind and name."""
    fields = {f"field {f.name}" for f in there.table("Account").fields if f.name.startswith("KAM_")}
    sets = {f"set {r['Name']}" for r in there.records("PermissionSet") if r["Name"].startswith("KAM_")}
    views = {f"view {name}" for name in there.metadata.list_views if "KAM_" in name}
    pages = {f"page {name}" for name in there.metadata.layouts if on_layout(there, name)}
    labels = {
        f"section {name}"
        for name, kept in there.metadata.layouts.items()
        if "KAM" in {node.text for node in kept.xml.iter(f"{NS}label")}
    }
    return fields | sets | views | pages | labels


def holders(there: Org) -> list[tuple[str, str]]:
    """Who holds which of our permission sets."""
    ours = {r["Id"]: r["Name"] for r in there.records("PermissionSet") if r["Name"].startswith("KAM_")}
    rows = there.records("PermissionSetAssignment")
    return [(ours[r["PermissionSetId"]], r["AssigneeId"]) for r in rows if r["PermissionSetId"] in ours]


def parts(done: Provisioned, kind: str) -> dict[str, str]:
    return {part.name: part.done for part in done.parts if part.kind == kind}


# Pages


def test_one_deployment_makes_list_view_sets_and_sections(front: Front) -> None:
    """All by name; a managed package's layout is left alone; ours are read-only on the page, theirs are not."""
    there = front.show(org())
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert front.asked("POST /services/data/v66.0/metadata/deployRequest") == 1
    assert parts(done, "list view") == {"KAM_Key_Accounts": "created"}
    assert parts(done, "permission set") == {"KAM_Integration": "created", "KAM_Reader": "created"}
    assert parts(done, "layout") == {
        "Account Layout": "changed",
        "Partner (EMEA) Layout": "changed",
        "acmebill__Billing Layout": "left alone",
    }
    assert LEFT_ALONE in done.parts
    shown = dict(on_layout(there, ACCOUNT_LAYOUT))
    assert set(shown) == set(NAMES) - {"KAM_Stamp__c"}
    assert (shown["KAM_Tier__c"], shown["KAM_Strategic_Value__c"]) == ("Readonly", "Edit")
    assert on_layout(there, MANAGED_LAYOUT) == []


def test_layouts_come_back_as_they_were_but_for_our_section(front: Front) -> None:
    """Sections, related lists, actions and the rest of a page survive its being replaced."""
    there = front.show(org())
    before = {name: ET.tostring(kept.xml) for name, kept in there.metadata.layouts.items()}
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        assert {name: ET.tostring(k.xml) for name, k in there.metadata.layouts.items()} != before
        connector.remove(FIELDS)
    assert {name: ET.tostring(kept.xml) for name, kept in there.metadata.layouts.items()} == before


def test_layouts_can_be_left_alone(front: Front) -> None:
    """Without layouts none is even read."""
    there = front.show(org())
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en", layouts=False)
    assert parts(done, "layout") == {}
    assert on_layout(there, ACCOUNT_LAYOUT) == []
    assert len(done.created) == 18


def test_a_layout_with_one_of_our_fields_is_people_s(front: Front) -> None:
    """Where somebody put our fields, or took some of them off the page, nothing is put back."""
    there = provisioned(front)
    kept = there.metadata.layouts[ACCOUNT_LAYOUT].xml
    for column in kept.iter(f"{NS}layoutColumns"):
        for item in column.findall(f"{NS}layoutItems"):
            if (item.findtext(f"{NS}field") or "").startswith("KAM_R"):
                column.remove(item)
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    assert parts(done, "layout")["Account Layout"] == "unchanged"
    assert front.asked("deployRequest") == 0
    assert len(on_layout(there, ACCOUNT_LAYOUT)) == 13


def test_a_layout_that_salesforce_refuses_does_not_stop_the_rest(front: Front) -> None:
    """It is spared, with Salesforce's reason, and everything else is deployed."""
    there = front.show(org())
    action = next(there.metadata.layouts[ACCOUNT_LAYOUT].xml.iter(f"{NS}quickActionName"))
    action.text = "Vanished_Action"
    with connected(front) as connector:
        done = connector.provision(FIELDS, "en")
    (spared,) = [part for part in done.parts if part.name == "Account Layout"]
    assert spared.done == "left alone"
    assert "Vanished_Action" in (spared.why or "")
    assert parts(done, "layout")["Partner (EMEA) Layout"] == "changed"
    assert on_layout(there, ACCOUNT_LAYOUT) == []
    assert len(on_layout(there, PARTNER_LAYOUT)) == 17


def test_what_an_admin_changed_stays(front: Front) -> None:
    """A longer text, another column of the list view, another right in the set: none of it is undone."""
    there = front.show(org(metadata=MetadataSettings(permission_set_deploys_replace=True)))
    there.add_field("Account", text("KAM_Rfm__c", "Mine", 80, custom=True))
    with connected(front) as connector:
        connector.provision(FIELDS, "en")
        view = there.metadata.list_views[LIST_VIEW].xml
        next(view.iter(f"{NS}columns")).text = "ACCOUNT.SITE"
        (reader,) = [r for r in there.records("PermissionSet") if r["Name"] == "KAM_Reader"]
        there.create("ObjectPermissions", {"ParentId": reader["Id"], "SobjectType": "Case", "PermissionsRead": True})
        connector.provision(FIELDS, "es")
    assert next(f.length for f in there.table("Account").fields if f.name == "KAM_Rfm__c") == 80
    assert "ACCOUNT.SITE" in {one.text for one in there.metadata.list_views[LIST_VIEW].xml.iter()}
    assert "Case" in {r["SobjectType"] for r in there.records("ObjectPermissions") if r["ParentId"] == reader["Id"]}


# Trial, second user


def test_a_trial_changes_nothing_and_says_what_would_be(front: Front) -> None:
    """Salesforce itself validates; nothing is deployed or assigned."""
    there = front.show(org())
    with connected(front) as connector:
        tried = connector.provision(FIELDS, "en", dry_run=True)
        assert ours_in(there) == set()
        assert holders(there) == []
        done = connector.provision(FIELDS, "en")
    assert tried.dry_run
    assert (tried.created, tried.parts) == (done.created, done.parts)


def test_a_trial_shows_what_would_fail(front: Front) -> None:
    """As the deployment itself would, and in the same line."""
    front.show(org(metadata=MetadataSettings(custom_fields_per_object=5)))
    with connected(front) as connector, pytest.raises(RequestRefused, match=r"the validation failed.*maximum number"):
        connector.provision(FIELDS, "en", dry_run=True)


def test_an_admin_provisions_for_the_nightly_user(front: Front) -> None:
    """The admin deploys; who writes at night gets the permission set, and can then use the fields."""
    there = front.show(org(permissions=NIGHTLY_PERMISSIONS))
    with connected(front, **ADMIN) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
        assert connector.missing_fields(FIELDS) == []
    assert holders(there) == [("KAM_Integration", there.integration_user_id)]


def test_somebody_else_s_change_of_the_setup_is_waited_for(front: Front) -> None:
    """Twice; after that a later run is asked for."""
    waits: list[float] = []
    front.show(org(metadata=MetadataSettings(setup_locked=2)))
    with connected(front, waits.append) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
    assert [wait for wait in waits if wait >= 10] == [10.0, 30.0]
    front.show(org(metadata=MetadataSettings(setup_locked=9)))
    with connected(front) as connector, pytest.raises(TryAgainLater, match="another change"):
        connector.provision(FIELDS, "en")


def test_a_page_instead_of_metadata_is_asked_for_again(front: Front) -> None:
    """HTML with status 200 is no empty list: what is there would be overwritten."""
    there = front.show(org())
    served, pages = front.app, [1, 1]

    async def behind_a_page(scope: Scope, receive: Receive, send: Send) -> None:
        assert served is not None
        if "/services/Soap/m/" in scope["path"] and pages:
            pages.pop()
            await Request(scope, receive).body()
            await HTMLResponse("<html><body><p>Maintenance</p></body></html>")(scope, receive, send)
        else:
            await served(scope, receive, send)

    app: ASGIApp = behind_a_page
    front.app = app
    with connected(front) as connector:
        assert connector.provision(FIELDS, "en").created == NAMES
    assert not pages
    assert len(on_layout(there, ACCOUNT_LAYOUT)) == 17


# What is in the way


def found_in(front: Front, connector: SalesforceConnector, grade: str) -> str:
    return "\n".join(one.text for one in connector.preflight(FIELDS) if one.grade == grade)


def test_a_quiet_org_has_nothing_in_the_way(front: Front) -> None:
    """No finding where all is known and well; looking changes nothing."""
    there = front.show(org())
    with connected(front) as connector:
        assert connector.preflight(FIELDS) == []
        connector.provision(FIELDS, "en")
        assert connector.preflight(FIELDS) == []
    assert len(ours_in(there)) > 18


def test_each_permission_in_the_way_is_named(front: Front) -> None:
    """Of the user that provisions as errors; what cannot be read without them is unknown, and not fine."""
    front.show(org(permissions=frozenset({"ApiEnabled"}), read_only_objects=frozenset({"Account"})))
    with connected(front) as connector:
        errors = found_in(front, connector, "error")
        for name in ("View Setup and Configuration", "Assign Permission Sets", "Modify Metadata", "Edit on Account"):
            assert name in errors
        unknown = found_in(front, connector, "unknown")
        for what in ("which of our fields exist", "validation rules", "triggers"):
            assert what in unknown
        assert "View All Data" in found_in(front, connector, "warning")
        with pytest.raises(FieldsNotProvisioned, match="Modify Metadata") as fault:
            connector.provision(FIELDS, "en")
    assert fault.value.exit_code == 3
    assert front.asked("deployRequest") == 0


def test_what_our_writes_will_set_off_is_named(front: Front) -> None:
    """Active rules, triggers on update and record-triggered flows of Account; others are not."""
    front.show(
        org(
            validation_rules=[
                ValidationRule("Account", bool, name="Needs_Industry"),
                ValidationRule("Account", bool, name="Sleeping", active=False),
                ValidationRule("Opportunity", bool, name="Elsewhere"),
            ],
            metadata=MetadataSettings(
                apex_triggers=[ApexTrigger("Resync"), ApexTrigger("OnlyInsert", after_update=False)],
                flows=[
                    RecordTriggeredFlow("Notify_Owner", "Notify owner"),
                    RecordTriggeredFlow("Welcome", "Welcome", record_trigger_type="Create"),
                    RecordTriggeredFlow("Old", "Old", is_active=False),
                ],
            ),
        )
    )
    with connected(front) as connector:
        findings = connector.preflight(FIELDS)
    told = "active {} on Account, which every write of kam sets off: {}"
    assert findings == [
        Finding("warning", "run", told.format("validation rules", "Needs_Industry")),
        Finding("warning", "run", told.format("triggers", "Resync")),
        Finding("warning", "run", told.format("record-triggered flows", "Notify_Owner")),
    ]


def test_room_and_types_are_looked_at(front: Front) -> None:
    """No room for our fields, and a field of our name and another type, are errors before anything is made."""
    there = front.show(org(metadata=MetadataSettings(custom_fields_per_object=10)))
    there.add_field("Account", text("KAM_Score__c", "Score", 10, custom=True))
    with connected(front) as connector:
        errors = found_in(front, connector, "error")
    assert "KAM_Score__c exists with type Text, kam needs Number" in errors
    assert "Account takes 8 more custom fields and kam needs 17" in errors


def test_hidden_fields_and_few_calls_are_told(front: Front) -> None:
    """Fields that are there and not granted, and a day whose calls are nearly spent."""
    there = front.show(org(daily_api_requests=55))
    there.add_field("Account", text("KAM_Rfm__c", "RFM", 3, custom=True))
    with connected(front, call_share=1.0, call_reserve=0.0) as connector:
        warnings = found_in(front, connector, "warning")
    assert "field-level security keeps from kam's user: KAM_Rfm__c" in warnings
    assert "API calls are left today" in warnings


# Taking it away


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
