"""Puts a measure on a 0..100 scale: by its rank among peers, by stated values, or by its size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import polars as pl

PEER = "peer"
"""Column of the peer group that a row is compared within; null: with all rows."""


def percentile(measure: pl.Expr) -> pl.Expr:
    """Mid-rank percentile, `100 * (average rank - 0.5) / n`, over the n rows that have the measure; more is better.

    Ties share their average rank, one row alone stands at 50, an outlier cannot stretch the scale, and a
    null stays null and is not counted. kam.md §3d step 4.
    """
    # Polars multiplies by 1/n instead of dividing by n: 100 * 28.5 / 30 would miss the 95 that it is.
    return (100 * (measure.rank("average") - 0.5) / measure.count()).round(9)


def percentile_less_is_better(measure: pl.Expr) -> pl.Expr:
    """`100 - percentile`: the smallest value stands highest. Reading 29."""
    return 100 - percentile(measure)


def by_thresholds(measure: pl.Expr, pairs: Sequence[Sequence[float]]) -> pl.Expr:
    """Straight lines between `[value, points]` pairs of ascending values, level outside of them. kam.md §3d step 4.

    The only scale on which years can be compared: nobody else's value enters. Points that fall say that less is
    better.
    """
    steps = [
        (after[1] - before[1]) * ((measure - before[0]) / (after[0] - before[0])).clip(0, 1)
        for before, after in pairwise(pairs)
    ]
    total = pairs[0][1] + pl.sum_horizontal(*steps, ignore_nulls=False)
    return total.clip(0, 100).round(9)


def log_minmax(measure: pl.Expr, percent: float) -> pl.Expr:
    """`100 (l - low) / (high - low)` of `l = sign(x) ln(1 + |x|)`, 0..100; more is better. kam.md §3d step 4.

    `low` and `high` are the type-7 quantiles at `percent` and `100 - percent`: values beyond count as these. Where
    both are one value, that value stands at 50, what lies below at 0, above at 100.
    """
    value = measure.cast(pl.Float64)
    size = value.sign() * value.abs().log1p()
    low, high = (size.quantile(share, "linear") for share in (percent / 100, 1 - percent / 100))
    level = pl.when(size < low).then(0.0).when(size > high).then(100.0).when(size.is_not_null()).then(50.0)
    spread = 100 * (size - low) / (high - low)
    return pl.when(high > low).then(spread.clip(0, 100)).otherwise(level).round(9)


def within_peers(scale: Callable[[pl.Expr], pl.Expr], measure: pl.Expr) -> pl.Expr:
    """`scale` within the rows of one PEER; among all rows where that is null."""
    return pl.when(pl.col(PEER).is_null()).then(scale(measure)).otherwise(scale(measure).over(PEER))


def shrunk(rate: pl.Expr, cases: pl.Expr, prior: int) -> pl.Expr:
    """`(rate n + m p0) / (n + m)`, with m = `prior` and p0 = all that was reached / all cases. kam.md §3d step 6.

    One of one is no 100 %: a rate of few cases is drawn to that of all rows here, the more the fewer they are.
    """
    known = pl.when(rate.is_not_null() & cases.is_not_null()).then(cases)
    total = known.sum()
    middle = (rate * known).sum() / total
    drawn = (rate * known + prior * middle) / (known + prior)
    return pl.when((total > 0) & (known + prior > 0)).then(drawn).otherwise(rate)


def peer_groups(key: pl.Expr, among: pl.Expr, at_least: int) -> pl.Expr:
    """PEER: `key` where at least so many rows of `among` share it; null: pooled with all. kam.md §3d step 4."""
    members = among.cast(pl.UInt32).sum().over(key)
    return pl.when(members >= at_least).then(key).cast(pl.String).alias(PEER)
