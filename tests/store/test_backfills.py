"""Windows that are read by hand: kept, closed, forgotten, and what was stored since."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from flows.pipeline.windows import Window, months
from kammodel.entities import Account, BackfillWindow, Run
from kammodel.entities.schema import polars_schema
from kammodel.errors import KamError
from kammodel.store import Store
from kammodel.store.backfills import (
    KIND,
    closed_windows,
    drop_window,
    load_window,
    measured_speed,
    save_window,
    stored_since,
)
from kammodel.store.control import end_run, start_run

JAN, FEB, MAR = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 2, 3))
ORG = {"source": "crm", "instance": "org"}


def window(since: dt.datetime, until: dt.datetime, **more: object) -> BackfillWindow:
    given = {"fingerprint": "f", "read_until": until, "closed_at": MAR, **more}
    return BackfillWindow(source="crm", source_instance="org", stream="accounts", since=since, until=until, **given)


def test_a_window_is_found_by_its_ends(url: str) -> None:
    """What was saved comes back; what was dropped is not there."""
    key = ("crm", "org", "accounts", JAN, FEB)
    with Store(url) as store:
        with store.transaction() as tx:
            assert load_window(tx, key) is None
            save_window(tx, window(JAN, FEB, resume_point="7", rows_read=7, closed_at=None))
        with store.transaction() as tx:
            found = load_window(tx, key)
            assert found is not None
            assert (found.resume_point, found.rows_read, found.read_until) == ("7", 7, FEB)
            drop_window(tx, key)
            assert load_window(tx, key) is None


def test_only_what_was_read_to_its_end_by_this_mapping_is_closed(url: str) -> None:
    """Not what is under way, nor what was not over then, nor what another mapping read."""
    with Store(url) as store, store.transaction() as tx:
        save_window(tx, window(JAN, FEB))
        save_window(tx, window(FEB, MAR, closed_at=None))
        save_window(tx, window(JAN, MAR, read_until=FEB))
        save_window(tx, window(dt.datetime(2025, 12, 1, tzinfo=dt.UTC), JAN, fingerprint="g"))
        closed = closed_windows(tx, "crm", "org", "accounts", "f".__eq__)
        assert [(one.since, one.until) for one in closed] == [(JAN, FEB)]
        assert closed_windows(tx, "crm", "other", "accounts", "f".__eq__) == []
        assert measured_speed(tx, "crm") is None


def test_rows_stored_since_an_instant_are_told(url: str) -> None:
    """Those stored at it or later, and deletions later still; of the ids asked for alone."""
    schema = {n: t for n, t in polars_schema(Account).items() if n not in _STAMPED}
    rows = pl.DataFrame({"source_id": ["a", "b", "c", "d"], "deleted": False}, schema_overrides=schema)
    rows = rows.with_columns(pl.lit(None, t).alias(n) for n, t in schema.items() if n not in rows.columns).select(
        list(schema)
    )
    gone = pl.DataFrame({"source_id": ["a"], "merged_into_id": [None]}, schema_overrides={"merged_into_id": pl.String})
    with Store(url) as store, store.transaction() as tx:
        tx.upsert(Account, rows.filter(pl.col("source_id") < "c"), **ORG, at=JAN)
        tx.upsert(Account, rows.filter(pl.col("source_id") >= "c"), **ORG, at=FEB)
        assert set(stored_since(tx, Account, rows["source_id"], FEB, **ORG)) == {"c", "d"}
        tx.mark_gone(Account, gone, **ORG, at=MAR)
        asked = pl.Series(["a", "b", "c"])
        assert set(stored_since(tx, Account, asked, FEB, **ORG)) == {"a", "c"}


_STAMPED = {"source", "source_instance", "synced_at", "content_changed_at"}


def test_months_begin_at_midnight_where_people_are() -> None:
    """The newest first; the ends are parts of a month; the day that is not over ends now."""
    now = dt.datetime(2026, 4, 10, 12, tzinfo=dt.UTC)
    found = months(dt.date(2026, 2, 20), dt.date(2026, 4, 10), "Europe/Madrid", now)
    assert [(w.first.isoformat(), w.last.isoformat()) for w in found] == [
        ("2026-04-01", "2026-04-10"),
        ("2026-03-01", "2026-03-31"),
        ("2026-02-20", "2026-02-28"),
    ]
    assert [w.until for w in found[1:]] == [w.since for w in found[:-1]]
    # Summer time begins within the month.
    assert (found[1].since.hour, found[1].until.hour) == (23, 22)
    assert (found[0].read_until, found[0].until) == (now, dt.datetime(2026, 4, 10, 22, tzinfo=dt.UTC))
    assert found[1].is_in([window(JAN, dt.datetime(2026, 5, 1, tzinfo=dt.UTC))])
    assert not found[1].is_in([window(JAN, MAR)])


def test_a_day_that_has_not_come_has_no_window() -> None:
    """Nor a span that ends before it begins."""
    with pytest.raises(KamError, match="2026-03-01 has not come yet"):
        months(MAR.date(), MAR.date(), "UTC", FEB)
    with pytest.raises(KamError, match="no day from 2026-03-01 to 2026-02-01"):
        months(MAR.date(), FEB.date(), "UTC", MAR)
    one: list[Window] = months(JAN.date(), FEB.date(), "UTC", FEB)
    assert [w.first for w in one] == [JAN.date()]


def test_a_run_tells_how_long_rows_and_calls_took(url: str) -> None:
    """By what was foreseen for its calls; of one that foresaw nothing only as a whole; of few rows nothing."""
    told = {"source": "crm", "rows": 4_000, "calls": 100, "seconds": 60.0}
    with Store(url) as store, store.transaction() as tx:
        for day, result in enumerate((told, told | {"storing": 20.0, "paced": 80.0}, told | {"rows": 10}), 1):
            at = JAN.replace(day=day)
            start_run(tx, Run(run_id=f"backfill-{day}", kind=KIND, started_at=at))
            end_run(tx, f"backfill-{day}", "done", result, at)
            speed = measured_speed(tx, "crm")
            assert speed is not None
            assert (speed.pace, speed.seconds_a_row) == ((None, None) if day == 1 else (0.5, 0.005))
