"""The Salesforce connector writes our fields row by row, and reads back what is there."""

from collections.abc import Iterator

import pytest

from connectors.contract import AccountWrite, Slice
from connectors.errors import FieldsNotProvisioned
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.settings import ValidationRule
from kammodel.publish.fields import OURS
from tests.contract.hubspot_copy import Copy, read_stream
from tests.contract.salesforce_connected import HOUR, Front, connected, held, open_front, org, provisioned, write

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (salesforce_id("001", n) for n in range(1, 7))
VALUES = {
    "tier": "key",
    "score": "87.5",
    "reason": "<b>won & =1+1",
    "revenue_ttm": "1234567890123.45",
    "revenue_growth": "-12.5",
    "days_since_touch": "3",
    "scored_on": "2026-11-02",
}


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def test_what_is_written_is_read_back(front: Front) -> None:
    """Every kind of value comes back as its canonical text; percent stay percent points."""
    there = provisioned(front)
    with connected(front) as connector:
        assert write(connector, AccountWrite(ALPHA, dict(VALUES)))[ALPHA].outcome == "written"
        read = held(connector, ALPHA, IBERIA)
    # The strategic value is not ours: a person had typed it.
    assert {k: v for k, v in read[ALPHA].items() if v is not None} == {**VALUES, "strategic_value": "7"}
    assert set(read[IBERIA].values()) == {None}
    record = there.record("Account", ALPHA) or {}
    assert (record["KAM_Score__c"], record["KAM_Revenue_Growth__c"]) == (87.5, -12.5)


def test_null_clears(front: Front) -> None:
    """A value that no longer holds is taken away; fields that are not named stay."""
    provisioned(front)
    with connected(front) as connector:
        write(connector, AccountWrite(ALPHA, {"tier": "key", "score": "1"}))
        write(connector, AccountWrite(ALPHA, {"tier": None}))
        assert (held(connector, ALPHA)[ALPHA]["tier"], held(connector, ALPHA)[ALPHA]["score"]) == (None, "1")


def test_each_row_has_its_own_outcome(front: Front) -> None:
    """A rule, a bad value, a deleted row, an unknown one: the others of the batch are written; no value is told."""
    rule = ValidationRule("Account", lambda row: row["Name"] == "Alpha Iberia", "secret 87.5")
    provisioned(front, validation_rules=[rule])
    nowhere = salesforce_id("001", 999)
    with connected(front) as connector:
        score = {"score": "87.5"}
        told = write(
            connector,
            AccountWrite(ALPHA, {"tier": "no such tier"}),
            *(AccountWrite(i, dict(score)) for i in (IBERIA, BETA, GONE, nowhere)),
        )
    shown = {i: (o.outcome, o.code) for i, o in told.items()}
    assert shown == {
        ALPHA: ("rejected", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        IBERIA: ("rejected", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        BETA: ("written", None),
        GONE: ("gone", "ENTITY_IS_DELETED"),
        nowhere: ("gone", "INVALID_CROSS_REFERENCE_KEY"),
    }
    assert not [o for o in told.values() if "87.5" in str(o.message) or "no such" in str(o.message)]


@pytest.mark.parametrize(("locked_for", "outcome"), [(1, "written"), (3, "written"), (9, "retry")])
def test_locked_rows_are_tried_again_alone(front: Front, locked_for: int, outcome: str) -> None:
    """A lock that passes is outlived; one that stays leaves the row to a later run. Neighbours are written once."""
    provisioned(front, locked_rows={IBERIA: locked_for})
    waits: list[float] = []
    with connected(front, waits.append) as connector:
        told = write(connector, AccountWrite(ALPHA, {"score": "1"}), AccountWrite(IBERIA, {"score": "2"}))
    assert (told[ALPHA].outcome, told[IBERIA].outcome) == ("written", outcome)
    # Longer each time, and not quite the same for all who met at the lock.
    assert [round(w / meant) for w, meant in zip(waits, (1.0, 2.0, 4.0), strict=False)] == [1] * min(locked_for, 3)


def test_what_was_taken_stays_told_while_locked_rows_fail(front: Front) -> None:
    """Salesforce goes away just as a locked row is tried again: the rest of its batch is written for all that."""
    provisioned(front, locked_rows={IBERIA: 1})

    def break_down(_: float) -> None:
        front.faults.on_path("PATCH /services/data/v66.0/composite/sobjects", "503", times=99)

    with connected(front, break_down) as connector:
        told = write(connector, AccountWrite(ALPHA, {"score": "1"}), AccountWrite(IBERIA, {"score": "2"}))
    # An answer without a word on when to come back: nobody knows whether it was carried out.
    assert (told[ALPHA].outcome, told[IBERIA].outcome) == ("written", "unclear")


def test_batches_of_two_hundred(front: Front) -> None:
    """Four hundred and one writes are three calls; every write has an outcome."""
    provisioned(front)
    writes = [AccountWrite(salesforce_id("001", 1000 + n), {"score": "1"}) for n in range(401)]
    with connected(front) as connector:
        batches = list(connector.write_fields(OURS, writes))
    assert [len(batch) for batch in batches] == [200, 200, 1]
    assert front.asked("PATCH") == 3


def test_two_writes_for_one_account(front: Front) -> None:
    """They go out as one, the later value wins, and each has its outcome."""
    provisioned(front)
    with connected(front) as connector:
        writes = [AccountWrite(ALPHA, {"score": "1", "tier": "key"}), AccountWrite(ALPHA, {"score": "2"})]
        (batch,) = connector.write_fields(OURS, writes)
        assert [o.outcome for o in batch] == ["written", "written"]
        assert (held(connector, ALPHA)[ALPHA]["score"], held(connector, ALPHA)[ALPHA]["tier"]) == ("2", "key")


def test_fields_that_are_not_there_stop_the_write(front: Front) -> None:
    """Not one rejected row each, but one line with the command to run."""
    front.show(org())
    with connected(front) as connector, pytest.raises(FieldsNotProvisioned, match="kam provision"):
        write(connector, AccountWrite(ALPHA, {"score": "1"}))


def test_many_ids_are_read_in_few_calls(front: Front) -> None:
    """A thousand ids fit into three addresses of at most 16,384 bytes; the two that find nothing are asked twice."""
    provisioned(front)
    ids = [ALPHA, *(salesforce_id("001", 1000 + n) for n in range(999))]
    with connected(front) as connector:
        assert list(held(connector, *ids)) == [ALPHA]
    assert front.asked("/query") == 5


def test_our_own_writes_come_back_in_the_next_window(front: Front) -> None:
    """They move the change stamp, as anybody's do: the next window brings those rows, and only those."""
    there = provisioned(front)
    there.clock.advance(HOUR)
    now = there.clock.now()
    with connected(front) as connector:
        write(connector, AccountWrite(ALPHA, {"score": "1"}))
        copy = Copy()
        read_stream(connector, copy, "accounts", Slice(now, now + HOUR))
    assert set(copy.rows("account")) == {ALPHA}
