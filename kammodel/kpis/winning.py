"""How deals end: win rate with what it is worth by its number, and how long winning takes."""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, missing_rate

ENOUGH = 10
"""Closed deals from which a raw win rate is shown; also the weight of the peers' rate below it (reading 18)."""

_NO_HISTORY = "no_stage_history"
_Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""

_NOTHING, _FEW = "nothing_closed", "few_closed"


@kpi(unit="count", window="12m", of="deals", levels=ALL_LEVELS)
def won_n(t: Windows) -> pl.Expr:
    """Deals won, by number, closed in (t - 12 months, t]. A deal closed on an unknown day is in no window."""
    return count((pl.col("status") == "won") & t.months("closed_on", 12))


@kpi(unit="count", window="12m", of="deals", levels=ALL_LEVELS)
def lost_n(t: Windows) -> pl.Expr:
    """Deals lost, by number, closed in (t - 12 months, t]."""
    return count((pl.col("status") == "lost") & t.months("closed_on", 12))


def _closed_n() -> pl.Expr:
    return pl.col("won_n") + pl.col("lost_n")


def _why(otherwise: pl.Expr | None = None) -> pl.Expr:
    empty = pl.when(_closed_n() == 0).then(pl.lit(_NOTHING))
    return pl.coalesce("won_n__why", empty, *([] if otherwise is None else [otherwise]))


@kpi(unit="ratio", window="12m", of="kpis", scale=6, levels=ALL_LEVELS)
def win_rate_count(_: Windows) -> Figure:
    """Share of closed deals that were won, by number, closed in (t - 12 months, t], renewals included.

    Null where nothing closed in the window: that is not a rate of zero. Null with `few_closed` below ten: the
    interval `win_rate_low`, `win_rate_high` and the shrunk `win_rate_shown` stand beside it (reading 18).
    """
    few = pl.when(_closed_n() < ENOUGH).then(pl.lit(_FEW))
    return Figure(pl.when(_closed_n() >= ENOUGH).then(pl.col("won_n") / _closed_n()), _why(few))


@kpi(unit="ratio", window="12m", of="kpis", scale=6, levels=ALL_LEVELS)
def win_rate_shown(_: Windows) -> Figure:
    """The win rate to show: the raw one from ten closed deals on, below that `(won + 10 p0) / (n + 10)`.

    p0 is the rate of the peers: all groups of the organisation together. Null where nothing closed. Reading 18.
    """
    peers = pl.col("won_n__all") / (pl.col("won_n__all") + pl.col("lost_n__all"))
    shrunk = (pl.col("won_n") + ENOUGH * peers) / (_closed_n() + ENOUGH)
    shown = pl.when(_closed_n() >= ENOUGH).then(pl.col("won_n") / _closed_n()).otherwise(shrunk)
    return Figure(pl.when(_closed_n() > 0).then(shown), _why())


def _wilson(sign: int) -> pl.Expr:
    n = _closed_n()
    rate = pl.col("won_n") / n
    middle = rate + _Z**2 / (2 * n)
    half = _Z * (rate * (1 - rate) / n + _Z**2 / (4 * n * n)).sqrt()
    return pl.when(n > 0).then((middle + sign * half) / (1 + _Z**2 / n)).clip(0, 1)


@kpi(unit="ratio", window="12m", of="kpis", scale=6, levels=ALL_LEVELS)
def win_rate_low(_: Windows) -> Figure:
    """Lower end of the Wilson 95 % interval of the win rate: 2 of 3 won gives 0.21. kam.md §3d step 6."""
    return Figure(_wilson(-1), _why())


@kpi(unit="ratio", window="12m", of="kpis", scale=6, levels=ALL_LEVELS)
def win_rate_high(_: Windows) -> Figure:
    """Upper end of the Wilson 95 % interval of the win rate: 2 of 3 won gives 0.94. kam.md §3d step 6."""
    return Figure(_wilson(1), _why())


@kpi(unit="ratio", window="12m", of="outcomes", scale=6, levels=ALL_LEVELS)
def win_rate_value(t: Windows) -> Figure:
    """Value won by value won and lost, closed in (t - 12 months, t], renewals included.

    A lost deal counts with its last non-zero open amount, else with its list price (facts/outcomes.py). Null with
    `few_closed` below ten, as the rate by number; with `amounts_unknown` where a deal's value is not known, since
    what is lost has often no amount any more (reading 17); with `no_value` where all of it comes to nothing or
    less.
    """
    won, lost = ((pl.col("status") == status) & t.months("closed_on", 12) for status in ("won", "lost"))
    closed, value = won | lost, pl.col("value").cast(pl.Int128)
    total = pl.when(closed).then(value).sum()
    why = pl.coalesce(
        pl.when(count(closed) == 0).then(pl.lit(_NOTHING)),
        pl.when(count(closed) < ENOUGH).then(pl.lit(_FEW)),
        missing_rate(closed, "value_why"),
        pl.when(count(closed & pl.col("value").is_null()) > 0).then(pl.lit(AMOUNTS_UNKNOWN)),
        pl.when(total <= 0).then(pl.lit("no_value")),
    )
    return Figure(pl.when(why.is_null()).then(pl.when(won).then(value).sum() / total), why)


@kpi(unit="count", window="24m to 12m ago", of="deals", levels=ALL_LEVELS)
def created_n(t: Windows) -> pl.Expr:
    """Deals created in (t - 24 months, t - 12 months], whatever became of them: the cohort of win_rate_created."""
    return count(t.months("created_on", 12, skip=12))


@kpi(unit="ratio", window="24m to 12m ago", of="deals", scale=6, levels=ALL_LEVELS)
def win_rate_created(t: Windows) -> Figure:
    """Share of the deals created in (t - 24 months, t - 12 months] that were won up to t.

    The rate by close date leaves out what stays open, and is too high where losers are never closed; this one does
    not. Null with `nothing_created`, `few_created` below ten, and with `long_cycle` where the cohort is too young:
    where 95 % of the deals ever won took longer than the youngest of it is old (nearest rank; kam.md §4).
    """
    created = t.months("created_on", 12, skip=12)
    won = pl.col("status") == "won"
    longest = cycle_days().filter(won).quantile(0.95, interpolation="equiprobable")
    age = (t.day - t.start_of_months(12)).days
    why = pl.coalesce(
        pl.when(count(created) == 0).then(pl.lit("nothing_created")),
        pl.when(count(created) < ENOUGH).then(pl.lit("few_created")),
        pl.when(longest > age).then(pl.lit("long_cycle")),
    )
    return Figure(pl.when(why.is_null()).then(count(created & won) / count(created)), why)


def cycle_days() -> pl.Expr:
    """Whole days from creation to close; null unless above 0: a deal that was entered late has no cycle."""
    days = (pl.col("closed_on") - pl.col("created_on")).dt.total_days()
    return pl.when(days > 0).then(days)


def _won_in_window(t: Windows) -> pl.Expr:
    return (pl.col("status") == "won") & t.months("closed_on", 12)


@kpi(unit="days", window="12m", of="deals", scale=1, levels=ALL_LEVELS)
def sales_cycle_days(t: Windows) -> Figure:
    """Median of whole days from creation to close of deals won in (t - 12 months, t], renewals included.

    0 or fewer days are left out and counted; an even count takes the mean of the middle two (reading 13). Null
    with `no_won`, or with `no_cycles` where none can be told.
    """
    why = pl.when(count(_won_in_window(t)) == 0).then(pl.lit("no_won")).otherwise(pl.lit("no_cycles"))
    return Figure(cycle_days().filter(_won_in_window(t)).median(), why)


@kpi(unit="count", window="12m", of="deals", levels=ALL_LEVELS)
def cycle_left_out_n(t: Windows) -> pl.Expr:
    """Won deals without a cycle: closed on or before the day of creation, or created on an unknown day."""
    return count(_won_in_window(t) & cycle_days().is_null())


@kpi(unit="ratio", window="12m", of="stage_visits", scale=6, levels=ALL_LEVELS)
def stage_conversion(t: Windows) -> Figure:
    """Share of the stages entered and decided in (t - 12 months, t] that a deal passed: to a later stage, or to won.

    A deal that was lost did not pass the last one. By first entries, as the stage history has them; stages that were
    skipped are in neither. Null with `no_stage_history` where nothing was decided in it.
    """
    decided = t.months("decided_on", 12) & pl.col("is_passed").is_not_null()
    share = count(decided & pl.col("is_passed")) / count(decided)
    return Figure(pl.when(count(decided) > 0).then(share), pl.lit(_NO_HISTORY))


@kpi(unit="days", window="12m", of="stage_visits", scale=1, levels=ALL_LEVELS)
def stage_velocity_days(t: Windows) -> Figure:
    """Median of days in a stage, from the first entry to that of the next one, of stages left in (t - 12 months, t].

    Null with `no_stage_history` where none was left.
    """
    return Figure(pl.col("days").filter(t.months("left_on", 12)).median(), pl.lit(_NO_HISTORY))
