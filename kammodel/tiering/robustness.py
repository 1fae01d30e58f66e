"""Says how sure a tier is: how often it stays the same when the weights are shaken."""

from __future__ import annotations

import random
from collections.abc import Mapping

import polars as pl

from kammodel.tiering import aggregation
from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.scorecard import Scores
from kammodel.tiering.stability import LEVEL
from kammodel.tiering.tiers import is_small

_ROWS = 1_000_000
"""Groups times draws that are looked at together: what bounds memory."""

_KEY, _STRATEGIC = LEVEL["key"], LEVEL["strategic"]


def tier_confidence(scores: Scores) -> pl.DataFrame:
    """`group`, `tier_confidence` 0..1 to two decimals, of the population. kam.md §3d step 12.

    The share of draws in which each weight is multiplied by a number of its own in 1 - jitter to 1 + jitter, and the
    group still has the tier that the cut, caps and floor give it under the weights as they are. What stood before,
    hours and overrides are left aside: they hold whatever the weights. The same policy draws the same numbers.
    """
    rule, n = scores.policy.robustness, scores.members.height
    members = scores.members.sort("revenue_ttm", "group_id", descending=[True, False], nulls_last=True)
    own = _levels(members, [dict(scores.weights)], scores.policy)
    draws = _draws(scores.weights, rule.draws, rule.jitter, rule.seed)
    same = pl.zeros(n, pl.Int32, eager=True)
    step = max(1, _ROWS // max(1, n))
    for start in range(0, len(draws), step):
        some = draws[start : start + step]
        levels = _levels(members, some, scores.policy)
        for place in range(len(some)):
            same += (levels.slice(place * n, n) == own).cast(pl.Int32)
    return members.select("group", tier_confidence=(same / len(draws)).round(2)).sort("group")


def _draws(weights: Mapping[str, float], n: int, jitter: float, seed: int) -> list[dict[str, float]]:
    drawn = random.Random(seed)  # noqa: S311 - draws of a simulation, no secret
    return [{key: weight * drawn.uniform(1 - jitter, 1 + jitter) for key, weight in weights.items()} for _ in range(n)]


def _levels(members: pl.DataFrame, draws: list[dict[str, float]], policy: Policy) -> pl.Series:
    """The level of each member under each draw, draw after draw. `members`: in the order in which equal scores take
    seats."""
    keys, mean = list(draws[0]), policy.aggregation.mean
    parts = []
    for place, weights in enumerate(draws):
        tenth = aggregation.tenths(weights, mean) if keys else pl.lit(None, pl.Float64)
        parts.append(
            members.select("provisional", "revenue_share", draw=pl.lit(place, pl.Int32), tenth=tenth.cast(pl.Int16))
        )
    return _tiered(pl.concat(parts), members.height, policy)


def _tiered(rows: pl.DataFrame, n: int, policy: Policy) -> pl.Series:
    """As `tiers.compute_tiers` without what stood before, for many draws at once and without sorting them."""
    cut = rows.with_columns(_cut(rows, n, policy))
    barred = pl.col("provisional") & (pl.col("level") == _STRATEGIC)
    strategic = _seated(cut, pl.col("level") == _STRATEGIC, policy.caps.strategic)
    down = barred | ((pl.col("level") == _STRATEGIC) & ~strategic)
    upper = cut.with_columns(level=pl.when(down).then(_KEY).otherwise("level"))
    key = _seated(upper, pl.col("level") == _KEY, policy.caps.key)
    capped = upper.with_columns(
        level=pl.when((pl.col("level") == _KEY) & ~key).then(LEVEL["growth"]).otherwise("level")
    )
    reached = (pl.col("revenue_share").round(9) >= policy.floor.revenue_share).fill_null(value=False)
    floor = pl.when(reached).then(pl.max_horizontal("level", pl.lit(_KEY))).otherwise("level")
    return capped.select(floor.cast(pl.Int8)).to_series()


def _cut(rows: pl.DataFrame, n: int, policy: Policy) -> pl.Series:
    """The level by percentile, threshold or count."""
    if is_small(n, policy):
        starts = {tier: round(getattr(policy.small_population, tier) * aggregation.TENTHS, 9) for tier in TIERS[:-1]}
        return rows.select(level=1 + pl.sum_horizontal(*(_at_least(pl.lit(s)) for s in starts.values()))).to_series()
    counts = policy.fixed.counts
    if counts is not None:
        seats = [sum(counts[: place + 1]) for place in range(len(counts))]
        reached = [_seated(rows, pl.lit(value=True), count).cast(pl.Int32) for count in seats]
        return pl.select(level=1 + pl.sum_horizontal(*reached)).to_series()
    borders = _borders(rows, policy)
    placed = rows.join(borders, on="draw", how="left", maintain_order="left")
    return placed.select(level=1 + pl.sum_horizontal(*(_at_least(pl.col(t)) for t in TIERS[:-1]))).to_series()


def _at_least(border: pl.Expr) -> pl.Expr:
    return (pl.col("tenth") >= border).fill_null(value=False).cast(pl.Int32)


def _borders(rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """draw, and for each tier the least score in tenths whose mid-rank percentile is at the cut; null: none is."""
    held = rows.drop_nulls("tenth").group_by("draw", "tenth").agg(ties=pl.len().cast(pl.Int64)).sort("draw", "tenth")
    below = (pl.col("ties").cum_sum() - pl.col("ties")).over("draw")
    percentile = (100 * (below + pl.col("ties") / 2) / pl.col("ties").sum().over("draw")).round(9)
    placed = held.with_columns(percentile=percentile)
    starts = [
        pl.col("tenth").filter(pl.col("percentile") >= getattr(policy.cut, tier)).min().alias(tier)
        for tier in TIERS[:-1]
    ]
    return placed.group_by("draw").agg(starts)


def _seated(rows: pl.DataFrame, claims: pl.Expr, seats: int) -> pl.Series:
    """Who of those that claim one of so many seats has the score for it, equal scores in the order of the rows."""
    asked = rows.select("draw", "tenth", claims=claims).with_row_index("row").filter("claims")
    ordered = asked.sort("draw", "tenth", "row", descending=[False, True, False], nulls_last=True)
    held = ordered.filter(pl.int_range(pl.len()).over("draw") < seats)["row"]
    return pl.repeat(value=False, n=rows.height, eager=True).scatter(held, True)
