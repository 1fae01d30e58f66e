"""Score snapshots in and out: appended on change, the newest per group and day in force, older ones thinned out.

Two times: `as_of` is the day that a snapshot speaks of, `recorded_at` when we came to say so. A day that is computed
again stands beside what was recorded of it before.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from kammodel.digest import digest
from kammodel.entities import ScoreSnapshot, polars_schema
from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction

SNAPSHOT = {name: dtype for name, dtype in polars_schema(ScoreSnapshot).items() if name != "snapshot_id"}
SAME = ("score", "coverage", "provisional", "in_population", "tier_computed", "tier_effective", "quadrant", "rfm")
"""With the JSON texts, the columns whose change makes a new snapshot."""
_TEXTS = ("kpis", "criteria", "reasons", "reconstructed", "config_hash")


def latest_snapshots(
    tx: Transaction, *, until: dt.date | None = None, recorded_until: dt.datetime | None = None
) -> pl.DataFrame:
    """The snapshot in force of each group: of the latest as-of day (up to `until`), the last recorded (up to
    `recorded_until`)."""
    bound, parameters = _bound(until, recorded_until)
    sql = f"SELECT {','.join(SNAPSHOT)} FROM ({_ranked(bound)}) ranked WHERE rank=1 "  # noqa: S608
    return tx.frame(sql + f"ORDER BY {tx.backend.in_order('group_id')}", SNAPSHOT, **parameters)


def in_force_mark(tx: Transaction, *, until: dt.date | None = None) -> str:
    """Sixteen hexadecimal digits that change when what `latest_snapshots` gives does, without reading it: snapshots
    are never updated, so that their numbers tell them."""
    bound, parameters = _bound(until, None)
    sql = (
        "SELECT count(*) AS n, CAST(coalesce(sum(snapshot_id), 0) AS BIGINT) AS ids, "  # noqa: S608
        f"CAST(coalesce(max(snapshot_id), 0) AS BIGINT) AS last FROM ({_ranked(bound)}) ranked WHERE rank=1"
    )
    return digest(tx.frame(sql, dict.fromkeys(("n", "ids", "last"), pl.Int64()), **parameters).row(0))


def stored_snapshot(
    tx: Transaction, group_id: str, *, day: dt.date | None = None, recorded_until: dt.datetime | None = None
) -> dict[str, Any] | None:
    """What was recorded of a group and a day, the latest one without it: the last record, or what was the last one at
    an instant. Null where there was none."""
    bound, parameters = _bound(None, recorded_until)
    on_day = "AND as_of=:on_day" if day else ""
    sql = (
        f"SELECT {','.join(SNAPSHOT)} FROM score_snapshot {bound or 'WHERE 1=1'} AND group_id=:g {on_day} "  # noqa: S608
        "ORDER BY as_of DESC, snapshot_id DESC LIMIT 1"
    )
    parameters |= {"g": group_id} | ({"on_day": day.isoformat()} if day else {})
    found = tx.frame(sql, SNAPSHOT, **parameters)
    return None if found.is_empty() else found.row(0, named=True)


def days_stored(tx: Transaction, group_id: str) -> list[dt.date]:
    """The days of which a group has snapshots, oldest first."""
    sql = "SELECT DISTINCT as_of FROM score_snapshot WHERE group_id=:g ORDER BY as_of"
    return tx.frame(sql, {"as_of": pl.Date()}, g=group_id)["as_of"].to_list()


def every_day_stored(tx: Transaction, *, until: dt.date) -> list[dt.date]:
    """The days of which any group has snapshots, up to `until`, oldest first."""
    sql = "SELECT DISTINCT as_of FROM score_snapshot WHERE as_of <= :day ORDER BY as_of"
    return tx.frame(sql, {"as_of": pl.Date()}, day=until.isoformat())["as_of"].to_list()


def append_snapshots(tx: Transaction, fresh: pl.DataFrame) -> int:
    """Appends the snapshots (of one as-of day) that differ from the one in force for their group and day.

    Returns how many. A past day that is computed again compares with itself, not with the latest day.

    Each new as-of day stores every group. One that dropped out of the accounts altogether gets no row: its
    last snapshot stays the one in force.
    """
    if fresh.is_empty():
        return 0
    compared = ["as_of", *SAME, *_TEXTS]
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


def _bound(until: dt.date | None, recorded_until: dt.datetime | None) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {}
    parts = []
    if until is not None:
        parts.append("as_of <= :day")
        parameters["day"] = until.isoformat()
    if recorded_until is not None:
        parts.append("recorded_at <= :recorded")
        parameters["recorded"] = to_micros(recorded_until)
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), parameters


def _ranked(bound: str) -> str:
    return (
        "SELECT *, row_number() OVER (PARTITION BY group_id ORDER BY as_of DESC, snapshot_id DESC) AS rank "  # noqa: S608
        f"FROM score_snapshot {bound}"
    )
