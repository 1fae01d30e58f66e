"""Who plans beside a run that writes would take what that wrote for a person's work: only one does either at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
import pytest

from flows.pipeline import apply
from flows.pipeline.leasing import Overtaken, Taken
from flows.pipeline.planning import plan_of
from flows.pipeline.progress import Progress, quiet
from flows.pipeline.undoing import keep_undo, plans_to_undo, undo_of
from flows.results import PlanReceipt
from kammodel.publish.fields import OURS
from kammodel.publish.plan import Terms
from kammodel.store import approving
from tests.pipeline.company import HOUR, Office
from tests.pipeline.published import published

CRM = "hubspot"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with published(CRM, tmp_path_factory.mktemp("one_writer")) as opened:
        yield opened


@pytest.fixture
def account(desk: Office) -> str:
    """One that has a tier."""
    return next(account for account, held in desk.held_by(CRM).items() if held["tier"])


def want(desk: Office, account: str, score: str, progress: Progress = quiet) -> PlanReceipt:
    """Plans another score for one account."""
    wanted = pl.DataFrame({"source_id": [account], "score": [score]})
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


def test_no_undo_is_kept_while_another_run_writes(desk: Office, account: str) -> None:
    """It would overtake what that run has still to write."""
    (undone,) = plans_to_undo(desk.store, latest(desk))
    undo = undo_of(desk.connectors[0], desk.store, undone, desk.clock.now)
    planned = want(desk, account, "13")
    assert len(while_written(desk, lambda: keep_undo(desk.store, undo, desk.clock.now))) == 1
    assert latest(desk) == planned.plan_id
    assert keep_undo(desk.store, undo, desk.clock.now).plan_id == latest(desk)


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
