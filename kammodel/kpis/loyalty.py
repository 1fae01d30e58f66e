"""How steadily a customer buys. A purchase is a revenue event, most often a won deal, above 0 (reading 10)."""

from __future__ import annotations

import polars as pl

from kammodel.facts.revenue import is_purchase
from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count

QUARTERS = 8
_MIGRATION_SHARE = 0.2
_MIGRATION_GROUPS = 5
_NO_PURCHASE = "no_purchase"


def _purchases(within: pl.Expr) -> Figure:
    """Their number; null where there are events and no amount of them is known."""
    unknown = (count(within) > 0) & (count(within & pl.col("own_amount").is_not_null()) == 0)
    return Figure(pl.when(~unknown).then(count(is_purchase() & within)), pl.lit(AMOUNTS_UNKNOWN))


@kpi(unit="count", window="24m", of="revenue_events")
def purchases_24m(t: Windows) -> Figure:
    """Purchases in (t - 24 months, t]; null where none of the amounts won is known. The F of RFM (reading 27)."""
    return _purchases(t.months("day", 24))


@kpi(unit="count", window="all", of="revenue_events")
def purchases_ever(t: Windows) -> Figure:
    """Purchases up to t; null where none of the amounts won is known (reading 34)."""
    return _purchases(t.until("day"))


def _day_of(t: Windows) -> pl.Expr:
    return pl.when(is_purchase() & t.until("day")).then(pl.col("day"))


@kpi(unit="days", window="all", of="revenue_events")
def days_since_first_purchase(t: Windows) -> Figure:
    """Days from the group's first purchase to t; null with `no_purchase`."""
    return Figure(t.days_since(_day_of(t).min()), pl.lit(_NO_PURCHASE))


@kpi(unit="days", window="all", of="revenue_events")
def days_since_last_purchase(t: Windows) -> Figure:
    """Days from the group's last purchase to t; null with `no_purchase`. The R of RFM (reading 27)."""
    return Figure(t.days_since(_day_of(t).max()), pl.lit(_NO_PURCHASE))


@kpi(unit="months", window="all", of="kpis")
def customer_tenure_months(t: Windows) -> Figure:
    """Completed calendar months since the first purchase of any member.

    Null with `migration_date` where that day is shared by more than 20 % of all first purchases and at least
    five groups: then it is the day of a data migration (reading 14).
    """
    first = (pl.lit(t.day) - pl.duration(days=pl.col("days_since_first_purchase"))).cast(pl.Date)
    months = (t.day.year - first.dt.year()) * 12 + (t.day.month - first.dt.month().cast(pl.Int32))
    completed = months - (first.dt.day() > t.day.day).cast(pl.Int32)
    sharing = pl.len().over("days_since_first_purchase")
    all_first = pl.col("days_since_first_purchase").count()
    migrated = (sharing >= _MIGRATION_GROUPS) & (sharing > _MIGRATION_SHARE * all_first)
    migrated &= pl.col("days_since_first_purchase").is_not_null()
    why = pl.when(migrated).then(pl.lit("migration_date"))
    return Figure(pl.when(~migrated).then(completed), pl.coalesce("days_since_first_purchase__why", why))


@kpi(unit="count", window="24m", of="purchase_days")
def active_quarters_8(t: Windows) -> pl.Expr:
    """How many of the eight three-month windows back from t have a purchase in them, 0..8 (reading 35)."""
    active = [t.months("day", 3, skip=3 * k).fill_null(value=False).any().cast(pl.Int64) for k in range(QUARTERS)]
    return pl.sum_horizontal(*active)


@kpi(unit="days", window="all", of="purchase_days", scale=1)
def purchase_gap_days(t: Windows) -> Figure:
    """Median of days between distinct purchase days up to t: the group's own cadence.

    Null with `few_purchase_days` for fewer than three such days (reading 35).
    """
    known = t.until("day")
    gap = pl.col("gap").filter(known).median()
    return Figure(pl.when(count(known) >= 3).then(gap), pl.lit("few_purchase_days"))


@kpi(unit="ratio", window="all", of="kpis", scale=6)
def cadence_recency(_: Windows) -> Figure:
    """Days since the last purchase by the group's own median gap: 1 is on time, 2 a whole cycle late."""
    recency = pl.col("days_since_last_purchase") / pl.col("purchase_gap_days")
    return Figure(recency, pl.coalesce("days_since_last_purchase__why", "purchase_gap_days__why"))
