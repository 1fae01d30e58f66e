"""Gives out a limited number of seats in a tier: to the best, but first to those who sit well."""

from __future__ import annotations

import polars as pl


def band(seats: int, buffer: float, n: int) -> float:
    """Places on either side of the last seat within which who sits is left there: `buffer` percent of all n, but no
    more than half of the seats."""
    return min(buffer * n / 100, seats / 2)


def chosen(ranked: pl.DataFrame, seats: int, *, ahead: int, width: float, moves: bool) -> pl.Series:
    """Who of the rows that claim one of `seats` gets it. kam.md §3d step 8, the rule of STOXX index membership.

    In: `place` by score (1 is the best, no ties), booleans `claims`, `sits` (has such a seat now), `first` (comes
    before all others). The last seat is at place `ahead` + `seats`. In turn: the places up to `width` before it;
    those who sit, up to `width` behind it; the others by place. Where tiers do not move now, those who sit come first.
    """
    place, last = pl.col("place"), ahead + seats
    safe = pl.col("first") | ((place <= last - width) if moves else pl.col("sits"))
    stays = pl.col("sits") & (place <= last + width)
    rank = pl.when(~pl.col("claims")).then(3).when(safe).then(0).when(stays).then(1).otherwise(2)
    turn = (rank * (pl.len().cast(pl.Int64) + 1) + place).rank("ordinal")
    return ranked.select(pl.col("claims") & (turn <= seats)).to_series()
