"""Adds criteria up to a score whose shown parts sum to it exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

TENTHS = 10
"""A score and its contributions are whole tenths of a point."""


def coverage(weights: Mapping[str, float]) -> pl.Expr:
    """`sum(w a) / sum(w)` with a = 1 where the group has the criterion: 0..1, four decimals. kam.md §3d step 5.

    `weights` holds only criteria that somebody in the organisation has input for (reading 30); 0 without any.
    """
    total = sum(weights.values())
    return (_weight_with_input(weights) / total if total else pl.lit(0.0)).round(4).alias("coverage")


def score(weights: Mapping[str, float]) -> pl.Expr:
    """`sum(w s a) / sum(w a)`, 0..100 to one decimal, half up; null without any input. kam.md §3d step 5."""
    return _points(_tenths(weights)).alias("score")


def contributions(weights: Mapping[str, float]) -> list[pl.Expr]:
    """`c_<key>` = `w s / sum(w a)`, in tenths that sum to the score exactly; null where `s_<key>` is. Step 11.

    Largest remainder: each is rounded down to a tenth, and the tenths then missing from the rounded score go
    one each to those that lost most, the first criterion first among equals. Sum them as tenths
    (`(c * 10).round()`): as binary fractions 0.1 + 0.2 is not 0.3.
    """
    if not weights:
        return []
    exact = {key: _exact(key, weights) * TENTHS for key in weights}
    lost = {key: part - part.floor() for key, part in exact.items()}
    missing = _tenths(weights) - pl.sum_horizontal(*(part.floor() for part in exact.values()))
    return [_points(part.floor() + (_place(key, lost) < missing)).alias(f"c_{key}") for key, part in exact.items()]


def axis(weights: Mapping[str, float], keys: Sequence[str]) -> pl.Expr:
    """Weighted mean of the criteria `keys` that the group has, 0..100 to one decimal; null without any. Step 13."""
    own = {key: weight for key, weight in weights.items() if key in keys}
    return _points(_tenths(own)) if own else pl.lit(None, pl.Float64)


def above_middle(key: str, weights: Mapping[str, float]) -> pl.Expr:
    """`w (s - 50) / sum(w a)`: points that the criterion gives or takes against the middle of the peers. Step 11."""
    return (pl.col(f"s_{key}") - 50) * weights[key] / _weight_with_input(weights)


def _points(tenths: pl.Expr) -> pl.Expr:
    """The float nearest to so many tenths: Polars multiplies by 1/10 and would give 6.800000000000001."""
    return (tenths / TENTHS).round(1)


def _weight_with_input(weights: Mapping[str, float]) -> pl.Expr:
    """Null-free; 0 where the group has none of the criteria."""
    parts = [pl.col(f"s_{key}").is_not_null() * pl.lit(weight) for key, weight in weights.items()]
    return pl.sum_horizontal(*parts) if parts else pl.lit(0.0)


def _exact(key: str, weights: Mapping[str, float]) -> pl.Expr:
    return pl.col(f"s_{key}") * weights[key] / _weight_with_input(weights)


def _tenths(weights: Mapping[str, float]) -> pl.Expr:
    """The score in tenths. Half up; the hair added keeps binary noise from pushing an exact half down."""
    if not weights:
        return pl.lit(None, pl.Float64)
    total = pl.sum_horizontal(*(pl.col(f"s_{key}") * weight for key, weight in weights.items()))
    available = _weight_with_input(weights)
    return pl.when(available > 0).then((total / available * TENTHS + 0.5 + 1e-9).floor())


def _place(key: str, lost: Mapping[str, pl.Expr]) -> pl.Expr:
    """How many criteria come before this one when the missing tenths are handed out."""
    keys = list(lost)
    ahead = [
        lost[other] >= lost[key] if keys.index(other) < keys.index(key) else lost[other] > lost[key]
        for other in keys
        if other != key
    ]
    return pl.sum_horizontal(*ahead) if ahead else pl.lit(0)
