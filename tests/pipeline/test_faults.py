"""A fault at any call of a whole run: the run gets over it, or fails in one line and the next run heals it."""

from __future__ import annotations

import random
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


@pytest.mark.parametrize("crm", _CRMS)
def test_a_fault_at_any_call_changes_nothing(
    crm: str, undisturbed: tuple[World, dict[str, int]], tmp_path: Path
) -> None:
    """A seeded sample of positions and faults; `-m exhaustive` runs them all."""
    expected, counts = undisturbed
    chance = random.Random(f"{SEED} {crm}")
    for number in range(2):
        position, fault = chance.randrange(counts[crm]), chance.choice(KINDS)
        check(crm, position, fault, expected, tmp_path / str(number))


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", KINDS)
@pytest.mark.parametrize("crm", _CRMS)
def test_every_fault_at_every_call_changes_nothing(
    crm: str, fault: Fault, undisturbed: tuple[World, dict[str, int]], tmp_path: Path
) -> None:
    """The whole matrix."""
    expected, counts = undisturbed
    for position in range(counts[crm]):
        check(crm, position, fault, expected, tmp_path / str(position))
