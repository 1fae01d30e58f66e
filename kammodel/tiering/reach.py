"""Says what score a group below a tier would need to reach it, its peers unchanged."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.tiering.aggregation import TENTHS
from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.seats import band
from kammodel.tiering.stability import LEVEL, buffers
from kammodel.tiering.tiers import is_small


@dataclass(frozen=True)
class Border:
    """From which shown score on a group now below `tier` would stand in it; null: out of reach of any score."""

    tier: str
    score: float | None
    is_full: bool
    """The seats are taken, so that the score is one that beats the last who holds a seat."""


def borders(members: pl.DataFrame, policy: Policy, *, stands: bool = False) -> tuple[Border, ...]:
    """The way up, tier by tier from the highest. `members`: the population's score, tier_by_cut,
    tier_computed and computed_rule. `stands`: for groups whose tier stands, and that must cross the buffer too.

    A group that rises pushes others down, so the score to reach is found with itself moved: above percentile
    cuts, the least tenth T with `100 (below + 1 + ties / 2 - 0.5) / n >= cut`, `below` and `ties` counted
    among the others. Where the seats are taken it must beat the last who holds one, or, where some sit from before,
    the last whose seat is certain. Peers may move too: the figure is what is missing today, not a promise.
    """
    return tuple(_border(tier, members, policy, stands=stands) for tier in TIERS[:-1])


def next_tier(free: tuple[Border, ...], standing: tuple[Border, ...]) -> list[pl.Expr]:
    """`next_tier` above the computed one, and `points_missing` to it (one decimal, null: out of reach, or there
    already and waiting).

    `standing`: the borders of groups with a tier from before, in `before_standing`; `free`: of the others. Both null
    at the top, without a score, and for Strategic while the group is provisional. Who was put down for want of hours
    has no points missing.
    """
    above = {TIERS[place]: TIERS[place - 1] for place in range(1, len(TIERS))}
    target = pl.col("tier_computed").replace_strict(above, default=None, return_dtype=pl.String)
    is_barred = (target == "strategic") & pl.col("provisional")
    reached = pl.when(pl.col("score").is_not_null() & ~is_barred).then(target)
    freely, held = (
        reached.replace_strict({b.tier: b.score for b in known}, default=None, return_dtype=pl.Float64)
        for known in (free, standing)
    )
    stands = pl.col("before_standing").is_not_null()
    missing = (pl.when(stands).then(held).otherwise(freely) - pl.col("score")).round(1)
    waits = (stands & (missing <= 0)) | (pl.col("computed_rule") == "capacity")
    return [
        reached.alias("next_tier"),
        pl.when(~waits).then(missing).alias("points_missing"),
    ]


def _border(tier: str, members: pl.DataFrame, policy: Policy, *, stands: bool) -> Border:
    n, small = members["score"].count(), is_small(members.height, policy)
    remembers = "stands" in members.columns and bool(members["stands"].any())
    cut = policy.small_population if small else policy.cut
    start = getattr(cut, tier) + (buffers(cut, policy)[LEVEL[tier]] if stands else 0.0)
    counts = None if small else policy.fixed.counts
    if counts is not None:
        upper = counts[: TIERS.index(tier) + 1]
        # Who sits in a tier above may come from a place in its band, and takes a seat before this one's.
        width = sum(band(count, policy.stability.buffer, members.height) for count in upper) if remembers else 0
        return _above_place(tier, members, sum(upper) - width if upper[-1] else 0)
    tenths = _at_least(start) if small else _least_tenth(members, start, n)
    last = _last_seat(tier, members, policy, remembers=remembers)
    is_full = last is not None
    if tenths is not None and last is not None:
        tenths = max(tenths, last + 1)
    reachable = tenths is not None and tenths <= 100 * TENTHS
    return Border(tier, tenths / TENTHS if reachable and tenths is not None else None, is_full)


def _above_place(tier: str, members: pl.DataFrame, place: float) -> Border:
    """The score that beats whoever is at a place (1 is the best)."""
    ordered = members["score"].drop_nulls().sort(descending=True)
    if place < 1 or ordered.is_empty():
        return Border(tier, None, is_full=True)
    tenths = _tenths(ordered, int(place)) + 1
    return Border(tier, tenths / TENTHS if tenths <= 100 * TENTHS else None, is_full=True)


def _at_least(threshold: float) -> int:
    """The first whole tenth that is not below the threshold."""
    return -int(-round(threshold * TENTHS, 9) // 1)


def _least_tenth(members: pl.DataFrame, cut: float, n: int) -> int | None:
    held = (
        members.select(tenth=(pl.col("score") * TENTHS).round().cast(pl.Int64))
        .drop_nulls()
        .group_by("tenth")
        .agg(ties=pl.len().cast(pl.Int64))
    )
    ladder = pl.DataFrame({"tenth": range(100 * TENTHS + 1)}, schema={"tenth": pl.Int64})
    place = (
        ladder.join(held, on="tenth", how="left", maintain_order="left")
        .with_columns(pl.col("ties").fill_null(0))
        .with_columns(below=pl.col("ties").cum_sum() - pl.col("ties") - 1)
        .filter((100 * (pl.col("below") + 0.5 + pl.col("ties") / 2) / max(n, 1)).round(9) >= cut)
    )
    found: int | None = place["tenth"].min()  # type: ignore[assignment]
    return found


def _last_seat(tier: str, members: pl.DataFrame, policy: Policy, *, remembers: bool) -> int | None:
    """Tenths of the last who holds a seat by score, or, where some sit from before, whose place makes a seat certain;
    null while there is room, or where seats are not limited."""
    seats = {"strategic": policy.caps.strategic, "key": policy.caps.key}.get(tier)
    if seats is None:
        return None
    by_score = pl.col("computed_rule") != "share_floor"
    seated = (pl.col("tier_computed") == tier) & by_score
    # A provisional member holds a Strategic seat that it may not sit on.
    claims = pl.col("tier_by_cut") == tier if tier == "strategic" else seated
    holders = members.filter(claims)["score"].sort(descending=True, nulls_last=True)
    if holders.len() < seats:
        return None
    if not seats:
        return 100 * TENTHS
    if not remembers:
        return _tenths(holders, seats)
    higher = members["tier_computed"].replace_strict(LEVEL, default=0, return_dtype=pl.Int8) > LEVEL[tier]
    width = band(seats, policy.stability.buffer, members.height)
    return _tenths(members["score"].sort(descending=True, nulls_last=True), int(higher.sum()) + int(seats - width))


def _tenths(ordered: pl.Series, place: int) -> int:
    """The score at a place, 1 being the first, in tenths; beyond the last 0."""
    found: float | None = ordered[min(max(place, 1), ordered.len()) - 1]
    return round((found or 0) * TENTHS)
