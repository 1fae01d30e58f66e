"""Stages come, go and are renamed: what is held is read again only where it means something else now."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from connectors.contract import Slice, Stream
from connectors.errors import TryAgainLater
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.mapping import PIPELINE_STAGES
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.reference import PipelineStage
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from flows.pipeline import pull
from flows.pipeline.filling import fill
from flows.pipeline.windows import Span
from flows.results import FIRST_LOAD
from kammodel.entities import OpportunityStageEvent
from kammodel.store import Store
from tests.contract.hubspot_copy import Copy, connected, read_stream, stream_of
from tests.contract.hubspot_world import NOW, Front, open_front, portal

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
PIPELINES = "/crm/v3/pipelines/deals"
LOST = hubspot_id("deals", 3)
NEW = PipelineStage("1999999999", "Legal", 9, closed=False, probability=Decimal("0.9"))
CHANGED = "loaded in full: the mapping of fields or stages has changed"


class OfDeals(HubSpotConnector):
    """The streams that matter here."""

    def streams(self) -> tuple[Stream, ...]:
        return tuple(one for one in super().streams() if one.name in {"opportunities", "pipeline_stages"})


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/kam.db") as opened:
        yield opened


def pulled(front: Front, store: Store, there: Portal, *, full: bool = False) -> str | None:
    """Pulls deals and stages an hour later; why the deals were read in full, if they were."""
    there.clock.advance(HOUR)
    settings = HubSpotSettings(base_url=front.url, access_token=SecretStr(ACCESS_TOKEN))
    connector = OfDeals(settings, patience=Patience(sleep=lambda _: None))
    receipt = pull(connector, store, there.clock.now, full=full)
    connector.close()
    return next(one.note for one in receipt.streams if one.stream == "opportunities")


def past(store: Store, deal: int) -> list[tuple[str, str | None, float | None]]:
    """The stages that a deal went through."""
    events = store.read(OpportunityStageEvent).filter(pl.col("opportunity_id") == str(deal)).sort("changed_at")
    return events.select("stage_id", "status", "probability").rows()


def test_a_stage_that_is_new_or_renamed_changes_no_deal(front: Front, store: Store) -> None:
    """Deals take over neither its name nor what no deal was in; one of another probability changes them."""
    there = front.show(portal())
    stages = there.pipelines["deals"][0].stages
    assert pulled(front, store, there) == FIRST_LOAD
    stages[0].label = "Renamed"
    assert pulled(front, store, there) is None
    stages.append(replace(NEW))
    assert pulled(front, store, there) is None
    stages[-1].probability = Decimal("0.5")
    assert pulled(front, store, there) == CHANGED


def test_a_new_stage_leaves_months_closed_that_were_read_by_hand(front: Front, store: Store) -> None:
    """As it makes no pull read again; another probability opens them."""
    there = front.show(portal())
    stages = there.pipelines["deals"][0].stages
    there.clock.advance(DAY)
    assert months_read(front, store, there) == 3
    stages.append(replace(NEW))
    assert months_read(front, store, there) == 0
    stages[0].probability = Decimal("0.55")
    assert months_read(front, store, there) == 3


def months_read(front: Front, store: Store, there: Portal) -> int:
    """By a backfill of deals."""
    span = Span(NOW.date() - 40 * DAY, NOW.date(), "Europe/Madrid", ("opportunities",))
    with connected(front) as connector:
        return len(fill(connector, store, there.clock.now, span).windows)


def test_a_stage_that_was_removed_still_means_what_it_did(front: Front, store: Store) -> None:
    """HubSpot tells it no more, and the history of deals goes on naming it: nothing is read again for that, and what
    is read again keeps its status."""
    there = front.show(portal())
    pulled(front, store, there)
    before = [("qualified", "open", 0.2), ("closedlost", "lost", 0.0)]
    assert past(store, LOST) == before
    del there.pipelines["deals"][0].stages[0]
    assert pulled(front, store, there) is None
    there.update("deals", LOST, {"dealname": "Edited"})
    assert pulled(front, store, there) is None
    assert past(store, LOST) == before
    pulled(front, store, there, full=True)
    assert past(store, LOST) == before


def test_a_stage_that_was_made_while_deals_are_read_is_looked_for(front: Front) -> None:
    """Once, however many deals are in it; and of one that is nowhere only the id is known."""
    there, copy = front.show(portal()), Copy()
    with connected(front) as connector:
        connector.streams()
        there.pipelines["deals"][0].stages.append(replace(NEW))
        there.update("deals", hubspot_id("deals", 6), {"dealstage": NEW.id})
        there.update("deals", hubspot_id("deals", 7), {"dealstage": NEW.id})
        front.faults.log.clear()
        read_stream(connector, copy, "opportunities", Slice(None, NOW + SECOND))
        del there.pipelines["deals"][0].stages[-1]
        read_stream(connector, copy, "opportunities", Slice(None, NOW + SECOND))
    rows = copy.rows("opportunity")
    assert {rows[str(hubspot_id("deals", n))]["probability"] for n in (6, 7)} == {0.9}
    assert [call.path for call in front.faults.log].count(PIPELINES) == 1


def test_a_look_for_a_stage_that_failed_is_made_again(front: Front) -> None:
    """Deals are not read without what their stage means, only because it could not be asked for in that moment."""
    there, copy, everything = front.show(portal()), Copy(), Slice(None, NOW + SECOND)
    with connected(front) as connector:
        connector.streams()
        there.pipelines["deals"][0].stages.append(replace(NEW))
        there.update("deals", hubspot_id("deals", 6), {"dealstage": NEW.id})
        front.faults.on_path(PIPELINES, "503", times=100)
        with pytest.raises(TryAgainLater):
            read_stream(connector, copy, "opportunities", everything)
        front.faults.clear()
        read_stream(connector, copy, "opportunities", everything)
    assert copy.rows("opportunity")[str(hubspot_id("deals", 6))]["probability"] == 0.9


def test_deals_are_read_where_their_stages_are_refused(front: Front) -> None:
    """What they came to is unknown then; the call that was refused is not made again for each stage they are in."""
    app, copy = hubspot_app(front.show(portal())), Copy()

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        refused = JSONResponse({"category": "MISSING_SCOPES", "message": "not granted"}, status_code=403)
        await (refused if scope.get("path") == PIPELINES else app)(scope, receive, send)

    front.app = refusing
    with connected(front) as connector:
        read_stream(connector, copy, "opportunities", Slice(None, NOW + SECOND))
        assert "pipeline_stages" in connector.unavailable()
    won = copy.rows("opportunity")[str(hubspot_id("deals", 1))]
    assert (won["stage_id"], won["status"]) == ("closedwon", None)
    assert [call.path for call in front.faults.log].count(PIPELINES) == 1


def test_a_ticket_takes_over_the_name_of_its_stage(front: Front) -> None:
    """So it is another revision where that changes."""
    there = front.show(portal())
    with connected(front) as connector:
        before = stream_of(connector, "tickets"), stream_of(connector, "opportunities")
    there.pipelines["tickets"][0].stages[0].label = there.pipelines["deals"][0].stages[0].label = "Renamed"
    with connected(front) as connector:
        tickets, deals = stream_of(connector, "tickets"), stream_of(connector, "opportunities")
    assert (tickets.reads_as(before[0].fingerprint), deals.fingerprint) == (False, before[1].fingerprint)


def revised(revision: str) -> Stream:
    return Stream("some", (PIPELINE_STAGES,), revision=revision)


@pytest.mark.parametrize(
    ("now", "then", "same"),
    [
        ("a:1,b:2", "a:1,b:2", True),
        ("a:1,b:2", "a:1", True),
        ("a:1", "a:1,b:2", True),
        ("a:1,b:3", "a:1,b:2", False),
        ("a:1", "", False),
        ("", "a:1", False),
        ("a:1", "0123456789abcdef", False),
        ("x", "x", True),
    ],
)
def test_only_parts_that_both_have_are_compared(now: str, then: str, same: bool) -> None:
    """Rows that were read while no stage was shown at all have to be read again; so does what was read otherwise."""
    assert revised(now).reads_as(revised(then).fingerprint) is same
    other = replace(revised(then), mappings=(PIPELINE_STAGES.without({"@name"}),))
    assert revised(now).reads_as(other.fingerprint) is False
