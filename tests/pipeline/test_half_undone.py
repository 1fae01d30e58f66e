"""An undo that broke off: the next plan goes on with it, and ends as it would have after an undo that did not."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from flows.pipeline.cells import writes_of
from flows.pipeline.planning import plan_of
from flows.results import PlanReceipt
from kammodel.publish.fields import OURS
from kammodel.publish.plan import Terms
from kammodel.publish.rules import PublishRules, load_rules
from kammodel.store import plans
from tests.pipeline.company import Office
from tests.pipeline.mishaps import Killed, Stop
from tests.pipeline.published import published, type_in, undo_planned

CRM = "hubspot"
PERSON_WINS = load_rules()
OURS_ALWAYS = PERSON_WINS.model_copy(update={"fields": {"default": "ours"}})
BROKEN = pytest.mark.parametrize("is_sent", [False, True], ids=["not sent", "sent"])
"""The process ends at the call that writes: before it, or once the CRM took it."""
Cell = tuple[str | None, str | None, str, str | None]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with published(CRM, tmp_path_factory.mktemp("half_undone")) as opened:
        yield opened


@pytest.fixture
def account(desk: Office) -> str:
    """One whose score is 10, by us."""
    found = next(account for account, held in desk.held_by(CRM).items() if held["tier"])
    write(desk, found, "10", OURS_ALWAYS)
    return found


def want(desk: Office, account: str, score: str, rules: PublishRules = PERSON_WINS) -> PlanReceipt:
    """Plans the score of one account, which the CRM has shown again."""
    wanted = pl.DataFrame({"source_id": [account], "score": [score]})
    who = desk.connectors[0].identify()
    with desk.store.transaction() as tx:
        plans.add_to_compare(tx, wanted["source_id"], who.source, who.instance)
    terms = Terms([field for field in OURS if field.key == "score"], desk.clock.now().date(), {}, rules)
    return plan_of(desk.connectors[0], desk.store, wanted, terms, desk.clock.now)


def write(desk: Office, account: str, score: str, rules: PublishRules = PERSON_WINS) -> str:
    made = want(desk, account, score, rules)
    desk.apply()
    return made.plan_id


def broken_undo(desk: Office, plan_id: str, *, is_sent: bool) -> str:
    """Planned, looked at once more, and broken off; gives its plan."""
    made = undo_planned(desk, plan_id)
    with pytest.raises(Killed), Stop(1, after=is_sent).armed():
        desk.apply()
    desk.reconnect()
    return made.plan_id


def typed_over(desk: Office, account: str) -> str:
    """A person's 55 is written over with 12, by the rule of the field; gives the plan."""
    type_in(desk, CRM, account, score="55")
    return write(desk, account, "12", OURS_ALWAYS)


def score(desk: Office, account: str) -> str | None:
    return desk.held_by(CRM)[account]["score"]


def cells(desk: Office, plan_id: str) -> list[Cell]:
    """Those of the score: before, after, decision, reason."""
    with desk.store.transaction() as tx:
        found = plans.cells_of(tx, plan_id)
    return found.filter(field="score").select("before", "after", "decision", "reason").rows()


def known(desk: Office, account: str) -> tuple[str | None, bool, str | None, bool]:
    """What the ledger says of the score: value, whether it took another one back, which, and whether it is a
    person's."""
    sql = "SELECT value, is_undone, undone, is_returned FROM written_cell WHERE source_id=:id AND field='score'"
    schema = {"value": pl.String(), "is_undone": pl.Boolean(), "undone": pl.String(), "is_returned": pl.Boolean()}
    with desk.store.transaction() as tx:
        (row,) = tx.frame(sql, schema, id=account).rows()
    return row


@BROKEN
def test_the_next_plan_ends_it(desk: Office, account: str, *, is_sent: bool) -> None:
    """And does not write the same value a second time."""
    broken_undo(desk, write(desk, account, "12"), is_sent=is_sent)
    assert score(desk, account) == ("10" if is_sent else "12")
    write(desk, account, "12")
    assert (score(desk, account), known(desk, account)) == ("10", ("10", True, "12", False))
    assert cells(desk, want(desk, account, "12").plan_id) == [("10", "12", "held", "undone")]


@BROKEN
def test_what_it_gives_back_to_a_person_is_theirs(desk: Office, account: str, *, is_sent: bool) -> None:
    """Though the rule is that the field is ours; and when it is no more, it is theirs by that."""
    broken_undo(desk, typed_over(desk, account), is_sent=is_sent)
    write(desk, account, "12", OURS_ALWAYS)
    assert (score(desk, account), known(desk, account)) == ("55", ("55", True, "12", True))
    assert cells(desk, want(desk, account, "13").plan_id) == [("55", "13", "held", "person")]


@BROKEN
def test_a_newer_value_is_written_at_once_but_not_over_a_persons(desk: Office, account: str, *, is_sent: bool) -> None:
    """Theirs is given back before the rule may write over it again: so that it can be given back again."""
    broken_undo(desk, write(desk, account, "12"), is_sent=is_sent)
    write(desk, account, "13")
    assert score(desk, account) == "13"
    broken_undo(desk, typed_over(desk, account), is_sent=is_sent)
    newer = write(desk, account, "13", OURS_ALWAYS)
    again = write(desk, account, "13", OURS_ALWAYS)
    assert score(desk, account) == "13"
    undo_planned(desk, newer if is_sent else again)
    desk.apply()
    assert score(desk, account) == "55"


@BROKEN
def test_the_undo_of_an_undo_is_ended_likewise(desk: Office, account: str, *, is_sent: bool) -> None:
    """What was taken back is ours again."""
    undone = undo_planned(desk, write(desk, account, "12")).plan_id
    desk.apply()
    broken_undo(desk, undone, is_sent=is_sent)
    write(desk, account, "12")
    assert (score(desk, account), known(desk, account)) == ("12", ("12", False, None, False))


@BROKEN
def test_another_undo_ends_it_as_well(desk: Office, account: str, *, is_sent: bool) -> None:
    """Both are taken back; but not where that other one takes back this one."""
    first = write(desk, account, "12")
    broken_undo(desk, write(desk, account, "13"), is_sent=is_sent)
    undo_planned(desk, first)
    desk.apply()
    assert (score(desk, account), known(desk, account)[1]) == ("10", True)
    undone = broken_undo(desk, write(desk, account, "14"), is_sent=is_sent)
    undo_planned(desk, undone)
    desk.apply()
    write(desk, account, "14")
    assert (score(desk, account), known(desk, account)[1]) == ("14", False)


@BROKEN
@pytest.mark.parametrize("is_applied", [False, True])
def test_what_a_plan_went_on_with_is_taken_back_by_its_own_name(
    desk: Office, account: str, *, is_sent: bool, is_applied: bool
) -> None:
    """The plan that has its cells now is another one; what is wanted back is what the undo took."""
    undone = broken_undo(desk, write(desk, account, "12"), is_sent=is_sent)
    want(desk, account, "12")
    if is_applied:
        desk.apply()
    undo_planned(desk, undone)
    desk.apply()
    assert score(desk, account) == "12"
    assert cells(desk, want(desk, account, "12").plan_id) == []


def test_what_was_undone_is_no_reason_to_look(desk: Office, account: str) -> None:
    """Once the plan after it has: every night would read all of a large plan that was undone."""
    undo_planned(desk, write(desk, account, "12"))
    desk.apply()
    wanted = pl.DataFrame({"source_id": [account], "score": ["12"]})
    terms = Terms([field for field in OURS if field.key == "score"], desk.clock.now().date(), {}, PERSON_WINS)
    looks = [plan_of(desk.connectors[0], desk.store, wanted, terms, desk.clock.now) for _ in range(2)]
    assert [(one.compared, one.cells_to_write) for one in looks] == [(1, 0), (0, 0)]


def test_what_a_person_entered_since_is_theirs(desk: Office, account: str) -> None:
    broken_undo(desk, write(desk, account, "12"), is_sent=False)
    type_in(desk, CRM, account, score="77")
    assert cells(desk, want(desk, account, "12").plan_id) == [("77", "12", "held", "person")]


def test_a_plan_that_goes_on_with_it_may_break_off_as_well(desk: Office, account: str) -> None:
    """It is not lost however often."""
    broken_undo(desk, write(desk, account, "12"), is_sent=False)
    for _ in range(2):
        assert cells(desk, want(desk, account, "12").plan_id) == [("12", "10", "write", "undo")]
    desk.apply()
    assert known(desk, account) == ("10", True, "12", False)


@pytest.mark.parametrize("entered", ["90.5", None])
def test_the_undo_of_a_plan_that_broke_off_gives_back_what_it_went_over(
    desk: Office, account: str, caplog: pytest.LogCaptureFixture, entered: str | None
) -> None:
    """A person had entered or cleared it after the last look, as the history shows; it is told, and theirs again."""
    plan_id = want(desk, account, "12").plan_id
    with desk.store.transaction() as tx:
        pending = plans.cells_of(tx, plan_id, pending_only=True)
    type_in(desk, CRM, account, score=entered)
    # The CRM takes it, and the process ends before it knows.
    list(desk.connectors[0].write_fields(OURS, writes_of(pending)))
    assert score(desk, account) == "12"
    undo_planned(desk, plan_id)
    desk.apply()
    assert (score(desk, account), known(desk, account)) == (entered, (entered, True, "12", True))
    assert "went over what people had entered in 1 accounts" in caplog.text
