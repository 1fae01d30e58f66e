"""People and runs share the fields of accounts for weeks, in any order: no value of theirs is lost, none of ours is
withheld, and of every plan each cell ends once."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.hubspot import writing as hubspot_writing
from connectors.salesforce import writing as salesforce_writing
from flows.pipeline import pull
from tests.pipeline.edited_crm import edited_crm, two_fronts
from tests.pipeline.mishaps import Stop
from tests.pipeline.shared_accounts import SharedAccounts
from tests.pipeline.shared_fields import SharedFields
from tests.pipeline.stopped_store import StoppedStore
from tests.pipeline.whose import Place
from tests.seed import SEED

CRMS = ("salesforce", "hubspot")
SAMPLE, ALL = 6, 5_000
_VERDICTS = ("equal", "write", "hold")
_TOLD_EVERY = 250


@pytest.fixture(scope="module")
def fronts() -> Iterator[dict[str, Any]]:
    with two_fronts() as opened:
        yield opened


@pytest.fixture(scope="module", params=CRMS)
def crm(request: pytest.FixtureRequest, fronts: dict[str, Any]) -> Iterator[SharedAccounts]:
    """Two accounts stand in a batch, so that a plan has portions."""
    with edited_crm(request.param, fronts[request.param]) as made, pytest.MonkeyPatch.context() as patch:
        patch.setattr(salesforce_writing, "BATCH", 2)
        patch.setattr(hubspot_writing, "BATCH", 2)
        shared = SharedAccounts(made)
        yield shared
        shared.connector.close()


@pytest.fixture(scope="module")
def store(crm: SharedAccounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoppedStore]:
    """In which the accounts were read."""
    with StoppedStore(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'kam.db'}") as opened:
        pull(crm.connector, opened, crm.there.clock.now)
        yield opened


def play(crm: SharedAccounts, store: StoppedStore, seed: str) -> Counter[str]:
    """A world, to the run after which nothing is left to do; tells how cells were judged."""
    world = SharedFields(crm, store, random.Random(seed))
    chance = world.chance
    happenings = [world.edit] * 5 + [world.want] * 3 + [world.run, world.run_among_people, world.break_down] * 2
    happenings += [world.take_back, world.lose, world.adopt, world.run_refused]
    try:
        world.run()
        for _ in range(chance.randint(3, 9)):
            chance.choice(happenings)()
        world.run()
        assert world.run().cells_to_write == 0
        world.check_sums()
    except Exception as fault:
        raise AssertionError(f"{seed}: {fault!r}\n" + "\n".join(world.told)) from fault
    return world.model.judged


def test_people_and_runs_share_the_fields(crm: SharedAccounts, store: StoppedStore) -> None:
    """A sample by the seed (KAM_TEST_SEED), which goes on, but not for ever, until each verdict was met often."""
    judged, played = Counter[str](), 0
    while played < SAMPLE or (min(judged[verdict] for verdict in _VERDICTS) <= SAMPLE and played < 3 * SAMPLE):
        judged += play(crm, store, f"{SEED} {crm.crm.name} {played}")
        played += 1
    assert min(judged[verdict] for verdict in _VERDICTS) > SAMPLE


@pytest.fixture
def world(crm: SharedAccounts, store: StoppedStore) -> SharedFields:
    """In which all accounts are to have a tier, and nothing else, and nothing happens by chance."""
    made = SharedFields(crm, store, random.Random(SEED))
    made.model.wanted = {(account, key): "key" if key == "tier" else None for account, key in crm.places}
    return made


def first(world: SharedFields) -> Place:
    return world.crm.ids[0], "tier"


def test_a_stamp_from_before_a_person_had_the_cell_does_not_make_it_ours(world: SharedFields) -> None:
    """They chose what we came to want, and then what we had once written."""
    world.run()
    world.enter(first(world), "growth")
    world.model.wanted[first(world)] = "growth"
    world.run()
    world.enter(first(world), "key")
    world.adopt()
    world.model.wanted[first(world)] = "standard"
    world.run()
    assert world.model.judged["hold"] == 1


def test_what_was_taken_back_and_then_entered_by_a_person_is_not_taken_back_again(world: SharedFields) -> None:
    """Though it is what the plan wrote."""
    plan_id = world.run().plan_id
    world.undo(plan_id)
    world.enter(first(world), "key")
    world.undo(plan_id)
    assert world.crm.now()[first(world)] == "key"


def test_a_plan_that_was_stopped_and_overtaken_can_be_undone(world: SharedFields) -> None:
    """It had written the first portion, and could not say so any more."""
    world.stop(Stop(2, after=True).armed())
    stopped = world.latest()
    world.run()
    assert stopped is not None
    world.undo(stopped)
    assert world.crm.now()[first(world)] is None


def test_an_undo_that_overtakes_a_plan_leaves_its_accounts_to_the_next(world: SharedFields) -> None:
    """One of them was cleared, which the ledger does not know; the undo itself was of another one."""
    world.run()
    world.model.wanted[world.crm.ids[-1], "tier"] = "growth"
    plan_id = world.run().plan_id
    world.enter(first(world), None)
    world.stop(Stop(2, after=False).armed())
    world.undo(plan_id)
    world.run()
    assert world.crm.now()[first(world)] == "key"


def test_what_was_refused_is_tried_again_though_the_ledger_says_that_it_is_there(world: SharedFields) -> None:
    """A person had cleared it."""
    world.run()
    world.enter(first(world), None)
    world.run_refused(first(world)[0])
    world.run()
    assert world.crm.now()[first(world)] == "key"


def test_an_undo_that_is_undone_holds_nothing_back(world: SharedFields) -> None:
    """Empty, as it was in between, is what we may want later."""
    plan_id = world.run().plan_id
    world.undo(plan_id)
    undo = world.latest()
    assert undo is not None
    world.undo(undo)
    world.model.wanted[first(world)] = None
    world.run()
    assert world.crm.now()[first(world)] is None


@pytest.mark.exhaustive
def test_people_and_runs_share_the_fields_in_thousands_of_worlds(
    crm: SharedAccounts, store: StoppedStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five thousand in each CRM. Tells its figures as it goes."""
    began, judged, wrong = time.process_time(), Counter[str](), list[str]()
    for number in range(1, ALL + 1):
        try:
            judged += play(crm, store, f"{SEED} {crm.crm.name} {number}")
        except AssertionError as fault:
            wrong.append(str(fault))
        if number % _TOLD_EVERY == 0:
            seconds = round(time.process_time() - began)
            with capsys.disabled():
                sys.stdout.write(
                    f"{crm.crm.name}: {number} worlds, {dict(judged)}, {len(wrong)} wrong, {seconds} s CPU\n"
                )
                sys.stdout.flush()
    assert not wrong, "\n\n".join(wrong[:3])
