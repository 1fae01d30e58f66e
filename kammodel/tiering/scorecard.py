"""Scores and tiers every account group from its KPIs by the policy, on one page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from kammodel.tiering import aggregation, capacity, criteria
from kammodel.tiering.abc import abc_classes
from kammodel.tiering.facts import facts_of
from kammodel.tiering.memory import Calendar, calendar, override_since, remembered, since
from kammodel.tiering.policy import Policy
from kammodel.tiering.population import provisional_why
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
    "tier_by_cut",
    "tier_computed",
    "computed_rule",
    "is_concentrated",
    "tier_effective",
    "tier_rule",
    "override",
    "override_ends_on",
    "next_tier",
    "points_missing",
    "attractiveness",
    "strength",
    "quadrant",
    "near_quadrant_border",
    "rfm",
    "abc",
    "stands",
    "standing",
    "pending",
    "pending_n",
    "tier_since",
    "override_tier",
    "override_since",
)
"""Columns of Scores.frame, in order; docs in `score`."""


_MEMBER = ("group", "group_id", "score", "provisional", "revenue_ttm", "revenue_share")


@dataclass(frozen=True)
class Scores:
    """What one scoring run says.

    `frame`: one row per group in order of `group`, see SCORE_COLUMNS and `score`. `measures`: per group each
    measure's value under its KPI's name (clipping not applied), its points `p_<kpi>`, the cases behind it, and its
    `peer` group. `weights`: those in use: criteria that somebody in the organisation has input for, with a weight
    above 0. `unavailable`: weighted criteria that nobody has input for (reading 30), to be listed once. `borders`: the
    way up, and `standing_borders`: of groups whose tier stands. `members`: what tiers are made of, per member of the
    population, with its criteria unrounded. `load`: the hours that the tiers ask for.
    """

    frame: pl.DataFrame
    measures: pl.DataFrame
    policy: Policy
    as_of: dt.date
    population_n: int
    weights: Mapping[str, float]
    unavailable: tuple[str, ...]
    borders: tuple[Border, ...]
    standing_borders: tuple[Border, ...]
    members: pl.DataFrame
    calendar: Calendar
    load: capacity.Load


def score(
    kpis: pl.DataFrame,
    groups: pl.DataFrame,
    policy: Policy,
    as_of: dt.date,
    previous: pl.DataFrame | None = None,
) -> Scores:
    """Scores all `groups` as of the end of `as_of`. kam.md §3d steps 1-11 and 13.

    `kpis`: one row per group (the wide KPI frame; a group without a row has no KPI known). `groups`: group,
    group_id, type, strategic_value, tier_override, tier_override_until, and where known those of `facts.OPTIONAL`.
    `previous`: group_id, tier_effective and, if kept, quadrant, tier_computed, as_of, rules_changed and `criteria` as
    `criteria_json` writes it: what was in force before this run. Order of rows means nothing.

    Out, per group: `in_population` and `out_reason`; criteria `s_<key>` 0..100 (shown to 0.01);
    contributions `c_<key>` in tenths that sum to `score` (0..100, one decimal); `coverage` 0..1;
    `provisional`, `provisional_why`; `score_percentile`; `is_concentrated` (share of revenue at the floor);
    `tier_by_cut`, `tier_computed` with `computed_rule`, `tier_effective` with `tier_rule`; `override_ends_on`;
    `next_tier`, `points_missing`; both axes, `quadrant`, `rfm`, `abc`; and what the next run must know, see
    memory.STATE. Outside the population all of it is null but out_reason, override, a tier set by hand, and rfm and
    abc (all buyers have them).
    """
    before = remembered(previous)
    when = calendar(before, as_of, policy)
    facts = _remembering(facts_of(kpis, groups, policy, previous), before, policy, as_of)
    measured = facts.with_columns(criteria.measure_scores(pl.col("in_population"), policy.scaling))
    measured = measured.with_columns(criteria.criterion_scores())
    weights, unavailable = _weights(facts, policy)
    scored = _scored(measured, weights, policy, as_of)
    members = scored.filter("in_population")
    tiers = compute_tiers(members, policy, when)
    tiered = (
        scored.join(tiers, on="group", how="left", maintain_order="left")
        .with_columns(since(as_of, when))
        .with_columns(effective_tier())
    )
    fitted = capacity.demoted(tiered, policy).with_columns(effective_tier())
    inside = fitted.filter("in_population")
    free, standing = (borders(inside, policy, stands=stands) for stands in (False, True))
    told = (
        fitted.with_columns(next_tier(free, standing))
        .join(rfm(facts, policy), on="group", how="left", maintain_order="left")
        .join(abc_classes(facts, policy), on="group", how="left", maintain_order="left")
    )
    kept = [f"{prefix}{measure.kpi}" for measure in criteria.measures() for prefix in ("", "p_")]
    kept += [measure.cases for measure in criteria.measures() if measure.cases]
    return Scores(
        frame=told.select(SCORE_COLUMNS).with_columns(cs.starts_with("s_").round(2)),
        measures=measured.select("group", "peer", *kept),
        policy=policy,
        as_of=as_of,
        population_n=members.height,
        weights=weights,
        unavailable=unavailable,
        borders=free,
        standing_borders=standing,
        members=members.select(*_MEMBER, *(f"s_{key}" for key in weights)),
        calendar=when,
        load=capacity.load(fitted, policy),
    )


def _remembering(facts: pl.DataFrame, before: pl.DataFrame, policy: Policy, as_of: dt.date) -> pl.DataFrame:
    """Adds what was before, and when a tier set by hand ends: on the day that a person named, else so many months
    after it was first seen."""
    known = facts.join(before, on="group_id", how="left", maintain_order="left").with_columns(override_since(as_of))
    months = f"{policy.override.months}mo"
    fresh = pl.col("rules_changed").fill_null(value=False)
    return known.with_columns(
        override_ends_on=pl.coalesce("tier_override_until", pl.col("override_since").dt.offset_by(months)),
        protected_from=pl.lit(as_of).dt.offset_by(f"-{policy.capacity.protected_months}mo"),
        # What was made under other rules holds nobody: the first run under new ones places freely.
        stood_before=pl.col("before_standing"),
        stands=pl.col("before_standing").is_not_null() & ~fresh,
        before_standing=pl.when(~fresh).then("before_standing"),
        before_pending=pl.when(~fresh).then("before_pending"),
    )


def _weights(facts: pl.DataFrame, policy: Policy) -> tuple[dict[str, float], tuple[str, ...]]:
    """Weights in use, and weighted criteria that no group of the organisation has input for (reading 30)."""
    having = criteria.keys_with_input(facts)
    weighted = {key: policy.weights[key] for key in criteria.KEYS if policy.weights.get(key, 0) > 0}
    in_use = {key: weight for key, weight in weighted.items() if key in having}
    return in_use, tuple(key for key in weighted if key not in having)


def _scored(measured: pl.DataFrame, weights: Mapping[str, float], policy: Policy, as_of: dt.date) -> pl.DataFrame:
    unused = [pl.lit(None, pl.Float64).alias(f"c_{key}") for key in criteria.KEYS if key not in weights]
    member, mean = pl.col("in_population"), policy.aggregation.mean
    axes = {
        name: aggregation.axis(weights, [c.key for c in criteria.CRITERIA if c.axis == name], mean)
        for name in ("attractiveness", "strength")
    }
    return (
        measured.with_columns(
            aggregation.score(weights, mean),
            pl.when(member).then(aggregation.coverage(weights)),
            *aggregation.contributions(weights, mean),
            *unused,
            override_state(as_of, "override_ends_on"),
            **axes,
        )
        .with_columns(provisional_why(policy, pl.col("is_contracted")))
        .with_columns(*quadrant(policy), provisional=member & pl.col("provisional_why").is_not_null())
    )
