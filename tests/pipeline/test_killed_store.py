"""The process ends at any transaction of a scripted run, before it is kept or after: the next one ends the same."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from flows.pipeline import apply
from flows.pipeline.undoing import keep_undo, undo_of
from kammodel.store import approving
from tests.contract import hubspot_world, salesforce_connected
from tests.pipeline import hubspot_people, salesforce_script
from tests.pipeline.disturbed import Checkpoint, Script
from tests.pipeline.hubspot_script import ScriptedHubSpot, small_sizes
from tests.pipeline.mishaps import KILLED, Killed, Mishap
from tests.pipeline.salesforce_script import ScriptedSalesforce
from tests.pipeline.steps import Desk, Step, T, an_hour_passes, pulled
from tests.pipeline.stopped_store import StoppedStore
from tests.seed import SEED

CRMS = ("salesforce", "hubspot")
SAMPLE = 1
_NEVER = 1_000_000


class StoreScript(Script[T]):
    """A scripted run of which any transaction can be the last; `call` is the number of one."""

    _store: StoppedStore

    def __init__(self, crm: Any, store: StoppedStore, file: Path) -> None:
        self.transactions: list[int] = []
        super().__init__(crm, store, file)

    @property
    def places(self) -> list[tuple[Checkpoint[T], int]]:
        """Every transaction: the step that it is in, and its number there."""
        counted = zip(self.checkpoints, self.transactions, strict=True)
        return [(here, number) for here, transactions in counted for number in range(transactions)]

    def _made(self, desk: Desk[T], step: Step[T]) -> Checkpoint[T]:
        with self._store.ends(_NEVER, after=False) as end:
            made = super()._made(desk, step)
        self.transactions.append(end.seen)
        return made

    def _disturbed(self, desk: Desk[T], step: Step[T], call: int, mishap: Mishap) -> str | None:
        try:
            with self._store.ends(call, after=mishap == "killed_after"):
                done = step.act(desk)
        except Killed:
            return "killed"
        return None if done else "left over"


class BriefSalesforce(ScriptedSalesforce):
    """Two runs, each pull in one go."""

    def steps(self, streams: Sequence[str]) -> Iterator[Step[Any]]:
        return two_runs(streams, salesforce_script._people_work)


class BriefHubSpot(ScriptedHubSpot):
    """Two runs, each pull in one go."""

    def steps(self, streams: Sequence[str]) -> Iterator[Step[Any]]:
        return two_runs(streams, hubspot_people.work)


def two_runs(streams: Sequence[str], people_work: Any) -> Iterator[Step[Any]]:
    everything = {"everything": tuple(streams)}
    yield Step("provisioning", Desk.provision, Desk.provision, signs_in=True, writes=True)
    yield from pulled(everything, "first load", None)
    yield Step("first writing", Desk.write, Desk.run, writes=True)
    yield from pulled(everything, "edits", people_work)
    yield Step("edits: writing", Desk.write, Desk.run, writes=True)
    yield Step("undoing", undo_and_run, run_after, an_hour_passes, writes=True)


def undo_and_run(desk: Desk[Any]) -> bool:
    """The newest plan is taken back; then comes what the schedule does."""
    with desk.store.transaction() as tx:
        (newest,) = approving.recent_plans(tx, 1)
    crm, store, clock = desk.connector, desk.store, desk.there.clock.now
    keep_undo(crm, store, undo_of(crm, store, newest, clock), clock)
    return apply(crm, store, None, clock).written > 0 and desk.run()


def run_after(desk: Desk[Any]) -> bool:
    """What the schedule does, whatever is left of an undo; one that was not even kept is asked for once more."""
    with desk.store.transaction() as tx:
        is_kept = any(plan.kind == "undo" for plan in approving.recent_plans(tx, 100))
    return desk.run() if is_kept else undo_and_run(desk)


@pytest.fixture(scope="module", params=CRMS)
def script(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreScript[Any]]:
    folder = tmp_path_factory.mktemp("script")
    with ExitStack() as stack:
        if request.param == "salesforce":
            crm: Any = BriefSalesforce(stack.enter_context(salesforce_connected.open_front()))
        else:
            stack.enter_context(small_sizes())
            crm = BriefHubSpot(stack.enter_context(hubspot_world.open_front()), folder / "state")
        store = stack.enter_context(StoppedStore(f"sqlite:///{folder / 'kam.db'}"))
        yield stack.enter_context(closing(StoreScript(crm, store, folder / "kam.db")))


def play(script: StoreScript[Any], here: Checkpoint[Any], number: int, mishap: Mishap) -> None:
    """Ends in the same CRM and store; of each plan each cell ended, once."""
    ending = script.play(here, number, mishap)
    assert ending.told == "killed", "it was not met"
    with script._store.transaction() as tx:
        for plan in approving.recent_plans(tx, 100):
            assert not set(approving.outcomes(tx, plan.plan_id)) & {"pending", "waiting"}, plan.plan_id


def test_a_process_may_end_at_a_transaction(script: StoreScript[Any]) -> None:
    """A sample by the seed (KAM_TEST_SEED), most of it where plans are made, written and taken back."""
    chance = random.Random(f"{SEED} {script.checkpoints[0].calls[0]}")
    writing = [(here, number) for here, number in script.places if here.step.name.endswith("writing")]
    undoing = [(here, number) for here, number in script.places if here.step.name == "undoing"]
    assert min(len(writing), len(undoing)) > 10
    for places in ([script.places] * SAMPLE, [writing] * SAMPLE, [undoing] * SAMPLE):
        for among in places:
            play(script, *chance.choice(among), chance.choice(KILLED))


@pytest.mark.exhaustive
@pytest.mark.parametrize("mishap", KILLED)
def test_a_process_may_end_at_every_transaction(
    script: StoreScript[Any], mishap: Mishap, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of some hundred, before it is kept and after. Tells its figures."""
    began, wrong = time.process_time(), list[str]()
    for here, number in script.places:
        try:
            play(script, here, number, mishap)
        except Exception as fault:  # noqa: BLE001  all that ends wrongly is told at the end
            wrong.append(f"{here.step.name}, transaction {number}: {fault}")
    with capsys.disabled():
        seconds = round(time.process_time() - began)
        sys.stdout.write(f"store {mishap}: {len(script.places)} transactions, {len(wrong)} wrong, {seconds} s CPU\n")
    assert not wrong, "\n".join(wrong)
