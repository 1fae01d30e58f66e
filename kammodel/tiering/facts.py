"""Brings together what a score is made of: one row per account group, whatever is not known null."""

from __future__ import annotations

from typing import Any

import polars as pl

from kammodel.tiering import criteria
from kammodel.tiering.cadence import cadence_attainment
from kammodel.tiering.policy import Policy
from kammodel.tiering.population import out_reason
from kammodel.tiering.scaling import PEER, peer_groups

KPIS_NEEDED: dict[str, Any] = {
    "purchases_24m": pl.Int64,
    "purchases_ever": pl.Int64,
    "days_since_first_purchase": pl.Int64,
    "days_since_last_purchase": pl.Int64,
    "revenue_ttm": pl.Int64,
    "revenue_24m": pl.Int64,
    "revenue_share": pl.Float64,
    "meetings_90d": pl.Int64,
    "meetings_180d": pl.Int64,
    "touches_90d": pl.Int64,
    "touches_180d": pl.Int64,
    "active_contracts_n": pl.Int64,
}
"""KPIs that rules look at besides the measures of the criteria."""

OPTIONAL: dict[str, Any] = {
    "industry": pl.String,
    "country": pl.String,
    "employees": pl.Int64,
    "is_nominated": pl.Boolean,
    "do_not_score": pl.Boolean,
    "esg_score": pl.Float64,
    "kam": pl.String,
    "kam_hours": pl.Float64,
}
"""Columns of `groups` that nobody needs to have: what peers are told apart by, what a person decided, who looks after
the group (and with how many hours in a month)."""

_GIVEN = ("group", "group_id", "type", "strategic_value", "tier_override", "tier_override_until")
_PREVIOUS = {"tier_effective": "previous_tier", "quadrant": "previous_quadrant"}


def facts_of(kpis: pl.DataFrame, groups: pl.DataFrame, policy: Policy, previous: pl.DataFrame | None) -> pl.DataFrame:
    """Groups, their KPIs, measures, peer group and the tier in force before, one row each, in order of `group`.

    `is_contracted`: has an active contract.
    """
    optional = [name for name in OPTIONAL if name in groups.columns]
    rated = groups.select(*_GIVEN, *optional)
    wanted = {measure.kpi for measure in criteria.measures()} | {m.cases for m in criteria.measures() if m.cases}
    names = (wanted | set(KPIS_NEEDED)) - set(rated.columns)
    known = kpis.select("group", *(name for name in kpis.columns if name in names))
    facts = rated.join(known, on="group", how="left", validate="1:1")
    every = {**KPIS_NEEDED, **OPTIONAL}
    absent = [pl.lit(None, kind).alias(name) for name, kind in every.items() if name not in facts.columns]
    facts = _with_previous(facts.with_columns(absent), previous).sort("group").with_columns(cadence_attainment(policy))
    barred, nominated = (pl.col(name).fill_null(value=False) for name in ("do_not_score", "is_nominated"))
    facts = facts.with_columns(is_contracted=(pl.col("active_contracts_n") > 0).fill_null(value=False))
    facts = facts.with_columns(*criteria.inputs(facts), out_reason(barred, nominated, pl.col("is_contracted")))
    return facts.with_columns(in_population=pl.col("out_reason").is_null()).with_columns(_peer(policy))


def _peer(policy: Policy) -> pl.Expr:
    """PEER: that of the policy's key; null where there is none, or too few share it."""
    rule = policy.scaling
    if rule.peer_group == "all":
        return pl.lit(None, pl.String).alias(PEER)
    if rule.peer_group == "size":
        passed = [(pl.col("employees") >= least).cast(pl.Int64) for least in rule.size_classes]
        key = pl.sum_horizontal(*passed, ignore_nulls=False) if passed else pl.lit(None, pl.Int64)
    else:
        key = pl.col(rule.peer_group).str.strip_chars().str.to_lowercase()
    return peer_groups(key, pl.col("in_population"), rule.peers_from)


def _with_previous(facts: pl.DataFrame, previous: pl.DataFrame | None) -> pl.DataFrame:
    columns = [] if previous is None else [name for name in _PREVIOUS if name in previous.columns]
    if previous is not None and columns:
        before = previous.select("group_id", *(pl.col(name).alias(_PREVIOUS[name]) for name in columns))
        facts = facts.join(before, on="group_id", how="left", validate="m:1")
    absent = [pl.lit(None, pl.String).alias(_PREVIOUS[name]) for name in _PREVIOUS if name not in columns]
    return facts.with_columns(absent)
