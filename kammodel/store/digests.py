"""What plans did to the tiers of accounts, and what was recorded of their groups: what digests are made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import polars as pl

from kammodel.store.store import Transaction

TIER_CELLS = {
    "plan_id": pl.String(),
    "number": pl.Int64(),
    "is_latest": pl.Int64(),
    "source": pl.String(),
    "source_instance": pl.String(),
    "source_id": pl.String(),
    "before": pl.String(),
    "after": pl.String(),
    "decision": pl.String(),
    "outcome": pl.String(),
}
SCORED = {
    "group_id": pl.String(),
    "tier": pl.String(),
    "score": pl.Float64(),
    "coverage": pl.Float64(),
    "reason": pl.String(),
}
PLANS = {"plan_id": pl.String(), "number": pl.Int64(), "as_of": pl.Date()}


def plans_with_changes(tx: Transaction, plan_ids: Collection[str], after: int | None) -> pl.DataFrame:
    """PLANS: those of the plans that wrote a tier, and, where it is given, all that did and are newer than number
    `after`."""
    newer = "" if after is None else "OR number > :after"
    sql = (
        "SELECT plan_id, number, as_of FROM publish_plan WHERE "  # noqa: S608
        f"({tx.backend.among('plan_id', 'ids')} {newer}) AND plan_id IN "
        "(SELECT plan_id FROM planned_cell WHERE field='tier' AND outcome='written') ORDER BY number"
    )
    listed = tx.backend.listed(pl.Series(sorted(plan_ids), dtype=pl.String))
    bound = {} if after is None else {"after": after}
    return tx.frame(sql, PLANS, ids=listed, **bound)


def last_applied_day(tx: Transaction) -> dt.date | None:
    """The as-of day of the newest plan that was applied, or of which a part was; null where there is none."""
    sql = (
        "SELECT as_of FROM publish_plan WHERE applied_at IS NOT NULL OR plan_id IN "
        "(SELECT plan_id FROM planned_cell WHERE outcome='written') ORDER BY number DESC LIMIT 1"
    )
    found = tx.frame(sql, {"as_of": pl.Date()})
    return None if found.is_empty() else found["as_of"].item()


def tier_cells(tx: Transaction, day: dt.date) -> pl.DataFrame:
    """TIER_CELLS: the tier cells of every plan of an as-of day. `is_latest` (0 or 1): of its CRM's newest plan of the
    day."""
    newest = (
        "(SELECT max(q.number) FROM publish_plan q WHERE q.source=p.source AND q.source_instance=p.source_instance "
        "AND q.as_of=p.as_of)"
    )
    sql = (
        f"SELECT plan_id, p.number, CASE WHEN p.number={newest} THEN 1 ELSE 0 END AS is_latest, p.source, "  # noqa: S608
        "p.source_instance, c.source_id, c.before, c.after, c.decision, c.outcome "
        "FROM planned_cell c JOIN publish_plan p USING (plan_id) WHERE c.field='tier' AND p.as_of=:day "
        f"ORDER BY p.number, {tx.backend.in_order('source_id')}"
    )
    return tx.frame(sql, TIER_CELLS, day=day.isoformat())


def scored_groups(tx: Transaction, group_ids: pl.Series, until: dt.date) -> pl.DataFrame:
    """SCORED: of each of the groups its snapshot in force at a day. `coverage` is 0..1."""
    sql = (
        "SELECT group_id, tier_effective, score, coverage, reasons FROM (SELECT *, row_number() OVER (PARTITION BY "  # noqa: S608
        "group_id ORDER BY as_of DESC, snapshot_id DESC) AS rank FROM score_snapshot WHERE as_of <= :day AND "
        f"{tx.backend.among('group_id', 'ids')}) ranked WHERE rank=1 ORDER BY {tx.backend.in_order('group_id')}"
    )
    schema = {
        "group_id": pl.String(),
        "tier_effective": pl.String(),
        "score": pl.Float64(),
        "coverage": pl.Float64(),
        "reasons": pl.String(),
    }
    found = tx.frame(sql, schema, day=until.isoformat(), ids=tx.backend.listed(group_ids))
    reason = pl.col("reasons").str.json_path_match("$.reason")
    return found.select("group_id", "score", "coverage", tier="tier_effective", reason=reason).select(list(SCORED))
