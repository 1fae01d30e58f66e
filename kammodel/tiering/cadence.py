"""Says how far an account group's contacts kept up with the cadence of its tier."""

from __future__ import annotations

import polars as pl

from kammodel.tiering.criteria import ATTAINMENT
from kammodel.tiering.policy import Cadence, Policy

PREVIOUS = "previous_tier"


def cadence_attainment(policy: Policy) -> pl.Expr:
    """Mean of `min(1, done / target)` over the targets of the tier in force before this run, 0..1.

    Without such a tier, or with one that has no cadence of its own (`provisional`), the Growth cadence counts
    (reading 31). A target of one every d days asks for 90 / d in the last 90 days, or 180 / d in 180 where d
    is above 90. Null where the tier has no target (Standard), or where meetings or touches were not read.
    """
    targets = policy.cadence
    tier = pl.col(PREVIOUS)
    return (
        pl.when(tier == "strategic")
        .then(_attained(targets.strategic))
        .when(tier == "key")
        .then(_attained(targets.key))
        .when(tier == "standard")
        .then(_attained(targets.standard))
        .otherwise(_attained(targets.growth))
        .alias(ATTAINMENT)
    )


def _attained(cadence: Cadence) -> pl.Expr:
    parts = [
        _part(kind, every_days)
        for kind, every_days in (
            ("meetings", cadence.meeting_every_days),
            ("touches", cadence.touch_every_days),
        )
        if every_days is not None
    ]
    return pl.mean_horizontal(*parts) if parts else pl.lit(None, pl.Float64)


def _part(kind: str, every_days: int) -> pl.Expr:
    days = 90 if every_days <= 90 else 180
    return (pl.col(f"{kind}_{days}d") * every_days / days).clip(upper_bound=1.0)
