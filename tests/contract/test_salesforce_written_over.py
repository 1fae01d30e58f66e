"""What a batch of writes goes over in Salesforce is seen by the call that writes it."""

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract import AccountWrite
from connectors.errors import FieldsNotProvisioned
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.meanwhile import meanwhile
from tests.contract.salesforce_connected import Front, connected, open_front, org, provisioned, write

ALPHA, IBERIA, BETA_SL, BETA, GONE = (salesforce_id("001", n) for n in range(1, 6))
COMPOSITE, PLAIN = "POST /services/data/v66.0/composite", "PATCH /services/data/v66.0/composite/sobjects"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def scored(*ids: str) -> list[AccountWrite]:
    """An account that holds 1 is to hold 2, and a tier where there was none."""
    return [AccountWrite(i, {"score": "2", "tier": "key"}, {"score": "1", "tier": None}) for i in ids]


def ready(front: Front, **settings: Any) -> Org:
    there = provisioned(front, **settings)
    for account in (ALPHA, IBERIA, BETA):
        there.update("Account", account, {"KAM_Score__c": 1})
    return there


def test_an_edit_of_that_moment_is_seen(front: Front) -> None:
    """What a person entered after we looked is told by field, also where they cleared it, as the CRM spells it."""
    there = ready(front)
    there.update("Account", BETA, {"KAM_Tier__c": None})

    def people_edit() -> None:
        there.update("Account", ALPHA, {"KAM_Score__c": 7.5, "KAM_Tier__c": "growth"})
        there.update("Account", IBERIA, {"KAM_Score__c": None})
        # They chose what we are about to write, and what nobody writes.
        there.update("Account", BETA, {"KAM_Score__c": 2, "Phone": "1"})

    meanwhile(front, COMPOSITE, people_edit)
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA, IBERIA, BETA))
    assert {i: o.outcome for i, o in told.items()} == dict.fromkeys((ALPHA, IBERIA, BETA), "written")
    assert {i: o.overwritten for i, o in told.items()} == {
        ALPHA: {"score": "7.5", "tier": "growth"},
        IBERIA: {"score": None},
        BETA: {},
    }
    assert [call.method for call in front.faults.log if "composite" in call.path] == ["POST"]


def test_nothing_is_seen_where_nothing_was(front: Front) -> None:
    """One call for the accounts that hold what they held; rows that were not taken say nothing of it."""
    there = ready(front)
    there.settings.validation_rules.append(ValidationRule("Account", lambda row: row["Id"] == IBERIA))
    there.delete("Account", BETA)
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA, IBERIA, BETA))
        assert connector.calls.write == 1
    assert {i: (o.outcome, o.kind, o.overwritten) for i, o in told.items()} == {
        ALPHA: ("written", None, {}),
        IBERIA: ("rejected", "validation", {}),
        BETA: ("gone", "gone", {}),
    }


@pytest.mark.parametrize(("has_history", "seen"), [(True, {"score": "7.5"}), (False, {})])
def test_a_composite_that_takes_no_collections(front: Front, seen: dict[str, str], *, has_history: bool) -> None:
    """Then accounts are written without, and the history of the fields tells what was entered meanwhile; where there is
    none, it is written over unseen. Asked for only once."""
    there = ready(front, composite_takes_collections=False, account_field_history=has_history)
    meanwhile(front, PLAIN, lambda: there.update("Account", ALPHA, {"KAM_Score__c": 7.5}))
    with connected(front) as connector:
        first = write(connector, *scored(ALPHA))
        second = write(connector, *scored(IBERIA))
    assert [(o.outcome, o.overwritten) for o in (first[ALPHA], second[IBERIA])] == [("written", seen), ("written", {})]
    calls = [f"{call.method} {call.path.rsplit('/', 1)[-1]}" for call in front.faults.log if "composite" in call.path]
    assert calls == ["POST composite", "PATCH sobjects", "PATCH sobjects"]


def test_fields_that_are_not_there_stop_the_write(front: Front) -> None:
    """However it is sent."""
    front.show(org())
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, *scored(ALPHA))


@pytest.mark.parametrize("fault", ["dropped_before", "dropped_after", "truncated", "html_502", "503"])
def test_a_call_without_an_answer_is_made_once(front: Front, fault: Any) -> None:
    """Whether it was carried out or not."""
    there = ready(front)
    front.faults.on_path(COMPOSITE, fault)
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA))
    assert told[ALPHA].outcome == "unclear"
    assert front.asked("composite") == 1
    score = (there.record("Account", ALPHA) or {})["KAM_Score__c"]
    assert score == (2 if fault in {"dropped_after", "truncated"} else 1)


@pytest.mark.parametrize("fault", ["429", "429_retry_after", "expired_token"])
def test_a_call_that_is_plainly_refused_is_made_again(front: Front, fault: Any) -> None:
    """Nothing was carried out."""
    ready(front)
    front.faults.on_path(COMPOSITE, fault)
    with connected(front) as connector:
        assert write(connector, *scored(ALPHA))[ALPHA].outcome == "written"
    assert front.asked("composite") == 2


def test_locked_rows_are_looked_at_again_as_they_are_sent(front: Front) -> None:
    """Seconds pass until a lock is gone: what is entered in them is seen as well."""
    there = ready(front, locked_rows={IBERIA: 1})
    meanwhile(front, COMPOSITE, lambda: None, lambda: there.update("Account", IBERIA, {"KAM_Score__c": 9.5}))
    with connected(front) as connector:
        told = write(connector, *scored(ALPHA, IBERIA))
    assert (told[ALPHA].overwritten, told[IBERIA].overwritten) == ({}, {"score": "9.5"})
