"""What a flow does while another run reads or writes the same CRM: it waits, and at last leaves it to the next run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.errors import JobUnderWay
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import ServedCompany
from flows import proving, steps, turns
from flows.cli.standing import Screen
from flows.outcome import skipped
from flows.pipeline import quiet
from flows.pipeline.applying import Replaced
from flows.pipeline.health import standing
from flows.pipeline.leasing import Held, Taken, sole_reader, sole_writer
from flows.pipeline.swept import Sweeps
from flows.recording import has_died
from flows.runtime import Runtime
from flows.settings import settings_from
from flows.sweeping import sweep_one
from flows.words import Language, Words
from kammodel.entities import PublishPlan
from kammodel.store import health
from tests.flows.test_flows import DAY, QUICK
from tests.store.test_plans import save

HALF_AN_HOUR, DAY_LONG = dt.timedelta(minutes=30), dt.timedelta(days=1)


class Flow:
    """The progress of somebody who waits. `meanwhile` happens at the third time."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.told: list[str] = []
        self._meanwhile = meanwhile

    def __call__(self, step: str, done: int, total: int | None) -> None:
        """Goes on without a word."""

    def wait(self, why: str, seconds: float) -> None:
        assert seconds == 10
        self.told.append(why)
        if len(self.told) == 3:
            self._meanwhile()


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path) -> Iterator[Runtime]:
    settings = settings_from({**served.environment(), "KAM_HOME": str(tmp_path / "home")})
    with Runtime(settings, clock=served.company.clock.now, patience=QUICK) as opened:
        yield opened


@dataclass
class Another:
    """A run that has a lease until it is closed; `goes_on` says so half an hour later."""

    runtime: Runtime
    clock: Clock
    held: Held
    stack: ExitStack

    def ends(self) -> None:
        self.stack.close()

    def goes_on(self) -> None:
        self.clock.advance(HALF_AN_HOUR)
        with self.runtime.store.transaction() as tx:
            self.held.renew(tx)


@pytest.fixture
def another(runtime: Runtime, served: ServedCompany) -> Iterator[Another]:
    """It reads HubSpot."""
    with ExitStack() as stack:
        lease = sole_reader(runtime.store, runtime.connector("hubspot").identify(), runtime.clock)
        yield Another(runtime, served.company.clock, stack.enter_context(lease), stack)


def newest(runtime: Runtime, kind: str) -> tuple[str, object]:
    with runtime.store.transaction() as tx:
        found = health.newest_run(tx, [kind], "hubspot")
    assert found is not None
    return found.state, found.result.get(health.LINE)


def test_a_flow_waits_for_its_turn(runtime: Runtime, another: Another) -> None:
    """It reads as soon as the other run is done; its own run is one, and is done."""
    flow = Flow(another.ends)
    assert steps.pull(runtime, "hubspot", full=False, progress=flow).rows > 0
    assert (len(flow.told), len(set(flow.told))) == (3, 1)
    assert flow.told[0].startswith("another run is reading (process ")
    assert newest(runtime, "pull") == (health.DONE, None)


@pytest.mark.usefixtures("another")
def test_a_command_does_not_wait(runtime: Runtime) -> None:
    with pytest.raises(Taken, match="hubspot: another run is reading"):
        steps.pull(runtime, "hubspot", full=False, progress=quiet)


def test_a_flow_waits_for_a_job_that_another_run_left_behind(runtime: Runtime, served: ServedCompany) -> None:
    """As for that run: the other CRM's turn comes, and nobody is woken."""
    under_way = [JobUnderWay("a job may still write")] * 3

    def work() -> str:
        if under_way:
            raise under_way.pop()
        return "done"

    def half_an_hour_later() -> None:
        served.company.clock.advance(HALF_AN_HOUR)

    flow = Flow(lambda: None)
    assert turns.in_turn(work, turns.unplanned, runtime=runtime, progress=flow) == "done"
    assert flow.told == ["a job may still write"] * 3
    under_way += [JobUnderWay("a job may still write")] * 4
    why = "no plan was made, the next run makes one: waited 30 minutes in vain: a job may still write"
    with pytest.raises(turns.TurnMissed, match=why):
        turns.in_turn(work, turns.unplanned, runtime=runtime, progress=Flow(half_an_hour_later))
    under_way.append(JobUnderWay("a job may still write"))
    with pytest.raises(JobUnderWay):
        turns.in_turn(work, turns.unplanned, runtime=runtime, progress=quiet)


def test_after_half_an_hour_it_is_left_to_the_next_run(runtime: Runtime, another: Another) -> None:
    """That is no failure: pull, sweep and repair were done in part, of which nothing."""
    pulled = steps.pull(runtime, "hubspot", full=False, progress=Flow(another.goes_on))
    swept = sweep_one(runtime, "hubspot", of=Sweeps.deletions, progress=Flow(another.goes_on))
    repaired = proving.reconcile(runtime, "hubspot", repair=True, progress=Flow(another.goes_on))
    why = str(pulled.stopped)
    assert why.startswith("waited 30 minutes for another run, which is reading (process ")
    assert steps.unread([pulled, swept]) == (
        f"hubspot is left to the next pull: {why}",
        f"hubspot is left to the next sweep: {why}",
    )
    assert proving.unproven([repaired]) == (f"hubspot: {why}",)
    assert [newest(runtime, kind) for kind in ("pull", "sweep", "reconcile")] == [(health.PARTIAL, why)] * 3


def test_a_plan_whose_turn_does_not_come_stays_to_be_written(runtime: Runtime, served: ServedCompany) -> None:
    who = runtime.connector("hubspot").identify()
    made = PublishPlan(
        plan_id="p", source="hubspot", source_instance=who.instance, planned_at=runtime.clock(), as_of=DAY
    )
    save(runtime.store, made, ("1", "tier", None, "key", "write"), ("2", "tier", "x", "key", "held"))
    with ExitStack() as stack:
        lease = sole_writer(runtime.store, who.source, who.instance, runtime.clock)
        other = Another(runtime, served.company.clock, stack.enter_context(lease), stack)
        left = steps.apply(runtime, "hubspot", None, progress=Flow(other.goes_on))
    assert (left.plan_id, left.written, left.pending, left.is_complete) == ("p", 0, 1, False)
    (line,) = steps.unwritten([left])
    assert line.startswith("hubspot: resumes with the 1 cell that is left, with the next apply: waited 30 minutes")
    assert newest(runtime, "apply") == (health.PARTIAL, left.stopped)


@pytest.fixture
def writing(runtime: Runtime, served: ServedCompany) -> Iterator[Another]:
    """It writes into HubSpot, whose fields of ours are there."""
    connector = runtime.connector("hubspot")
    connector.provision(runtime.fields, "en")
    who = connector.identify()
    with ExitStack() as stack:
        lease = sole_writer(runtime.store, who.source, who.instance, runtime.clock)
        yield Another(runtime, served.company.clock, stack.enter_context(lease), stack)


def test_a_plan_waits_for_who_writes(runtime: Runtime, writing: Another) -> None:
    """A command does not, and is told who it is."""
    with pytest.raises(Taken, match="hubspot: another run is writing"):
        steps.plan(runtime, "hubspot", DAY, full=False, progress=quiet)
    flow = Flow(writing.ends)
    assert steps.plan(runtime, "hubspot", DAY, full=False, progress=flow).source == "hubspot"
    assert (len(flow.told), len(set(flow.told))) == (3, 1)


def test_a_plan_whose_turn_does_not_come_is_left_to_the_next_run(runtime: Runtime, writing: Another) -> None:
    """For its sake the other CRM is not held up, and it is no failure."""
    planned, (line,) = steps.each(
        ("hubspot",), lambda crm: steps.plan(runtime, crm, DAY, full=False, progress=Flow(writing.goes_on))
    )
    assert planned == ()
    assert line.startswith("hubspot: no plan was made, the next run makes one: waited 30 minutes for another run")
    assert newest(runtime, "plan")[0] == health.PARTIAL


def plan_named(runtime: Runtime, name: str, undoes: str | None = None, *, made_by: str | None = "a run") -> PublishPlan:
    """A plan of one cell, stored."""
    who = runtime.connector("hubspot").identify()
    made = PublishPlan(
        plan_id=name,
        source="hubspot",
        source_instance=who.instance,
        planned_at=runtime.clock(),
        as_of=DAY,
        undoes=undoes,
        made_by=made_by,
    )
    kept = made.model_copy()
    save(runtime.store, made, ("1", "tier", None, "key", "write"))
    return kept


def test_an_undo_waits_for_who_writes(runtime: Runtime, writing: Another) -> None:
    """After half an hour it is given up: nobody else takes it back."""
    undo = steps.undo_of(runtime, plan_named(runtime, "undone"), progress=quiet)
    with pytest.raises(Taken):
        steps.keep_undo(runtime, undo, progress=quiet)
    with pytest.raises(turns.TurnMissed, match="nothing is taken back, undo it once more: waited 30 minutes"):
        steps.keep_undo(runtime, undo, progress=Flow(writing.goes_on))
    assert steps.keep_undo(runtime, undo, progress=Flow(writing.ends)).plan_id == undo.receipt.plan_id


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "HubSpot apply: nothing was written: a newer plan had taken its place"),
        ("es", "apply de HubSpot: no se escribió nada: un plan más nuevo lo había sustituido"),
    ],
)
def test_an_overtaken_plan_is_left_out_by_a_flow(
    runtime: Runtime, language: Language, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newer one writes it, so that nobody need be woken; a command says that it is old, and the status why nothing
    was written."""
    plan_named(runtime, "the older")
    plan_named(runtime, "the newer")
    with pytest.raises(Replaced, match="hubspot: plan the older is not the latest"):
        steps.apply(runtime, "hubspot", "the older", progress=quiet)
    left_out = steps.apply(runtime, "hubspot", "the older", progress=Flow(lambda: None))
    assert (left_out.written, left_out.pending, left_out.is_complete, steps.unwritten([left_out])) == (0, 0, True, ())
    assert skipped([left_out]) == ("hubspot: a newer plan has taken its place; it writes what this one would have",)
    assert newest(runtime, "apply") == (health.DONE, None)
    say = Words(language)
    found = standing(runtime.store, ["hubspot"], runtime.clock(), DAY_LONG, has_died, say=say)
    assert not [one.what for one in found.troubles if "apply" in one.what and "place" in one.what]
    Screen(found, None, ZoneInfo("UTC"), say).show()
    assert line in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("takes_back", [True, False])
def test_what_no_newer_plan_does_is_not_left_out(runtime: Runtime, *, takes_back: bool) -> None:
    """It takes another plan back; or there is no such plan."""
    if takes_back:
        plan_named(runtime, "the older", undoes="another")
    plan_named(runtime, "the newer")
    with pytest.raises(Replaced, match="hubspot: plan the older is not the latest"):
        steps.apply(runtime, "hubspot", "the older", progress=Flow(lambda: None))


@pytest.mark.parametrize(("undoes", "made_by"), [(None, None), ("another", "a run")], ids=["made by hand", "an undo"])
def test_what_nobody_is_to_write_is_told(runtime: Runtime, undoes: str | None, made_by: str | None) -> None:
    """The newer plan is one to be looked at, or writes something else."""
    plan_named(runtime, "the older")
    plan_named(runtime, "the newer", undoes, made_by=made_by)
    left = steps.apply(runtime, "hubspot", "the older", progress=Flow(lambda: None))
    assert (left.plan_id, left.skipped, left.pending, left.is_complete) == ("the older", None, 1, False)
    (line,) = steps.unwritten([left])
    assert line.endswith("with the next apply: a newer plan has taken its place, which no run is to write")
