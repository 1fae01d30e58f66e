"""Compares two policies over the same account groups: who would move and why, and how each would have held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from kammodel.tiering import texts
from kammodel.tiering.criteria import CRITERION, Language
from kammodel.tiering.reason import criteria_json
from kammodel.tiering.scorecard import Scores

UNRANKED = "unranked"
"""Stands for no tier."""

_WORTH_A_WORD = 0.1
_MOST_NAMED = 3


@dataclass(frozen=True)
class Cause:
    """A criterion and the points of the score that it gives more, or fewer, under the other policy."""

    criterion: str
    label: str
    points: float


@dataclass(frozen=True)
class SimulatedMove:
    """A group that would stand in another tier. `name` is text from a CRM: escape it. `rule`: what decides its tier
    then; `causes`: criteria that move its score that way, the strongest first, none where the score does not move."""

    group_id: str
    name: str | None
    before: str | None
    after: str | None
    score_before: float | None
    score_after: float | None
    rule: str | None
    rule_label: str | None
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Cell:
    """So many groups went from one tier to another, or stayed."""

    before: str
    after: str
    groups: int


@dataclass(frozen=True)
class Held:
    """Of a tier, over the days looked at: groups with revenue, and those of them that had none in the twelve months
    after. `loss_rate` = lost / groups; `share_of_lost` = its part of all that were lost later."""

    tier: str
    groups: int
    lost: int
    loss_rate: float | None
    share_of_lost: float | None


def totals(scores: Scores) -> dict[str, int]:
    """Groups by tier in force, in order of its code."""
    found = scores.frame["tier_effective"].drop_nulls().value_counts().sort("tier_effective")
    return dict(found.iter_rows())


def simulated_moves(now: Scores, then: Scores, groups: pl.DataFrame, language: Language) -> tuple[SimulatedMove, ...]:
    """Groups whose tier in force differs, the highest score under the policy of now first."""
    columns = ("tier_effective", "score", "tier_rule", *(f"c_{key}" for key in CRITERION))
    other = then.frame.select("group", pl.col(columns).name.suffix("_then"))
    moved = (
        now.frame.select("group", "group_id", *columns)
        .join(other, on="group")
        .filter(~pl.col("tier_effective").eq_missing(pl.col("tier_effective_then")))
        .join(groups.select("group", "name"), on="group", how="left")
        .sort("score", "group_id", descending=[True, False], nulls_last=True)
    )
    points = [
        (pl.col(f"c_{key}_then").fill_null(0) - pl.col(f"c_{key}").fill_null(0)).round(1).alias(f"d_{key}")
        for key in CRITERION
    ]
    labels = texts.section("rule", language)
    return tuple(
        SimulatedMove(
            group_id=row["group_id"],
            name=row["name"],
            before=row["tier_effective"],
            after=row["tier_effective_then"],
            score_before=row["score"],
            score_after=row["score_then"],
            rule=row["tier_rule_then"],
            rule_label=labels.get(row["tier_rule_then"] or ""),
            causes=_causes(row, language),
        )
        for row in moved.with_columns(points).iter_rows(named=True)
    )


def _causes(row: dict[str, float | None], language: Language) -> tuple[Cause, ...]:
    before, after = row["score"], row["score_then"]
    if before is None or after is None or before == after:
        return ()
    sign = 1 if after > before else -1
    found = [Cause(key, CRITERION[key].label(language), row[f"d_{key}"] or 0.0) for key in CRITERION]
    helped = [cause for cause in found if sign * cause.points >= _WORTH_A_WORD]
    return tuple(sorted(helped, key=lambda cause: -sign * cause.points)[:_MOST_NAMED])


def matrix(pairs: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> tuple[Cell, ...]:
    """How groups went from tier to tier over pairs of frames (group_id, tier_effective); those in both of a pair that
    had a tier in one."""
    cells = [
        before.select("group_id", before="tier_effective")
        .join(after.select("group_id", after="tier_effective"), on="group_id")
        .filter(pl.col("before").is_not_null() | pl.col("after").is_not_null())
        .select(pl.col("before", "after").fill_null(UNRANKED))
        for before, after in pairs
    ]
    if not cells:
        return ()
    counted = pl.concat(cells).group_by("before", "after").agg(n=pl.len()).sort("before", "after")
    return tuple(Cell(before, after, n) for before, after, n in counted.iter_rows())


def held(days: Sequence[pl.DataFrame]) -> tuple[Held, ...]:
    """Which tiers held those that were lost. In: per day tier_effective and `is_lost`, of groups with revenue."""
    if not days:
        return ()
    counted = (
        pl.concat(days)
        .group_by(tier=pl.col("tier_effective").fill_null(UNRANKED))
        .agg(groups=pl.len(), lost=pl.col("is_lost").sum())
        .sort("tier")
    )
    total = int(counted["lost"].sum())
    return tuple(
        Held(tier, groups, lost, round(lost / groups, 4), round(lost / total, 4) if total else None)
        for tier, groups, lost in counted.iter_rows()
    )


def handed_on(scores: Scores) -> pl.DataFrame:
    """What the next day's run is given as `previous`, without the way through a store."""
    kept = ("group_id", "in_population", "tier_effective", "tier_computed", "score", "quadrant")
    told = scores.frame.join(criteria_json(scores), on="group", maintain_order="left")
    return told.select(*kept, "criteria", as_of=pl.lit(scores.as_of))
