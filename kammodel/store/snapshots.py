"""Score snapshots in and out: appended on change, the newest per group and day in force."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import ScoreSnapshot, polars_schema
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

SNAPSHOT = {name: dtype for name, dtype in polars_schema(ScoreSnapshot).items() if name != "snapshot_id"}
SAME = ("score", "coverage", "provisional", "in_population", "tier_computed", "tier_effective", "quadrant", "rfm")
"""With the JSON texts, the columns whose change makes a new snapshot."""


def latest_snapshots(tx: Transaction, *, until: dt.date | None = None) -> pl.DataFrame:
    """The snapshot in force of each group: of the latest as-of day (up to `until`), the last recorded."""
    return _last_recorded(tx, "" if until is None else "WHERE as_of <= :day", until)


def _last_recorded(tx: Transaction, bound: str, day: dt.date | None) -> pl.DataFrame:
    names = ",".join(SNAPSHOT)
    sql = (
        f"SELECT {names} FROM (SELECT *, row_number() OVER (PARTITION BY group_id "  # noqa: S608
        f"ORDER BY as_of DESC, snapshot_id DESC) AS rank FROM score_snapshot {bound}) ranked WHERE rank=1 "
        f"ORDER BY {tx.backend.in_order('group_id')}"
    )
    return tx.frame(sql, SNAPSHOT, **({} if day is None else {"day": day.isoformat()}))


def append_snapshots(tx: Transaction, fresh: pl.DataFrame) -> int:
    """Appends the snapshots (of one as-of day) that differ from the one in force for their group and day.

    Returns how many. A past day that is computed again compares with itself, not with the latest day.

    Each new as-of day stores every group. One that dropped out of the accounts altogether gets no row: its
    last snapshot stays the one in force.
    """
    if fresh.is_empty():
        return 0
    compared = ["as_of", *SAME, "kpis", "criteria", "reasons", "config_hash"]
    known = _in_force(tx, fresh["as_of"]).select("group_id", *compared)
    changed = fresh.join(known, on=["group_id", *compared], how="anti", nulls_equal=True)
    tx.insert("score_snapshot", changed.select(pl.col(n).cast(t) for n, t in SNAPSHOT.items()))
    return changed.height


def _in_force(tx: Transaction, days: pl.Series) -> pl.DataFrame:
    """The last recorded snapshot of each group and day, from the first to the last of `days`."""
    sql = (
        f"SELECT {','.join(SNAPSHOT)} FROM (SELECT *, row_number() OVER (PARTITION BY group_id, as_of "  # noqa: S608
        "ORDER BY snapshot_id DESC) AS rank FROM score_snapshot WHERE as_of BETWEEN :first AND :last) ranked "
        "WHERE rank=1"
    )
    first, last = (str(day) for day in (days.min(), days.max()))
    return tx.frame(sql, SNAPSHOT, first=first, last=last)


def snapshots_of(tx: Transaction, group_id: str) -> pl.DataFrame:
    """All snapshots of one group, oldest first."""
    sql = f"SELECT {','.join(SNAPSHOT)} FROM score_snapshot WHERE group_id=:g ORDER BY as_of, snapshot_id"  # noqa: S608
    return tx.frame(sql, SNAPSHOT, g=group_id)


def recorded_since(tx: Transaction, at: dt.datetime) -> int:
    """How many snapshots were recorded at or after an instant."""
    sql = "SELECT count(*) AS n FROM score_snapshot WHERE recorded_at >= :at"
    return int(tx.frame(sql, {"n": pl.Int64()}, at=to_micros(at)).item())
