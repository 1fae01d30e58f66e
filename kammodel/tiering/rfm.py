"""Scores recency, frequency and money of an account group's purchases of the last 24 months."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from kammodel.tiering.policy import Policy

_MEASURES = {"r": "days_since_last_purchase", "f": "purchases_24m", "m": "revenue_24m"}


def rfm(facts: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """One row per group with a purchase in (t - 24 months, t]: `group`, `rfm` (three characters such as `545`).

    In: group, days_since_last_purchase, purchases_24m, revenue_24m (whole numbers), scored or not. Bins are
    independent; with type-7 break-points, score = 1 + #{breaks < x}, so that equal values score equal;
    recency is reversed, (bins + 1) - bin. From 100 groups five bins, from 30 three (scores 1..3); below that
    R by 60/180/365/730 days, and F and M null. A null part is written `-`. kam.md §3a, reading 27.
    """
    buyers = facts.filter(pl.col("purchases_24m") > 0)
    rule = policy.rfm
    if buyers.height < rule.small_bins_from:
        parts = [_recency(rule.recency_days), pl.lit("-"), pl.lit("-")]
    else:
        bins = rule.bins if buyers.height >= rule.bins_from else rule.small_bins
        parts = [_part(name, column, buyers, bins) for name, column in _MEASURES.items()]
    return buyers.select("group", rfm=pl.concat_str([part.fill_null("-") for part in parts]))


def bin_of(value: pl.Expr, breaks: Sequence[int]) -> pl.Expr:
    """`1 + #{breaks < x}`; null stays null, and without breaks there is nothing but nulls."""
    if not breaks:
        return pl.lit(None, pl.Int64)
    return 1 + pl.sum_horizontal(*((value > limit).cast(pl.Int64) for limit in breaks), ignore_nulls=False)


def break_points(values: pl.Series, bins: int) -> list[int]:
    """The type-7 quantiles at 1/bins, 2/bins, ..., each rounded down; nulls are left out.

    Positions are computed in whole numbers, so that a break that falls on a value equals it. Rounding down
    changes no comparison: a whole number is above a break just when it is above the whole part of it.
    """
    ordered = values.drop_nulls().sort().to_list()
    if not ordered:
        return []
    breaks = []
    for step in range(1, bins):
        low, rest = divmod((len(ordered) - 1) * step, bins)
        high = min(low + 1, len(ordered) - 1)
        breaks.append((ordered[low] * (bins - rest) + ordered[high] * rest) // bins)
    return breaks


def _part(name: str, column: str, buyers: pl.DataFrame, bins: int) -> pl.Expr:
    place = bin_of(pl.col(column), break_points(buyers[column], bins))
    return ((bins + 1) - place if name == "r" else place).cast(pl.String)


def _recency(limits: Sequence[int]) -> pl.Expr:
    return (len(limits) + 2 - bin_of(pl.col(_MEASURES["r"]), limits)).cast(pl.String)
