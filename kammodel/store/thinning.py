"""Thins older daily snapshots out: of each group and month the last day stays, and what was shown to people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl

from kammodel.entities import KEY
from kammodel.store.store import Transaction

_DAYS = {"first": pl.Date(), "last": pl.Date()}
PUBLISHED = {"group_id": pl.String(), "as_of": pl.Date()}


def tiers_written(tx: Transaction) -> pl.DataFrame:
    """KEY of an account and as_of: each day whose tier we wrote into the account."""
    sql = (
        "SELECT DISTINCT p.source, p.source_instance, c.source_id, p.as_of FROM planned_cell c "
        "JOIN publish_plan p USING (plan_id) WHERE c.field='tier' AND c.outcome='written'"
    )
    return tx.frame(sql, dict.fromkeys(KEY, pl.String()) | {"as_of": pl.Date()})


def thin_snapshots(tx: Transaction, before: dt.date, published: pl.DataFrame) -> int:
    """Takes out the snapshots of days before `before` that are neither the last of their group and month nor
    `published` (PUBLISHED); returns how many. With a day goes, or stays, all that was ever recorded of it.

    The one in force, of a group that is gone too, is the last of its month, and so it stays.
    """
    months = list(_months(tx, before))
    if not months:
        return 0
    tx.run("CREATE TEMPORARY TABLE published_day (group_id TEXT, as_of DATE)", [{}])
    try:
        tx.insert("published_day", published.select(*PUBLISHED).unique(maintain_order=True))
        return tx.run(_THIN, [{"first": f, "next": n, "before": before.isoformat()} for f, n in months])
    finally:
        tx.run("DROP TABLE published_day", [{}])


_THIN = (
    "DELETE FROM score_snapshot WHERE as_of >= :first AND as_of < :next AND as_of < :before "
    "AND EXISTS (SELECT 1 FROM score_snapshot later WHERE later.group_id=score_snapshot.group_id "
    "AND later.as_of > score_snapshot.as_of AND later.as_of < :next) "
    "AND NOT EXISTS (SELECT 1 FROM published_day p WHERE p.group_id=score_snapshot.group_id "
    "AND p.as_of=score_snapshot.as_of)"
)


def _months(tx: Transaction, before: dt.date) -> Iterator[tuple[str, str]]:
    """First day, and first day of the next, of each month with snapshots of days before `before`."""
    sql = "SELECT min(as_of) AS first, max(as_of) AS last FROM score_snapshot WHERE as_of < :before"
    first, last = tx.frame(sql, _DAYS, before=before.isoformat()).row(0)
    while first is not None and first <= last:
        month = first.replace(day=1)
        first = (month + dt.timedelta(days=31)).replace(day=1)
        yield month.isoformat(), first.isoformat()
