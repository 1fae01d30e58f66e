"""What customers say when they are asked, by surveys.csv. Too few answers are no percentage."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, Level, kpi
from kammodel.kpis.sums import count

ALL: tuple[Level, ...] = ("group", "kam", "portfolio")
ENOUGH = 5
"""Answers from which a share is shown (kam.md §4 csat)."""


def _answers(t: Windows, kind: str) -> pl.Expr:
    return (pl.col("kind") == kind) & t.months("answered_on", 12)


def _few(n: pl.Expr) -> pl.Expr:
    return pl.when(n == 0).then(pl.lit("no_answers")).otherwise(pl.lit("few_answers"))


@kpi(unit="count", window="12m", of="surveys", levels=ALL)
def csat_answers_12m(t: Windows) -> pl.Expr:
    """Answers about satisfaction in (t - 12 months, t]."""
    return count(_answers(t, "csat"))


@kpi(unit="ratio", window="12m", of="surveys", scale=6, levels=ALL)
def csat(t: Windows) -> Figure:
    """Share of the answers about satisfaction in (t - 12 months, t] that are one of the two highest of their scale.

    Null with `few_answers` below five, with `no_answers` for none.
    """
    n = count(_answers(t, "csat"))
    return Figure(pl.when(n >= ENOUGH).then(count(_answers(t, "csat") & pl.col("is_top")) / n), _few(n))


@kpi(unit="count", window="12m", of="surveys", levels=ALL)
def nps_answers_12m(t: Windows) -> pl.Expr:
    """Answers on recommending us in (t - 12 months, t]."""
    return count(_answers(t, "nps"))


@kpi(unit="count", window="12m", of="surveys", levels=ALL)
def nps_promoters_12m(t: Windows) -> pl.Expr:
    """Those of them that are 9 or 10."""
    return count(_answers(t, "nps") & (pl.col("score") >= 9))


@kpi(unit="count", window="12m", of="surveys", levels=ALL)
def nps_detractors_12m(t: Windows) -> pl.Expr:
    """Those of them that are 6 or less."""
    return count(_answers(t, "nps") & (pl.col("score") <= 6))


@kpi(unit="count", window="12m", of="surveys", levels=ALL)
def nps_detractors_key_12m(t: Windows) -> pl.Expr:
    """Detractors who have a buying role or sponsor us: one of them weighs more than a percentage of three."""
    return count(_answers(t, "nps") & (pl.col("score") <= 6) & pl.col("is_key"))


@kpi(unit="points", window="12m", of="surveys", scale=1, levels=ALL)
def nps(t: Windows) -> Figure:
    """Percent of promoters less percent of detractors, -100..100, in (t - 12 months, t].

    Null with `few_answers` below five, with `no_answers` for none; the answers themselves stand beside it.
    """
    n = count(_answers(t, "nps"))
    promoters = count(_answers(t, "nps") & (pl.col("score") >= 9))
    detractors = count(_answers(t, "nps") & (pl.col("score") <= 6))
    return Figure(pl.when(n >= ENOUGH).then(100 * (promoters - detractors) / n), _few(n))


@kpi(unit="ratio", window="12m", of="surveys", scale=6, levels=ALL)
def survey_response_rate_12m(t: Windows) -> Figure:
    """Share of the questions of any kind asked in (t - 12 months, t] that were answered by t; null with `not_asked`."""
    asked = count(t.months("asked_on", 12))
    answered = count(t.months("asked_on", 12) & pl.col("answered_on").is_not_null())
    return Figure(pl.when(asked > 0).then(answered / asked), pl.lit("not_asked"))


@kpi(unit="days", window="all", of="surveys")
def days_since_last_answer(t: Windows) -> Figure:
    """Days since the last answer to a survey; null with `never`."""
    return Figure(t.days_since(pl.when(t.until("answered_on")).then(pl.col("answered_on")).max()), pl.lit("never"))
