"""Undo: what a plan wrote is taken back where it still stands, and an undo can be undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.pipeline.undoing import plans_to_undo, undo_of
from flows.results import ApplyReceipt, PlanReceipt
from kammodel.errors import KamError
from kammodel.store.approving import recent_plans
from tests.pipeline.company import HOUR, Office
from tests.pipeline.published import Values, published, type_in, undo_planned

CRMS = ("salesforce", "hubspot")
TIERS = ("strategic", "key", "growth", "standard")


ONE = pytest.mark.parametrize("crm", ["hubspot"], indirect=True)
"""For what is the same whichever CRM it is."""


@pytest.fixture(params=CRMS)
def crm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(crm: str, tmp_path: Path) -> Iterator[Office]:
    with published(crm, tmp_path) as opened:
        yield opened


def latest(desk: Office) -> str:
    with desk.store.transaction() as tx:
        return recent_plans(tx, 1)[0].plan_id


def undo(desk: Office, plan_id: str) -> tuple[PlanReceipt, ApplyReceipt]:
    planned = undo_planned(desk, plan_id)
    (applied,) = desk.apply()
    desk.clock.advance(HOUR)
    return planned, applied


def empty(values: Values) -> bool:
    return all(value is None for fields in values.values() for value in fields.values())


def test_the_first_publication_is_taken_back_whole(desk: Office, crm: str) -> None:
    """Every field is as empty as before; undone once more, every one holds what it held, byte for byte."""
    held = desk.held_by(crm)
    planned, applied = undo(desk, latest(desk))
    assert (planned.cells_held, planned.cells_equal) == (0, 0)
    assert applied.written == planned.cells_to_write > 100
    assert empty(desk.held_by(crm))
    undo(desk, latest(desk))
    assert desk.held_by(crm) == held


def test_what_somebody_edited_since_is_spared(desk: Office, crm: str) -> None:
    """A value typed over ours stays, and so does a field that somebody cleared."""
    held = desk.held_by(crm)
    first, second, *_ = sorted(id_ for id_, fields in held.items() if fields["tier"])
    mine = next(tier for tier in TIERS if tier != held[first]["tier"])
    type_in(desk, crm, first, tier=mine)
    type_in(desk, crm, second, reason=None)
    planned, _ = undo(desk, latest(desk))
    now = desk.held_by(crm)
    assert (planned.cells_held, planned.cells_equal) == (1, 1)
    assert now[first].pop("tier") == mine
    assert empty(now)


@ONE
def test_what_was_taken_back_is_not_written_again(desk: Office, crm: str) -> None:
    """The next runs hold the same values back, until we want others; an undo of the undo lets them through."""
    undo(desk, latest(desk))
    undone = latest(desk)
    (planned,) = desk.run()[2]
    assert (planned.cells_to_write, planned.cells_held > 100) == (0, True)
    assert empty(desk.held_by(crm))
    undo(desk, undone)
    (after,) = desk.run()[2]
    assert (after.cells_to_write, after.cells_held) == (0, 0)


@ONE
def test_an_undo_needs_a_plan_that_is_there(desk: Office) -> None:
    with pytest.raises(KamError, match="no plan that is called 'nosuchplan'"):
        plans_to_undo(desk.store, "nosuchplan")


@ONE
def test_a_name_of_several_plans_is_refused(desk: Office, crm: str) -> None:
    """However many they are, a few are named."""
    for _ in range(6):
        desk.plan()
    with pytest.raises(KamError) as fault:
        plans_to_undo(desk.store, crm)
    assert "could be any of 7 plans, such as" in str(fault.value)
    assert str(fault.value).count(f"{crm}-") == 5


@ONE
def test_an_undo_that_was_not_applied_is_written_with_the_next_plan(desk: Office, crm: str) -> None:
    """Somebody asked for it."""
    undo_planned(desk, latest(desk))
    (planned,) = desk.run()[2]
    assert (planned.cells_to_write > 100, planned.cells_held) == (True, 0)
    assert empty(desk.held_by(crm))


@ONE
def test_an_undo_with_nothing_to_take_back_is_none(desk: Office, crm: str) -> None:
    """Kept, it would only overtake what waits to be written. That of a plan that is still to be written gives it up."""
    undo_planned(desk, published := latest(desk))
    desk.apply()
    (undone,) = plans_to_undo(desk.store, published)
    again = undo_of(desk.connectors[0], desk.store, undone, desk.clock.now)
    assert (again.receipt.cells_to_write, again.is_empty) == (0, True)
    undo_planned(desk, undo := latest(desk))
    (waiting,) = plans_to_undo(desk.store, latest(desk))
    regretted = undo_of(desk.connectors[0], desk.store, waiting, desk.clock.now)
    assert (waiting.undoes, regretted.receipt.cells_to_write, regretted.is_empty) == (undo, 0, False)
