"""Declares what an account group is judged on: a new criterion is one entry in CRITERIA.

Its default weight is the line of the same name in policy.toml; a criterion without one weighs 0. A measure
whose KPI is not computed here is a measure that nobody has, so an entry may stand before its KPI exists.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.tiering import scaling
from kammodel.tiering.sections import Scaling

Axis = Literal["attractiveness", "strength"]
Unit = Literal["money", "ratio", "rate", "days", "months", "count", "points", "flag"]
Language = Literal["en", "es"]

ATTAINMENT = "cadence_attainment"
"""The one measure that is not a KPI: it depends on the tier in force, see cadence.py."""


@dataclass(frozen=True)
class Measure:
    """One column that a criterion looks at.

    `low`, `high`: the value is clipped there first. `points_per_unit`: the value is an absolute rating and
    becomes `value * points_per_unit`, otherwise it is scaled as the policy says. `cases`: the KPI with the number
    of cases behind a ratio, which is shrunk by them. `stands_in_for`: it counts only where a group lacks that
    measure. `is_lever`: somebody can do something about it; what time alone brings, or nobody should wish for,
    is none. `most`: no value lies above.
    """

    kpi: str
    unit: Unit
    en: str
    es: str
    less_is_better: bool = False
    low: float | None = None
    high: float | None = None
    points_per_unit: float | None = None
    cases: str | None = None
    stands_in_for: str | None = None
    is_lever: bool = True
    most: float | None = None

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
    # Reading 35: yoy clipped to +-1; a null pipeline is unavailable, a 0 is a rank. kam.md says "whitespace_value
    # or wallet gap": both tell of the same room to grow.
    Criterion(
        "potential",
        "attractiveness",
        "growth potential",
        "potencial de crecimiento",
        (
            Measure("weighted_pipeline", "money", "weighted pipeline", "cartera ponderada"),
            Measure(
                "whitespace_value",
                "money",
                "value of what it does not buy yet",
                "valor de lo que aún no compra",
                is_lever=False,
            ),
            Measure(
                "wallet_gap",
                "money",
                "spend with others",
                "gasto con otros",
                stands_in_for="whitespace_value",
                is_lever=False,
            ),
            Measure("revenue_yoy_growth", "ratio", "growth on last year", "crecimiento anual", low=-1, high=1, most=1),
        ),
    ),
    # kam.md §3d step 3 says "input 0-10 x 10": a person's rating is absolute. A percentile would give the
    # only rated account 50, whatever its rating.
    Criterion(
        "strategic",
        "attractiveness",
        "strategic value",
        "valor estratégico",
        (
            Measure(
                "strategic_value", "points", "strategic rating", "valoración estratégica", points_per_unit=10, most=10
            ),
        ),
    ),
    # Reading 35: tenure capped at 120 months; cadence-recency is less-is-better.
    Criterion(
        "loyalty",
        "strength",
        "loyalty",
        "fidelidad",
        (
            Measure("customer_tenure_months", "months", "tenure", "antigüedad", high=120, is_lever=False),
            Measure("active_quarters_8", "count", "active quarters of 8", "trimestres activos de 8", most=8),
            Measure(
                "cadence_recency",
                "ratio",
                "last purchase against own cadence",
                "última compra frente a su ritmo",
                less_is_better=True,
            ),
            Measure(
                "renewal_rate_value", "ratio", "renewal rate", "tasa de renovación", cases="renewals_up_n_12m", most=1
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
            Measure(
                "exec_coverage",
                "ratio",
                "executives spoken with, 180 days",
                "directivos con contacto, 180 días",
                cases="execs_known",
                most=1,
            ),
            Measure(
                ATTAINMENT, "ratio", "contact cadence attained", "cumplimiento del ritmo de contacto", is_lever=False
            ),
        ),
    ),
    Criterion(
        "service_need",
        "attractiveness",
        "service need",
        "sensibilidad al servicio",
        (
            Measure("premium_support", "flag", "premium support", "soporte premium", is_lever=False),
            Measure(
                "case_intensity",
                "rate",
                "cases per 100,000 of revenue",
                "casos por 100.000 de ingresos",
                is_lever=False,
            ),
            # Among others it is a measure like them (reading 29), so a rank, unlike the rating of `strategic`.
            Measure("service_sensitivity", "points", "rating of service need", "valoración de servicio", most=10),
        ),
    ),
    Criterion(
        "esg",
        "attractiveness",
        "sustainability",
        "sostenibilidad",
        (
            Measure(
                "esg_score",
                "points",
                "sustainability rating",
                "valoración de sostenibilidad",
                points_per_unit=1,
                most=100,
            ),
        ),
    ),
)
"""kam.md §3d step 3. The order decides nothing but ties: equal contributions are named in this order."""

CRITERION = {criterion.key: criterion for criterion in CRITERIA}
KEYS = tuple(CRITERION)


def measures() -> Iterator[Measure]:
    """Every declared measure, in order."""
    return (measure for criterion in CRITERIA for measure in criterion.measures)


def inputs(facts: pl.DataFrame) -> list[pl.Expr]:
    """Each measure, and the cases behind it, as a number under its KPI's name: NaN, and a rating outside 0..100
    points, become null.

    A KPI that `facts` does not carry becomes a column of nulls.
    """
    counted = {measure.cases: None for measure in measures() if measure.cases}
    cases = [pl.col(name) if name in facts.columns else pl.lit(None, pl.Float64).alias(name) for name in counted]
    return [_input(measure, facts.schema).alias(measure.kpi) for measure in measures()] + cases


def measure_scores(among: pl.Expr, by: Scaling | None = None) -> list[pl.Expr]:
    """`p_<kpi>`, 0..100, for the rows where `among` holds; null elsewhere and where the group lacks the measure.

    `by`: how, see `scaling`; without it, percentiles among all. With a peer group it looks at the column PEER.
    """
    return [
        measure_score(measure, criterion.key, among, by).alias(f"p_{measure.kpi}")
        for criterion in CRITERIA
        for measure in criterion.measures
    ]


def criterion_scores() -> list[pl.Expr]:
    """`s_<key>`, 0..100: plain mean of the available `p_<kpi>`, not ranked again; null without any (reading 29)."""
    return [pl.mean_horizontal(*_available(criterion)).alias(f"s_{criterion.key}") for criterion in CRITERIA]


def keys_with_input(facts: pl.DataFrame) -> tuple[str, ...]:
    """Criteria that at least one group of the organisation has input for (reading 30), scored or not."""
    return tuple(
        criterion.key
        for criterion in CRITERIA
        if any(facts[measure.kpi].null_count() < facts.height for measure in criterion.measures)
    )


def parts(criterion: Criterion, has: Collection[str]) -> tuple[Measure, ...]:
    """The measures that enter the mean of a criterion for a group that has `has`."""
    return tuple(m for m in criterion.measures if m.kpi in has and m.stands_in_for not in has)


def _available(criterion: Criterion) -> list[pl.Expr]:
    stand_ins = {m.stands_in_for: m.kpi for m in criterion.measures if m.stands_in_for}
    return [
        pl.coalesce(f"p_{m.kpi}", f"p_{stand_ins[m.kpi]}") if m.kpi in stand_ins else pl.col(f"p_{m.kpi}")
        for m in criterion.measures
        if not m.stands_in_for
    ]


def _input(measure: Measure, schema: pl.Schema) -> pl.Expr:
    dtype = schema.get(measure.kpi)
    if dtype is None:
        return pl.lit(None, pl.Float64)
    column = pl.col(measure.kpi)
    value = column if dtype.is_integer() else column.cast(pl.Float64).fill_nan(None)
    if measure.points_per_unit is not None:
        return pl.when((value * measure.points_per_unit).is_between(0, 100)).then(value)
    return value


def measure_score(measure: Measure, criterion: str, among: pl.Expr, by: Scaling | None) -> pl.Expr:
    """Points of one measure, see `measure_scores`."""
    value = pl.when(among).then(pl.col(measure.kpi)).otherwise(None)
    in_peers = by is not None and by.peer_group != "all"
    if measure.low is not None or measure.high is not None:
        value = value.clip(measure.low, measure.high)
    if measure.points_per_unit is not None:
        return value * measure.points_per_unit
    if measure.cases and by is not None and by.ratio_prior:
        cases, prior = pl.when(among).then(pl.col(measure.cases)), by.ratio_prior
        value = _compared(lambda rate: scaling.shrunk(rate, cases, prior), value, in_peers=in_peers)
    method = "percentile" if by is None else by.method_of(criterion)
    if by is not None and method == "thresholds":
        plain = value / MONEY_SCALE if measure.unit == "money" else value
        return scaling.by_thresholds(plain, by.thresholds[measure.kpi])
    if by is not None and method == "log_minmax":
        percent = by.winsorized
        plain = value / MONEY_SCALE if measure.unit == "money" else value
        scored = _compared(lambda size: scaling.log_minmax(size, percent), plain, in_peers=in_peers)
        return 100 - scored if measure.less_is_better else scored
    scale = scaling.percentile_less_is_better if measure.less_is_better else scaling.percentile
    return _compared(scale, value, in_peers=in_peers)


def _compared(scale: Callable[[pl.Expr], pl.Expr], value: pl.Expr, *, in_peers: bool) -> pl.Expr:
    return scaling.within_peers(scale, value) if in_peers else scale(value)
