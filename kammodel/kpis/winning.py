"""How deals end: win rate with what it is worth by its number, and how long winning takes."""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import count

ENOUGH = 10
"""Closed deals from which a raw win rate is shown; also the weight of the peers' rate below it (reading 18)."""

_Z = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""

_NOTHING = "nothing_closed"


@kpi(unit="count", window="12m", of="deals")
def won_n(t: Windows) -> pl.Expr:
    """Deals won, by number, closed in (t - 12 months, t]. A deal closed on an unknown day is in no window."""
    return count((pl.col("status") == "won") & t.months("closed_on", 12))


@kpi(unit="count", window="12m", of="deals")
def lost_n(t: Windows) -> pl.Expr:
    """Deals lost, by number, closed in (t - 12 months, t]."""
    return count((pl.col("status") == "lost") & t.months("closed_on", 12))


def _closed_n() -> pl.Expr:
    return pl.col("won_n") + pl.col("lost_n")


def _why(otherwise: pl.Expr | None = None) -> pl.Expr:
    empty = pl.when(_closed_n() == 0).then(pl.lit(_NOTHING))
    return pl.coalesce("won_n__why", empty, *([] if otherwise is None else [otherwise]))


@kpi(unit="ratio", window="12m", of="kpis", scale=6)
def win_rate_count(_: Windows) -> Figure:
    """Share of closed deals that were won, by number, closed in (t - 12 months, t], renewals included.

    Null where nothing closed in the window: that is not a rate of zero. Null with `few_closed` below ten: the
    interval `win_rate_low`, `win_rate_high` and the shrunk `win_rate_shown` stand beside it (reading 18).
    """
    few = pl.when(_closed_n() < ENOUGH).then(pl.lit("few_closed"))
    return Figure(pl.when(_closed_n() >= ENOUGH).then(pl.col("won_n") / _closed_n()), _why(few))


@kpi(unit="ratio", window="12m", of="kpis", scale=6)
def win_rate_shown(_: Windows) -> Figure:
    """The win rate to show: the raw one from ten closed deals on, below that `(won + 10 p0) / (n + 10)`.

    p0 is the rate of the peers: all groups of the organisation together. Null where nothing closed. Reading 18.
    """
    peers = pl.col("won_n").sum() / _closed_n().sum()
    shrunk = (pl.col("won_n") + ENOUGH * peers) / (_closed_n() + ENOUGH)
    shown = pl.when(_closed_n() >= ENOUGH).then(pl.col("won_n") / _closed_n()).otherwise(shrunk)
    return Figure(pl.when(_closed_n() > 0).then(shown), _why())


def _wilson(sign: int) -> pl.Expr:
    n = _closed_n()
    rate = pl.col("won_n") / n
    middle = rate + _Z**2 / (2 * n)
    half = _Z * (rate * (1 - rate) / n + _Z**2 / (4 * n * n)).sqrt()
    return pl.when(n > 0).then((middle + sign * half) / (1 + _Z**2 / n)).clip(0, 1)


@kpi(unit="ratio", window="12m", of="kpis", scale=6)
def win_rate_low(_: Windows) -> Figure:
    """Lower end of the Wilson 95 % interval of the win rate: 2 of 3 won gives 0.21. kam.md §3d step 6."""
    return Figure(_wilson(-1), _why())


@kpi(unit="ratio", window="12m", of="kpis", scale=6)
def win_rate_high(_: Windows) -> Figure:
    """Upper end of the Wilson 95 % interval of the win rate: 2 of 3 won gives 0.94. kam.md §3d step 6."""
    return Figure(_wilson(1), _why())


def cycle_days() -> pl.Expr:
    """Whole days from creation to close; null unless above 0: a deal that was entered late has no cycle."""
    days = (pl.col("closed_on") - pl.col("created_on")).dt.total_days()
    return pl.when(days > 0).then(days)


def _won_in_window(t: Windows) -> pl.Expr:
    return (pl.col("status") == "won") & t.months("closed_on", 12)


@kpi(unit="days", window="12m", of="deals", scale=1)
def sales_cycle_days(t: Windows) -> Figure:
    """Median of whole days from creation to close of deals won in (t - 12 months, t], renewals included.

    0 or fewer days are left out and counted; an even count takes the mean of the middle two (reading 13). Null
    with `no_won`, or with `no_cycles` where none can be told.
    """
    why = pl.when(count(_won_in_window(t)) == 0).then(pl.lit("no_won")).otherwise(pl.lit("no_cycles"))
    return Figure(pl.when(_won_in_window(t)).then(cycle_days()).median(), why)


@kpi(unit="count", window="12m", of="deals")
def cycle_left_out_n(t: Windows) -> pl.Expr:
    """Won deals without a cycle: closed on or before the day of creation, or created on an unknown day."""
    return count(_won_in_window(t) & cycle_days().is_null())
