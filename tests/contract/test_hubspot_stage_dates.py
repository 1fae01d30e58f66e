"""Where a portal gives no property history, the dates on which stages were last entered stand in for it."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connectors.contract import Slice
from connectors.sandbox.hubspot.definitions import PropertyDefinition
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.kinds import DEALS
from connectors.sandbox.hubspot.reference import PipelineStage
from tests.contract.hubspot_copy import Copy, connected, read_stream, stream_of
from tests.contract.hubspot_world import NOW, Front, day, open_front, portal

SECOND = dt.timedelta(seconds=1)
WON, ASTRAY = hubspot_id("deals", 1), hubspot_id("deals", 7)
TABLE = "opportunity_stage_event"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def events(copy: Copy, deal: int) -> list[tuple[Any, ...]]:
    """Moment, stage, status, probability, amount in units and close date, in order."""
    own = [row for row in copy.rows(TABLE).values() if row["opportunity_id"] == str(deal)]
    told = ("changed_at", "stage_id", "status", "probability", "amount", "close_on")
    return sorted(tuple(row[name] for name in told) for row in own)


def test_the_dates_become_stage_events(front: Front) -> None:
    """Of each stage the last entry; amount and close date are those of today, and that is told. A page is 100 deals."""
    there, copy = front.show(portal(property_history=False)), Copy()
    there.clock.set(NOW + SECOND)
    for stage in ("proposal", "qualified"):
        there.clock.advance(SECOND)
        there.update("deals", ASTRAY, {"dealstage": stage})
    with connected(front) as connector:
        front.faults.log.clear()
        read_stream(connector, copy, "opportunities", Slice(None, there.clock.now() + SECOND))
        told = connector.unavailable()["opportunities.history"]
    worth, closed = 15_000_000, dt.date(2026, 10, 13)
    assert events(copy, WON) == [
        (day(60), "qualified", "open", 0.2, worth, closed),
        (day(40), "proposal", "open", 0.6, worth, closed),
        (day(20), "closedwon", "won", 1.0, worth, closed),
    ]
    assert [row[:2] for row in events(copy, ASTRAY)] == [
        (NOW + 2 * SECOND, "proposal"),
        (NOW + 3 * SECOND, "qualified"),
    ]
    assert "only the last entry into each is known" in told
    assert any("limit=100" in call.query for call in front.faults.log if call.path.endswith("/objects/deals"))


def test_history_stays_the_first_choice(front: Front) -> None:
    """It knows re-entries, and what a deal was worth before. What comes instead is another mapping: where a portal
    begins to give a history, all of it is read."""
    front.show(portal())
    with connected(front) as connector:
        with_history = stream_of(connector, "opportunities")
        assert not [name for name in connector.unavailable() if name.startswith("opportunities.history")]
    front.show(portal(property_history=False))
    with connected(front) as connector:
        assert not stream_of(connector, "opportunities").reads_as(with_history.fingerprint)


def test_a_portal_may_have_neither(front: Front) -> None:
    """Then past stages are unknown."""
    front.show(portal(property_history=False, stage_date_properties=False))
    with connected(front) as connector:
        assert TABLE not in {str(m.entity.__tablename__) for m in stream_of(connector, "opportunities").mappings}
        assert "past stages are unknown" in connector.unavailable()["opportunities.history"]


def test_a_new_stage_brings_a_date_and_changes_nothing_else(front: Front) -> None:
    """A property that is shown anew makes a stream be read in full, since its values were missed: here none were."""
    front.show(portal(property_history=False))
    with connected(front) as connector:
        named = {one.field for one in stream_of(connector, "opportunities").types}
    assert "amount" in named
    assert not [name for name in named if "date_entered" in name]


@pytest.mark.parametrize(("number", "letters", "fit"), [(190, 20, True), (190, 60, False), (250, 12, True)])
def test_dates_are_asked_for_where_an_address_has_room(front: Front, number: int, letters: int, *, fit: bool) -> None:
    """Servers refuse an address of some 16,000 characters; it is their length that counts and not how many they are.
    Where they do not fit, deals are read without their past, and that is told."""
    there, copy = front.show(portal(property_history=False)), Copy()
    for n in range(number):
        stage = PipelineStage(f"{n:0>{letters}}", f"S{n}", 9, closed=False, probability=Decimal("0.5"))
        there.pipelines["deals"][0].stages.append(stage)
        name = f"hs_v2_date_entered_{stage.id}"
        there.catalog.put(DEALS, PropertyDefinition(name, name, "datetime", "date", "dealinformation", calculated=True))
    with connected(front) as connector:
        read_stream(connector, copy, "opportunities", Slice(None, NOW + SECOND))
        told = connector.unavailable()["opportunities.history"]
    assert (bool(copy.rows(TABLE)), "only the last entry" in told) == (fit, fit)
    assert max(len(call.query) for call in front.faults.log) < 15_000
