"""What a customer is worth: revenue, its growth and share, the size of deals. Won deals, at their close date."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import NO_CURRENCY, OUT_OF_RANGE
from kammodel.facts import is_purchase
from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_mean, known_sum, missing_rate


def _won() -> pl.Expr:
    return pl.col("status") == "won"


@kpi(unit="money", window="12m", of="deals")
def revenue_ttm(t: Windows) -> Figure:
    """Sum of won amounts, credits included, closed in (t - 12 months, t]. Bookings, where the CRM holds no invoices.

    Nothing won is 0. Won, but no amount known: null; some known: their sum, with `amount_missing_n` beside it
    (reading 9). A rate missing: null, `no rate for XXX` (reading 7).
    """
    return known_sum(_won() & t.months("closed_on", 12))


@kpi(unit="money", window="12m before", of="deals")
def revenue_prior_ttm(t: Windows) -> Figure:
    """As revenue_ttm, closed in (t - 24 months, t - 12 months]."""
    return known_sum(_won() & t.months("closed_on", 12, skip=12))


@kpi(unit="money", window="24m", of="deals")
def revenue_24m(t: Windows) -> Figure:
    """As revenue_ttm, closed in (t - 24 months, t]: the M of RFM (reading 27)."""
    return known_sum(_won() & t.months("closed_on", 24))


@kpi(unit="count", window="12m", of="deals")
def amount_missing_n(t: Windows) -> pl.Expr:
    """Won deals without an amount, closed in (t - 12 months, t]: what revenue_ttm lacks."""
    return count(_won() & t.months("closed_on", 12) & pl.col("own_amount").is_null())


@kpi(unit="days", window="all", of="deals")
def days_since_first_revenue(t: Windows) -> Figure:
    """Days since the first won deal with a known amount: how far the group's history goes back (reading 10)."""
    first = pl.when(_won() & pl.col("own_amount").is_not_null() & t.until("closed_on")).then(pl.col("closed_on")).min()
    return Figure(t.days_since(first), pl.lit("no_revenue"))


@kpi(unit="ratio", window="24m", of="kpis", scale=6)
def revenue_yoy_growth(t: Windows) -> Figure:
    """`revenue_ttm / revenue_prior_ttm - 1`, today's hierarchy on both sides.

    Null with `new` where the year before brought nothing or less, with `short_history` where the group's first
    revenue event is less than 24 months old (reading 11).
    """
    first = pl.lit(t.day) - pl.duration(days=pl.col("days_since_first_revenue"))
    before, young = pl.col("revenue_prior_ttm"), first.cast(pl.Date) > t.start_of_months(24)
    why = pl.when(before <= 0).then(pl.lit("new")).when(young.fill_null(value=True)).then(pl.lit("short_history"))
    reason = pl.coalesce("revenue_ttm__why", "revenue_prior_ttm__why", why)
    return Figure(pl.when(reason.is_null()).then(pl.col("revenue_ttm") / before - 1), reason)


@kpi(unit="money", window="24m", of="kpis")
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
    return Figure(share, pl.coalesce(why, rate, pl.lit("no_revenue")))


def _not_renewed(t: Windows) -> pl.Expr:
    renewal = pl.col("kind").eq_missing(pl.lit("renewal"))
    return _won() & ~renewal & t.months("closed_on", 12)


def _no_size(t: Windows) -> pl.Expr:
    unknown = count(_not_renewed(t) & pl.col("own_amount").is_null()) > 0
    return pl.when(unknown).then(pl.lit(AMOUNTS_UNKNOWN)).otherwise(pl.lit("no_won"))


@kpi(unit="money", window="12m", of="deals")
def avg_deal_size(t: Windows) -> Figure:
    """Mean amount of won deals above 0, renewals by kind left out (unknown kind stays in), closed in
    (t - 12 months, t]. Null with `no_won` without any. Reading 13."""
    return known_mean(_not_renewed(t) & is_purchase(), empty=_no_size(t))


@kpi(unit="money", window="12m", of="deals")
def median_deal_size(t: Windows) -> Figure:
    """As avg_deal_size, the median: an even count takes the mean of the middle two. Reading 13."""
    rows = _not_renewed(t) & is_purchase()
    rate = missing_rate(rows)
    middle = pl.when(rows).then(pl.col("amount")).median().round(0)
    return Figure(pl.when(rate.is_null()).then(middle), pl.coalesce(rate, _no_size(t)))
