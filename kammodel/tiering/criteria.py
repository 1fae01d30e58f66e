"""Declares what an account group is judged on: a new criterion is one entry in CRITERIA.

Its default weight is the line of the same name in policy.toml; a criterion without one weighs 0. A measure
whose KPI is not computed here is a measure that nobody has, so an entry may stand before its KPI exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from kammodel.tiering.scaling import percentile, percentile_less_is_better

Axis = Literal["attractiveness", "strength"]
Unit = Literal["money", "ratio", "days", "months", "count", "points"]
Language = Literal["en", "es"]

ATTAINMENT = "cadence_attainment"
"""The one measure that is not a KPI: it depends on the tier in force, see cadence.py."""


@dataclass(frozen=True)
class Measure:
    """One column that a criterion looks at.

    `low`, `high`: the value is clipped there first. `points_per_unit`: the value is an absolute rating and
    becomes `value * points_per_unit`, otherwise it becomes a percentile among the
    population.
    """

    kpi: str
    unit: Unit
    en: str
    es: str
    less_is_better: bool = False
    low: float | None = None
    high: float | None = None
    points_per_unit: float | None = None

    def label(self, language: Language) -> str:
        return self.es if language == "es" else self.en


@dataclass(frozen=True)
class Criterion:
    """A plain mean of those of its measures that a group has (reading 29), counted on one axis of the quadrant."""

    key: str
    axis: Axis
    en: str
    es: str
    measures: tuple[Measure, ...]

    def label(self, language: Language) -> str:
        return self.es if language == "es" else self.en


CRITERIA: tuple[Criterion, ...] = (
    Criterion(
        "volume",
        "attractiveness",
        "purchase volume",
        "volumen de compra",
        (Measure("revenue_ttm", "money", "revenue, 12 months", "ingresos, 12 meses"),),
    ),
    # Reading 35: yoy clipped to +-1; a null pipeline is unavailable, a 0 is a rank.
    Criterion(
        "potential",
        "attractiveness",
        "growth potential",
        "potencial de crecimiento",
        (
            Measure("weighted_pipeline", "money", "weighted pipeline", "cartera ponderada"),
            Measure("revenue_yoy_growth", "ratio", "growth on last year", "crecimiento anual", low=-1, high=1),
        ),
    ),
    # kam.md §3d step 3 says "input 0-10 x 10": a person's rating is absolute. A percentile would give the
    # only rated account 50, whatever its rating.
    Criterion(
        "strategic",
        "attractiveness",
        "strategic value",
        "valor estratégico",
        (Measure("strategic_value", "points", "strategic rating", "valoración estratégica", points_per_unit=10),),
    ),
    # Reading 35: tenure capped at 120 months; cadence-recency is less-is-better.
    Criterion(
        "loyalty",
        "strength",
        "loyalty",
        "fidelidad",
        (
            Measure("customer_tenure_months", "months", "tenure", "antigüedad", high=120),
            Measure("active_quarters_8", "count", "active quarters of 8", "trimestres activos de 8"),
            Measure(
                "cadence_recency",
                "ratio",
                "last purchase against own cadence",
                "última compra frente a su ritmo",
                less_is_better=True,
            ),
        ),
    ),
    Criterion(
        "relationship",
        "strength",
        "relationship",
        "relación",
        (
            Measure("active_contacts_180d", "count", "active contacts, 180 days", "contactos activos, 180 días"),
            Measure(ATTAINMENT, "ratio", "contact cadence attained", "cumplimiento del ritmo de contacto"),
        ),
    ),
    Criterion(
        "service_need",
        "attractiveness",
        "service need",
        "sensibilidad al servicio",
        (Measure("case_intensity", "ratio", "cases per 100,000 of revenue", "casos por 100.000 de ingresos"),),
    ),
)
"""kam.md §3d step 3. The order decides nothing but ties: equal contributions are named in this order."""

CRITERION = {criterion.key: criterion for criterion in CRITERIA}
KEYS = tuple(CRITERION)


def measures() -> Iterator[Measure]:
    """Every declared measure, in order."""
    return (measure for criterion in CRITERIA for measure in criterion.measures)


def inputs(facts: pl.DataFrame) -> list[pl.Expr]:
    """Each measure as a number under its KPI's name: NaN, and a rating outside 0..100 points, become null.

    A KPI that `facts` does not carry becomes a column of nulls.
    """
    return [_input(measure, facts.schema).alias(measure.kpi) for measure in measures()]


def measure_scores(among: pl.Expr) -> list[pl.Expr]:
    """`p_<kpi>`, 0..100, for the rows where `among` holds; null elsewhere and where the group lacks the measure."""
    return [_measure_score(measure, among).alias(f"p_{measure.kpi}") for measure in measures()]


def criterion_scores() -> list[pl.Expr]:
    """`s_<key>`, 0..100: plain mean of the available `p_<kpi>`, not ranked again; null without any (reading 29)."""
    return [
        pl.mean_horizontal(*(f"p_{measure.kpi}" for measure in criterion.measures)).alias(f"s_{criterion.key}")
        for criterion in CRITERIA
    ]


def keys_with_input(facts: pl.DataFrame) -> tuple[str, ...]:
    """Criteria that at least one group of the organisation has input for (reading 30), scored or not."""
    return tuple(
        criterion.key
        for criterion in CRITERIA
        if any(facts[measure.kpi].null_count() < facts.height for measure in criterion.measures)
    )


def _input(measure: Measure, schema: pl.Schema) -> pl.Expr:
    dtype = schema.get(measure.kpi)
    if dtype is None:
        return pl.lit(None, pl.Float64)
    column = pl.col(measure.kpi)
    value = column if dtype.is_integer() else column.cast(pl.Float64).fill_nan(None)
    if measure.points_per_unit is not None:
        return pl.when((value * measure.points_per_unit).is_between(0, 100)).then(value)
    return value


def _measure_score(measure: Measure, among: pl.Expr) -> pl.Expr:
    value = pl.when(among).then(pl.col(measure.kpi)).otherwise(None)
    if measure.low is not None or measure.high is not None:
        value = value.clip(measure.low, measure.high)
    if measure.points_per_unit is not None:
        return value * measure.points_per_unit
    return percentile_less_is_better(value) if measure.less_is_better else percentile(value)
