"""What a run will take, said before it, against what the CRM's own meter counts: both CRMs, two sizes, each kind."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from connectors.contract import Connector
from connectors.retry import Patience
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.settings import unhurried
from flows.pipeline import pull
from flows.pipeline.estimating import estimate_past, estimate_pull
from flows.pipeline.filling import fill
from flows.pipeline.windows import Span
from flows.results import EstimateReceipt, FillReceipt, PullReceipt
from tests.pipeline.company import HOUR, NOW, Office, office, small_book

Crm = Literal["salesforce", "hubspot"]
SPAN = Span(dt.date(2025, 12, 10), dt.date(2026, 2, 20), "Europe/Madrid")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """An estimate, the run that it was of, and how many calls the CRM has seen of either."""

    before: EstimateReceipt
    done: PullReceipt | FillReceipt
    asked: int
    metered: int

    @property
    def is_near(self) -> bool:
        return abs(self.before.calls - self.metered) <= 0.1 * self.metered

    @property
    def counts_rows(self) -> bool:
        """Rows of the streams whose rows a CRM counts, a tenth more or less."""
        counted = {one.stream: one.rows for one in self.before.streams if one.rows}
        read = self.done.streams if isinstance(self.done, PullReceipt) else self.done.windows
        rows = sum(one.read for one in read if one.stream in counted)
        return abs(sum(counted.values()) - rows) <= 0.1 * rows


@contextmanager
def desk_of(crm: Crm, accounts: int, folder: Path) -> Iterator[Office]:
    company = same_in(small_book(accounts), Clock(NOW), crm, portal_settings=unhurried())
    with office(company, folder) as opened:
        yield opened


@pytest.fixture(params=[(crm, size) for crm in ("salesforce", "hubspot") for size in (40, 400)], ids=str)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    crm, size = request.param
    with desk_of(crm, size, tmp_path) as opened:
        yield opened


def metered(desk: Office) -> int:
    """Calls that the CRM has seen since it was last asked."""
    served = desk.served.salesforce or desk.served.hubspot
    assert served is not None
    calls = len(served.faults.log)
    served.faults.log.clear()
    return calls


def told(
    desk: Office,
    before: Callable[[Connector], EstimateReceipt],
    act: Callable[[Connector], PullReceipt | FillReceipt],
) -> Told:
    """The estimate by one process, the run by another."""
    desk.reconnect()
    metered(desk)
    estimate = before(desk.connectors[0])
    asked = metered(desk)
    desk.reconnect()
    done = act(desk.connectors[0])
    return Told(estimate, done, asked, metered(desk))


def pulled(desk: Office, *, full: bool = False) -> Told:
    now = desk.clock.now
    return told(
        desk, lambda c: estimate_pull(c, desk.store, now, full=full), lambda c: pull(c, desk.store, now, full=full)
    )


def filled(desk: Office) -> Told:
    now = desk.clock.now
    return told(desk, lambda c: estimate_past(c, desk.store, now, SPAN), lambda c: fill(c, desk.store, now, SPAN))


def edit(desk: Office) -> None:
    """People work: half of the accounts are renamed."""
    org, portal = desk.served.company.org, desk.served.company.portal
    if org is not None:
        for record in [r for r in org.records("Account") if not r["IsDeleted"]][::2]:
            org.update("Account", str(record["Id"]), {"Description": "Seen"})
    if portal is not None:
        for number in list(portal.shelf(portal.known("companies")).live_ids())[::2]:
            portal.update("companies", number, {"description": "Seen"})


def test_pulls_take_what_was_said(desk: Office) -> None:
    """A first load, what was changed since, nothing new, and everything again."""
    first = pulled(desk)
    desk.clock.advance(HOUR)
    edit(desk)
    desk.clock.advance(HOUR)
    increment = pulled(desk)
    desk.clock.advance(HOUR)
    quiet = pulled(desk)
    desk.clock.advance(DAY * 8)
    full = pulled(desk, full=True)
    every = {"first": first, "increment": increment, "quiet": quiet, "full": full}
    assert [name for name, one in every.items() if not one.is_near] == []
    assert [name for name in ("first", "increment", "full") if not every[name].counts_rows] == []
    assert increment.before.rows >= 20
    assert (full.before.kind, increment.before.kind) == ("full", "increment")


def test_a_backfill_takes_what_was_said(desk: Office) -> None:
    """On an empty store, as a part of what there is; closed, it takes signing in and no more."""
    some = filled(desk)
    assert some.is_near
    assert some.counts_rows
    assert (some.before.rows > 100, some.before.kind) == (True, "backfill")
    nothing = filled(desk)
    assert (nothing.before.rows, nothing.before.windows, nothing.is_near) == (0, 0, True)


def test_counting_takes_few_calls(desk: Office) -> None:
    """Signing in, and two calls a stream: it reads and stores nothing."""
    first = pulled(desk)
    assert first.asked == first.before.setup + first.before.asked
    assert first.before.asked <= 2 * len(first.before.streams)


@pytest.mark.parametrize(
    "sizes", [Sizes(bulk_from=5_000, page_rows=2_000), Sizes(bulk_from=5_000, page_rows=3_000, job_rows=4_000)], ids=str
)
def test_jobs_are_foreseen_too(tmp_path: Path, sizes: Sizes) -> None:
    """Where two streams of an org are read by jobs, of one window or several."""
    with desk_of("salesforce", 400, tmp_path) as desk:

        def act(run: Callable[[Connector], PullReceipt | EstimateReceipt]) -> PullReceipt | EstimateReceipt:
            connector = _with_sizes(desk, sizes)
            metered(desk)
            try:
                return run(connector)
            finally:
                connector.close()

        now, store = desk.clock.now, desk.store
        before = act(lambda c: estimate_pull(c, store, now))
        act(lambda c: pull(c, store, now))
        made = metered(desk)
        assert abs(before.calls - made) <= 0.1 * made
        assert made > 60


def _with_sizes(desk: Office, sizes: Sizes) -> SalesforceConnector:
    assert desk.served.salesforce is not None
    assert desk.served.company.org is not None
    org = desk.served.company.org.settings
    settings = SalesforceSettings(
        instance_url=desk.served.salesforce.url, client_id=org.client_id, client_secret=org.client_secret
    )
    return SalesforceConnector(settings, patience=Patience(sleep=lambda _: None), sizes=sizes)
