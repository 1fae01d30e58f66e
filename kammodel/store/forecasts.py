"""What our own snapshots said at the beginning of past quarters."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities.schema import INSTANT
from kammodel.store.store import Transaction

FORECAST = "forecast_quarter"
"""The KPI that is looked for in the snapshots."""

FORECASTS = {"group_id": pl.String(), "as_of": pl.Date(), "recorded_at": INSTANT, "forecast": pl.Int64()}
OPENING = 14
"""Days of a quarter within which a forecast of it is one: later, much of it is known already."""

QUARTERS = 6
"""Quarters that are looked back at: four whole ones, that of today, and one in hand."""

_LONGEST = 24
_FIND = {"sqlite": "instr", "postgresql": "strpos"}


def stored_forecasts(tx: Transaction) -> pl.DataFrame:
    """FORECASTS of each group: of the first scored day of each of the last quarters, money in 1/10,000 units.

    Only what was recorded within the opening days of the quarter counts: a past day that is computed again knows
    better.
    """
    days = _openings(_scored_days(tx))
    if not days:
        return pl.DataFrame(schema=FORECASTS)
    key = f'"{FORECAST}":'
    place = f"{_FIND[tx.connection.dialect.name]}(kpis, '{key}')"
    listed = ",".join(f"'{day.isoformat()}'" for day in days)
    sql = (
        f"SELECT group_id, as_of, recorded_at, substr(kpis, {place} + {len(key)}, {_LONGEST}) AS told "  # noqa: S608
        f"FROM score_snapshot WHERE as_of IN ({listed}) AND {place} > 0 ORDER BY snapshot_id"
    )
    schema = {"group_id": pl.String(), "as_of": pl.Date(), "recorded_at": INSTANT, "told": pl.String()}
    found = tx.frame(sql, schema)
    in_time = pl.col("recorded_at").dt.date() < pl.col("as_of").dt.truncate("1q") + dt.timedelta(days=OPENING)
    last = found.filter(in_time).unique(["group_id", "as_of"], keep="last", maintain_order=True)
    # The text is plain money with four decimals, so that without its point it is in 1/10,000 units.
    digits = pl.col("told").str.extract(r"^(-?\d+\.\d{4})").str.replace(".", "", literal=True)
    return last.select("group_id", "as_of", "recorded_at", forecast=digits.cast(pl.Int64)).drop_nulls("forecast")


def _scored_days(tx: Transaction) -> list[dt.date]:
    """From the runs, which are few, and not from the snapshots, which are many."""
    sql = "SELECT DISTINCT as_of FROM run WHERE kind='score' AND state='done' AND as_of IS NOT NULL ORDER BY as_of"
    return tx.frame(sql, {"as_of": pl.Date()})["as_of"].to_list()


def _openings(days: list[dt.date]) -> list[dt.date]:
    """The first day of each quarter, where it is one of the opening days."""
    first: dict[dt.date, dt.date] = {}
    for day in days:
        start = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        if (day - start).days < OPENING:
            first.setdefault(start, day)
    return [first[start] for start in sorted(first)[-QUARTERS:]]
