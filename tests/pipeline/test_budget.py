"""Calls that are spent: a pull, a plan or an apply ends in part, and the next one goes on exactly there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.errors import QuotaSpent
from connectors.sandbox.book import Surroundings
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import apply, plan, pull
from flows.results import PullReceipt
from kammodel.entities import ENTITIES
from kammodel.entities.envelope import OURS as STAMPS
from kammodel.store.plans import cells_of, latest_plan
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN

DAY = 25 * HOUR
PAGE, SHARE = 12, 60
"""Rows to a page, and calls to a run: more than a run takes that finds nothing new, far less than a first one."""
MOST_RUNS = 12


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Office]:
    """An org whose pages are small, so that a small book costs some calls; nothing is read yet."""
    company = same_in(small_book(40), Clock(NOW), "salesforce", org_settings=OrgSettings(query_page_rows=PAGE, **LEAN))
    with office(company, tmp_path) as opened:
        yield opened


def allow(desk: Office, calls: int) -> None:
    """The next run's share is so many calls: a quarter of the day's, which has just begun."""
    desk.clock.advance(DAY)
    knobs(desk).daily_api_requests = 4 * calls


def knobs(desk: Office) -> OrgSettings:
    assert desk.served.company.org is not None
    return desk.served.company.org.settings


def calls_made(desk: Office) -> int:
    """Calls that the org has seen, the sign-ins left out."""
    assert desk.served.salesforce is not None
    return sum(call.path.startswith("/services/data/v") for call in desk.served.salesforce.faults.log)


def pulled(desk: Office, *, full: bool = False) -> PullReceipt:
    """A pull by a new process, with the log of the org begun anew."""
    assert desk.served.salesforce is not None
    desk.served.salesforce.faults.clear()
    desk.reconnect()
    return pull(desk.connectors[0], desk.store, desk.clock.now, full=full)


def rows_of(desk: Office) -> dict[str, Any]:
    return {e.__name__: desk.store.read(e).drop(*STAMPS).sort(pl.all()).rows() for e in ENTITIES}


def test_pulls_in_part_end_in_the_store_of_one_whole_pull(desk: Office, tmp_path: Path) -> None:
    """Never more calls than the share; each run begins where the one before stopped, and nothing is read twice."""
    (tmp_path / "whole").mkdir()
    with office(
        same_in(small_book(40), Clock(NOW), "salesforce", org_settings=OrgSettings(**LEAN)), tmp_path / "whole"
    ) as other:
        whole = pulled(other)
        expected = rows_of(other)
    runs: list[PullReceipt] = []
    while not runs or runs[-1].is_partial:
        allow(desk, SHARE)
        runs.append(pulled(desk))
        assert calls_made(desk) <= SHARE
        assert len(runs) < MOST_RUNS
    assert len(runs) > 3
    assert rows_of(desk) == expected
    for before, after in pairwise(runs):
        assert before.stopped is not None
        assert "60 of the 60 calls" in before.stopped
        assert str(before.resumes).replace(",", "").split()[2] == after.streams[0].stream
    read_at_first = {s.stream: 0 for s in whole.streams}
    for stream in (s for run in runs for s in run.streams if s.note in {"first load", "resumed where it stopped"}):
        read_at_first[stream.stream] += stream.read
    incremental = [s for s in whole.streams if s.note == "first load"]
    assert len(incremental) >= 5
    assert {s.stream: read_at_first[s.stream] for s in incremental} == {s.stream: s.read for s in incremental}


def test_a_partial_receipt_says_where_it_goes_on(desk: Office) -> None:
    """Streams before are closed, those after not begun, and the row is the one after the last that is stored."""
    allow(desk, SHARE)
    receipt = pulled(desk)
    states = [s.state for s in receipt.streams]
    assert states == sorted(states, key=["closed", "stopped", "not_begun"].index)
    stopped = next(s for s in receipt.streams if s.state == "stopped")
    assert stopped.next_row == stopped.read + 1 > PAGE
    assert receipt.resumes == f"resumes at {stopped.stream}, row {stopped.next_row:,}, with the next run"
    assert receipt.stopped is not None
    assert "KAM_SALESFORCE__CALL_SHARE=0.25 of the 240 in 24 hours" in receipt.stopped


def test_the_reserve_stays_while_others_spend(desk: Office) -> None:
    """Others make two calls for each of ours: at 80 % of the day we stop, with less than our share made."""
    knobs(desk).others_between_calls = 2
    allow(desk, 100)
    knobs(desk).calls_of_others = 290
    receipt = pulled(desk)
    assert receipt.is_partial
    assert calls_made(desk) == 10
    assert "KAM_SALESFORCE__CALL_RESERVE=0.2" in str(receipt.stopped)


def test_a_day_that_others_have_spent_is_partial_too(desk: Office) -> None:
    """The vendor's own refusal, before it could say who it is: nothing is known, and nothing is made up."""
    knobs(desk).calls_of_others = 100_000
    receipt = pulled(desk)
    assert (receipt.is_partial, receipt.instance, receipt.streams) == (True, None, ())
    assert receipt.resumes == "resumes at the beginning, with the next run"
    assert "REQUEST_LIMIT_EXCEEDED" in str(receipt.stopped)


def test_everything_asked_for_is_read_in_full_though_by_several_runs(desk: Office) -> None:
    """A `--full` that had no calls left is finished by plain runs: what it did not come to is not taken for read."""
    knobs(desk).daily_api_requests = 100_000
    whole = pulled(desk)
    allow(desk, SHARE)
    receipt = pulled(desk, full=True)
    assert str(receipt.resumes).endswith("with the next run (which needs no --full)")
    read = {s.stream: s.read for s in receipt.streams if s.is_full}
    runs = 1
    while receipt.is_partial:
        allow(desk, SHARE)
        receipt, runs = pulled(desk), runs + 1
        assert runs < MOST_RUNS
        for s in receipt.streams:
            read[s.stream] = read.get(s.stream, 0) + (s.read if s.is_full else 0)
    assert {s.stream for s in whole.streams if read[s.stream] < s.read} == set()


def test_a_portal_s_spent_share_is_partial_in_the_same_way(tmp_path: Path) -> None:
    """HubSpot states its own limit, and resumes by its own places."""
    with office(same_in(small_book(40), Clock(NOW), "hubspot"), tmp_path) as desk:
        assert desk.served.company.portal is not None
        settings = desk.served.company.portal.settings
        settings.rate_limits, settings.window_requests, settings.daily_requests = True, 100_000, 90
        settings.associations_window_requests = settings.search_per_second = 100_000
        first = pull(desk.connectors[0], desk.store, desk.clock.now)
        assert (first.is_partial, "KAM_HUBSPOT__CALL_SHARE" in str(first.stopped)) == (True, True), first.stopped
        stored = sum(s.read for s in first.streams)
        assert stored > 0
        settings.daily_requests = 100_000
        desk.reconnect()
        second = pull(desk.connectors[0], desk.store, desk.clock.now)
        resumed = second.streams[0]
        assert not second.is_partial
        assert resumed.stream == next(s.stream for s in first.streams if s.state == "stopped")


@pytest.fixture
def large(tmp_path: Path) -> Iterator[Office]:
    """An org with more accounts than two batches take, and few deals, read and scored."""
    book = small_book(420)
    few = replace(book, people=[], deals=book.deals[:100], touches=[], around=Surroundings())
    with office(same_in(few, Clock(NOW), "salesforce", org_settings=OrgSettings(**LEAN)), tmp_path) as opened:
        opened.provision()
        opened.pull()
        opened.score()
        opened.clock.advance(DAY)
        yield opened


def test_cells_for_which_no_calls_are_left_stay_pending(large: Office) -> None:
    """An apply that is stopped between two batches goes on with the rest, and writes no row twice."""
    (made,) = large.plan()
    assert made.write_calls == 6
    assert large.served.salesforce is not None
    log = large.served.salesforce.faults
    large.reconnect()
    large.connectors[0].identify()
    own = large.connectors[0].calls.total - 1
    log.clear()
    # Two batches are allowed, each with the look before it.
    knobs(large).daily_api_requests = 4 * (own + 4)
    stopped = apply(large.connectors[0], large.store, made.plan_id, large.clock.now)
    assert (stopped.is_complete, stopped.calls) == (False, 4)
    assert 0 < stopped.written == made.cells_to_write - stopped.pending < made.cells_to_write
    knobs(large).daily_api_requests = 100_000
    large.reconnect()
    ended = apply(large.connectors[0], large.store, made.plan_id, large.clock.now)
    assert (ended.written, ended.pending, ended.is_complete) == (stopped.pending, 0, True)
    assert sum(call.path.endswith("/composite") for call in log.log) == 3
    with large.store.transaction() as tx:
        assert set(cells_of(tx, made.plan_id)["outcome"]) == {"written"}


def test_a_plan_without_calls_changes_nothing(desk: Office) -> None:
    """It is not made, and the one before stands as it was."""
    desk.provision()
    desk.pull()
    desk.score()
    (made,) = desk.plan()
    desk.reconnect()
    knobs(desk).calls_of_others = 90_000
    with pytest.raises(QuotaSpent, match="CALL_RESERVE") as fault:
        plan(desk.connectors[0], desk.store, desk.config(), desk.clock.now, full=True)
    assert fault.value.exit_code == 4
    with desk.store.transaction() as tx:
        latest = latest_plan(tx, "salesforce", _instance(desk))
        assert latest is not None
        assert latest.plan_id == made.plan_id
        assert cells_of(tx, made.plan_id, pending_only=True).height == made.cells_to_write


def _instance(desk: Office) -> str:
    from kammodel.entities import Account

    return str(desk.store.read(Account, ["source_instance"])["source_instance"][0])
