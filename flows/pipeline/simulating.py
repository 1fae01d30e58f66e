"""Says what another tier policy would change, today and on past days. Writes nothing."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import polars as pl

from flows.pipeline.progress import Progress, quiet
from flows.pipeline.scoring import before_day
from kammodel.facts.windows import months_before
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.inputs import Inputs
from kammodel.rules import CHANGED
from kammodel.scoring import Known, ScoringConfig, known_kpis, read_inputs
from kammodel.store import Store
from kammodel.store.snapshots import every_day_stored
from kammodel.tiering import Policy, Scores, policy_hash, score
from kammodel.tiering.simulation import (
    Cell,
    Held,
    SimulatedMove,
    handed_on,
    held,
    matrix,
    simulated_moves,
    totals,
)

_YEAR = 12
"""Months after a day in which a group that had revenue before brings none: then it was lost."""


@dataclass(frozen=True)
class PolicyPast:
    """A policy over past days. `migration`: from day to day; `moved_share`: of the groups with a tier on both days, how
    many stood in another one; `held`: the tiers of later-lost groups, over the days after which a year is known."""

    migration: tuple[Cell, ...]
    moved_share: float | None
    held: tuple[Held, ...]


@dataclass(frozen=True)
class SimulationPast:
    """`days`: those recomputed; `days_judged`: those of them after which a year has passed."""

    days: tuple[dt.date, ...]
    days_judged: int
    now: PolicyPast
    then: PolicyPast


@dataclass(frozen=True)
class Simulation:
    """Two policies: the one in force and another. `same_policy`: they decide the same. Hours are those that the tiers
    ask of key account managers in a month, `kams` how many of them that takes."""

    as_of: dt.date
    same_policy: bool
    population: int
    totals_now: Mapping[str, int]
    totals_then: Mapping[str, int]
    moves: tuple[SimulatedMove, ...]
    migration: tuple[Cell, ...]
    hours_now: float
    hours_then: float
    kams_now: float
    kams_then: float
    past: SimulationPast | None
    seconds: float


def simulate(
    store: Store,
    config: ScoringConfig,
    policy: Policy,
    *,
    past: bool = False,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> Simulation:
    """The day of `config` by its own policy and by another, from the same facts and what was in force before it.

    The other policy places everybody freely, as the first run under it will. `past`: also every day of which there are
    snapshots, computed again by either policy, each day against the one before it under the same policy.
    """
    began = time.perf_counter()
    inputs = read_inputs(store, given, shard_rows=config.shard_rows)
    before, same = before_day(store, config).snapshots, policy_hash(policy) == policy_hash(config.policy)
    other = before if same or before is None else before.with_columns(pl.lit(value=True).alias(CHANGED))
    known = known_kpis(inputs, config, before)
    now, then = (_scored(known, config.as_of, one, was) for one, was in ((config.policy, before), (policy, other)))
    history = _past(store, inputs, config, policy, progress) if past else None
    return Simulation(
        as_of=config.as_of,
        same_policy=same,
        population=then.population_n,
        totals_now=totals(now),
        totals_then=totals(then),
        moves=simulated_moves(now, then, known.grouping.groups, config.language),
        migration=matrix([(now.frame, then.frame)]),
        hours_now=now.load.hours,
        hours_then=then.load.hours,
        kams_now=now.load.required_kams,
        kams_then=then.load.required_kams,
        past=history,
        seconds=round(time.perf_counter() - began, 3),
    )


def _scored(known: Known, day: dt.date, policy: Policy, previous: pl.DataFrame | None) -> Scores:
    return score(known.kpis, known.grouping.groups, policy, day, previous)


def _past(store: Store, inputs: Inputs, config: ScoringConfig, policy: Policy, progress: Progress) -> SimulationPast:
    with store.transaction() as tx:
        days = every_day_stored(tx, until=config.as_of)
    told = list(_days(inputs, config, policy, days, progress))
    judged = [day for day in days if months_before(day, -_YEAR) <= config.as_of]
    later = {day: _revenue(inputs, config, months_before(day, -_YEAR)) for day in judged}
    now, then = (_over(days, [each[place] for each in told], later) for place in (0, 1))
    return SimulationPast(tuple(days), len(judged), now, then)


def _days(
    inputs: Inputs, config: ScoringConfig, policy: Policy, days: Sequence[dt.date], progress: Progress
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Day by day, under either policy: group_id, tier_effective, revenue_ttm. One day at a time is held in full."""
    before: list[pl.DataFrame | None] = [None, None]
    for place, day in enumerate(days):
        progress("simulate", place, len(days))
        known = known_kpis(inputs, replace(config, as_of=day), before[0])
        revenue = known.kpis.select("group", "revenue_ttm")
        found = [_scored(known, day, one, was) for one, was in zip((config.policy, policy), before, strict=True)]
        before = [handed_on(scores) for scores in found]
        first, second = (
            scores.frame.join(revenue, on="group", maintain_order="left").select(
                "group_id", "tier_effective", "revenue_ttm"
            )
            for scores in found
        )
        yield first, second
    progress("simulate", len(days), len(days))


def _revenue(inputs: Inputs, config: ScoringConfig, day: dt.date) -> pl.DataFrame:
    """group_id, `later`: the revenue of the twelve months up to a day."""
    known = known_kpis(inputs, replace(config, as_of=day))
    return known.grouping.groups.select("group", "group_id").join(
        known.kpis.select("group", later="revenue_ttm"), on="group"
    )


def _over(days: Sequence[dt.date], frames: Sequence[pl.DataFrame], later: Mapping[dt.date, pl.DataFrame]) -> PolicyPast:
    cells = matrix(list(pairwise(frames)))
    every = sum(cell.groups for cell in cells)
    moved = sum(cell.groups for cell in cells if cell.before != cell.after)
    judged = [
        frame.filter(pl.col("revenue_ttm") > 0)
        .join(later[day], on="group_id")
        .filter(pl.col("later").is_not_null())
        .select("tier_effective", is_lost=pl.col("later") <= 0)
        for day, frame in zip(days, frames, strict=True)
        if day in later
    ]
    return PolicyPast(cells, round(moved / every, 4) if every else None, held(judged))
