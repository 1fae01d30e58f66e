"""Who plans beside a run that writes would take what that wrote for a person's work: only one does either at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
import pytest

from flows.pipeline import apply, pull
from flows.pipeline.adopting import adopt
from flows.pipeline.leasing import Overtaken, Taken
from flows.pipeline.planning import plan_of
from flows.pipeline.progress import Progress, quiet
from flows.pipeline.undoing import Undo, keep_undo, plans_to_undo, undo_of
from flows.results import PlanReceipt
from kammodel.errors import KamError
from kammodel.publish.fields import OURS
from kammodel.publish.plan import Terms
from kammodel.store import approving
from tests.pipeline.company import HOUR, Office
from tests.pipeline.published import published, type_in

CRM = "hubspot"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with published(CRM, tmp_path_factory.mktemp("one_writer")) as opened:
        yield opened


@pytest.fixture
def account(desk: Office) -> str:
    """One that has a tier."""
    return min(account for account, held in desk.held_by(CRM).items() if held["tier"])


def want(desk: Office, accounts: str | list[str], score: str, progress: Progress = quiet) -> PlanReceipt:
    """Plans another score for one account, or several."""
    wanted = pl.DataFrame({"source_id": accounts}).with_columns(score=pl.lit(score))
    fields = [field for field in OURS if field.key == "score"]
    terms = Terms(fields, desk.clock.now().date(), {})
    return plan_of(desk.connectors[0], desk.store, wanted, terms, desk.clock.now, progress=progress)


def latest(desk: Office) -> str:
    with desk.store.transaction() as tx:
        return approving.recent_plans(tx, 1)[0].plan_id


def while_written(desk: Office, deed: Callable[[], object]) -> list[str]:
    """Does something while the newest plan is being written; tells how it was refused."""
    refused: list[str] = []

    def progress(step: str, done: int, total: int | None) -> None:
        try:
            deed()
        except Taken as fault:
            refused.append(str(fault))

    assert apply(desk.connectors[0], desk.store, None, desk.clock.now, progress=progress).written > 0
    return refused


def test_nobody_plans_while_another_run_writes(desk: Office, account: str) -> None:
    """Planned once that is done, the cell is known to be ours and is written."""
    want(desk, account, "12")
    (line,) = while_written(desk, lambda: want(desk, account, "10"))
    assert line.startswith("hubspot: another run is writing (process ")
    assert desk.held_by(CRM)[account]["score"] == "12"
    planned = want(desk, account, "10")
    (applied,) = desk.apply()
    assert (planned.cells_held, applied.edited) == (0, 0)
    assert desk.held_by(CRM)[account]["score"] == "10"


def test_the_daily_plan_is_refused_likewise(desk: Office, account: str) -> None:
    want(desk, account, "11")
    (line,) = while_written(desk, desk.plan)
    assert "try again when it is done" in line


def undo_of_latest(desk: Office) -> Undo:
    """Looked at, and kept nowhere."""
    (undone,) = plans_to_undo(desk.store, latest(desk))
    return undo_of(desk.connectors[0], desk.store, undone, desk.clock.now)


def keep(desk: Office, undo: Undo) -> PlanReceipt:
    return keep_undo(desk.connectors[0], desk.store, undo, desk.clock.now)


def test_no_undo_is_kept_while_another_run_writes(desk: Office, account: str) -> None:
    """It would overtake what that run has still to write; nor afterwards, where nothing of it is left."""
    for value in ("11", "12"):
        want(desk, account, value)
        desk.apply()
    undo = undo_of_latest(desk)
    planned = want(desk, account, "13")
    assert len(while_written(desk, lambda: keep(desk, undo))) == 1
    with pytest.raises(KamError, match="has changed since it was looked at, and nothing was taken back; look at it"):
        keep(desk, undo)
    assert latest(desk) == planned.plan_id


def test_an_undo_goes_on_without_what_somebody_has_edited_since(
    desk: Office, account: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One cell of a hundred thousand is no reason to refuse the rest; it is told."""
    other = max(one for one, held in desk.held_by(CRM).items() if held["tier"] and one != account)
    for value in ("18", "19"):
        want(desk, [account, other], value)
        desk.apply()
    undo = undo_of_latest(desk)
    assert undo.receipt.accounts_to_write == 2
    type_in(desk, CRM, other, score="77")
    assert undo.receipt.cells_to_write - keep(desk, undo).cells_to_write == 1
    assert "1 cells hold something else than when they were looked at" in caplog.text
    desk.apply()
    assert [desk.held_by(CRM)[one]["score"] for one in (account, other)] == ["18", "77"]


def test_an_undo_that_was_looked_at_in_the_midst_of_its_plan_is_looked_at_again(desk: Office, account: str) -> None:
    """It saw nothing yet that could be taken back."""
    plan_id = want(desk, account, "15").plan_id
    early = undo_of_latest(desk)
    desk.apply()
    assert early.receipt.cells_to_write == 0
    with pytest.raises(KamError, match=f"look at it again: kam undo {plan_id}"):
        keep(desk, early)
    assert latest(desk) == plan_id
    kept = keep(desk, undo_of_latest(desk))
    assert (kept.cells_to_write > 0, latest(desk)) == (True, kept.plan_id)
    desk.apply()


def test_an_undo_leaves_to_the_next_plan_what_was_planned_after_it_was_looked_at(desk: Office, account: str) -> None:
    """A plan of another account, in which a person had cleared our value."""
    other = max(one for one, held in desk.held_by(CRM).items() if held["tier"])
    want(desk, other, "21")
    desk.apply()
    want(desk, account, "22")
    desk.apply()
    undo = undo_of_latest(desk)
    desk.clock.advance(HOUR)
    type_in(desk, CRM, other, score=None)
    desk.clock.advance(HOUR)
    pull(desk.connectors[0], desk.store, desk.clock.now)
    assert want(desk, other, "21").cells_to_write > 0
    keep(desk, undo)
    desk.apply()
    assert want(desk, other, "21").cells_to_write > 0


def test_nothing_is_adopted_while_another_run_writes(desk: Office, account: str) -> None:
    """What that has written is not entered yet, and would be entered as older than it is."""
    want(desk, account, "23")
    (line,) = while_written(desk, lambda: adopt(desk.connectors[0], desk.store, desk.clock.now))
    assert "another run is writing" in line


def test_a_plan_whose_lease_ran_out_is_not_stored(desk: Office, account: str) -> None:
    """Another run writes by then: what was looked at is old. Once that is done, too, it may be made."""
    newest = latest(desk)

    def another_begins(step: str, done: int, total: int | None) -> None:
        del step, done, total
        with desk.store.transaction() as tx:
            tx.run("UPDATE lease SET holder=:other, until=until+:more", [{"other": "another/1/x", "more": 10**9}])

    with pytest.raises(Overtaken, match="this run was silent for too long, and another one writes or did so"):
        want(desk, account, "14", progress=another_begins)
    assert latest(desk) == newest
    desk.clock.advance(HOUR)
    assert want(desk, account, "14").plan_id == latest(desk)
