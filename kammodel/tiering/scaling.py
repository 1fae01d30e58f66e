"""Puts a measure on a 0..100 scale by its rank among peers."""

from __future__ import annotations

import polars as pl


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
