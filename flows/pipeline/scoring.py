"""Scores every account group as of a day, and remembers what changed."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

import polars as pl

from flows.pipeline.progress import Clock, Progress, quiet
from flows.results import ScoreReceipt, TierMove
from kammodel.digest import digest
from kammodel.elsewhere import Elsewhere, Piece, known_elsewhere, shards_of
from kammodel.entities import Run
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.rules import rules_text, with_rule_change
from kammodel.scoring import (
    Known,
    ScoredDay,
    ScoringConfig,
    config_hash,
    end_of_day,
    read_inputs,
    score_day,
    score_known,
    snapshot_frame,
)
from kammodel.snapshot import plain_figures
from kammodel.store import Store, Transaction
from kammodel.store.control import end_run, has_run_since, last_run_of_day, start_run
from kammodel.store.rules import load_rules, save_rules
from kammodel.store.snapshots import append_snapshots, in_force_mark, latest_snapshots
from kammodel.store.suppressing import forgotten_mark

log = logging.getLogger(__name__)

Kind = Literal["score", "backfill"]
_KINDS: tuple[Kind, ...] = ("score", "backfill")
THIN = "thin"
"""Kinds of runs."""

NOT_KEPT = "nothing of that day was stored; compute it once more"

MOST_NAMES = 5
"""Unknown accounts of a file that a receipt names."""


class ForgottenMeanwhile(KamError):
    """What was computed from what the store held before may tell of whom `kam forget` has erased since."""


def score(
    store: Store,
    config: ScoringConfig,
    clock: Clock,
    *,
    given: Given = NOTHING_GIVEN,
    elsewhere: Elsewhere | None = None,
    progress: Progress = quiet,
) -> ScoreReceipt:
    """Scores as of `config.as_of` and appends the snapshots that differ from those in force for that day.

    `elsewhere`: has the shards of many rows computed by other processes that reach the store, to the same figures.

    Computes once more where somebody was forgotten meanwhile. Raises ForgottenMeanwhile where it happened again.
    """
    began = time.perf_counter()
    try:
        return _scored(store, config, clock, given=given, elsewhere=elsewhere, progress=progress, began=began)
    except ForgottenMeanwhile as fault:
        log.warning("%s", fault)
        return _scored(store, config, clock, given=given, elsewhere=elsewhere, progress=progress, began=began)


def _scored(
    store: Store,
    config: ScoringConfig,
    clock: Clock,
    *,
    given: Given,
    elsewhere: Elsewhere | None,
    progress: Progress,
    began: float,
) -> ScoreReceipt:
    at, before = clock(), before_day(store, config)
    progress("score", 0, None)
    known = (
        None
        if elsewhere is None
        else _known_elsewhere(store, config, given, before, elsewhere=elsewhere, progress=progress)
    )
    if known is None:
        inputs = read_inputs(store, given, end_of_day(config), config.shard_rows)
        day = score_day(inputs, config, before.snapshots, with_portfolio=True)
    else:
        day = score_known(known, config, before.snapshots, with_portfolio=True)
    run_id, appended = keep_day(store, day, before, kind="score", at=at, clock=clock)
    frame = day.scores.frame
    progress("score", frame.height, frame.height)
    return ScoreReceipt(
        run_id=run_id,
        as_of=config.as_of,
        accounts=day.members.height,
        groups=frame.height,
        population=day.scores.population_n,
        tiers=tiers_of(day),
        moves=tuple(_moves(day)),
        appended=appended,
        unavailable_criteria=day.scores.unavailable,
        counts=dict(day.counts),
        seconds=round(time.perf_counter() - began, 3),
        unknown_accounts={file: tuple(names[:MOST_NAMES]) for file, names in day.unknown_accounts.items()},
        portfolio=plain_figures(day.portfolio) if day.portfolio is not None else {},
    )


def _known_elsewhere(
    store: Store, config: ScoringConfig, given: Given, before: Before, *, elsewhere: Elsewhere, progress: Progress
) -> Known | None:
    """The KPIs by shards that others compute; None where there is one shard only, or the store changed meanwhile."""
    shards = shards_of(store, given, config.shard_rows)
    if shards == 1:
        return None
    small = read_inputs(store, given, end_of_day(config), shard_rows=None)
    with closing(elsewhere(config, given, shards)) as pieces:
        told = _told(pieces, shards, progress)
        known = known_elsewhere(small, config, told, shards, before.snapshots)
    if known is None:
        log.warning("the store changed while shards were computed elsewhere: all of them are computed here once more")
    return known


def _told(pieces: Iterable[Piece], shards: int, progress: Progress) -> Iterator[Piece]:
    for done, piece in enumerate(pieces, 1):
        progress("score", done, shards)
        yield piece


def score_day_of(store: Store, config: ScoringConfig, given: Given = NOTHING_GIVEN) -> ScoredDay:
    """The day scored from what the store holds, against what was in force the day before: a second run of the
    same day gives the same result."""
    before = before_day(store, config)
    return score_day(read_inputs(store, given, end_of_day(config), config.shard_rows), config, before.snapshots)


@dataclass(frozen=True)
class Before:
    """What was in force before a day: the snapshots, with `rules_changed`; None where there were none. `mark` changes
    when they do. `forgotten`: who had been forgotten, see `forgotten_mark`."""

    snapshots: pl.DataFrame | None
    mark: str
    forgotten: str


def before_day(store: Store, config: ScoringConfig) -> Before:
    """What was in force before `config.as_of`, looked at from the rules of today."""
    until = config.as_of - dt.timedelta(days=1)
    with store.transaction() as tx:
        previous, mark = latest_snapshots(tx, until=until), in_force_mark(tx, until=until)
        known = dict(load_rules(tx, previous["config_hash"]).iter_rows())
        forgotten = forgotten_mark(tx)
    if previous.is_empty():
        return Before(None, mark, forgotten)
    return Before(with_rule_change(previous, known, config_hash(config), rules_text(config)), mark, forgotten)


def keep_day(
    store: Store, day: ScoredDay, before: Before, *, kind: Kind, at: dt.datetime, clock: Clock
) -> tuple[str, int]:
    """Appends what a scored day has new, with the rules behind it and what it was made from, all together or not at
    all. The run's id, and how many snapshots. Raises ForgottenMeanwhile where somebody was forgotten since `before`:
    the day may tell of them."""
    run_id, as_of = f"{kind}-{uuid.uuid4().hex[:12]}", day.config.as_of
    made_from = _made_from(day.config, day.inputs_fingerprint, before)
    with store.transaction() as tx:
        if forgotten_mark(tx) != before.forgotten:
            raise ForgottenMeanwhile(f"somebody was forgotten while {as_of.isoformat()} was computed: {NOT_KEPT}")
        start_run(tx, Run(run_id=run_id, kind=kind, started_at=at, as_of=as_of))
        save_rules(tx, config_hash(day.config), rules_text(day.config), at)
        appended = append_snapshots(tx, snapshot_frame(day, run_id, at))
        end_run(tx, run_id, "done", {"appended": appended, "made_from": made_from}, clock())
    return run_id, appended


def is_kept(tx: Transaction, config: ScoringConfig, inputs_fingerprint: str, before: Before) -> bool:
    """Whether the day was last scored by the same rules and release, from the same inputs and the same days before:
    to score it again would say the same."""
    last = last_run_of_day(tx, config.as_of, _KINDS)
    if last is None or last.result.get("made_from") != _made_from(config, inputs_fingerprint, before):
        return False
    # What thinning took out has to be made again; it leaves the last day of a month.
    is_safe = (config.as_of + dt.timedelta(days=1)).day == 1
    return is_safe or not has_run_since(tx, THIN, last.started_at, after=config.as_of)


def tiers_of(day: ScoredDay) -> dict[str, int]:
    """How many groups have each tier, in order of its code."""
    tiers = day.scores.frame["tier_effective"].drop_nulls().value_counts().sort("tier_effective")
    return dict(tiers.iter_rows())


def _made_from(config: ScoringConfig, inputs_fingerprint: str, before: Before) -> str:
    return digest([config_hash(config), config.release, inputs_fingerprint, before.mark])


def moved(day: ScoredDay) -> pl.DataFrame:
    """group_id, `before`, and the frame of scores, of groups whose tier in force changed. A first run has none."""
    if day.previous is None:
        return day.scores.frame.clear().with_columns(before=pl.lit(None, pl.String))
    before = day.previous.select("group_id", before="tier_effective")
    both = day.scores.frame.join(before, on="group_id", how="inner")
    return both.filter(~pl.col("tier_effective").eq_missing(pl.col("before")))


def _moves(day: ScoredDay) -> list[TierMove]:
    """Groups whose tier in force changed, highest score first."""
    told = (
        moved(day)
        .join(day.groups.select("group", "name"), on="group", how="left")
        .join(day.reasons, on="group", how="left")
        .sort("score", "group_id", descending=[True, False], nulls_last=True)
    )
    columns = ("group_id", "name", "before", "tier_effective", "score", "reason")
    return [TierMove(*row) for row in told.select(columns).iter_rows()]
