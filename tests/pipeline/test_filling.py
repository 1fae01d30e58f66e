"""The past of a CRM, read month by month beside the live schedule: the same store in the end, whatever comes first."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.salesforce.settings import OrgSettings
from flows.pipeline import pull
from flows.pipeline.filling import fill
from flows.pipeline.windows import Span
from flows.results import EstimateReceipt, FillReceipt, NotCounted
from kammodel.entities import ENTITIES, Account, Bookmark
from kammodel.entities.envelope import OURS as STAMPS
from kammodel.errors import KamError
from kammodel.store import Store
from kammodel.store.control import bookmarks
from tests.pipeline.company import HOUR, NOW, Office, office, small_book
from tests.pipeline.salesforce_desk import LEAN
from tests.seed import SEED

Crm = Literal["salesforce", "hubspot"]
CRMS: tuple[Crm, ...] = ("salesforce", "hubspot")
DAY = dt.timedelta(days=1)
WIDE = Span(dt.date(2025, 11, 1), dt.date(2026, 3, 1), "Europe/Madrid")
SOME = Span(dt.date(2025, 12, 10), dt.date(2026, 2, 20), "Europe/Madrid")

FEW = ("accounts", "opportunities", "tasks", "events", "contacts", "cases", "opportunity_history")


@contextmanager
def desk_of(crm: Crm, folder: Path) -> Iterator[Office]:
    lean, quick = OrgSettings(**LEAN), unhurried()
    company = same_in(small_book(40), Clock(NOW), crm, org_settings=lean, portal_settings=quick)
    with office(company, folder) as opened:
        yield opened


@pytest.fixture(params=CRMS)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    with desk_of(request.param, tmp_path) as opened:
        yield opened


def filled(desk: Office, span: Span = SOME, **more: Any) -> FillReceipt:
    """By a new process."""
    desk.reconnect()
    return fill(desk.connectors[0], desk.store, desk.clock.now, span, **more)


def pulled(desk: Office, **more: Any) -> None:
    desk.reconnect()
    assert not pull(desk.connectors[0], desk.store, desk.clock.now, **more).is_partial


def rows_of(store: Store) -> dict[str, Any]:
    return {e.__name__: store.read(e).drop(*STAMPS).sort(pl.all()).rows() for e in ENTITIES}


def marks_of(store: Store) -> list[dict[str, Any]]:
    with store.transaction() as tx:
        return [Bookmark(**mark.model_dump()).model_dump() for mark in bookmarks(tx)]


@pytest.mark.parametrize("crm", CRMS)
def test_whatever_comes_first_the_store_is_the_same(crm: Crm, tmp_path: Path) -> None:
    """A pull before, between and after two backfills, and a pull alone."""
    orders: dict[str, tuple[Callable[[Office], object], ...]] = {
        "pull": (pulled,),
        "before": (pulled, filled, pulled),
        "between": (filled, pulled, lambda desk: filled(desk, WIDE)),
        "after": (lambda desk: filled(desk, WIDE), pulled),
    }
    ends = {}
    for name, steps in orders.items():
        (tmp_path / name).mkdir()
        with desk_of(crm, tmp_path / name) as desk:
            for step in steps:
                step(desk)
                desk.clock.advance(HOUR)
            ends[name] = rows_of(desk.store)
    assert all(end == ends["pull"] for end in ends.values())
    assert len(ends["pull"]["Account"]) >= 40


def test_a_backfill_has_bookmarks_of_its_own(desk: Office) -> None:
    """The live ones stand where they stood; without any there are none after it."""
    filled(desk)
    assert marks_of(desk.store) == []
    pulled(desk)
    before = marks_of(desk.store)
    desk.clock.advance(HOUR)
    done = filled(desk, WIDE)
    assert (marks_of(desk.store), done.left) == (before, 0)
    assert done.rows >= 40
    assert [w for w in done.windows if w.state != "closed"] == []


def test_windows_are_months_the_newest_first(desk: Office) -> None:
    """Each stream of a month comes before those of the month before it; what is in the store was changed in them."""
    done = filled(desk)
    firsts = list(dict.fromkeys(w.first for w in done.windows))
    assert [day.isoformat() for day in firsts] == ["2026-02-01", "2026-01-01", "2025-12-10"]
    assert {w.last for w in done.windows if w.first == firsts[0]} == {dt.date(2026, 2, 20)}
    stamps = desk.store.read(Account, ["updated_at"])["updated_at"].drop_nulls()
    assert stamps.len()
    assert dt.datetime(2025, 12, 9, 21, tzinfo=dt.UTC) <= min(stamps.to_list())  # an hour more is looked at
    assert max(stamps.to_list()) < dt.datetime(2026, 2, 20, 23, tzinfo=dt.UTC)


def test_what_is_closed_is_not_read_again_unless_that_is_asked_for(desk: Office) -> None:
    """A span within one that was read is covered by it."""
    first = filled(desk)
    second = filled(desk)
    assert (len(second.windows), second.kept, second.calls < first.calls) == (0, len(first.windows), True)
    inner = filled(desk, Span(dt.date(2025, 12, 15), dt.date(2026, 1, 15), SOME.timezone))
    assert (inner.windows, inner.left) == ((), 0)
    again = filled(desk, Span(SOME.first, SOME.last, SOME.timezone, again=True))
    assert (len(again.windows), again.kept) == (len(first.windows), 0)
    assert sum(w.inserted + w.changed for w in again.windows) == 0


class Killed(Exception):
    """The process ends."""


@pytest.mark.parametrize("crm", CRMS)
def test_a_killed_backfill_goes_on_where_it_stopped(crm: Crm, tmp_path: Path) -> None:
    """Killed again and again at random words of progress: the store of one that was left in peace."""
    ends = []
    for name in ("peace", "killed"):
        (tmp_path / name).mkdir()
        with desk_of(crm, tmp_path / name) as desk:
            kills = 6 if name == "killed" else 0
            closed: list[tuple[str, dt.date]] = []
            chance = random.Random(SEED)
            for kill in range(kills + 1):
                after = chance.randrange(1, 12) if kill < kills else 10**6
                try:
                    done = filled(desk, progress=_killing(after))
                except Killed:
                    continue
                closed += [(w.stream, w.first) for w in done.windows]
            assert done.left == 0
            if name == "killed":
                assert done.kept > 0
            ends.append(rows_of(desk.store))
    assert ends[0] == ends[1]


def _killing(after: int) -> Callable[[str, int, int | None], None]:
    told = 0

    def progress(step: str, done: int, total: int | None) -> None:
        nonlocal told
        told += 1
        if told > after:
            raise Killed(f"{step} {done} {total}")

    return progress


def test_its_own_calls_end_it_in_part(desk: Office) -> None:
    """Never more than it was given, whatever the CRM allows; the same command again and again comes to the end."""
    streams = ("accounts", "opportunities")
    whole = filled(desk, Span(SOME.first, SOME.last, SOME.timezone, streams))
    assert isinstance(whole.estimate, EstimateReceipt)
    # Signing in, and some calls more, of which none are spent on counting.
    most = whole.estimate.setup + (3 if desk.connectors[0].name == "salesforce" else 16)
    done, runs = filled(desk, Span(SOME.first, SOME.last, SOME.timezone, streams, again=True, calls=most)), 1
    assert done.is_partial
    assert "calls that it was given are made" in str(done.stopped)
    read = _ended(done)
    while done.is_partial:
        assert done.calls <= most
        assert str(done.resumes).startswith(f"resumes at {_first_left(done)}")
        assert runs < 12
        done, runs = filled(desk, Span(SOME.first, SOME.last, SOME.timezone, streams, calls=most)), runs + 1
        read |= _ended(done)
    assert (done.left, runs > 1) == (0, True)
    # Less --again, what was closed before and has not been read again is read all the same.
    assert read == _ended(whole)


def _ended(done: FillReceipt) -> set[tuple[str, dt.date]]:
    return {(window.stream, window.first) for window in done.windows if window.state == "closed"}


def test_so_few_calls_that_it_would_never_get_on_are_refused(desk: Office) -> None:
    """A run gets on, or says that it needs more; with more and more calls the same command comes to its end."""
    told: list[str] = []
    calls, runs, uncounted = 3, 0, 0
    done: FillReceipt | None = None
    while done is None or done.is_partial:
        runs += 1
        assert runs < 40
        try:
            done = filled(desk, replace(SOME, calls=calls))
        except KamError as fault:
            told.append(str(fault))
            calls += 12
            continue
        uncounted += isinstance(done.estimate, NotCounted)
        assert done.calls <= calls
    assert (done.left, uncounted > 0, runs > len(told) + 1) == (0, True, True)
    assert "3 calls are too few, nothing could be kept: signing in" in told[0]


def _first_left(done: FillReceipt) -> str:
    """The window that was stopped, as the receipt calls it; nothing where it had not begun."""
    last = done.windows[-1] if done.windows else None
    return f"{last.stream} {last.first:%Y-%m}, row " if last is not None and last.state == "stopped" else ""


def test_what_a_pull_stored_meanwhile_is_not_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was asked for before an account was renamed, and stored after a pull had read the new name."""
    with desk_of("salesforce", tmp_path) as desk:
        pulled(desk)
        assert desk.served.company.org is not None
        org, live = desk.served.company.org, desk.connectors[0]
        recent = (r for r in org.records("Account") if not r["IsDeleted"] and r["SystemModstamp"][:7] == "2026-02")
        account = next(recent)
        other = Office(desk.store, desk.served, list(desk.connectors))
        other.reconnect()
        pages, met = other.connectors[0].read, []

        def late(*asked: Any) -> Iterator[Any]:
            for page in pages(*asked):
                if any(account["Id"] in frame["Id"] for frame in page.raw.values()):
                    met.append(page)
                desk.clock.advance(HOUR)
                org.update("Account", str(account["Id"]), {"Name": f"Renamed at {desk.clock.now()}"})
                desk.clock.advance(HOUR)
                pull(live, desk.store, desk.clock.now)
                yield page

        monkeypatch.setattr(other.connectors[0], "read", late)
        desk.reconnect()
        live = desk.connectors[0]
        span = Span(SOME.first, SOME.last, SOME.timezone, ("accounts",))
        fill(other.connectors[0], desk.store, desk.clock.now, span)
        held = desk.store.read(Account, ["source_id", "name"])
        name = held.row(by_predicate=pl.col("source_id").str.starts_with(str(account["Id"])[:15]), named=True)["name"]
        assert name == next(r["Name"] for r in org.records("Account") if r["Id"] == account["Id"])
        assert len(met) == 1
        other.connectors[0].close()


def test_others_who_spend_meanwhile_end_it_before_the_reserve(tmp_path: Path) -> None:
    """Another client makes three calls for each of ours: together no more than four fifths of the day, and never more
    of ours than our share; the next day goes on."""
    with desk_of("salesforce", tmp_path) as desk:
        assert desk.served.salesforce is not None
        assert desk.served.company.org is not None
        knobs, log = desk.served.company.org.settings, desk.served.salesforce.faults
        knobs.others_between_calls, knobs.daily_api_requests = 3, 120
        done = runs = 0
        receipt: FillReceipt | None = None
        while receipt is None or receipt.is_partial:
            desk.clock.advance(DAY + HOUR)
            log.clear()
            receipt = filled(desk, replace(SOME, streams=FEW))
            ours = sum(call.path.startswith("/services/data/v") for call in log.log)
            assert ours == receipt.calls <= 30
            assert 4 * ours <= 96 + 3
            done, runs = done + len([w for w in receipt.windows if w.state == "closed"]), runs + 1
            assert runs < 9
        assert (done, runs > 1) == (len(FEW) * 3, True)


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (Span(dt.date(2026, 2, 2), dt.date(2026, 2, 1), "UTC"), "no day from 2026-02-02 to 2026-02-01"),
        (Span(dt.date(2027, 1, 1), dt.date(2027, 1, 2), "UTC"), "2027-01-01 has not come yet"),
        (Span(SOME.first, SOME.last, "UTC", ("deals",)), "no stream named deals; this CRM serves accounts, "),
        (Span(SOME.first, SOME.last, "UTC", ("pipeline_stages",)), "pipeline_stages: read whole by every pull"),
    ],
)
def test_what_cannot_be_read_is_said_before(tmp_path: Path, span: Span, told: str) -> None:
    """One line, and what there is to choose from."""
    with desk_of("salesforce", tmp_path) as desk, pytest.raises(KamError, match=told):
        filled(desk, span)
