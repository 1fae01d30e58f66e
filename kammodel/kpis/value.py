"""What a customer brings in: revenue, its growth and share, the size of deals."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import NO_CURRENCY, OUT_OF_RANGE, rounded_quotient
from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_mean, known_sum, missing_rate

_NO_REVENUE = "no_revenue"
_YEAR = 365


@kpi(unit="money", window="12m", of="revenue_events", levels=ALL_LEVELS)
def revenue_ttm(t: Windows) -> Figure:
    """Sum of revenue events in (t - 12 months, t], credits included: invoices, orders and schedules where they are
    known, else won deals at their close date (facts/revenue.py; kam.md §2b, reading 10).

    No event is 0. Events, but no amount known: null; some known: their sum, with `amount_missing_n` beside it
    (reading 9). A rate missing: null, `no rate for XXX` (reading 7).
    """
    return known_sum(t.months("day", 12))


@kpi(unit="money", window="12m before", of="revenue_events", levels=ALL_LEVELS)
def revenue_prior_ttm(t: Windows) -> Figure:
    """As revenue_ttm, in (t - 24 months, t - 12 months]."""
    return known_sum(t.months("day", 12, skip=12))


@kpi(unit="money", window="24m", of="revenue_events")
def revenue_24m(t: Windows) -> Figure:
    """As revenue_ttm, in (t - 24 months, t]: the M of RFM (reading 27)."""
    return known_sum(t.months("day", 24))


@kpi(unit="count", window="12m", of="revenue_events", levels=ALL_LEVELS)
def amount_missing_n(t: Windows) -> pl.Expr:
    """Revenue events without an amount in (t - 12 months, t]: what revenue_ttm lacks."""
    return count(t.months("day", 12) & pl.col("own_amount").is_null())


@kpi(unit="days", window="all", of="revenue_events", levels=ALL_LEVELS)
def days_since_first_revenue(t: Windows) -> Figure:
    """Days since the first revenue event with a known amount: how far the history goes back (reading 10)."""
    first = pl.when(pl.col("own_amount").is_not_null() & t.until("day")).then(pl.col("day")).min()
    return Figure(t.days_since(first), pl.lit(_NO_REVENUE))


def _since(t: Windows) -> pl.Expr:
    return (pl.lit(t.day) - pl.duration(days=pl.col("days_since_first_revenue"))).cast(pl.Date)


@kpi(unit="flag", window="12m", of="kpis", levels=ALL_LEVELS)
def revenue_history_short(t: Windows) -> Figure:
    """1 where the first revenue event lies in (t - 12 months, t]: revenue_ttm is then that of less than a year."""
    is_short = _since(t) > t.start_of_months(12)
    return Figure(is_short, pl.col("days_since_first_revenue__why"))


@kpi(unit="money", window="12m", of="kpis", levels=ALL_LEVELS)
def revenue_annualised(t: Windows) -> Figure:
    """revenue_ttm x 365 / days since the first revenue event, that day included: what a year of it would be.

    Stands beside revenue_ttm, which is never scaled (kam.md §4). Null with `full_year` where the history is a year or
    more, and so the two are one.
    """
    days = (pl.col("days_since_first_revenue") + 1).cast(pl.Int128)
    scaled = rounded_quotient(pl.col("revenue_ttm").cast(pl.Int128) * _YEAR, days)
    full = pl.when(_since(t) <= t.start_of_months(12)).then(pl.lit("full_year"))
    reason = pl.coalesce("revenue_ttm__why", "days_since_first_revenue__why", full)
    return Figure(pl.when(reason.is_null()).then(scaled), reason)


@kpi(unit="ratio", window="24m", of="kpis", scale=6, levels=ALL_LEVELS)
def revenue_yoy_growth(t: Windows) -> Figure:
    """`revenue_ttm / revenue_prior_ttm - 1`, today's hierarchy on both sides.

    Null with `new` where the year before brought nothing or less, with `short_history` where the first revenue event
    is less than 24 months old (reading 11).
    """
    before, young = pl.col("revenue_prior_ttm"), _since(t) > t.start_of_months(24)
    why = pl.when(before <= 0).then(pl.lit("new")).when(young.fill_null(value=True)).then(pl.lit("short_history"))
    reason = pl.coalesce("revenue_ttm__why", "revenue_prior_ttm__why", why)
    return Figure(pl.when(reason.is_null()).then(pl.col("revenue_ttm") / before - 1), reason)


@kpi(unit="money", window="24m", of="kpis", levels=ALL_LEVELS)
def revenue_yoy_delta(_: Windows) -> Figure:
    """`revenue_ttm - revenue_prior_ttm`: growth in money, also where a ratio means nothing."""
    return Figure(
        pl.col("revenue_ttm").cast(pl.Int128) - pl.col("revenue_prior_ttm").cast(pl.Int128),
        pl.coalesce("revenue_ttm__why", "revenue_prior_ttm__why"),
    )


@kpi(unit="ratio", window="12m", of="kpis", scale=9)
def revenue_share(_: Windows) -> Figure:
    """`revenue_ttm` by the sum of it over all groups, scored or not, that have a positive one (reading 12).

    A group with 0 or less is no part of that sum: null with `no_revenue`. A missing rate in any group's
    revenue, or one out of range, leaves the sum, and with it every share, unknown (reading 7).
    """
    revenue, why = pl.col("revenue_ttm"), pl.col("revenue_ttm__why")
    rate = pl.when(why.str.starts_with("no rate for ") | why.is_in([NO_CURRENCY, OUT_OF_RANGE])).then(why).min()
    base = pl.when(revenue > 0).then(revenue.cast(pl.Int128)).sum().cast(pl.Float64)
    share = pl.when((revenue > 0) & rate.is_null()).then(revenue / base)
    return Figure(share, pl.coalesce(why, rate, pl.lit(_NO_REVENUE)))


def _not_renewed(t: Windows) -> pl.Expr:
    renewal = pl.col("kind").eq_missing(pl.lit("renewal"))
    return (pl.col("status") == "won") & ~renewal & t.months("closed_on", 12)


def sized(t: Windows) -> pl.Expr:
    """Deals that were won for more than nothing in (t - 12 months, t], renewals by kind left out (reading 13)."""
    return _not_renewed(t) & (pl.col("own_amount") > 0)


def _no_size(t: Windows) -> pl.Expr:
    unknown = count(_not_renewed(t) & pl.col("own_amount").is_null()) > 0
    return pl.when(unknown).then(pl.lit(AMOUNTS_UNKNOWN)).otherwise(pl.lit("no_won"))


@kpi(unit="money", window="12m", of="deals", levels=ALL_LEVELS)
def avg_deal_size(t: Windows) -> Figure:
    """Mean amount of won deals above 0, renewals by kind left out (unknown kind stays in), closed in
    (t - 12 months, t]. Null with `no_won` without any. Reading 13."""
    return known_mean(sized(t), empty=_no_size(t))


@kpi(unit="money", window="12m", of="deals", levels=ALL_LEVELS)
def median_deal_size(t: Windows) -> Figure:
    """As avg_deal_size, the median: an even count takes the mean of the middle two. Reading 13."""
    rate = missing_rate(sized(t))
    middle = pl.col("amount").filter(sized(t)).median().round(0)
    return Figure(pl.when(rate.is_null()).then(middle), pl.coalesce(rate, _no_size(t)))
