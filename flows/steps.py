"""The steps of the pipeline on a runtime: what a command does at once and what a task does in a flow."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from connectors.errors import QuotaSpent
from flows import pipeline
from flows.garbage import seldom_collected
from flows.pipeline import Every, Progress
from flows.results import (
    ApplyReceipt,
    BackfillReceipt,
    PlanReceipt,
    PullReceipt,
    RunReceipt,
    ScoreReceipt,
    ThinReceipt,
    WriteBackReceipt,
)
from flows.runtime import Runtime

R = TypeVar("R")
BACK = dt.timedelta(days=730)
"""How far a backfill looks back unless it is told."""

NOT_SCORED = (
    "nothing was scored or written, because not every CRM is read to the end; to go on with what is there: "
    "kam score, kam plan, kam apply"
)


def require_fields(runtime: Runtime, crms: Iterable[str]) -> None:
    """Signs in to each CRM and looks for our fields, before the first row is read.

    Raises FieldsNotProvisioned with the command to run.
    """
    for crm in crms:
        pipeline.check_fields(runtime.connector(crm), runtime.fields)


def pull(runtime: Runtime, crm: str, *, full: bool, progress: Progress) -> PullReceipt:
    """Reads one CRM into the store."""
    with seldom_collected():
        return pipeline.pull(runtime.connector(crm), runtime.store, runtime.clock, full=full, progress=progress)


def score(runtime: Runtime, as_of: dt.date | None, *, progress: Progress) -> ScoreReceipt:
    """Scores every account group."""
    config, given = runtime.scoring(as_of), runtime.given
    return pipeline.score(runtime.store, config, runtime.clock, given=given, progress=progress)


def backfill(
    runtime: Runtime, first: dt.date | None, last: dt.date | None, every: Every, *, progress: Progress
) -> BackfillReceipt:
    """Scores past days, by default those of the last two years."""
    config = runtime.scoring()
    end = last or config.as_of
    days = pipeline.past_days(first or end - BACK, end, every, config.as_of)
    return pipeline.backfill(runtime.store, config, days, runtime.clock, given=runtime.given, progress=progress)


def thin(runtime: Runtime) -> ThinReceipt:
    """Thins older daily snapshots out."""
    return pipeline.thin(runtime.store, runtime.scoring(), runtime.settings.daily_days, runtime.clock)


def plan(runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress) -> PlanReceipt:
    """Stores the plan of one CRM."""
    connector, config = runtime.connector(crm), runtime.scoring(as_of)
    return pipeline.plan(
        connector, runtime.store, config, runtime.clock, full=full, given=runtime.given, progress=progress
    )


def apply(runtime: Runtime, crm: str, plan_id: str | None, *, progress: Progress) -> ApplyReceipt:
    """Writes a plan of one CRM, the latest if none is named."""
    connector, given = runtime.connector(crm), runtime.given
    return pipeline.apply(connector, runtime.store, plan_id, runtime.clock, given=given, progress=progress)


def write_back(
    runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress
) -> WriteBackReceipt:
    """Plans one CRM's cells and writes them."""
    planned = plan(runtime, crm, as_of, full=full, progress=progress)
    return WriteBackReceipt(planned, apply(runtime, crm, planned.plan_id, progress=progress))


def run(runtime: Runtime, as_of: dt.date | None, *, full: bool, progress: Progress) -> RunReceipt:
    """Pull, score, plan and apply, for every configured CRM. Tiers that stand on half of the news are not made:
    where a CRM was read in part, the run ends after reading."""
    began = time.perf_counter()
    names = runtime.chosen(None)
    require_fields(runtime, names)
    # One day for all steps, also of a run over midnight.
    day = runtime.scoring(as_of).as_of
    pulls = tuple(pull(runtime, name, full=full, progress=progress) for name in names)
    scored: ScoreReceipt | None = None
    written: tuple[WriteBackReceipt, ...] = ()
    left = unread(pulls)
    if left:
        left += (NOT_SCORED,)
    else:
        scored = score(runtime, day, progress=progress)
        written, unplanned = each(names, lambda name: write_back(runtime, name, day, full=False, progress=progress))
        left = (*unwritten(one.applied for one in written), *unplanned)
    return RunReceipt(day, pulls, scored, written, round(time.perf_counter() - began, 3), left)


def each(crms: Iterable[str], step: Callable[[str], R]) -> tuple[tuple[R, ...], tuple[str, ...]]:
    """A step for one CRM after the other: the receipts, and a line for each CRM that has no calls left for it, for
    the sake of which the others do not stop."""
    receipts: list[R] = []
    left: list[str] = []
    for crm in crms:
        try:
            receipts.append(step(crm))
        except QuotaSpent as fault:
            left.append(f"{crm}: {fault}")
    return tuple(receipts), tuple(left)


def unread(pulls: Iterable[PullReceipt]) -> tuple[str, ...]:
    """A line for each CRM that was read in part."""
    return tuple(f"{one.source} {one.resumes}: {one.stopped}" for one in pulls if one.is_partial)


def unwritten(applied: Iterable[ApplyReceipt]) -> tuple[str, ...]:
    """A line for each CRM into which not everything planned was written."""
    return tuple(f"{one.source}: {_what_is_left(one)}" for one in applied if not one.is_complete)


def _what_is_left(applied: ApplyReceipt) -> str:
    tried = f"{applied.rejected:,} cells refused, {applied.retry:,} to be tried again; the next run plans both"
    if applied.stopped is None:
        return tried
    before = f"{tried}; " if applied.rejected or applied.retry else ""
    return f"{before}resumes with the {applied.pending:,} cells that are left, with the next apply: {applied.stopped}"
