"""Finds the smallest single change that takes a group to the next tier, and tries it."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.tiering import criteria
from kammodel.tiering.criteria import CRITERION, Criterion, Measure
from kammodel.tiering.scorecard import Scores, score
from kammodel.tiering.stability import LEVEL

_STEP: dict[str, float] = {"money": MONEY_SCALE, "ratio": 0.01, "rate": 0.01, "points": 0.1}
"""The least change of a measure that is worth a word, by unit; 1 for what is counted."""

_MOST_TRIED = 3
_REFINED_UP_TO = 20_000
_HALF_A_TENTH = 0.05
_TOO_MUCH = 101.0
"""More points than there are."""
_WAITS = ("unconfirmed", "between_retiers")


@dataclass(frozen=True)
class _Of:
    """A measure of a criterion, of a group."""

    criterion: Criterion
    measure: Measure
    group: int
    scores: Scores

    @property
    def row(self) -> dict[str, Any]:
        return _row(self.scores.frame, self.group)

    @property
    def own(self) -> dict[str, Any]:
        return _row(self.scores.measures, self.group)

    @property
    def value(self) -> float:
        return float(self.own[self.measure.kpi])

    @property
    def step(self) -> float:
        return _STEP.get(self.measure.unit, 1)


@dataclass(frozen=True)
class Change:
    """One figure of a group, all others as they are. `reaches`: with it the group stands in the next tier, tried by
    scoring everybody again. `held_by`: the rule that kept it out; one that only asks for time (`waits`) lets it in
    later if the figure stays."""

    measure: Measure
    before: float
    after: float
    reaches: bool
    held_by: str | None

    @property
    def waits(self) -> bool:
        return self.held_by in _WAITS


def value_for(kpi: str, group: int, scores: Scores) -> float | None:
    """The value of one measure that alone would give the points missing to the next tier; null: none does."""
    return next((_value_needed(of) for of in _levers(group, scores) if of.measure.kpi == kpi), None)


def smallest_change(
    group: int, scores: Scores, kpis: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None
) -> Change | None:
    """Of the single changes that would give the points missing, the smallest by share of the figure that tries well;
    if none does, the smallest, with what keeps it out. Null: there is none, or nothing is missing.

    Who passes a peer also puts that peer down, so that less may do than the points say: in populations of up to 20,000
    groups that is tried too, by halving, from the best value on where the points are out of reach.
    """
    found, is_tried = [], scores.population_n <= _REFINED_UP_TO
    for of in _levers(group, scores):
        after = _value_needed(of)
        if after is None and is_tried and _best(of) != of.value:
            after = _best(of)
        if after is not None:
            found.append((abs(after - of.value) / (abs(of.value) or _typical(of)), of, after))
    tried: list[tuple[_Of, Change]] = []
    for _, of, after in sorted(found, key=lambda each: each[0])[:_MOST_TRIED]:
        tried.append((of, _tried(of, after, kpis, groups, previous)))
        if tried[-1][1].reaches:
            break
    best = [one for one in tried if one[1].reaches] or [one for one in tried if one[1].waits] or tried
    if not best:
        return None
    of, change = best[0]
    if not (change.reaches or change.waits):
        return change if _value_needed(of) is not None else None
    return _refined(of, change, kpis, groups, previous) if is_tried else change


def _refined(
    of: _Of, change: Change, kpis: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None
) -> Change:
    """The least change that does what `change` does, tried rung by rung."""
    rungs = _ladder(of, change.after)
    worst, best = -1, len(rungs) - 1
    while worst + 1 < best:
        middle = (worst + best) // 2
        tried = _tried(of, rungs[middle], kpis, groups, previous)
        same = (tried.reaches, tried.held_by) == (change.reaches, change.held_by)
        worst, best = (worst, middle) if same else (middle, best)
        change = tried if same else change
    return change


def _ladder(of: _Of, end: float) -> Sequence[float]:
    """The values worth a look from the group's own, left out, to `end`: a rank changes only at a peer's value and just
    beyond it; on other scales every step counts."""
    own, sign = of.value, -1 if of.measure.less_is_better else 1
    by_rank = of.scores.policy.scaling.method_of(of.criterion.key) == "percentile" and not of.measure.cases
    if not by_rank or of.measure.points_per_unit is not None:
        return _Steps(own, sign * of.step, max(0, math.floor(sign * (end - own) / of.step + 1e-9)))
    values = _having(of)[of.measure.kpi].cast(pl.Float64).unique().to_list()
    rungs = {round(rung, 6) for value in (*values, own) for rung in (value, value + sign * of.step)}
    return sorted(
        (rung for rung in {*rungs, end} if 0 < sign * (rung - own) <= sign * (end - own)), key=lambda r: sign * r
    )


@dataclass(frozen=True)
class _Steps(Sequence[float]):
    """So many values, each a step further from a start that is left out."""

    start: float
    step: float
    n: int

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, place: int) -> float: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[float]: ...
    def __getitem__(self, place: int | slice) -> float | Sequence[float]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(self.n))]
        return round(self.start + (place % self.n + 1) * self.step, 6)


def _levers(group: int, scores: Scores) -> Iterator[_Of]:
    if _row(scores.frame, group)["points_missing"] is None:
        return
    own = _row(scores.measures, group)
    has = [m.kpi for m in criteria.measures() if own[f"p_{m.kpi}"] is not None]
    for key in scores.weights:
        for measure in criteria.parts(CRITERION[key], has):
            if measure.is_lever:
                yield _Of(CRITERION[key], measure, group, scores)


def _value_needed(of: _Of) -> float | None:
    """The value nearest to the group's own that gives the points; found by halving: more is never worse. Null: the
    best value does not."""
    wanted, rungs = _points_needed(of), _ladder(of, _best(of))
    if wanted > 100 or not rungs or not _gives(rungs[-1], wanted, of):
        return None
    return rungs[bisect_left(rungs, True, key=lambda rung: _gives(rung, wanted, of))]


def _points_needed(of: _Of) -> float:
    """Points that the measure would have to have, so that the score is the one needed."""
    row, member, own, scores = of.row, _row(of.scores.members, of.group), of.own, of.scores
    target = row["score"] + row["points_missing"] - _HALF_A_TENTH
    weights = {key: weight for key, weight in scores.weights.items() if member[f"s_{key}"] is not None}
    total, weight = sum(weights.values()), weights[of.criterion.key]
    others = {key: member[f"s_{key}"] for key in weights if key != of.criterion.key}
    if scores.policy.aggregation.mean == "geometric":
        rest = sum(weights[key] * math.log(max(value, 1)) for key, value in others.items())
        value = math.exp(min((total * math.log(max(target, 1)) - rest) / weight, math.log(_TOO_MUCH)))
    else:
        value = (total * target - sum(weights[key] * each for key, each in others.items())) / weight
    has = [m.kpi for m in of.criterion.measures if own[f"p_{m.kpi}"] is not None]
    parts = criteria.parts(of.criterion, has)
    return float(value * len(parts) - sum(own[f"p_{m.kpi}"] for m in parts if m is not of.measure))


def _gives(value: float, wanted: float, of: _Of) -> bool:
    """Whether the measure at a value has the points wanted, all others' figures as they are."""
    measure, is_own = of.measure, pl.col("group") == of.group
    columns = [measure.kpi, *([measure.cases] if measure.cases else [])]
    changed = (
        _having(of)
        .select(
            "group",
            "peer",
            *(pl.col(name).cast(pl.Float64) for name in columns),
            in_population=pl.lit(value=True),
        )
        .with_columns(pl.when(is_own).then(pl.lit(value)).otherwise(measure.kpi).alias(measure.kpi))
    )
    expression = criteria.measure_score(measure, of.criterion.key, pl.col("in_population"), of.scores.policy.scaling)
    points = changed.with_columns(points=expression).filter(is_own)["points"].item()
    return points is not None and points >= wanted - 1e-9


def _having(of: _Of) -> pl.DataFrame:
    """The members of the population that have the measure."""
    return of.scores.measures.filter(pl.col(f"p_{of.measure.kpi}").is_not_null())


def _best(of: _Of) -> float:
    """The best value that the measure may take: past all others', within its range."""
    measure = of.measure
    if measure.points_per_unit is not None and measure.most is not None:
        return measure.most
    scale = MONEY_SCALE if measure.unit == "money" else 1
    anchors = [pair[0] * scale for pair in of.scores.policy.scaling.thresholds.get(measure.kpi, [])]
    ends = _having(of).select(a=pl.min(measure.kpi), b=pl.max(measure.kpi)).cast(pl.Float64).row(0)
    values: list[float] = [*ends, *anchors]
    if measure.less_is_better:
        return max(0.0, min(values) - of.step)
    most = max(values) + of.step
    return most if measure.most is None else min(most, measure.most)


def _typical(of: _Of) -> float:
    """What a change from nothing is measured by: the middle size among the peers."""
    middle = of.scores.measures[of.measure.kpi].cast(pl.Float64).abs().median()
    return middle if isinstance(middle, float) and middle > 0 else of.step


def _tried(of: _Of, after: float, kpis: pl.DataFrame, groups: pl.DataFrame, previous: pl.DataFrame | None) -> Change:
    """Scores everybody again with the one figure changed."""
    kpi, scores = of.measure.kpi, of.scores

    def changed(frame: pl.DataFrame) -> pl.DataFrame:
        value = pl.lit(after).cast(frame.schema[kpi])
        return frame.with_columns(pl.when(pl.col("group") == of.group).then(value).otherwise(kpi).alias(kpi))

    in_groups = kpi in groups.columns
    told = (kpis, changed(groups)) if in_groups else (changed(kpis), groups)
    row = _row(score(*told, scores.policy, scores.as_of, previous).frame, of.group)
    reaches = LEVEL.get(row["tier_computed"], 0) >= LEVEL[of.row["next_tier"]]
    return Change(of.measure, of.value, after, reaches, None if reaches else row["computed_rule"])


def _row(frame: pl.DataFrame, group: int) -> dict[str, Any]:
    return frame.filter(pl.col("group") == group).row(0, named=True)
