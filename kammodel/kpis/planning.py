"""Account plans, of a CRM and of files: whether there is one, how far its objectives are, what was promised."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, Level, kpi
from kammodel.kpis.sums import count

ALL: tuple[Level, ...] = ("group", "kam", "portfolio")
ON_TRACK = 0.9
"""An objective that is this far along its straight path is on track (kam.md §4 objectives_on_track_pct)."""

_NO_OBJECTIVES = "no_objectives"
_NO_ACTIONS = "no_actions"


@kpi(unit="flag", window="now", of="plans")
def plan_current(_: Windows) -> Figure:
    """1 where a plan covers t, drafts and cancelled ones aside; 0 where all plans are over, or plans.csv is there and
    has none of the group. Null with `no_plan` where nothing is known of any plan."""
    known = count(pl.col("is_in_force").is_not_null()) > 0
    return Figure(pl.when(known).then(pl.col("is_in_force").max().cast(pl.Int64)), pl.lit("no_plan"))


@kpi(unit="ratio", window="now", of="groups", scale=6, levels=("kam", "portfolio"))
def plan_coverage(_: Windows) -> Figure:
    """Share of the account groups with a current plan, of those of which it is known; null with `no_plan`."""
    return Figure(pl.col("plan_current").mean(), pl.lit("no_plan"))


@kpi(unit="count", window="now", of="objectives", levels=ALL)
def objectives_n(_: Windows) -> pl.Expr:
    """Objectives with a number to reach, of plans in force."""
    return count(pl.col("is_numeric"))


@kpi(unit="count", window="now", of="objectives", levels=ALL)
def objectives_qualitative_n(_: Windows) -> pl.Expr:
    """Objectives without a number, of plans in force: counted apart, since no figure says how far they are."""
    return count(~pl.col("is_numeric"))


@kpi(unit="count", window="now", of="objectives", levels=ALL)
def objectives_unreported_n(_: Windows) -> pl.Expr:
    """Objectives with a number to reach of which nobody said where they are."""
    return count(pl.col("is_numeric") & pl.col("current").is_null())


def _is_on_track() -> pl.Expr:
    span = pl.col("target") - pl.col("baseline")
    progress = (pl.col("current") - pl.col("baseline")) / span
    return (
        pl.when(span == 0).then(pl.col("current") >= pl.col("target")).otherwise(progress >= ON_TRACK * pl.col("path"))
    )


@kpi(unit="ratio", window="now", of="objectives", scale=6, levels=ALL)
def objectives_on_track_pct(_: Windows) -> Figure:
    """Share of the numeric objectives that are on track, of those whose present value and time are known.

    On track: `(current - baseline) / (target - baseline)` is at least 0.9 of the share of its time that is over, so
    that an objective to bring something down is judged likewise. Null with `no_objectives`.
    """
    judged = pl.col("is_numeric") & pl.col("current").is_not_null() & pl.col("path").is_not_null()
    n = count(judged)
    return Figure(pl.when(n > 0).then(count(judged & _is_on_track()) / n), pl.lit(_NO_OBJECTIVES))


@kpi(unit="ratio", window="now", of="attainments", scale=6)
def target_attainment(_: Windows) -> Figure:
    """Sum of present values by sum of targets, of the numeric objectives of plans in force whose present value is
    known; where they are of several units, the plain mean of the units' ratios. Null with `no_objectives`."""
    return Figure(pl.col("ratio").mean(), pl.lit(_NO_OBJECTIVES))


@kpi(unit="count", window="now", of="actions", levels=ALL)
def actions_overdue(t: Windows) -> Figure:
    """Actions of plans in force, not done by t and due before it; one without a day never is. Null with `no_actions`
    where none is known."""
    late = count(~pl.col("is_done") & (pl.col("due_on") < t.day))
    return Figure(pl.when(count(pl.col("is_done").is_not_null()) > 0).then(late), pl.lit(_NO_ACTIONS))


@kpi(unit="ratio", window="now", of="actions", scale=6, levels=ALL)
def action_completion_rate(t: Windows) -> Figure:
    """Share of the actions of plans in force due up to t that are done; null with `no_actions` where none is due."""
    due = t.until("due_on")
    n = count(due)
    return Figure(pl.when(n > 0).then(count(due & pl.col("is_done")) / n), pl.lit(_NO_ACTIONS))
