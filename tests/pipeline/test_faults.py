"""A fault at any call of a whole run: the run gets over it, or fails in one line and the next run heals it."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import two_crms
from connectors.sandbox.faults import KINDS, Fault, Faults
from kammodel.entities import ENTITIES
from kammodel.entities.envelope import OURS as STAMPS
from kammodel.errors import KamError
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.disturbed import KILLED, MISHAPS, Ending, Mishap, Script, scripted
from tests.seed import SEED

World = dict[str, Any]
_CRMS = ("salesforce", "hubspot")


def world(desk: Office) -> World:
    """What the store holds of the CRMs, and what the CRMs hold of ours."""
    tables = {entity.__name__: desk.store.read(entity).drop(*STAMPS).sort(pl.all()).rows() for entity in ENTITIES}
    return tables | {name: desk.held_by(name) for name in _CRMS}


def run(desk: Office) -> bool:
    """Whether all that was planned was written."""
    desk.pull()
    desk.score()
    desk.plan()
    return all(applied.is_complete for applied in desk.apply())


def run_and_heal(desk: Office) -> None:
    """A run; and, where a fault stopped it or left something to do, the run that heals it."""
    try:
        is_done = run(desk)
    except KamError:
        is_done = False
    if not is_done:
        desk.reconnect()
        assert run(desk)


def calls_of(desk: Office, crm: str) -> Faults:
    served = getattr(desk.served, crm)
    assert served is not None
    faults: Faults = served.faults
    return faults


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, dict[str, int]]:
    """The world after a run without faults, and how many calls each CRM had."""
    with office(two_crms(small_book(40), Clock(NOW)), tmp_path_factory.mktemp("undisturbed")) as desk:
        desk.provision()
        for crm in _CRMS:
            calls_of(desk, crm).clear()
        assert run(desk)
        counts = {crm: len(calls_of(desk, crm).log) for crm in _CRMS}
        return world(desk), counts


def check(crm: str, position: int, fault: Fault, expected: World, folder: Path) -> None:
    folder.mkdir()
    with office(two_crms(small_book(40), Clock(NOW)), folder) as desk:
        desk.provision()
        calls_of(desk, crm).clear()
        calls_of(desk, crm).at(position, fault, times=1 if fault != "html_502" else 8)
        run_and_heal(desk)
        calls_of(desk, crm).clear()
        desk.clock.advance(HOUR)
        assert world(desk) == expected, f"{fault} at call {position} of {crm}"


def test_a_fault_at_any_call_of_hubspot_changes_nothing(
    undisturbed: tuple[World, dict[str, int]], tmp_path: Path
) -> None:
    """A seeded sample of positions and faults; `-m exhaustive` runs them all."""
    expected, counts = undisturbed
    chance = random.Random(f"{SEED} hubspot")
    for number in range(2):
        position, fault = chance.randrange(counts["hubspot"]), chance.choice(KINDS)
        check("hubspot", position, fault, expected, tmp_path / str(number))


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", KINDS)
def test_every_fault_at_every_call_of_hubspot_changes_nothing(
    fault: Fault, undisturbed: tuple[World, dict[str, int]], tmp_path: Path
) -> None:
    """The whole matrix."""
    expected, counts = undisturbed
    for position in range(counts["hubspot"]):
        check("hubspot", position, fault, expected, tmp_path / str(position))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Script]:
    with scripted(tmp_path_factory.mktemp("script")) as made:
        yield made


TO_THE_END = 150
"""Of so many disturbed steps one is followed by the rest of the run."""
MOST_LEFT = 3
"""Jobs that are made before the place that names them is kept."""


def may_leave_jobs(call: str, mishap: Mishap) -> bool:
    """Whether a job may stay in the org, for Salesforce to take away after seven days.

    The call that takes it away went wrong; or nobody knows its id: the answer that told it was lost, or the process
    that it was told to has ended.
    """
    if mishap in KILLED:
        return "/jobs/" in call
    is_lost = mishap in {"dropped_after", "truncated"}
    return "/jobs/" in call and (call.startswith("DELETE") or (call.startswith("POST") and is_lost))


def judge(ending: Ending, call: str, mishap: Mishap) -> None:
    """A single fault is got over; jobs stay only where nothing could be done about them."""
    assert ending.told is None or mishap in {"outage", *KILLED}, ending.told
    assert len(ending.jobs) <= (MOST_LEFT if may_leave_jobs(call, mishap) else 0), f"left over: {ending.jobs}"


@pytest.mark.parametrize(
    ("step", "call", "times"),
    [
        ("provisioning", "metadata/deployRequest", 4),
        ("first load: sign-in", "oauth2/token", 1),
        ("first load: sign-in", "composite/batch", 1),
        ("first load: contacts", "query/0r8", 1),
        ("first load: tasks", "POST /services/data/v66.0/jobs/query", 5),
        ("first load: tasks", "/results", 10),
        ("first writing", "POST /services/data/v66.0/jobs/ingest", 2),
        ("echo: nothing to write", "PATCH", 0),
        ("edits: opportunities", "queryAll", 1),
        ("edits: writing", "PATCH /services/data/v66.0/composite/sobjects", 1),
        ("deletions: contacts", "Contact/deleted", 1),
        ("a week: tasks", "POST /services/data/v66.0/jobs/query", 1),
        ("at rest: nothing to write", "PATCH", 0),
    ],
)
def test_the_scripted_run_takes_every_road(script: Script, step: str, call: str, times: int) -> None:
    """Whatever the matrix is said to cover is there to go wrong."""
    here = next(one for one in script.checkpoints if one.step.name == step)
    assert sum(call in made for made in here.calls) == times


def test_the_scripted_run_has_hundreds_of_calls(script: Script) -> None:
    """Each is a place for something to go wrong."""
    assert len(script.positions) > 300


def test_a_mishap_at_any_call_of_salesforce_changes_nothing(script: Script) -> None:
    """A seeded sample; `-m exhaustive` plays them all."""
    chance = random.Random(f"{SEED} salesforce")
    for mishap in chance.sample(MISHAPS, 6):
        here, call = chance.choice(script.positions)
        judge(script.play(here, call, mishap), here.calls[call], mishap)


@pytest.mark.exhaustive
@pytest.mark.parametrize("mishap", MISHAPS)
def test_every_mishap_at_every_call_of_salesforce_changes_nothing(
    script: Script, mishap: Mishap, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole matrix; some of it is played to the end of the run. Tells its figures as it goes."""
    began, wrong, ended = time.process_time(), list[str](), Counter[str]()
    for number, (here, call) in enumerate(script.positions):
        place = f"{here.step.name}, call {call} ({here.calls[call]})"
        try:
            ending = script.play(here, call, mishap, to_the_end=number % TO_THE_END == 0)
            judge(ending, here.calls[call], mishap)
        except (AssertionError, KamError) as fault:
            wrong.append(f"{place}: {fault}")
        else:
            ended["got over" if ending.told is None else "healed"] += 1
            ended["left jobs"] += len(ending.jobs)
        if (number + 1) % 25 == 0 or number + 1 == len(script.positions):
            seconds = round(time.process_time() - began)
            figures = f"{mishap}: {number + 1} of {len(script.positions)}, {dict(ended)}, {len(wrong)} wrong"
            with capsys.disabled():
                sys.stdout.write(f"{figures}, {seconds} s CPU\n")
    assert not wrong, "\n".join(wrong)
