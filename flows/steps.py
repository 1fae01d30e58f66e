"""The steps of the pipeline on a runtime: what a command does at once and what a task does in a flow."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable

from flows import pipeline
from flows.pipeline import Progress
from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, RunReceipt, ScoreReceipt, WriteBackReceipt
from flows.runtime import Runtime


def require_fields(runtime: Runtime, crms: Iterable[str]) -> None:
    """Signs in to each CRM and looks for our fields, before the first row is read.

    Raises FieldsNotProvisioned with the command to run.
    """
    for crm in crms:
        pipeline.check_fields(runtime.connector(crm))


def pull(runtime: Runtime, crm: str, *, full: bool, progress: Progress) -> PullReceipt:
    """Reads one CRM into the store."""
    return pipeline.pull(runtime.connector(crm), runtime.store, runtime.clock, full=full, progress=progress)


def score(runtime: Runtime, as_of: dt.date | None, *, progress: Progress) -> ScoreReceipt:
    """Scores every account group."""
    return pipeline.score(runtime.store, runtime.scoring(as_of), runtime.clock, progress=progress)


def plan(runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress) -> PlanReceipt:
    """Stores the plan of one CRM."""
    connector, config = runtime.connector(crm), runtime.scoring(as_of)
    return pipeline.plan(connector, runtime.store, config, runtime.clock, full=full, progress=progress)


def apply(runtime: Runtime, crm: str, plan_id: str | None, *, progress: Progress) -> ApplyReceipt:
    """Writes a plan of one CRM, the latest if none is named."""
    return pipeline.apply(runtime.connector(crm), runtime.store, plan_id, runtime.clock, progress=progress)


def write_back(
    runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress
) -> WriteBackReceipt:
    """Plans one CRM's cells and writes them."""
    planned = plan(runtime, crm, as_of, full=full, progress=progress)
    return WriteBackReceipt(planned, apply(runtime, crm, planned.plan_id, progress=progress))


def run(runtime: Runtime, as_of: dt.date | None, *, full: bool, progress: Progress) -> RunReceipt:
    """Pull, score, plan and apply, for every configured CRM."""
    began = time.perf_counter()
    names = runtime.chosen(None)
    require_fields(runtime, names)
    # One day for all steps, also of a run over midnight.
    day = runtime.scoring(as_of).as_of
    pulls = tuple(pull(runtime, name, full=full, progress=progress) for name in names)
    scored = score(runtime, day, progress=progress)
    written = tuple(write_back(runtime, name, day, full=False, progress=progress) for name in names)
    return RunReceipt(day, pulls, scored, written, round(time.perf_counter() - began, 3))


def unwritten(applied: Iterable[ApplyReceipt]) -> str | None:
    """What writing left behind, in words; None where everything planned was written."""
    parts = [
        f"{one.source}: {one.rejected:,} cells refused, {one.retry:,} to be tried again by the next run"
        for one in applied
        if not one.is_complete
    ]
    return "; ".join(parts) or None
