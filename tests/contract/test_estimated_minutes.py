"""How long reading will take, said before it: a portal against its clock, which only waiting for its limits moves; an
org against one that each answer moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.settings import PortalSettings
from flows.pipeline import pull
from flows.pipeline.estimating import estimate_past, estimate_pull
from flows.pipeline.filling import fill
from flows.pipeline.windows import Span
from flows.results import EstimateReceipt
from tests.pipeline.company import NOW, Office, office, small_book

SLOW: dict[str, Any] = {"rate_limits": True, "window_requests": 8}
"""Three calls in four seconds of records, much slower than an answer is: so that this limit alone says how long it
takes, and nothing is said of answers, which take no time here. Links and searches have their usual ones."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    company = same_in(small_book(400), Clock(NOW), "hubspot", portal_settings=PortalSettings(**SLOW))
    with office(company, tmp_path) as opened:
        yield opened


def connected(desk: Office) -> HubSpotConnector:
    """A new process that makes one call after the other, and for whom waiting is moving the portal's clock."""
    assert desk.served.hubspot is not None

    def sleep(seconds: float) -> None:
        desk.clock.advance(dt.timedelta(seconds=seconds))

    token = desk.served.company.portal.settings.access_token if desk.served.company.portal else ""
    settings = HubSpotSettings(base_url=desk.served.hubspot.url, access_token=token, parallel_calls=1)
    return HubSpotConnector(settings, patience=Patience(sleep=sleep), now=lambda: desk.clock.now().timestamp())


def is_near(before: EstimateReceipt, seconds: float) -> bool:
    return abs(60 * before.minutes - seconds) <= 0.1 * seconds


def test_a_first_load_takes_the_minutes_that_the_limits_allow(desk: Office) -> None:
    """Nothing was measured yet: a tenth more or less."""
    before = estimate_pull(connected(desk), desk.store, desk.clock.now)
    began = desk.clock.now()
    pull(connected(desk), desk.store, desk.clock.now)
    seconds = (desk.clock.now() - began).total_seconds()
    assert seconds > 60
    assert is_near(before, seconds), (60 * before.minutes, seconds)


RECENT = Span(dt.date(2025, 11, 1), dt.date(2026, 2, 20), "Europe/Madrid")
OLDER = replace(RECENT, first=dt.date(2025, 2, 1), last=dt.date(2025, 5, 31))


def test_a_backfill_takes_the_minutes_that_were_said(desk: Office) -> None:
    """The first by the limits; other months, with fewer rows to a call, as fast as then: a tenth more or less."""
    rows_a_call = []
    for asked, basis in ((RECENT, "by default"), (OLDER, "the last backfill")):
        before = estimate_past(connected(desk), desk.store, desk.clock.now, asked)
        done = fill(connected(desk), desk.store, desk.clock.now, asked)
        assert basis in before.basis
        assert done.seconds > 60
        assert is_near(before, done.seconds), (60 * before.minutes, done.seconds, before.calls, done.calls, done.rows)
        rows_a_call.append(done.rows / done.calls)
    assert rows_a_call[1] < 0.8 * rows_a_call[0]


@pytest.fixture
def org(tmp_path: Path) -> Iterator[Office]:
    company = same_in(small_book(400), Clock(NOW), "salesforce")
    with office(company, tmp_path) as opened:
        yield opened


def answering_in(desk: Office, seconds: float) -> Callable[[], dt.datetime]:
    """A clock by which each answer of the org takes so long, and nothing else takes any time."""
    served = desk.served.salesforce
    assert served is not None
    return lambda: desk.clock.now() + len(served.faults.log) * dt.timedelta(seconds=seconds)


def after(scoring: dt.timedelta, clock: Clock) -> Callable[[EstimateReceipt], EstimateReceipt]:
    """What comes after reading takes so long to foresee."""

    def completed(estimate: EstimateReceipt) -> EstimateReceipt:
        clock.advance(scoring)
        return estimate

    return completed


def test_an_org_takes_the_minutes_that_were_said(org: Office) -> None:
    """A pull by what an answer takes by default; months by what it took in other ones, if that is another pace. A day
    that was scored before some of them, to foresee the writing, is no time of theirs."""
    now = answering_in(org, 0.3)
    org.reconnect()
    before = estimate_pull(org.connectors[0], org.store, now)
    org.reconnect()
    began = now()
    pull(org.connectors[0], org.store, now)
    assert is_near(before, (now() - began).total_seconds())
    slow = answering_in(org, 0.8)
    for asked, scoring in ((RECENT, dt.timedelta(minutes=1)), (OLDER, dt.timedelta())):
        org.reconnect()
        before = estimate_past(org.connectors[0], org.store, slow, asked)
        org.reconnect()
        done = fill(org.connectors[0], org.store, slow, asked, completed=after(scoring, org.clock))
        assert done.rows > 1_000
    assert "the last backfill" in before.basis
    assert is_near(before, done.seconds), (60 * before.minutes, done.seconds, before.calls, done.calls, done.rows)
