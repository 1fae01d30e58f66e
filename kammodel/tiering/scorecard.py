"""Scores and tiers every account group from its KPIs by the policy, on one page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from kammodel.tiering import aggregation, criteria
from kammodel.tiering.cadence import cadence_attainment
from kammodel.tiering.policy import Policy
from kammodel.tiering.population import out_reason, provisional_why
from kammodel.tiering.quadrant import quadrant
from kammodel.tiering.reach import Border, borders, next_tier
from kammodel.tiering.rfm import rfm
from kammodel.tiering.tiers import compute_tiers, effective_tier, override_state

SCORE_COLUMNS = (
    "group",
    "group_id",
    "in_population",
    "out_reason",
    *(f"s_{key}" for key in criteria.KEYS),
    *(f"c_{key}" for key in criteria.KEYS),
    "score",
    "coverage",
    "provisional",
    "provisional_why",
    "score_percentile",
    "tier_computed",
    "computed_rule",
    "is_concentrated",
    "tier_effective",
    "tier_rule",
    "override",
    "next_tier",
    "points_missing",
    "attractiveness",
    "strength",
    "quadrant",
    "near_quadrant_border",
    "rfm",
)
"""Columns of Scores.frame, in order; docs in `score`."""

_KPIS_NEEDED = {
    "purchases_24m": pl.Int64,
    "purchases_ever": pl.Int64,
    "days_since_first_purchase": pl.Int64,
    "days_since_last_purchase": pl.Int64,
    "revenue_24m": pl.Int64,
    "revenue_share": pl.Float64,
    "meetings_90d": pl.Int64,
    "meetings_180d": pl.Int64,
    "touches_90d": pl.Int64,
    "touches_180d": pl.Int64,
}
"""KPIs that rules look at besides the measures of the criteria."""

_RATINGS = ("group", "group_id", "type", "strategic_value", "tier_override", "tier_override_until")
_PREVIOUS = {"tier_effective": "previous_tier", "quadrant": "previous_quadrant"}


@dataclass(frozen=True)
class Scores:
    """What one scoring run says.

    `frame`: one row per group in order of `group`, see SCORE_COLUMNS and `score`. `measures`: per group each
    measure's value under its KPI's name (clipping not applied) and its percentile `p_<kpi>`. `weights`: those
    in use: criteria that somebody in the organisation has input for, with a weight above 0. `unavailable`:
    weighted criteria that nobody has input for (reading 30), to be listed once. `borders`: the way up.
    """

    frame: pl.DataFrame
    measures: pl.DataFrame
    policy: Policy
    as_of: dt.date
    population_n: int
    weights: Mapping[str, float]
    unavailable: tuple[str, ...]
    borders: tuple[Border, ...]


def score(
    kpis: pl.DataFrame,
    groups: pl.DataFrame,
    policy: Policy,
    as_of: dt.date,
    previous: pl.DataFrame | None = None,
) -> Scores:
    """Scores all `groups` as of the end of `as_of`. kam.md §3d steps 1-7, 10 (override), 11 and 13.

    `kpis`: one row per group (the wide KPI frame; a group without a row has no KPI known). `groups`: group,
    group_id, type, strategic_value, tier_override, tier_override_until. `previous`: group_id, tier_effective
    and, if kept, quadrant: what was in force before this run. Order of rows means nothing.

    Out, per group: `in_population` and `out_reason`; criteria `s_<key>` 0..100 (shown to 0.01);
    contributions `c_<key>` in tenths that sum to `score` (0..100, one decimal); `coverage` 0..1;
    `provisional`, `provisional_why`; `score_percentile`; `is_concentrated` (share of revenue at the floor);
    `tier_computed` with `computed_rule`, `tier_effective` with `tier_rule`; `next_tier`, `points_missing`;
    both axes, `quadrant`, `rfm`. Outside the population all of it is null but out_reason, override, a tier
    set by hand, and rfm (all buyers have one).
    """
    facts = _facts(kpis, groups, policy, previous)
    measured = facts.with_columns(criteria.measure_scores(pl.col("in_population")))
    measured = measured.with_columns(criteria.criterion_scores())
    weights, unavailable = _weights(facts, policy)
    scored = _scored(measured, weights, policy, as_of)
    members = scored.filter("in_population")
    tiers = compute_tiers(members, policy)
    up = borders(members.select("group", "score").join(tiers, on="group"), policy)
    tiered = (
        scored.join(tiers, on="group", how="left", maintain_order="left")
        .with_columns(effective_tier())
        .with_columns(next_tier(up))
        .join(rfm(facts, policy), on="group", how="left", maintain_order="left")
    )
    kept = [f"{prefix}{measure.kpi}" for measure in criteria.measures() for prefix in ("", "p_")]
    return Scores(
        frame=tiered.select(SCORE_COLUMNS).with_columns(cs.starts_with("s_").round(2)),
        measures=measured.select("group", *kept),
        policy=policy,
        as_of=as_of,
        population_n=members.height,
        weights=weights,
        unavailable=unavailable,
        borders=up,
    )


def _facts(kpis: pl.DataFrame, groups: pl.DataFrame, policy: Policy, previous: pl.DataFrame | None) -> pl.DataFrame:
    """Groups, their KPIs, measures and the tier in force before, one row each, in order of `group`."""
    rated = groups.select(_RATINGS)
    wanted = {measure.kpi for measure in criteria.measures()} | set(_KPIS_NEEDED)
    known = kpis.select("group", *(name for name in kpis.columns if name in wanted - set(_RATINGS)))
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in _KPIS_NEEDED.items() if name not in kpis.columns]
    facts = rated.join(known, on="group", how="left", validate="1:1").with_columns(missing)
    facts = _with_previous(facts, previous).sort("group").with_columns(cadence_attainment(policy))
    return facts.with_columns(*criteria.inputs(facts), out_reason()).with_columns(
        in_population=pl.col("out_reason").is_null()
    )


def _with_previous(facts: pl.DataFrame, previous: pl.DataFrame | None) -> pl.DataFrame:
    columns = [] if previous is None else [name for name in _PREVIOUS if name in previous.columns]
    if previous is not None and columns:
        before = previous.select("group_id", *(pl.col(name).alias(_PREVIOUS[name]) for name in columns))
        facts = facts.join(before, on="group_id", how="left", validate="m:1")
    absent = [pl.lit(None, pl.String).alias(_PREVIOUS[name]) for name in _PREVIOUS if name not in columns]
    return facts.with_columns(absent)


def _weights(facts: pl.DataFrame, policy: Policy) -> tuple[dict[str, float], tuple[str, ...]]:
    """Weights in use, and weighted criteria that no group of the organisation has input for (reading 30)."""
    having = criteria.keys_with_input(facts)
    weighted = {key: policy.weights[key] for key in criteria.KEYS if policy.weights.get(key, 0) > 0}
    in_use = {key: weight for key, weight in weighted.items() if key in having}
    return in_use, tuple(key for key in weighted if key not in having)


def _scored(measured: pl.DataFrame, weights: Mapping[str, float], policy: Policy, as_of: dt.date) -> pl.DataFrame:
    unused = [pl.lit(None, pl.Float64).alias(f"c_{key}") for key in criteria.KEYS if key not in weights]
    member = pl.col("in_population")
    axes = {
        name: aggregation.axis(weights, [c.key for c in criteria.CRITERIA if c.axis == name])
        for name in ("attractiveness", "strength")
    }
    return (
        measured.with_columns(
            aggregation.score(weights),
            pl.when(member).then(aggregation.coverage(weights)),
            *aggregation.contributions(weights),
            *unused,
            override_state(as_of),
            **axes,
        )
        .with_columns(provisional_why(policy))
        .with_columns(*quadrant(policy), provisional=member & pl.col("provisional_why").is_not_null())
    )
