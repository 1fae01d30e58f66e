"""How customers are served: what is open, what is grave, and how long they wait. Cases and tickets (reading 25)."""

from __future__ import annotations

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, Level, kpi
from kammodel.kpis.sums import count

ALL: tuple[Level, ...] = ("group", "kam", "portfolio")
PER = 100_000
"""Units of revenue that cases are set against (kam.md §4 case_intensity)."""


def _median(rows: pl.Expr, hours: str) -> pl.Expr:
    return pl.col(hours).filter(rows).median()


@kpi(unit="count", window="now", of="cases", levels=ALL)
def open_cases(_: Windows) -> pl.Expr:
    """Cases that were open at the cut: opened by then, and not closed. A closed one without a time is closed."""
    return count(pl.col("is_open"))


@kpi(unit="count", window="now", of="cases", levels=ALL)
def open_cases_high(_: Windows) -> pl.Expr:
    """Open cases of high priority, by the words of words.csv: high, urgent, critical unless it says otherwise."""
    return count(pl.col("is_open") & pl.col("is_high"))


@kpi(unit="count", window="90d", of="cases", levels=ALL)
def escalations_90d(t: Windows) -> pl.Expr:
    """Escalated cases that were opened in the last 90 days: marked so, or with a status that words.csv calls so.
    When a case escalated, CRMs do not tell."""
    return count(pl.col("is_escalated") & t.days("opened_on", 90))


@kpi(unit="count", window="365d", of="cases", levels=ALL)
def cases_opened_365d(t: Windows) -> pl.Expr:
    """Cases opened in the last 365 days."""
    return count(t.days("opened_on", 365))


@kpi(unit="hours", window="90d", of="cases", scale=2, levels=ALL)
def first_response_h(t: Windows) -> Figure:
    """Median hours until the first answer, elapsed, of cases opened in the last 90 days of which service.csv or the
    CRM tells it; null with `not_given` for none."""
    return Figure(_median(t.days("opened_on", 90), "first_response_hours"), pl.lit("not_given"))


@kpi(unit="hours", window="90d", of="cases", scale=2, levels=ALL)
def median_ttr_h(t: Windows) -> Figure:
    """Median hours from opening to closing, elapsed, of cases closed in the last 90 days; null with
    `nothing_closed`. One closed before it was opened is left out and counted."""
    return Figure(_median(t.days("closed_on", 90), "hours_to_close"), pl.lit("nothing_closed"))


@kpi(unit="days", window="now", of="cases", scale=1, levels=ALL)
def p90_backlog_age(_: Windows) -> Figure:
    """The age in days that nine of ten open cases stay below (type 7); null with `none_open`. Open cases are looked at
    here only: how long they will take in all is not known yet."""
    age = pl.col("days_open").filter("is_open").quantile(0.9, interpolation="linear")
    return Figure(age, pl.lit("none_open"))


@kpi(unit="days", window="now", of="cases", levels=ALL)
def oldest_open_case_days(_: Windows) -> Figure:
    """The age in days of the oldest open case; null with `none_open`."""
    return Figure(pl.when("is_open").then(pl.col("days_open")).max(), pl.lit("none_open"))


@kpi(unit="ratio", window="90d", of="cases", scale=6, levels=ALL)
def sla_attainment(t: Windows) -> Figure:
    """Share of the cases opened in the last 90 days with an agreed time (service.csv, or the CRM) in which it was kept,
    of those where that is decided; null with `no_sla`."""
    agreed = count(t.days("opened_on", 90) & pl.col("is_sla_met").is_not_null())
    kept = count(t.days("opened_on", 90) & pl.col("is_sla_met"))
    return Figure(pl.when(agreed > 0).then(kept / agreed), pl.lit("no_sla"))


@kpi(unit="ratio", window="365d", of="cases", scale=6, levels=ALL)
def reopen_rate(t: Windows) -> Figure:
    """Share of the cases opened in the last 365 days that were opened again, of those of which service.csv or the CRM
    tells it; null with `not_given`."""
    told = count(t.days("opened_on", 365) & pl.col("reopened").is_not_null())
    again = count(t.days("opened_on", 365) & (pl.col("reopened") > 0))
    return Figure(pl.when(told > 0).then(again / told), pl.lit("not_given"))


@kpi(unit="ratio", window="365d", of="kpis", scale=4)
def case_intensity(_: Windows) -> Figure:
    """Cases opened in the last 365 days per 100,000 of revenue_ttm; null with `no_revenue` where that is 0 or less
    (reading 25)."""
    revenue = pl.col("revenue_ttm")
    intensity = pl.col("cases_opened_365d") * (PER * MONEY_SCALE) / revenue
    return Figure(
        pl.when(revenue > 0).then(intensity),
        pl.coalesce("cases_opened_365d__why", "revenue_ttm__why", pl.lit("no_revenue")),
    )


@kpi(unit="flag", window="now", of="ratings")
def premium_support(_: Windows) -> Figure:
    """1 where the group pays for premium support, by ratings.csv; null with `not_given`."""
    return Figure(pl.col("premium_support").max().cast(pl.Int64), pl.lit("not_given"))


@kpi(unit="points", window="now", of="ratings", scale=1)
def service_sensitivity(_: Windows) -> Figure:
    """How much the group values service, 0..10, as its key account manager rates it in ratings.csv."""
    return Figure(pl.col("service_sensitivity").max(), pl.lit("not_given"))
