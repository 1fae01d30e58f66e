"""Says which tier a group holds, given the cut of today and the tier that stands: borders are crossed, not touched."""

from __future__ import annotations

from itertools import pairwise

import polars as pl

from kammodel.tiering.memory import Calendar
from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.seats import band, chosen
from kammodel.tiering.sections import Cut

LEVEL = {tier: len(TIERS) - place for place, tier in enumerate(TIERS)}
"""Strategic 4, Key 3, Growth 2, Standard 1."""

_TOP, _BOTTOM = LEVEL["strategic"], LEVEL["standard"]


def buffers(cut: Cut, policy: Policy) -> dict[int, float]:
    """By level, how far beyond its border a group must lie to enter it: the policy's buffer, but no more than half of
    the tier's own width. The top 5 % could otherwise be entered only at percentile 100, which nobody has."""
    edges = [100.0, *(float(getattr(cut, tier)) for tier in TIERS[:-1]), 0.0]
    widths = [upper - lower for upper, lower in pairwise(edges)]
    return {LEVEL[tier]: min(policy.stability.buffer, width / 2) for tier, width in zip(TIERS, widths, strict=True)}


def hold(ranked: pl.DataFrame, cut: Cut, measure: str, policy: Policy, when: Calendar) -> pl.DataFrame:
    """`level` and `rule` of a group whose tier stands, and `pending`, `pending_n`. kam.md §3d step 8.

    In: cut_level and rule by the cut, `measure` (what is compared with `cut`), standing_level (null: none, placed
    freely), pending_level, pending_before. A tier that differs by two at once is entered at once. A neighbouring
    one is entered when tiers move, by a group that then has been `buffers` beyond the border in so many monthly
    scores in a row as the policy asks for; until then the standing tier holds, and `rule` says for want of what:
    `buffer`, `unconfirmed`, or `between_retiers`.
    """
    step = pl.col("cut_level").cast(pl.Int64) - pl.col("standing_level")
    is_neighbour = (step.abs() == 1).fill_null(value=False)
    pending: pl.Expr
    count: pl.Expr
    wanted = pl.when(is_neighbour & _is_beyond(cut, measure, policy)).then("cut_level")
    if when.is_evaluation:
        again = pl.when(pl.col("pending_level") == pl.col("wanted")).then(pl.col("pending_before")).otherwise(0)
        pending, count = pl.col("wanted"), pl.when(pl.col("wanted").is_not_null()).then(again + 1).otherwise(0)
    else:
        pending, count = pl.col("pending_level"), pl.col("pending_before")
    confirmed = pl.col("wanted").is_not_null() & (pl.col("pending_n") >= policy.stability.confirmations)
    moves = ~is_neighbour | (confirmed & when.is_retier)
    why = (
        pl.when(pl.col("wanted").is_null())
        .then(pl.lit("buffer"))
        .when(confirmed)
        .then(pl.lit("between_retiers"))
        .otherwise(pl.lit("unconfirmed"))
    )
    return (
        ranked.with_columns(wanted=wanted)
        .with_columns(pending=pending.cast(pl.Int8), pending_n=count.cast(pl.Int64))
        .with_columns(
            level=pl.when(moves).then("cut_level").otherwise("standing_level").cast(pl.Int8),
            rule=pl.when(moves).then("rule").otherwise(why),
            pending=pl.when(~moves).then("pending"),
            pending_n=pl.when(~moves).then("pending_n").otherwise(0),
        )
        .drop("wanted")
    )


def hold_counts(ranked: pl.DataFrame, counts: tuple[int, int, int], policy: Policy, when: Calendar) -> pl.DataFrame:
    """`level` and `rule` where each tier has so many groups. kam.md §3d step 8, the rule of STOXX index membership.

    When tiers move, a tier takes all whose place by score lies above its upper limit, then those who are in it and lie
    above the lower one, then the best of the rest until it is full: see `chosen`. Between, who is in stays in, and
    free seats go to newcomers and to those two tiers off. No confirmations: the band does their work.
    """
    seats = 0
    step = (pl.col("cut_level").cast(pl.Int64) - pl.col("standing_level")).abs()
    is_free = (step != 1).fill_null(value=True)
    frame = ranked.with_columns(level=pl.lit(_BOTTOM, pl.Int8))
    for level, count in zip(range(_TOP, _BOTTOM, -1), counts, strict=True):
        seats += count
        sits = (pl.col("standing_level") >= level).fill_null(value=False)
        above = pl.col("level") > level
        claims = pl.lit(value=True)
        if not when.is_retier:
            claims = above | pl.when(is_free).then(pl.col("cut_level") >= level).otherwise(sits)
        width = band(count, policy.stability.buffer, ranked.height)
        told = frame.select("place", claims=claims, sits=sits, first=above)
        held = chosen(told, seats, ahead=0, width=width, moves=when.is_retier)
        frame = frame.with_columns(level=pl.when(held & ~above).then(pl.lit(level, pl.Int8)).otherwise("level"))
    why = pl.lit("buffer" if when.is_retier else "between_retiers")
    return frame.with_columns(
        rule=pl.when(pl.col("level") == pl.col("cut_level")).then("rule").otherwise(why),
        pending=pl.lit(None, pl.Int8),
        pending_n=pl.lit(0, pl.Int64),
    )


def _is_beyond(cut: Cut, measure: str, policy: Policy) -> pl.Expr:
    """Whether the measure lies at least a buffer beyond the border to the neighbouring tier `cut_level`."""
    value, depth = pl.col(measure).fill_null(-1.0), buffers(cut, policy)
    up = {level: getattr(cut, tier) + depth[level] for tier, level in LEVEL.items() if level > _BOTTOM}
    down = {level - 1: getattr(cut, tier) - depth[level - 1] for tier, level in LEVEL.items() if level > _BOTTOM}
    level = pl.col("cut_level")
    rises = level > pl.col("standing_level")
    at_least = level.replace_strict(up, default=None, return_dtype=pl.Float64)
    at_most = level.replace_strict(down, default=None, return_dtype=pl.Float64)
    return pl.when(rises).then(value >= at_least).otherwise(value <= at_most).fill_null(value=False)
