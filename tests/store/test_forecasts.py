"""What our own snapshots said at the beginning of quarters, out of the store."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import Run
from kammodel.store import Store
from kammodel.store.control import end_run, start_run
from kammodel.store.forecasts import stored_forecasts
from kammodel.store.snapshots import SNAPSHOT, append_snapshots


def scored(store: Store, day: str, kpis: str, recorded: str | None = None, kind: str = "score") -> None:
    """A day of one group, scored and stored."""
    as_of, at = dt.date.fromisoformat(day), dt.datetime.fromisoformat(f"{recorded or day}T06:00:00+00:00")
    run = f"{kind}-{day}-{recorded}"
    row = {**dict.fromkeys(SNAPSHOT), "run_id": run, "as_of": as_of, "recorded_at": at, "group_id": "g", "kpis": kpis}
    told = {"config_hash": "c", "release": "r", "inputs_fingerprint": "i", "criteria": "{}", "reasons": "{}"}
    frame = pl.DataFrame([{**row, **told, "provisional": False, "in_population": True}], schema=SNAPSHOT, orient="row")
    with store.transaction() as tx:
        start_run(tx, Run(run_id=run, kind=kind, started_at=at, as_of=as_of))
        append_snapshots(tx, frame)
        end_run(tx, run, "done", {}, at)


def found(store: Store) -> list[tuple[object, ...]]:
    with store.transaction() as tx:
        return stored_forecasts(tx).select("group_id", "as_of", "forecast").sort("as_of").rows()


def test_the_first_day_of_a_quarter_tells_its_forecast(store: Store) -> None:
    """Money without its point; a later day of the quarter, or one beyond its opening, is none."""
    scored(store, "2026-01-02", '{"a":1,"forecast_quarter":1234.5000,"z":2}')
    scored(store, "2026-01-05", '{"forecast_quarter":99.0000}')
    scored(store, "2026-04-01", '{"forecast_quarter":-0.0001}')
    scored(store, "2026-07-15", '{"forecast_quarter":5.0000}')
    assert found(store) == [("g", dt.date(2026, 1, 2), 12_345_000), ("g", dt.date(2026, 4, 1), -1)]


def test_an_unknown_forecast_is_none(store: Store) -> None:
    scored(store, "2026-01-02", '{"forecast_quarter__why":"no_forecast"}')
    assert found(store) == []


def test_a_past_day_computed_again_knows_better(store: Store) -> None:
    """What was recorded within the opening counts, whatever was said of the day later."""
    scored(store, "2026-01-02", '{"forecast_quarter":10.0000}')
    scored(store, "2026-01-02", '{"forecast_quarter":20.0000}', recorded="2026-01-03")
    scored(store, "2026-01-02", '{"forecast_quarter":99.0000}', recorded="2026-03-03")
    scored(store, "2025-10-01", '{"forecast_quarter":99.0000}', recorded="2026-03-03", kind="backfill")
    assert found(store) == [("g", dt.date(2026, 1, 2), 200_000)]


def test_an_empty_store_has_no_forecasts(store: Store) -> None:
    assert found(store) == []
