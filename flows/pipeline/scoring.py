"""Scores every account group as of a day, and remembers what changed."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import polars as pl

from flows.pipeline.progress import Clock, Progress, quiet
from flows.results import ScoreReceipt, TierMove
from kammodel.entities import Run
from kammodel.scoring import ScoredDay, ScoringConfig, read_inputs, score_day, snapshot_frame
from kammodel.store import Store
from kammodel.store.control import end_run, start_run
from kammodel.store.snapshots import append_snapshots, latest_snapshots


def score(store: Store, config: ScoringConfig, clock: Clock, *, progress: Progress = quiet) -> ScoreReceipt:
    """Scores as of `config.as_of` and appends the snapshots that differ from those in force for that day."""
    began = time.perf_counter()
    run_id, at = f"score-{uuid.uuid4().hex[:12]}", clock()
    progress("score", 0, None)
    day = score_day_of(store, config)
    with store.transaction() as tx:
        start_run(tx, Run(run_id=run_id, kind="score", started_at=at, as_of=config.as_of))
        appended = append_snapshots(tx, snapshot_frame(day, run_id, at))
        end_run(tx, run_id, "done", {"appended": appended}, clock())
    frame = day.scores.frame
    progress("score", frame.height, frame.height)
    tiers = frame["tier_effective"].drop_nulls().value_counts().sort("tier_effective")
    return ScoreReceipt(
        run_id=run_id,
        as_of=config.as_of,
        accounts=day.members.height,
        groups=frame.height,
        population=day.scores.population_n,
        tiers=dict(tiers.iter_rows()),
        moves=tuple(_moves(day)),
        appended=appended,
        unavailable_criteria=day.scores.unavailable,
        counts=dict(day.counts),
        seconds=round(time.perf_counter() - began, 3),
    )


def score_day_of(store: Store, config: ScoringConfig) -> ScoredDay:
    """The day scored from what the store holds, against what was in force the day before: a second run of the
    same day gives the same result."""
    with store.transaction() as tx:
        previous = latest_snapshots(tx, until=config.as_of - dt.timedelta(days=1))
    return score_day(read_inputs(store), config, None if previous.is_empty() else previous)


def _moves(day: ScoredDay) -> list[TierMove]:
    """Groups whose tier in force changed, highest score first. A first run has none."""
    if day.previous is None:
        return []
    before = day.previous.select("group_id", before="tier_effective")
    moved = (
        day.scores.frame.join(before, on="group_id", how="inner")
        .filter(~pl.col("tier_effective").eq_missing(pl.col("before")))
        .join(day.groups.select("group", "name"), on="group", how="left")
        .join(day.reasons, on="group", how="left")
        .sort("score", "group_id", descending=[True, False], nulls_last=True)
    )
    columns = ("group_id", "name", "before", "tier_effective", "score", "reason")
    return [TierMove(*row) for row in moved.select(columns).iter_rows()]
