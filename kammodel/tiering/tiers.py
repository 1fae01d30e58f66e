"""Turns scores into tiers: the cut, what stands, the caps, the floor, and a person's override."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.tiering.memory import Calendar
from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.population import NO_EVIDENCE
from kammodel.tiering.scaling import percentile
from kammodel.tiering.seats import band, chosen
from kammodel.tiering.stability import LEVEL, hold, hold_counts

__all__ = ["LEVEL", "PROVISIONAL", "RULES", "compute_tiers", "effective_tier", "is_small", "override_state"]

PROVISIONAL = "provisional"
RULES = (
    "cut",
    "threshold",
    "fixed_count",
    "buffer",
    "unconfirmed",
    "between_retiers",
    "provisional_cap",
    "hard_cap",
    "share_floor",
    "capacity",
    "minimum_evidence",
    "override",
)
"""How a tier came about."""

_TIER = {level: tier for tier, level in LEVEL.items()}
_ORDER = ("score", "revenue_ttm", "group_id")
"""Who keeps a seat when there are too few: higher score, then more revenue, then the smaller id (reading 32)."""

_MEMORY = {"before_standing": pl.String, "before_pending": pl.String, "before_pending_n": pl.Int64}
_FREELY = Calendar(dt.date.min, dt.date.min)


def is_small(population_n: int, policy: Policy) -> bool:
    """True where percentiles would be noise and the score itself decides. kam.md §3d step 7."""
    return population_n < policy.small_population.below


def compute_tiers(members: pl.DataFrame, policy: Policy, when: Calendar = _FREELY) -> pl.DataFrame:
    """The tier that the policy computes for each member of the population. kam.md §3d steps 7 and 8, reading 32.

    In: one row per member with group, group_id, score, provisional, revenue_ttm, revenue_share; what stood before
    (before_standing, before_pending, before_pending_n), null or left out where nothing did. Out: group,
    `score_percentile`, `tier_by_cut` (before all else), `tier_computed`, `computed_rule` (the last rule
    that moved it, or kept it), `is_concentrated` (its share of revenue reaches the floor), and what stands now:
    `standing`, `pending`, `pending_n`. In turn:

    - cut: mid-rank percentile of the *shown* score (one decimal: equal on the page, equal in tier) at or
      above 95, 80, 50; below 20 members the score itself at or above 80, 65, 45; or so many groups by order;
    - what stands holds, see `stability`;
    - provisional members stand at Key at most. They keep holding their Strategic seat, so nobody moves up
      instead, by percentile or by hard cap;
    - hard caps: who is beyond the seats of Strategic goes to Key, then who is beyond those of Key to Growth. A tier
      whose cap is reached is one of a fixed count: seats as in `seats.chosen`;
    - share floor: from 10 % of revenue at least Key, caps or not.
    """
    missing = [pl.lit(None, kind).alias(name) for name, kind in _MEMORY.items() if name not in members.columns]
    ranked = (
        members.with_columns(missing)
        .with_columns(score_percentile=percentile(pl.col("score")))
        .sort(_ORDER, descending=[True, True, False], nulls_last=True)
        .with_columns(
            place=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
            standing_level=_level("before_standing"),
            pending_level=_level("before_pending"),
            pending_before=pl.col("before_pending_n").fill_null(0),
        )
    )
    placed = _placed(ranked, policy, when)
    seated = _seated_strategic(placed, policy, when)
    final = _seated_key(seated, policy, when).with_columns(_floor(policy))
    return final.select(
        "group",
        "score_percentile",
        "is_concentrated",
        "pending_n",
        tier_by_cut=_tier("cut_level"),
        tier_computed=_tier("level"),
        computed_rule=pl.col("rule"),
        standing=_tier("standing"),
        pending=_tier("pending"),
    )


def _level(tier: str) -> pl.Expr:
    return pl.col(tier).replace_strict(LEVEL, default=None, return_dtype=pl.Int8)


def _tier(level: str) -> pl.Expr:
    return pl.col(level).replace_strict(_TIER, default=None, return_dtype=pl.String)


def _placed(ranked: pl.DataFrame, policy: Policy, when: Calendar) -> pl.DataFrame:
    """cut_level, level, rule, pending, pending_n."""
    small, counts = is_small(ranked.height, policy), policy.fixed.counts
    borders = policy.small_population if small else policy.cut
    measure = "score" if small else "score_percentile"
    if counts is not None and not small:
        cut = ranked.with_columns(_by_count(counts), rule=pl.lit("fixed_count"))
        return hold_counts(cut, counts, policy, when)
    value = pl.col(measure)
    level = (
        pl.when(value >= borders.strategic)
        .then(4)
        .when(value >= borders.key)
        .then(3)
        .when(value >= borders.growth)
        .then(2)
        .otherwise(1)
    )
    cut = ranked.with_columns(cut_level=level.cast(pl.Int8), rule=pl.lit("threshold" if small else "cut"))
    return hold(cut, borders, measure, policy, when)


def _by_count(counts: tuple[int, int, int]) -> pl.Expr:
    first, second, third = counts[0], counts[0] + counts[1], sum(counts)
    place = pl.col("place")
    level = pl.when(place <= first).then(4).when(place <= second).then(3).when(place <= third).then(2).otherwise(1)
    return level.cast(pl.Int8).alias("cut_level")


def _seated_strategic(placed: pl.DataFrame, policy: Policy, when: Calendar) -> pl.DataFrame:
    """Overflow goes to Key; a provisional member holds its seat, and sits at Key. `standing`: who holds a seat."""
    top, cap = LEVEL["strategic"], policy.caps.strategic
    claims = pl.col("level") == top
    held = _held(placed, top, cap, policy, when)
    barred, seatless = claims & pl.col("provisional"), (claims & ~held) | _kept_out(top, held, cap)
    return placed.with_columns(
        standing=pl.when(held).then(top).cast(pl.Int8),
        level=pl.when(barred | (claims & ~held)).then(LEVEL["key"]).otherwise("level").cast(pl.Int8),
        rule=pl.when(barred).then(pl.lit("provisional_cap")).when(seatless).then(pl.lit("hard_cap")).otherwise("rule"),
    )


def _seated_key(seated: pl.DataFrame, policy: Policy, when: Calendar) -> pl.DataFrame:
    """Overflow goes to Growth."""
    key, cap = LEVEL["key"], policy.caps.key
    claims = pl.col("level") == key
    held = _held(seated, key, cap, policy, when)
    level = pl.when(claims & ~held).then(LEVEL["growth"]).otherwise("level").cast(pl.Int8)
    seatless = (claims & ~held) | _kept_out(key, held, cap)
    return seated.with_columns(
        level=level,
        standing=pl.coalesce("standing", level),
        rule=pl.when(seatless).then(pl.lit("hard_cap")).otherwise("rule"),
    )


def _held(frame: pl.DataFrame, level: int, seats: int, policy: Policy, when: Calendar) -> pl.Series:
    """Who of those at a level has one of so many seats; all of them if there are enough."""
    told = frame.select(
        "place",
        claims=pl.col("level") == level,
        sits=(pl.col("standing_level") >= level).fill_null(value=False),
        first=pl.lit(value=False),
    )
    if int(told["claims"].sum()) <= seats:
        return told["claims"]
    ahead = int((frame["level"] > level).sum())
    width = band(seats, policy.stability.buffer, frame.height)
    return chosen(told, seats, ahead=ahead, width=width, moves=when.is_retier)


def _kept_out(level: int, held: pl.Series, seats: int) -> pl.Expr:
    """Whom the cut puts at a level, or above, and what stands keeps just below it, while all its seats are taken:
    they wait for a seat, not for a confirmation."""
    if int(held.sum()) < seats:
        return pl.lit(value=False)
    return (pl.col("cut_level") >= level) & (pl.col("level") == level - 1) & (pl.col("standing_level") == level - 1)


def _floor(policy: Policy) -> list[pl.Expr]:
    """Exactly the floor counts, whatever the last bit of a quotient; a null share is below it."""
    reached = (pl.col("revenue_share").round(9) >= policy.floor.revenue_share).fill_null(value=False)
    lifted = reached & (pl.col("level") < LEVEL["key"])
    return [
        reached.alias("is_concentrated"),
        pl.when(lifted).then(LEVEL["key"]).otherwise(pl.col("level")).cast(pl.Int8).alias("level"),
        pl.when(lifted).then(pl.lit("share_floor")).otherwise(pl.col("rule")).alias("rule"),
    ]


def override_state(as_of: dt.date, until: str = "tier_override_until") -> pl.Expr:
    """`valid` until the end of its last day or without one, `expired`, `unknown` (no such tier), null: none.

    kam.md §3d step 10. The field is a person's: it is read, never written.
    """
    tier = pl.col("tier_override")
    return (
        pl.when(tier.is_null())
        .then(None)
        .when(~tier.is_in(TIERS))
        .then(pl.lit("unknown"))
        .when(pl.col(until) < as_of)
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
