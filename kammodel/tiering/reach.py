"""Says what score a group below a tier would need to reach it, its peers unchanged."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.tiering.aggregation import TENTHS
from kammodel.tiering.policy import TIERS, Policy
from kammodel.tiering.tiers import is_small


@dataclass(frozen=True)
class Border:
    """From which shown score on a group now below `tier` would stand in it; null: out of reach of any score."""

    tier: str
    score: float | None
    is_full: bool
    """The seats are taken, so that the score is one that beats the last who holds a seat."""


def borders(members: pl.DataFrame, policy: Policy) -> tuple[Border, ...]:
    """The way up, tier by tier from the highest. `members`: the population's score, tier_by_cut,
    tier_computed and computed_rule.

    A group that rises pushes others down, so the score to reach is found with itself moved: above percentile
    cuts, the least tenth T with `100 (below + 1 + ties / 2 - 0.5) / n >= cut`, `below` and `ties` counted
    among the others. Where the seats are taken it must beat the last who holds one. Peers may move too: the
    figure is what is missing today, not a promise.
    """
    return tuple(_border(tier, members, policy) for tier in TIERS[:-1])


def next_tier(reachable: tuple[Border, ...]) -> list[pl.Expr]:
    """`next_tier` above the computed one, and `points_missing` to it (one decimal, null: out of reach).

    Both null at the top, without a score, and for Strategic while the group is provisional.
    """
    above = {TIERS[place]: TIERS[place - 1] for place in range(1, len(TIERS))}
    target = pl.col("tier_computed").replace_strict(above, default=None, return_dtype=pl.String)
    is_barred = (target == "strategic") & pl.col("provisional")
    reached = pl.when(pl.col("score").is_not_null() & ~is_barred).then(target)
    scores = {border.tier: border.score for border in reachable}
    needed = reached.replace_strict(scores, default=None, return_dtype=pl.Float64)
    return [
        reached.alias("next_tier"),
        (needed - pl.col("score")).round(1).alias("points_missing"),
    ]


def _border(tier: str, members: pl.DataFrame, policy: Policy) -> Border:
    n = members["score"].count()
    if is_small(members.height, policy):
        tenths: int | None = _at_least(getattr(policy.small_population, tier))
    else:
        tenths = _least_tenth(members, getattr(policy.cut, tier), n)
    last = _last_seat(tier, members, policy)
    is_full = last is not None
    if tenths is not None and last is not None:
        tenths = max(tenths, last + 1)
    reachable = tenths is not None and tenths <= 100 * TENTHS
    return Border(tier, tenths / TENTHS if reachable and tenths is not None else None, is_full)


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


def _last_seat(tier: str, members: pl.DataFrame, policy: Policy) -> int | None:
    """Tenths of the last who holds a seat by score; null while there is room, or where seats are not limited."""
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
    return round(holders[seats - 1] * TENTHS) if seats else 100 * TENTHS


def value_needed(peers: pl.Series, own: float, wanted: float) -> float | None:
    """The least value some peer has with which a member at `own` would reach the percentile `wanted`.

    `peers`: the values of all members, its own among them; more is better. Null: no peer's value does it.
    """
    values = peers.drop_nulls().sort()
    higher = values.filter(values > own).unique(maintain_order=True)
    ties = higher.to_frame("value").join(values.to_frame("value"), on="value", how="left").group_by("value").len()
    ladder = ties.sort("value").with_columns(
        below=pl.lit(values.len()) - pl.col("len").cum_sum(reverse=True) - 1, n=pl.lit(values.len())
    )
    place = ladder.filter(100 * (pl.col("below") + 0.5 + pl.col("len") / 2) / pl.col("n") >= wanted)
    found: float | None = place["value"].min()  # type: ignore[assignment]
    return found
