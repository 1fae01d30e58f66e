"""Reading the past of CRMs on a runtime, what is done with it afterwards, and what reading will take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows import steps
from flows.garbage import seldom_collected
from flows.pipeline import Every, Progress
from flows.pipeline.estimating import estimate_past, estimate_pull
from flows.pipeline.filling import Announce, fill
from flows.pipeline.standing import Standing
from flows.pipeline.windows import Span
from flows.recording import recorded
from flows.results import CrmBackfillReceipt, EstimateReceipt, FillReceipt
from flows.runtime import Runtime
from kammodel.errors import KamError


@dataclass(frozen=True)
class Past:
    """What a backfill was asked for. Without a last day it ends yesterday, without a first one two years before.

    `scores`: compute past tiers afterwards, of `every` such day. `write_back`: then score today, and write the CRMs.
    """

    first: dt.date | None = None
    last: dt.date | None = None
    streams: tuple[str, ...] = ()
    calls: int | None = None
    again: bool = False
    scores: bool = False
    every: Every = "month"
    write_back: bool = False


def span_of(runtime: Runtime, past: Past) -> Span:
    """The days, in KAM_TIMEZONE. Raises KamError for days that have not come yet."""
    today = runtime.settings.today(runtime.clock())
    last = past.last or today - dt.timedelta(days=1)
    first = past.first or last - steps.BACK
    if last > today:
        raise KamError(f"{last.isoformat()} has not come yet: nothing can be read of days after {today.isoformat()}")
    return Span(first, last, runtime.settings.timezone, past.streams, past.again, past.calls)


@recorded("backfill", of_crm=True, rows="rows")
def read_past(
    runtime: Runtime, crm: str, past: Past, *, standing: Standing, announce: Announce, progress: Progress
) -> FillReceipt:
    """Reads the past of one CRM into the store."""
    with seldom_collected():
        return fill(
            runtime.connector(crm),
            runtime.store,
            runtime.clock,
            span_of(runtime, past),
            standing=standing,
            announce=announce,
            progress=progress,
        )


def backfill(runtime: Runtime, crms: Sequence[str], past: Past, *, announce: Announce) -> CrmBackfillReceipt:
    """Reads the past of CRMs, one after the other, then does what was asked for beside."""
    for crm in crms if past.write_back else ():
        steps.require_fields(runtime, [crm])
    done = tuple(
        read_past(runtime, crm, past, standing=Standing(), announce=announce, progress=runtime.progress) for crm in crms
    )
    receipt = CrmBackfillReceipt(done, left=unfilled(done))
    if receipt.left:
        return receipt
    if past.scores:
        span, progress = span_of(runtime, past), runtime.progress
        scores = steps.backfill(runtime, span.first, span.last, past.every, progress=progress)
        receipt = replace(receipt, scores=scores)
    if past.write_back:
        scored = steps.score(runtime, None, progress=runtime.progress)
        written = steps.write_back(runtime, crms, scored.as_of, full=False, progress=runtime.progress)
        receipt = replace(receipt, scored=scored, write_backs=written.done, left=written.left, stopped=written.stopped)
    return receipt


def unfilled(done: Sequence[FillReceipt]) -> tuple[str, ...]:
    """A line for each CRM whose past was read in part."""
    return tuple(f"{one.source} {one.resumes}: {one.stopped}" for one in done if one.is_partial)


def estimate(runtime: Runtime, crm: str, past: Past | None, *, full: bool, streams: tuple[str, ...]) -> EstimateReceipt:
    """What a pull of one CRM will take, or a backfill where days are given."""
    connector, store = runtime.connector(crm), runtime.store
    if past is None:
        return estimate_pull(connector, store, runtime.clock, full=full, streams=streams)
    return estimate_past(connector, store, runtime.clock, span_of(runtime, past))
