"""Computes the tiers of past days, one after the other, and goes on where it was stopped. Nothing is published."""

from __future__ import annotations

import datetime as dt
import time
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.scoring import before_day, is_kept, keep_day, moved, tiers_of
from flows.results import BackfilledDay, BackfillReceipt
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.inputs import Inputs
from kammodel.scoring import ScoringConfig, day_fingerprint, end_of_day, read_inputs, score_day
from kammodel.store import Store
from kammodel.store.suppressing import forgotten_mark
from kammodel.store.versions import versions_after

Every = Literal["day", "week", "month", "quarter"]
_SUNDAY = 6


def past_days(first: dt.date, last: dt.date, every: Every, today: dt.date) -> list[dt.date]:
    """The last days of the weeks (Sundays), months or quarters, or all days, from `first` to `last`, both included.

    Raises KamError where there is none, or one that is not over before `today` is.
    """
    if last > today:
        raise KamError(f"{last.isoformat()} has not come yet: nothing can be known of days after {today.isoformat()}")
    span = (first + dt.timedelta(days=n) for n in range((last - first).days + 1))
    days = [day for day in span if _ends(day, every)]
    if not days:
        raise KamError(f"no {every} ends between {first.isoformat()} and {last.isoformat()}")
    return days


def backfill(
    store: Store,
    config: ScoringConfig,
    days: Sequence[dt.date],
    clock: Clock,
    *,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> BackfillReceipt:
    """Scores the days in the order of time, each against what is then in force before it, as a nightly run would have.

    A day that is there, by the same rules and release and from the same inputs and days before, is passed over, so that
    whoever was stopped runs it again. What differs is recorded beside what was recorded before. The store is read once;
    beside it, one day at a time is held. Raises ForgottenMeanwhile where somebody was forgotten since: the days that
    are done stay.
    """
    began, done = time.perf_counter(), []
    ordered = sorted(set(days))
    # What rows were before is read day by day: each has no more of it than there are rows.
    with store.transaction() as tx:
        forgotten = forgotten_mark(tx)
    inputs = read_inputs(store, given, clock(), config.shard_rows)
    for place, day in enumerate(ordered):
        # A cancelled flow stops here, between two days.
        progress("backfill", place, len(ordered))
        done.append(_filled(store, inputs, replace(config, as_of=day), clock, forgotten))
    progress("backfill", len(ordered), len(ordered))
    return BackfillReceipt(tuple(done), round(time.perf_counter() - began, 3))


def _filled(store: Store, inputs: Inputs, config: ScoringConfig, clock: Clock, forgotten: str) -> BackfilledDay:
    before = replace(before_day(store, config), forgotten=forgotten)
    with store.transaction() as tx:
        inputs = replace(inputs, versions=versions_after(tx, end_of_day(config)))
        if is_kept(tx, config, day_fingerprint(inputs, config), before):
            return BackfilledDay(config.as_of, is_kept=True)
    at = clock()
    day = score_day(inputs, config, before.snapshots)
    _, appended = keep_day(store, day, before, kind="backfill", at=at, clock=clock)
    reconstructed = day.reconstructed.filter(day.reconstructed["reconstructed"] != "[]").height
    return BackfilledDay(
        config.as_of,
        is_kept=False,
        groups=day.scores.frame.height,
        population=day.scores.population_n,
        tiers=tiers_of(day),
        moves=moved(day).height,
        appended=appended,
        reconstructed=reconstructed,
    )


def _ends(day: dt.date, every: Every) -> bool:
    if every == "day":
        return True
    if every == "week":
        return day.weekday() == _SUNDAY
    is_last = day.day == monthrange(day.year, day.month)[1]
    return is_last and (every == "month" or day.month % 3 == 0)
