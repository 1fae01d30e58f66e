"""Says which strategy an account group calls for: attractiveness against strength."""

from __future__ import annotations

import polars as pl

from kammodel.tiering.policy import Policy

QUADRANTS = ("key", "development", "maintenance", "opportunistic")
_HIGH = {"attractiveness": ("key", "development"), "strength": ("key", "maintenance")}


def quadrant(policy: Policy) -> list[pl.Expr]:
    """`quadrant` and `near_quadrant_border`, from `attractiveness`, `strength` and `previous_quadrant`.

    Both high: key; only attractive: development; only strong: maintenance; neither: opportunistic. An axis is
    high from 50. With an earlier quadrant it changes sides only once it lies 5 or more beyond the border;
    without one the buffer only flags groups that stand inside it. An axis without input: no quadrant.
    kam.md §3d step 13, reading 36.
    """
    attractive, strong = (_is_high(axis, policy) for axis in _HIGH)
    name = (
        pl.when(attractive & strong)
        .then(pl.lit("key"))
        .when(attractive & ~strong)
        .then(pl.lit("development"))
        .when(~attractive & strong)
        .then(pl.lit("maintenance"))
        .when(~attractive & ~strong)
        .then(pl.lit("opportunistic"))
    )
    distances = [(pl.col(axis) - policy.quadrant.border).abs() for axis in _HIGH]
    near = pl.min_horizontal(*distances) < policy.quadrant.buffer
    return [
        name.alias("quadrant"),
        pl.when(name.is_not_null()).then(near).alias("near_quadrant_border"),
    ]


def _is_high(axis: str, policy: Policy) -> pl.Expr:
    border, buffer, value = policy.quadrant.border, policy.quadrant.buffer, pl.col(axis)
    was_high = pl.col("previous_quadrant").is_in(_HIGH[axis])
    return (
        pl.when(pl.col("previous_quadrant").is_null())
        .then(value >= border)
        .when(was_high)
        .then(value > border - buffer)
        .otherwise(value >= border + buffer)
    )
