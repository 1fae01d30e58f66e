"""Turns scores into tiers: the cut, the caps, the floor, and a person's override."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.population import NO_EVIDENCE
from kammodel.tiering.scaling import percentile

PROVISIONAL = "provisional"
RULES = (
    "cut",
    "threshold",
    "provisional_cap",
    "hard_cap",
    "share_floor",
    "minimum_evidence",
    "override",
)
"""How a tier came about."""

LEVEL = {tier: len(TIERS) - place for place, tier in enumerate(TIERS)}
"""Strategic 4, Key 3, Growth 2, Standard 1."""

_TIER = {level: tier for tier, level in LEVEL.items()}
_ORDER = ("score", "revenue_ttm", "group_id")
"""Who keeps a seat when there are too few: higher score, then more revenue, then the smaller id (reading 32)."""


def is_small(population_n: int, policy: Policy) -> bool:
    """True where percentiles would be noise and the score itself decides. kam.md §3d step 7."""
    return population_n < policy.small_population.below


def compute_tiers(members: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """The tier that the policy computes for each member of the population. kam.md §3d step 7, reading 32.

    In: one row per member with group, group_id, score, provisional, revenue_ttm, revenue_share. Out: group,
    `score_percentile`, `tier_by_cut` (before caps and floor), `tier_computed`, `computed_rule` (the last rule
    that moved it) and `is_concentrated` (its share of revenue reaches the floor). In turn:

    - cut: mid-rank percentile of the *shown* score (one decimal: equal on the page, equal in tier) at or
      above 95, 80, 50; below 20 members the score itself at or above 80, 65, 45;
    - provisional members stand at Key at most. They keep holding their Strategic seat, so nobody moves up
      instead, by percentile or by hard cap;
    - hard caps: who is beyond the seats of Strategic goes to Key, then who is beyond those of Key to Growth;
    - share floor: from 10 % of revenue at least Key, caps or not.
    """
    ranked = members.with_columns(score_percentile=percentile(pl.col("score"))).sort(
        _ORDER, descending=[True, True, False], nulls_last=True
    )
    cut = ranked.with_columns(_cut(ranked.height, policy)).with_columns(cut_level="level")
    return (
        _capped(_capped_strategic(cut, policy), policy.caps.key)
        .with_columns(_floor(policy))
        .with_columns(
            tier_by_cut=pl.col("cut_level").replace_strict(_TIER, return_dtype=pl.String),
            tier_computed=pl.col("level").replace_strict(_TIER, return_dtype=pl.String),
            computed_rule=pl.col("rule"),
        )
        .select("group", "score_percentile", "tier_by_cut", "tier_computed", "computed_rule", "is_concentrated")
    )


def _cut(population_n: int, policy: Policy) -> list[pl.Expr]:
    small = is_small(population_n, policy)
    borders = policy.small_population if small else policy.cut
    measure = pl.col("score" if small else "score_percentile")
    level = (
        pl.when(measure >= borders.strategic)
        .then(4)
        .when(measure >= borders.key)
        .then(3)
        .when(measure >= borders.growth)
        .then(2)
        .otherwise(1)
    )
    return [level.cast(pl.Int8).alias("level"), pl.lit("threshold" if small else "cut").alias("rule")]


def _capped_strategic(ranked: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    claims = pl.col("level") == LEVEL["strategic"]
    seatless = claims & (claims.cum_sum() > policy.caps.strategic)
    capped = claims & pl.col("provisional")
    return ranked.with_columns(
        level=pl.when(capped | seatless).then(LEVEL["key"]).otherwise(pl.col("level")).cast(pl.Int8),
        rule=pl.when(capped)
        .then(pl.lit("provisional_cap"))
        .when(seatless)
        .then(pl.lit("hard_cap"))
        .otherwise(pl.col("rule")),
    )


def _capped(ranked: pl.DataFrame, seats: int) -> pl.DataFrame:
    claims = pl.col("level") == LEVEL["key"]
    seatless = claims & (claims.cum_sum() > seats)
    return ranked.with_columns(
        level=pl.when(seatless).then(LEVEL["growth"]).otherwise(pl.col("level")).cast(pl.Int8),
        rule=pl.when(seatless).then(pl.lit("hard_cap")).otherwise(pl.col("rule")),
    )


def _floor(policy: Policy) -> list[pl.Expr]:
    """Exactly the floor counts, whatever the last bit of a quotient; a null share is below it."""
    reached = (pl.col("revenue_share").round(9) >= policy.floor.revenue_share).fill_null(value=False)
    lifted = reached & (pl.col("level") < LEVEL["key"])
    return [
        reached.alias("is_concentrated"),
        pl.when(lifted).then(LEVEL["key"]).otherwise(pl.col("level")).cast(pl.Int8).alias("level"),
        pl.when(lifted).then(pl.lit("share_floor")).otherwise(pl.col("rule")).alias("rule"),
    ]


def override_state(as_of: dt.date) -> pl.Expr:
    """`valid` until the end of its last day or without one, `expired`, `unknown` (no such tier), null: none.

    kam.md §3d step 10. The field is a person's: it is read, never written.
    """
    tier, until = pl.col("tier_override"), pl.col("tier_override_until")
    return (
        pl.when(tier.is_null())
        .then(None)
        .when(~tier.is_in(TIERS))
        .then(pl.lit("unknown"))
        .when(until < as_of)
        .then(pl.lit("expired"))
        .otherwise(pl.lit("valid"))
        .alias("override")
    )


def effective_tier() -> list[pl.Expr]:
    """`tier_effective`, the Tier field's code, and `tier_rule`, how it came about.

    A valid override wins, also for a group outside the population: a person said so. Overrides take no seat
    from others. Next, a group without minimum evidence (fewer than two purchases, first one under 90 days
    ago, or no input at all) shows `provisional`: kam.md §3d step 6 gives it no other tier, one purchase is
    no history to rank, and no other field would tell. `tier_computed` keeps what the cut said. Unless its
    share of revenue reaches the floor: 10 % is a fact, not a judgement. A group that lacks only coverage
    keeps its tier, at most Key, with `provisional` set: step 5 asks for the cap, and Coverage has its field.
    """
    overridden = (pl.col("override") == "valid").fill_null(value=False)
    codes = pl.col("provisional_why").str.split(";")
    unproven = pl.any_horizontal(codes.list.contains(code) for code in NO_EVIDENCE).fill_null(value=False)
    unproven &= ~pl.col("is_concentrated")
    return [
        pl.when(overridden)
        .then(pl.col("tier_override"))
        .when(unproven)
        .then(pl.lit(PROVISIONAL))
        .otherwise(pl.col("tier_computed"))
        .alias("tier_effective"),
        pl.when(overridden)
        .then(pl.lit("override"))
        .when(unproven)
        .then(pl.lit("minimum_evidence"))
        .otherwise(pl.col("computed_rule"))
        .alias("tier_rule"),
    ]
