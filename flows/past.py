"""Reading the past of CRMs on a runtime, what is done with it afterwards, and what reading will take."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flows import steps
from flows.crms import shared_out
from flows.garbage import seldom_collected
from flows.pipeline import Every, Progress, past_days
from flows.pipeline.estimating import estimate_days, estimate_past, estimate_pull
from flows.pipeline.filling import Announce, fill
from flows.pipeline.foreseeing import with_write_back
from flows.pipeline.standing import Standing
from flows.pipeline.windows import Span
from flows.recording import recorded
from flows.results import CrmBackfillReceipt, EstimateReceipt, FillReceipt, ScoresEstimate
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
    today, (first, last) = _today(runtime), _days(runtime, past)
    if last > today:
        raise KamError(f"{last.isoformat()} has not come yet: nothing can be read of days after {today.isoformat()}")
    return Span(first, last, runtime.settings.timezone, past.streams, past.again, past.calls)


def command_of(runtime: Runtime, crm: str, past: Past, done: FillReceipt | None) -> str:
    """What goes on with the past of a CRM on whatever day. What it has begun to read again needs no more --again."""
    first, last = _days(runtime, past)
    words = ["--of", "crm", "--crm", crm, "--from", first.isoformat(), "--to", last.isoformat()]
    words += [word for stream in past.streams for word in ("--stream", stream)]
    words += ["--calls", str(past.calls)] if past.calls is not None else []
    words += ["--again"] if past.again and not (done and done.windows) else []
    words += ["--scores", "--every", past.every] if past.scores else []
    words += ["--write-back"] if past.write_back else []
    return shlex.join(["kam", "backfill", *words])


def _days(runtime: Runtime, past: Past) -> tuple[dt.date, dt.date]:
    last = past.last or _today(runtime) - dt.timedelta(days=1)
    return past.first or last - steps.BACK, last


def _today(runtime: Runtime) -> dt.date:
    return runtime.settings.today(runtime.clock())


@recorded("backfill", of_crm=True, rows="rows", command=command_of)
def read_past(
    runtime: Runtime, crm: str, past: Past, *, standing: Standing, announce: Announce, progress: Progress
) -> FillReceipt:
    """Reads the past of one CRM into the store."""

    def completed(estimate: EstimateReceipt) -> EstimateReceipt:
        return _with_write_back(runtime, estimate) if past.write_back else estimate

    with seldom_collected():
        return fill(
            runtime.connector(crm),
            runtime.store,
            runtime.clock,
            span_of(runtime, past),
            standing=standing,
            announce=announce,
            completed=completed,
            progress=progress,
        )


def backfill(runtime: Runtime, crms: Sequence[str], past: Past, *, announce: Announce) -> CrmBackfillReceipt:
    """Reads the past of CRMs, one after the other, then does what was asked for beside. Of several, those that have no
    stream of those named are passed over."""
    sharing, progress = shared_out(crms, past.streams), runtime.progress
    crms = sharing.crms
    for crm in crms if past.write_back else ():
        steps.require_fields(runtime, [crm])
    each = {crm: replace(past, streams=own) for crm, own in sharing.streams.items()}
    done = tuple(
        read_past(runtime, crm, own, standing=Standing(), announce=announce, progress=progress)
        for crm, own in each.items()
    )
    receipt = CrmBackfillReceipt(done, left=unfilled(done), passed_over=sharing.passed_over)
    if receipt.left:
        return receipt
    if past.scores:
        span = span_of(runtime, past)
        scores = steps.backfill(runtime, span.first, span.last, past.every, progress=progress)
        receipt = replace(receipt, scores=scores)
    if past.write_back:
        scored = steps.score(runtime, None, progress=progress)
        written = steps.write_back(runtime, crms, scored.as_of, full=False, progress=progress)
        receipt = replace(receipt, scored=scored, write_backs=written.done, left=written.left, stopped=written.stopped)
    return receipt


def unfilled(done: Sequence[FillReceipt]) -> tuple[str, ...]:
    """A line for each CRM whose past was read in part."""
    return tuple(f"{one.source} {one.resumes}: {one.stopped}" for one in done if one.is_partial)


def estimate_scores(
    runtime: Runtime, first: dt.date | None, last: dt.date | None, every: Every
) -> ScoresEstimate | None:
    """What computing the tiers of past days will take; None where there is none, of which the step itself tells."""
    try:
        today = runtime.scoring().as_of
        end = last or today
        days = past_days(first or end - steps.BACK, end, every, today)
    except KamError:
        return None
    return estimate_days(runtime.store, days)


def estimate(runtime: Runtime, crm: str, past: Past | None, *, full: bool, streams: tuple[str, ...]) -> EstimateReceipt:
    """What the next run of one CRM will take, of some streams their pull alone; a backfill where days are given."""
    connector, store = runtime.connector(crm), runtime.store
    if past is None:
        found = estimate_pull(connector, store, runtime.clock, full=full, streams=streams)
        return found if streams else _with_write_back(runtime, found)
    found = estimate_past(connector, store, runtime.clock, span_of(runtime, past))
    return _with_write_back(runtime, found) if past.write_back else found


def _with_write_back(runtime: Runtime, found: EstimateReceipt) -> EstimateReceipt:
    connector, config = runtime.connector(found.source), runtime.scoring()
    return with_write_back(found, connector, runtime.store, config, given=runtime.given, rules=runtime.rules)
