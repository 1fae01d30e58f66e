"""What became of last year's customers: retention, and the bridge from last year's revenue to this year's.

Over account groups, a year apart, with today's hierarchy on both sides. The cohort: groups whose revenue of the year
before was above 0. A group whose revenue is not known is in none of it, and counted; one for which a rate is missing
leaves all of it unknown (readings 7 and 9). For one group alone the cohort is that group.
"""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.sums import blocks, count

_NOW, _BEFORE = pl.col("revenue_ttm").cast(pl.Int128), pl.col("revenue_prior_ttm").cast(pl.Int128)


def _known() -> pl.Expr:
    return _NOW.is_not_null() & _BEFORE.is_not_null()


def _cohort() -> pl.Expr:
    return _known() & (_BEFORE > 0)


def _blocked() -> pl.Expr:
    return pl.coalesce(blocks(pl.col("revenue_ttm__why")), blocks(pl.col("revenue_prior_ttm__why"))).min()


def _sum(rows: pl.Expr, value: pl.Expr) -> Figure:
    """Null where a group's revenue leaves it unknown, and where no group's revenue is known at all."""
    any_known = pl.when(count(_known()) == 0).then(pl.coalesce("revenue_ttm__why", "revenue_prior_ttm__why").min())
    why = pl.coalesce(_blocked(), any_known)
    return Figure(pl.when(why.is_null()).then(pl.when(rows).then(value).sum()), why)


@kpi(unit="money", window="12m before", of="groups", levels=ALL_LEVELS)
def cohort_revenue(_: Windows) -> Figure:
    """Where the bridge starts: revenue of the cohort in (t - 24 months, t - 12 months]."""
    return _sum(_cohort(), _BEFORE)


@kpi(unit="money", window="12m", of="groups", levels=ALL_LEVELS)
def expansion_revenue(_: Windows) -> Figure:
    """What groups of the cohort brought more than in the year before."""
    return _sum(_cohort() & (_NOW > _BEFORE), _NOW - _BEFORE)


@kpi(unit="money", window="12m", of="groups", levels=ALL_LEVELS)
def contraction_revenue(_: Windows) -> Figure:
    """What groups of the cohort that still bring something brought less than in the year before."""
    return _sum(_cohort() & (_NOW > 0) & (_NOW < _BEFORE), _BEFORE - _NOW)


@kpi(unit="money", window="12m", of="groups", levels=ALL_LEVELS)
def churned_revenue(_: Windows) -> Figure:
    """What groups of the cohort that now bring nothing, or less by credits, brought less than in the year before."""
    return _sum(_cohort() & (_NOW <= 0), _BEFORE - _NOW)


@kpi(unit="money", window="12m", of="groups", levels=ALL_LEVELS)
def new_revenue(_: Windows) -> Figure:
    """What groups outside of the cohort bring now, credits included."""
    return _sum(_known() & (_BEFORE <= 0), _NOW)


@kpi(unit="money", window="12m", of="groups", levels=ALL_LEVELS)
def bridge_revenue(_: Windows) -> Figure:
    """Where the bridge ends: revenue now of the groups that are in it.

    `cohort_revenue + expansion_revenue - contraction_revenue - churned_revenue + new_revenue`, to the unit.
    """
    return _sum(_known(), _NOW)


@kpi(unit="count", window="24m", of="groups", levels=("kam", "portfolio"))
def bridge_left_out_n(_: Windows) -> pl.Expr:
    """Groups whose revenue of either year is not known: they are in no figure of retention."""
    return count(pl.col("revenue_ttm__why").is_not_null() | pl.col("revenue_prior_ttm__why").is_not_null())


def _of_cohort(t: Windows, above: pl.Expr, below: pl.Expr) -> Figure:
    """Null with `no_cohort`, and with `short_history` while the first revenue event is younger than 24 months: the year
    before is then no whole one (reading 11)."""
    first = (pl.lit(t.day) - pl.duration(days=pl.col("days_since_first_revenue").max())).cast(pl.Date)
    short = pl.when(first > t.start_of_months(24)).then(pl.lit("short_history"))
    total = pl.when(_cohort()).then(below).sum()
    none = pl.when(count(_cohort()) == 0).then(pl.lit("no_cohort"))
    why = pl.coalesce(_sum(_cohort(), below).why, none, short)
    return Figure(pl.when(why.is_null()).then(pl.when(_cohort()).then(above).sum() / total), why)


@kpi(unit="ratio", window="24m", of="groups", scale=6, levels=ALL_LEVELS)
def nrr_ttm(t: Windows) -> Figure:
    """Net revenue retention: the cohort's revenue of the last twelve months by its revenue of the twelve before. New
    groups are out, contraction, loss and expansion are in (kam.md §4)."""
    return _of_cohort(t, _NOW, _BEFORE)


@kpi(unit="ratio", window="24m", of="groups", scale=6, levels=ALL_LEVELS)
def grr_ttm(t: Windows) -> Figure:
    """Gross revenue retention: as nrr_ttm, of each group no more than it brought the year before, so that it is 1 at
    most. The lesser of the two is taken per group, not per product (kam.md §4)."""
    return _of_cohort(t, pl.min_horizontal(_NOW, _BEFORE), _BEFORE)


@kpi(unit="ratio", window="24m", of="groups", scale=6, levels=ALL_LEVELS)
def logo_retention_ttm(t: Windows) -> Figure:
    """Share of the cohort, by number, that still brings something."""
    return _of_cohort(t, (_NOW > 0).cast(pl.Int128), pl.lit(1, pl.Int128))
