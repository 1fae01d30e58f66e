"""What the CRMs say of how many records they have: counts, sums, ids and what became of records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from connectors.contract.counting import Window
from connectors.hubspot import counting
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from connectors.sandbox.salesforce.ids import salesforce_id
from tests.contract import hubspot_world, salesforce_connected
from tests.contract.hubspot_world import NOW, portal
from tests.contract.salesforce_connected import HOUR, connected, org
from tests.pipeline.steps import NO_WAIT

LATER = int((NOW + HOUR).timestamp())
EVERYTHING = Window(None, None, LATER)
DEALS = [str(hubspot_id("deals", n)) for n in range(1, 8)]


@pytest.fixture(scope="module")
def salesforce() -> Iterator[salesforce_connected.Front]:
    with salesforce_connected.open_front() as there:
        yield there


@pytest.fixture(scope="module")
def hubspot() -> Iterator[hubspot_world.Front]:
    with hubspot_world.open_front() as there:
        yield there


def seconds(days_ago: float) -> int:
    return int((NOW - dt.timedelta(days=days_ago)).timestamp())


def test_salesforce_counts_by_creation_and_adds_up_its_own_currency(salesforce: salesforce_connected.Front) -> None:
    """Six deals live, of which one is in USD: its amount comes converted, and proves nothing. One call a window."""
    salesforce.show(org())
    with connected(salesforce) as connector:
        deals = next(s for s in connector.streams() if s.name == "opportunities")
        tallies, before = connector.tallies, connector.calls.total
        every = tallies.count(deals, EVERYTHING)
        early = tallies.count(deals, Window(None, seconds(20), LATER))
        late = tallies.count(deals, Window(seconds(20), None, LATER))
        assert connector.calls.total == before + 3
        assert every is not None
        assert (every.rows, every.sums) == (6, {"EUR": (1500 + 300 + 50 + 700) * 10_000})
        assert early is not None
        assert late is not None
        assert (early.rows, late.rows) == (3, 3)
        assert tallies.ids(deals, Window(None, seconds(20), LATER)).len() == 3
        assert tallies.count(deals, Window(None, None, seconds(20))) == early


def test_salesforce_tells_what_became_of_records(salesforce: salesforce_connected.Front) -> None:
    """The one in the bin is deleted, and when; one that never was is absent."""
    there = salesforce.show(org())
    with connected(salesforce) as connector:
        accounts = next(s for s in connector.streams() if s.name == "accounts")
        there.clock.advance(HOUR)
        gone, lives = salesforce_id("001", 2), salesforce_id("001", 1)
        there.delete("Account", gone)
        states = connector.tallies.states(accounts, [gone, lives, salesforce_id("001", 99)])
        told = {row["source_id"]: (row["deleted"], row["stamp"]) for row in states.to_dicts()}
        assert told[gone] == (True, NOW + HOUR)
        assert told[lives][0] is False
        assert told.keys() == {gone, lives}


@pytest.fixture
def counted(hubspot: hubspot_world.Front, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpotConnector]:
    monkeypatch.setattr(counting, "PAGE", 2)
    settings = HubSpotSettings(base_url=hubspot.url, access_token=SecretStr(ACCESS_TOKEN), parallel_calls=1)
    connector = HubSpotConnector(settings, patience=NO_WAIT)
    yield connector
    connector.close()


def test_hubspot_counts_by_id(hubspot: hubspot_world.Front, counted: HubSpotConnector) -> None:
    """What is archived is not there; the ids of a range come page by page, whatever order the index has."""
    hubspot.show(portal())
    deals = next(s for s in counted.streams() if s.name == "opportunities")
    third, seventh = int(DEALS[2]), int(DEALS[6])
    every = counted.tallies.count(deals, EVERYTHING)
    inner = counted.tallies.count(deals, Window(third, seventh, LATER))
    assert (every and every.rows, inner and inner.rows, every and every.sums) == (6, 3, None)
    ids = counted.tallies.ids(deals, Window(third, seventh, LATER)).to_list()
    assert ids == [DEALS[2], DEALS[3], DEALS[5]]


def test_hubspot_leaves_out_what_was_created_of_late(hubspot: hubspot_world.Front, counted: HubSpotConnector) -> None:
    hubspot.show(portal())
    for stream in (s for s in counted.streams() if s.swept):
        young = counted.tallies.count(stream, Window(None, None, seconds(10_000)))
        assert young is not None
        assert young.rows == 0


def test_hubspot_tells_what_became_of_records(hubspot: hubspot_world.Front, counted: HubSpotConnector) -> None:
    there = hubspot.show(portal())
    deals = next(s for s in counted.streams() if s.name == "opportunities")
    there.clock.advance(HOUR)
    there.archive("deals", DEALS[0])
    there.purge("deals", DEALS[1])
    states = counted.tallies.states(deals, DEALS[:3])
    told = {row["source_id"]: (row["deleted"], row["stamp"]) for row in states.to_dicts()}
    assert told[DEALS[0]] == (True, NOW + HOUR)
    assert told[DEALS[2]][0] is False
    assert DEALS[1] not in told


def test_lists_that_are_read_whole_are_not_counted(hubspot: hubspot_world.Front, counted: HubSpotConnector) -> None:
    hubspot.show(portal())
    uncounted = {s.name for s in counted.streams() if counted.tallies.uncountable(s)}
    assert uncounted == {s.name for s in counted.streams() if not s.swept}
