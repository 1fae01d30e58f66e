"""What may come: open deals of the next twelve months, and what they are worth by their probability."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import rounded_quotient
from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_sum

_MILLIONTHS = 1_000_000
_NO_CLOSE_DATES = "no_close_dates"


def _open() -> pl.Expr:
    omitted = pl.col("is_omitted").fill_null(value=False)
    return (pl.col("status") == "open") & ~omitted


def _in_horizon(t: Windows) -> pl.Expr:
    return _open() & t.within_months_ahead("expected_on", 12)


def _dated(figure: Figure) -> Figure:
    """Null where there are open deals and none of them has an expected close date (reading 15)."""
    undated = (count(_open()) > 0) & (count(_open() & pl.col("expected_on").is_not_null()) == 0)
    why = pl.when(undated).then(pl.lit(_NO_CLOSE_DATES))
    return Figure(pl.when(~undated).then(figure.value), pl.coalesce(why, figure.why))


@kpi(unit="money", window="now", of="deals")
def open_pipeline(t: Windows) -> Figure:
    """Sum of open amounts, deals omitted from the forecast left out, expected to close up to t + 12 months.

    Past due close dates are in. Deals without a close date are out and counted; if no open deal has one, null
    with `no_close_dates` (reading 15). No open deal is 0. Converted at the as-of date (reading 8).
    """
    return _dated(known_sum(_in_horizon(t)))


@kpi(unit="money", window="now", of="deals")
def weighted_pipeline(t: Windows) -> Figure:
    """As open_pipeline, each amount times its probability (0..1, to a millionth; rounded once, half to even).

    Deals without a probability, or with one out of range, are left out and counted (reading 16); if none that
    has an amount has one either, null with `probabilities_unknown`.
    """
    share = (pl.col("probability") * _MILLIONTHS).round(0).cast(pl.Int128)
    usable = _in_horizon(t) & pl.col("probability").is_between(0, 1)
    total = known_sum(usable, pl.col("amount").cast(pl.Int128) * share)
    priced = count(_in_horizon(t) & pl.col("own_amount").is_not_null())
    nothing_known = (count(_in_horizon(t)) > 0) & (count(usable & pl.col("own_amount").is_not_null()) == 0)
    code = pl.when(priced == 0).then(pl.lit(AMOUNTS_UNKNOWN)).otherwise(pl.lit("probabilities_unknown"))
    whole = rounded_quotient(total.value, pl.lit(_MILLIONTHS, pl.Int128))
    why = pl.coalesce(pl.when(nothing_known).then(code), total.why)
    return _dated(Figure(pl.when(~nothing_known).then(whole), why))


@kpi(unit="count", window="now", of="deals")
def open_amount_missing_n(t: Windows) -> pl.Expr:
    """Open deals in the horizon without an amount: what open_pipeline lacks."""
    return count(_in_horizon(t) & pl.col("own_amount").is_null())


@kpi(unit="count", window="now", of="deals")
def open_close_date_missing_n(_: Windows) -> pl.Expr:
    """Open deals without an expected close date: out of the horizon (reading 15)."""
    return count(_open() & pl.col("expected_on").is_null())


@kpi(unit="count", window="now", of="deals")
def open_probability_missing_n(t: Windows) -> pl.Expr:
    """Open deals in the horizon without a probability in 0..1: what weighted_pipeline lacks (reading 16)."""
    usable = pl.col("probability").is_between(0, 1).fill_null(value=False)
    return count(_in_horizon(t) & ~usable)
