"""Counts the hours that tiers ask of key account managers, and puts groups down where there are too few."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.stability import LEVEL

WHOLE = "all"
"""The one holder of hours where those of all together are counted."""

_BY_HAND = "override"


@dataclass(frozen=True)
class Load:
    """What tiers ask for in a month. `by_kam`: kam (null: groups that nobody looks after), groups, hours,
    capacity, `use` = hours / capacity. `required_kams`: hours of all groups / hours of one manager, one decimal."""

    by_kam: pl.DataFrame
    hours: float
    required_kams: float


def demoted(tiered: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """`tiered` with `tier_computed` lowered and `computed_rule` capacity where the hours do not suffice.
    kam.md §3d step 9.

    In: group, group_id, score, revenue_ttm, in_population, tier_computed, computed_rule, tier_effective, tier_rule,
    is_concentrated, tier_since and `protected_from` (dates: who came into its tier on that day or later is
    protected), kam, kam_hours (null: those of the policy). The group with the lowest score goes down one tier at a
    time, then the next, until the hours suffice; protected are tiers set by hand, the share floor, who came into its
    tier less than two quarters ago, and groups that show no tier. By manager where owners are known, else, or if the
    policy says so, in all. Without either there is no limit.
    """
    holders = _holders(tiered, policy)
    if holders is None:
        return tiered
    frame = holders.with_columns(hours=_hours(policy, "tier_effective"))
    excess = (pl.col("hours").sum().over("holder") - pl.col("limit")).alias("excess")
    open_ones = frame.with_columns(excess).filter(
        pl.col("holder").is_not_null(), pl.col("excess") > 0, ~_is_protected(), pl.col("hours") > 0
    )
    steps = _steps(open_ones, policy)
    fewer = steps.group_by("group").agg(down=(pl.col("step") - pl.col("place") + 1).max().cast(pl.Int8))
    told = tiered.join(fewer, on="group", how="left", maintain_order="left")
    level = pl.col("tier_computed").replace_strict(LEVEL, default=None, return_dtype=pl.Int8)
    names = {level: tier for tier, level in LEVEL.items()}
    lower = (level - pl.col("down")).replace_strict(names, default=None, return_dtype=pl.String)
    return told.with_columns(
        tier_computed=pl.coalesce(lower, "tier_computed"),
        computed_rule=pl.when(pl.col("down") > 0).then(pl.lit("capacity")).otherwise("computed_rule"),
    ).drop("down")


def load(tiered: pl.DataFrame, policy: Policy) -> Load:
    """What the tiers in force ask for: groups with a tier, those that show `provisional` as Growth."""
    rule = policy.capacity
    asked = tiered.filter(pl.col("tier_effective").is_not_null()).with_columns(hours=_hours(policy, "tier_effective"))
    by_kam = (
        asked.group_by("kam")
        .agg(
            groups=pl.len().cast(pl.Int64),
            hours=pl.col("hours").sum(),
            capacity=pl.col("kam_hours").max(),
        )
        .with_columns(
            capacity=pl.when(pl.col("kam").is_not_null()).then(pl.col("capacity").fill_null(rule.hours_per_kam))
        )
        .with_columns(use=(pl.col("hours") / pl.col("capacity")).round(4))
        .sort("kam", nulls_last=True)
    )
    hours = float(by_kam["hours"].sum())
    return Load(by_kam, hours, round(hours / rule.hours_per_kam, 1))


def _holders(tiered: pl.DataFrame, policy: Policy) -> pl.DataFrame | None:
    """`holder` of hours and their `limit`; None where nothing limits."""
    rule, known = policy.capacity, tiered["kam"].n_unique() - (tiered["kam"].null_count() > 0)
    if rule.limit == "none":
        return None
    if rule.limit == "kam" and known:
        own = pl.col("kam_hours").max().over("kam").fill_null(rule.hours_per_kam)
        return tiered.with_columns(holder=pl.col("kam"), limit=own)
    managers = rule.kams if rule.kams is not None else known
    if not managers:
        return None
    told = tiered.filter(pl.col("kam").is_not_null()).group_by("kam").agg(hours=pl.col("kam_hours").max())
    stated = float(told["hours"].fill_null(rule.hours_per_kam).sum())
    hours = managers * rule.hours_per_kam if rule.kams is not None else stated
    return tiered.with_columns(holder=pl.lit(WHOLE), limit=pl.lit(hours))


def _hours(policy: Policy, tier: str) -> pl.Expr:
    hours = {**{name: getattr(policy.capacity.hours, name) for name in TIERS}}
    return pl.col(tier).replace_strict({**hours, "provisional": hours["growth"]}, default=0.0, return_dtype=pl.Float64)


def _is_protected() -> pl.Expr:
    fresh = (pl.col("tier_since") > pl.col("protected_from")).fill_null(value=False)
    by_hand = (pl.col("tier_rule") == _BY_HAND).fill_null(value=False)
    unranked = ~pl.col("in_population") | (pl.col("tier_effective") != pl.col("tier_computed")).fill_null(value=True)
    return fresh | by_hand | unranked | pl.col("is_concentrated").fill_null(value=False)


def _steps(open_ones: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """One row for each tier that a group goes down: those that are needed, the lowest score first."""
    saved = {
        TIERS[place]: [_of(policy, TIERS[step]) - _of(policy, TIERS[step + 1]) for step in range(place, len(TIERS) - 1)]
        for place in range(len(TIERS) - 1)
    }
    rows = pl.DataFrame(
        [
            (tier, place, place + further, hours)
            for place, (tier, each) in enumerate(saved.items())
            for further, hours in enumerate(each)
        ],
        schema={"tier_computed": pl.String, "place": pl.Int64, "step": pl.Int64, "saved": pl.Float64},
        orient="row",
    )
    ordered = open_ones.join(rows, on="tier_computed").sort(
        "holder",
        "score",
        "revenue_ttm",
        "group_id",
        "step",
        descending=[False, False, False, True, False],
        nulls_last=[False, False, False, False, False],
    )
    before = (pl.col("saved").cum_sum() - pl.col("saved")).over("holder")
    return ordered.filter((before.round(6) < pl.col("excess").round(6)) & (pl.col("saved") > 0))


def _of(policy: Policy, tier: str) -> float:
    return float(getattr(policy.capacity.hours, tier))
