"""Splits what a criterion moved since the last run: what the group did itself, and what its peers did."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from kammodel.entities.types import MONEY_SCALE
from kammodel.tiering import criteria
from kammodel.tiering.memory import STATE
from kammodel.tiering.scorecard import Scores


@dataclass(frozen=True)
class Moved:
    """Points of the score: `own` by the group's own figures, its peers held where they were; `peers` by theirs; `rest`
    by criteria that began or ceased to count. They sum to the change of the contribution."""

    own: float
    peers: float
    rest: float


def moved(group_id: str, scores: Scores, previous: pl.DataFrame | None) -> dict[str, Moved]:
    """By criterion in use; empty where it cannot be told: other rules, not ranked before, or snapshots without KPIs.

    kam.md §3d step 11: the peers' distribution is that of the last run, and the group's figures of today are put into
    it. A criterion that the group lacked before or lacks now is all `rest`.
    """
    before = _ranked_before(group_id, scores, previous)
    row = scores.frame.filter(pl.col("group_id") == group_id)
    if before is None or row.is_empty() or not row["in_population"][0]:
        return {}
    fixed = _put_among(before, group_id, scores)
    earlier = before.filter(pl.col("group_id") == group_id).row(0, named=True)
    now = row.row(0, named=True)
    return {key: _split(key, now, earlier["criteria"], fixed[f"s_{key}"], scores) for key in scores.weights}


def _split(key: str, now: dict[str, Any], earlier: dict[str, Any], fixed: float | None, scores: Scores) -> Moved:
    change = round((now[f"c_{key}"] or 0) - (earlier[f"c_{key}"] or 0), 1)
    value, was = now[f"s_{key}"], earlier[f"s_{key}"]
    if value is None or was is None or fixed is None:
        return Moved(0.0, 0.0, change)
    have = [name for name in scores.weights if now[f"s_{name}"] is not None]
    had = [name for name in scores.weights if earlier[f"s_{name}"] is not None]
    share = scores.weights[key] / sum(scores.weights[name] for name in have)
    own = round(share * _way(was, fixed, now["score"], scores), 1)
    peers = round(change - own, 1) if have == had else round(share * _way(fixed, value, now["score"], scores), 1)
    return Moved(own, peers, round(change - own - peers, 1))


def _way(start: float, end: float, score: float, scores: Scores) -> float:
    """Points of the score, at full weight, from one value of a criterion to another."""
    if scores.policy.aggregation.mean == "geometric":
        return score * (math.log(max(end, 1)) - math.log(max(start, 1)))
    return end - start


def _ranked_before(group_id: str, scores: Scores, previous: pl.DataFrame | None) -> pl.DataFrame | None:
    """The population of the last run: group_id, each measure as it was, `criteria` (c_ and s_ of then), peer."""
    needed = ("kpis", "criteria", "in_population")
    if previous is None or any(name not in previous.columns for name in needed):
        return None
    ranked = previous.filter("in_population")
    own = ranked.filter(pl.col("group_id") == group_id)
    if own.is_empty() or ("rules_changed" in own.columns and own["rules_changed"][0]):
        return None
    names = {m.kpi: m for m in criteria.measures()} | {m.cases: None for m in criteria.measures() if m.cases}
    figures = pl.col("kpis").str.json_decode(pl.Struct(dict.fromkeys(names, pl.Float64))).struct
    parts = pl.Struct({f"{of}_{key}": pl.Float64 for of in "cs" for key in criteria.KEYS})
    kept = {name.removeprefix("m_"): pl.Float64 for name in STATE if name.startswith("m_")}
    state = pl.col("criteria").str.json_decode(pl.Struct({f"m_{name}": kind for name, kind in kept.items()})).struct
    values = [
        (
            pl.coalesce(state.field(f"m_{name}"), figures.field(name))
            if name in kept
            else _stored(figures.field(name), measure)
        ).alias(name)
        for name, measure in names.items()
    ]
    peers = scores.frame.select("group_id", "group").join(scores.measures.select("group", "peer"), on="group")
    return ranked.select("group_id", *values, criteria=pl.col("criteria").str.json_decode(parts)).join(
        peers.select("group_id", "peer"), on="group_id", how="left", maintain_order="left"
    )


def _stored(value: pl.Expr, measure: criteria.Measure | None) -> pl.Expr:
    """Money of a snapshot is in plain units; here it is counted as everywhere."""
    return (value * MONEY_SCALE).round(0) if measure is not None and measure.unit == "money" else value


def _put_among(before: pl.DataFrame, group_id: str, scores: Scores) -> dict[str, Any]:
    """Criteria of the group with its figures of today among its peers of then."""
    own = scores.frame.filter(pl.col("group_id") == group_id).select("group", "group_id")
    today = own.join(scores.measures, on="group").row(0, named=True)
    is_own = pl.col("group_id") == group_id
    measures = [m.kpi for m in criteria.measures()]
    mixed = before.with_columns(
        pl.when(is_own).then(pl.lit(today[kpi], pl.Float64)).otherwise(kpi).alias(kpi) for kpi in measures
    ).with_columns(in_population=pl.lit(value=True))
    scored = mixed.with_columns(criteria.measure_scores(pl.col("in_population"), scores.policy.scaling))
    return scored.with_columns(criteria.criterion_scores()).filter(is_own).row(0, named=True)
