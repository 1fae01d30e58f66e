"""One run at a time moves the bookmarks of a CRM: pull, sweep and repair refuse to begin beside another one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.salesforce.connector import SalesforceConnector
from flows.pipeline import pull
from flows.pipeline.filling import fill
from flows.pipeline.leasing import Overtaken, Taken, sole_reader
from flows.pipeline.reconciling import reconcile
from flows.pipeline.swept import sweep
from flows.pipeline.windows import Span
from kammodel.entities import Bookmark, Lease
from kammodel.store.control import bookmarks
from tests.contract.salesforce_connected import HOUR, Front, connected, org
from tests.pipeline.salesforce_desk import LEAN, Desk, opened

Reads = Callable[[SalesforceConnector, Desk], object]


def _pulled(connector: SalesforceConnector, desk: Desk) -> object:
    return pull(connector, desk.store, desk.there.clock.now, full=True)


def _swept(connector: SalesforceConnector, desk: Desk) -> object:
    return sweep(connector, desk.store, desk.there.clock.now)


def _repaired(connector: SalesforceConnector, desk: Desk) -> object:
    return reconcile(connector, desk.store, desk.there.clock.now, repair=True)


def _counted(connector: SalesforceConnector, desk: Desk) -> object:
    return reconcile(connector, desk.store, desk.there.clock.now)


def _filled(connector: SalesforceConnector, desk: Desk) -> object:
    today = desk.there.clock.now().date()
    span = Span(today - dt.timedelta(days=20), today - dt.timedelta(days=1), "UTC", ("accounts",))
    return fill(connector, desk.store, desk.there.clock.now, span)


@pytest.fixture
def desk(front: Front, loaded: Path, tmp_path: Path) -> Iterator[Desk]:
    """An org, an hour after everything was read."""
    with opened(front, tmp_path, org(**LEAN), loaded) as there:
        there.there.clock.advance(HOUR)
        yield there


def marks(desk: Desk) -> list[Bookmark]:
    with desk.store.transaction() as tx:
        return [Bookmark(**one.model_dump()) for one in bookmarks(tx)]


@pytest.mark.parametrize("reads", [_pulled, _swept, _repaired])
def test_a_second_reader_is_refused(desk: Desk, reads: Reads) -> None:
    """It is told who reads, and until when; no bookmark moves. Afterwards it may."""
    before = marks(desk)
    with connected(desk.front) as connector:
        with sole_reader(desk.store, connector.identify(), desk.there.clock.now):
            until = desk.there.clock.now() + dt.timedelta(minutes=10)
            with pytest.raises(
                Taken, match=rf"^salesforce: another run is reading \(process \d+ on .*{until:%H:%M} UTC$"
            ):
                reads(connector, desk)
            assert marks(desk) == before
        reads(connector, desk)
    with desk.store.transaction() as tx:
        assert tx.session.get(Lease, f"read salesforce {connector.identify().instance}") is None


@pytest.mark.parametrize("reads", [_counted, _filled])
def test_what_moves_no_bookmark_goes_on_beside(desk: Desk, reads: Reads) -> None:
    """Counting alone, and a backfill, which has bookmarks of its own."""
    before = marks(desk)
    with connected(desk.front) as connector, sole_reader(desk.store, connector.identify(), desk.there.clock.now):
        reads(connector, desk)
    assert marks(desk) == before


def test_of_a_run_that_was_overtaken_no_bookmark_is_kept(desk: Desk) -> None:
    """It was silent for so long that another run began: what it brings after that would be old."""
    before = marks(desk)

    def another_begins(step: str, done: int, total: int | None) -> None:
        del step, done, total
        with desk.store.transaction() as tx:
            tx.run("UPDATE lease SET holder=:other, until=until+:more", [{"other": "another/1/x", "more": 10**12}])

    with (
        connected(desk.front) as connector,
        pytest.raises(Overtaken, match="another one reads or did so meanwhile; nothing is lost"),
    ):
        pull(connector, desk.store, desk.there.clock.now, full=True, progress=another_begins)
    held = {one.stream: (one.watermark, one.read_until) for one in before}
    assert {one.stream: (one.watermark, one.read_until) for one in marks(desk)} == held
