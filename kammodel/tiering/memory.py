"""What a scoring run must know of the ones before it, and what it hands on: the tier that stands, and since when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from kammodel.rules import CHANGED
from kammodel.tiering.policy import TIERS, Policy

STATE: dict[str, Any] = {
    "evaluated_on": pl.Date,
    "retiered_on": pl.Date,
    "standing": pl.String,
    "pending": pl.String,
    "pending_n": pl.Int64,
    "tier_since": pl.Date,
    "override_tier": pl.String,
    "override_since": pl.Date,
    "m_cadence_attainment": pl.Float64,
    "m_strategic_value": pl.Float64,
    "m_esg_score": pl.Float64,
}
"""Members of the `criteria` text of a snapshot, beside c_<key> and s_<key>.

`standing`: the tier that the score gave, before any cap for provisional groups, floor, capacity or override; `pending`:
the one it moves to once confirmed, `pending_n` times in a row so far; `tier_since`: since when it stands (null: longer
than we know). `evaluated_on`, `retiered_on`: the organisation's last monthly score and last re-tiering.
`m_<measure>`: measures that no KPI of the snapshot holds.
"""

BEFORE = "before_"
"""Prefix of STATE as it was before."""


@dataclass(frozen=True)
class Calendar:
    """Whether this run is a monthly score, and whether tiers may move in it. kam.md §3d step 8.

    `is_first`: nothing was in force before it, so that nobody knows since when its tiers stand.
    """

    evaluated_on: dt.date
    retiered_on: dt.date
    is_evaluation: bool = True
    is_retier: bool = True
    is_first: bool = True


def remembered(previous: pl.DataFrame | None) -> pl.DataFrame:
    """group_id and STATE before, each under BEFORE, and CHANGED; a snapshot that holds no state gives its
    computed tier as the one that stands."""
    if previous is None or "criteria" not in previous.columns:
        return pl.DataFrame(
            schema={"group_id": pl.String, **{BEFORE + name: kind for name, kind in STATE.items()}, CHANGED: pl.Boolean}
        )
    told = pl.col("criteria").cast(pl.String).str.json_decode(pl.Struct(STATE)).struct
    state = {BEFORE + name: told.field(name) for name in STATE}
    scored_on = pl.col("as_of") if "as_of" in previous.columns else pl.lit(None, pl.Date)
    tier = pl.col("tier_computed") if "tier_computed" in previous.columns else pl.lit(None, pl.String)
    changed = pl.col(CHANGED) if CHANGED in previous.columns else pl.lit(None, pl.Boolean)
    return previous.select(
        "group_id",
        **state
        | {
            "before_evaluated_on": pl.coalesce(state["before_evaluated_on"], scored_on),
            "before_retiered_on": pl.coalesce(state["before_retiered_on"], scored_on),
            "before_standing": pl.coalesce(state["before_standing"], tier),
            CHANGED: changed.fill_null(value=False),
        },
    )


def calendar(before: pl.DataFrame, as_of: dt.date, policy: Policy) -> Calendar:
    """What kind of a run this is. `before`: as `remembered`.

    The first score of a month is its monthly one, whatever the day; the first of a quarter also re-tiers. What was
    made under other rules says nothing of these: the first run under them places everybody freely.
    """
    known = before.filter(~pl.col(CHANGED))
    evaluated = known["before_evaluated_on"].max()
    retiered = known["before_retiered_on"].max()
    if not isinstance(evaluated, dt.date) or not isinstance(retiered, dt.date):
        return Calendar(as_of, as_of, is_first=before.is_empty())
    how = policy.stability.retier
    is_evaluation = how == "always" or (as_of.year, as_of.month) != (evaluated.year, evaluated.month)
    is_due = how != "quarter" or _quarter(as_of) != _quarter(retiered)
    is_retier = is_evaluation and is_due
    return Calendar(
        as_of if is_evaluation else evaluated,
        as_of if is_retier else retiered,
        is_evaluation=is_evaluation,
        is_retier=is_retier,
        is_first=False,
    )


def since(as_of: dt.date, when: Calendar) -> pl.Expr:
    """`tier_since`: today where the tier that stands is another than before, and in no first run."""
    same = pl.col("standing").eq_missing(pl.col("stood_before"))
    moved = pl.lit(None, pl.Date) if when.is_first else pl.lit(as_of)
    entered = pl.when(pl.col("standing").is_not_null()).then(moved)
    return pl.when(same).then("before_tier_since").otherwise(entered).alias("tier_since")


def override_since(as_of: dt.date) -> list[pl.Expr]:
    """`override_tier`, `override_since`: since which score the field holds this tier. Words that are no tier are left
    where they are."""
    tier = pl.when(pl.col("tier_override").is_in(TIERS)).then("tier_override")
    same = tier == pl.col("before_override_tier")
    first = pl.when(tier.is_not_null()).then(pl.lit(as_of))
    return [
        tier.alias("override_tier"),
        pl.when(same).then(pl.coalesce("before_override_since", first)).otherwise(first).alias("override_since"),
    ]


def _quarter(day: dt.date) -> tuple[int, int]:
    return day.year, (day.month - 1) // 3
