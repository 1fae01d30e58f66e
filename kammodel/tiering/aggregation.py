"""Adds criteria up to a score whose shown parts sum to it exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import polars as pl

from kammodel.tiering.sections import Mean

TENTHS = 10
"""A score and its contributions are whole tenths of a point."""

MIDDLE = 50
_LEAST = 1.0
"""What a geometric mean counts less than a point as: with a 0 it would be 0, whatever the rest."""


def coverage(weights: Mapping[str, float]) -> pl.Expr:
    """`sum(w a) / sum(w)` with a = 1 where the group has the criterion: 0..1, four decimals. kam.md §3d step 5.

    `weights` holds only criteria that somebody in the organisation has input for (reading 30); 0 without any.
    """
    total = sum(weights.values())
    return (weight_with_input(weights) / total if total else pl.lit(0.0)).round(4).alias("coverage")


def score(weights: Mapping[str, float], mean: Mean = "arithmetic") -> pl.Expr:
    """`sum(w s a) / sum(w a)`, 0..100 to one decimal, half up; null without any input. kam.md §3d step 5.

    As a geometric mean `exp(sum(w a ln s) / sum(w a))`, an s below 1 counted as 1.
    """
    return _points(tenths(weights, mean)).alias("score")


def contributions(weights: Mapping[str, float], mean: Mean = "arithmetic") -> list[pl.Expr]:
    """`c_<key>` = `w s / sum(w a)`, in tenths that sum to the score exactly; null where `s_<key>` is. Step 11.

    Of a geometric mean G: `w / sum(w a) (1 + ln(s) (G - 1) / ln(G))`, which sums to G too (the logarithmic mean
    divisia index, Ang 2004).

    Largest remainder: each is rounded down to a tenth, and the tenths then missing from the rounded score go
    one each to those that lost most, the first criterion first among equals. Sum them as tenths
    (`(c * 10).round()`): as binary fractions 0.1 + 0.2 is not 0.3.
    """
    if not weights:
        return []
    exact = {key: _exact(key, weights, mean) * TENTHS for key in weights}
    lost = {key: part - part.floor() for key, part in exact.items()}
    missing = tenths(weights, mean) - pl.sum_horizontal(*(part.floor() for part in exact.values()))
    return [_points(part.floor() + (_place(key, lost) < missing)).alias(f"c_{key}") for key, part in exact.items()]


def axis(weights: Mapping[str, float], keys: Sequence[str], mean: Mean = "arithmetic") -> pl.Expr:
    """Weighted mean of the criteria `keys` that the group has, 0..100 to one decimal; null without any. Step 13."""
    own = {key: weight for key, weight in weights.items() if key in keys}
    return _points(tenths(own, mean)) if own else pl.lit(None, pl.Float64)


def above_middle(key: str, weights: Mapping[str, float], mean: Mean = "arithmetic") -> pl.Expr:
    """`w (s - 50) / sum(w a)`: points that the criterion gives or takes against the middle of the peers. Step 11.

    They sum to the score less 50; of a geometric mean G so does `w ln(s / 50) / sum(w a) (G - 50) / ln(G / 50)`.
    """
    share = weights[key] / weight_with_input(weights)
    if mean == "arithmetic":
        return (pl.col(f"s_{key}") - MIDDLE) * share
    return (_at_least_one(key).log() - math.log(MIDDLE)) * share * _logarithmic_mean(_geometric(weights), MIDDLE)


def weight_with_input(weights: Mapping[str, float]) -> pl.Expr:
    """Sum of the weights of the criteria that the group has; null-free, 0 where it has none."""
    parts = [pl.col(f"s_{key}").is_not_null() * pl.lit(weight) for key, weight in weights.items()]
    return pl.sum_horizontal(*parts) if parts else pl.lit(0.0)


def tenths(weights: Mapping[str, float], mean: Mean = "arithmetic") -> pl.Expr:
    """The score in tenths. Half up; the hair added keeps binary noise from pushing an exact half down."""
    if not weights:
        return pl.lit(None, pl.Float64)
    value = _geometric(weights) if mean == "geometric" else _weighted(weights) / weight_with_input(weights)
    return pl.when(weight_with_input(weights) > 0).then((value * TENTHS + 0.5 + 1e-9).floor())


def _weighted(weights: Mapping[str, float]) -> pl.Expr:
    return pl.sum_horizontal(*(pl.col(f"s_{key}") * weight for key, weight in weights.items()))


def _geometric(weights: Mapping[str, float]) -> pl.Expr:
    logs = pl.sum_horizontal(*(_at_least_one(key).log() * weight for key, weight in weights.items()))
    return (logs / weight_with_input(weights)).exp().clip(_LEAST, 100)


def _at_least_one(key: str) -> pl.Expr:
    return pl.col(f"s_{key}").clip(lower_bound=_LEAST)


def _logarithmic_mean(value: pl.Expr, other: float) -> pl.Expr:
    """`(x - y) / (ln x - ln y)`, which is x where both are one."""
    apart = (value / other - 1).abs() > 1e-9
    return pl.when(apart).then((value - other) / (value.log() - math.log(other))).otherwise(value)


def _points(value: pl.Expr) -> pl.Expr:
    """The float nearest to so many tenths: Polars multiplies by 1/10 and would give 6.800000000000001."""
    return (value / TENTHS).round(1)


def _exact(key: str, weights: Mapping[str, float], mean: Mean) -> pl.Expr:
    available = weight_with_input(weights)
    if mean == "arithmetic":
        return pl.col(f"s_{key}") * weights[key] / available
    return (1 + _at_least_one(key).log() * _logarithmic_mean(_geometric(weights), _LEAST)) * weights[key] / available


def _place(key: str, lost: Mapping[str, pl.Expr]) -> pl.Expr:
    """How many criteria come before this one when the missing tenths are handed out."""
    keys = list(lost)
    ahead = [
        lost[other] >= lost[key] if keys.index(other) < keys.index(key) else lost[other] > lost[key]
        for other in keys
        if other != key
    ]
    return pl.sum_horizontal(*ahead) if ahead else pl.lit(0)
