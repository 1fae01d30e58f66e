"""The flows that keep the history, and their tasks: past rows read, past days computed, older ones thinned out."""

import asyncio
import datetime as dt
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pydantic import Field

from flows import steps
from flows.crms import Crm, StreamName, shared_out
from flows.outcome import ended, ends_well, receipt_of
from flows.parameters import OneCrm
from flows.past import Past, estimate_scores, read_past, span_of, unfilled
from flows.pipeline.backfilling import Every
from flows.pipeline.standing import Standing
from flows.report.history import backfill_page
from flows.report.past import crm_backfill_page, estimate_lines, scores_lines
from flows.results import BackfillReceipt, CrmBackfillReceipt, EstimateReceipt, FillReceipt, NotCounted, ThinReceipt
from flows.runtime import opened
from flows.score import score_groups
from flows.seeing import with_usage
from flows.working import in_thread
from flows.write_back import write_crms


class Of(StrEnum):
    """What a backfill fills in."""

    scores = "scores"
    crm = "crm"


OfWhat = Annotated[Of, Field(json_schema_extra={"title": "What"})]
Streams = Annotated[list[StreamName] | None, Field(json_schema_extra={"title": "Streams"})]
Calls = Annotated[int | None, Field(ge=1, json_schema_extra={"title": "API calls at most"})]
Again = Annotated[bool, Field(json_schema_extra={"title": "Read closed months again"})]
Scores = Annotated[bool, Field(json_schema_extra={"title": "Then compute past tiers"})]
WriteBack = Annotated[bool, Field(json_schema_extra={"title": "Then write the CRMs"})]
From = Annotated[dt.date | None, Field(json_schema_extra={"title": "From"})]
To = Annotated[dt.date | None, Field(json_schema_extra={"title": "To"})]
Step = Annotated[Every, Field(json_schema_extra={"title": "Every"})]


@task(name="backfill", cache_policy=NO_CACHE)
@ends_well
async def backfill_days(*, first: dt.date | None, last: dt.date | None, every: Every) -> BackfillReceipt:
    """Scores past days in the order of time. Again after a kill: days that are there are passed over."""
    logger = get_run_logger()
    with opened() as runtime:
        estimated = await asyncio.to_thread(estimate_scores, runtime, first, last, every)
        for line in scores_lines(estimated) if estimated else ():
            logger.info(line)
        return await in_thread(
            "kam-backfill",
            runtime.progress,
            lambda told: steps.backfill(runtime, first, last, every, progress=told),
        )


@task(name="backfill-crm", task_run_name="backfill-{crm}", cache_policy=NO_CACHE)
@ends_well
async def backfill_crm(*, crm: str, past: Past) -> FillReceipt:
    """Reads the past of one CRM, month by month, the newest first. Again after a kill: it goes on where it was."""
    standing, logger = Standing(), get_run_logger()

    def announce(estimate: EstimateReceipt | NotCounted) -> None:
        for line in estimate_lines(estimate):
            logger.info(line)

    with opened() as runtime:
        receipt = await in_thread(
            f"kam-backfill-{crm}",
            runtime.progress,
            lambda told: read_past(runtime, crm, past, standing=standing, announce=announce, progress=told),
            standing.text,
        )
    return ended(receipt, unfilled([receipt]))


@flow(name="kam-backfill", description="Reads the past of CRMs into the store, or computes the tiers of past days.")
@ends_well
async def backfill(
    *,
    of: OfWhat = Of.scores,
    crm: OneCrm = None,
    streams: Streams = None,
    first: From = None,
    last: To = None,
    every: Step = "month",
    calls: Calls = None,
    again: Again = False,
    scores: Scores = False,
    write_back: WriteBack = False,
) -> BackfillReceipt | CrmBackfillReceipt:
    """Reads again what was changed in a CRM in past months, or recomputes the tiers of past days from what the store
    holds, as far as it was known then. No bookmark of the live schedule is moved.

    Args:
        of: What to fill in: the tiers of past days, or rows of a CRM that were changed in past months.
        crm: Of rows, which CRM to read; none chosen reads every one that is configured.
        streams: Of rows, which streams to read; a CRM that has none of them is passed over. All of them if left out.
        first: The first day to look at; two years before the last one if left out.
        last: The last day to look at; of tiers today, of rows yesterday, in KAM_TIMEZONE, if left out.
        every: Of tiers, which days to compute: all of them, or the last ones of weeks, months or quarters.
        calls: Of rows, how many API calls to make for each CRM at most; then it ends as Partial, to be run again.
        again: Of rows, whether to read months again that were closed before.
        scores: Of rows, whether to compute past tiers afterwards.
        write_back: Of rows, whether to score today and write the CRMs afterwards.
    """
    if of is Of.scores:
        receipt = await receipt_of(backfill_days(first=first, last=last, every=every))
        await acreate_markdown_artifact(backfill_page(receipt), key="kam-backfill", description="Past tiers")
        return receipt
    past = Past(first, last, tuple(one.value for one in streams or ()), calls, again, scores, every, write_back)
    done = await _crms(crm, past)
    with opened() as runtime:
        cost = (*done.crms, done.scored, *done.write_backs)
        page = await with_usage(runtime, crm_backfill_page(done), [one.source for one in done.crms], cost)
    await acreate_markdown_artifact(page, key="kam-backfill", description="Past rows")
    return ended(done, done.left)


async def _crms(crm: Crm | None, past: Past) -> CrmBackfillReceipt:
    """Reads the past of CRMs, then does what was asked for beside, if all was read."""
    with opened() as runtime:
        sharing = shared_out(runtime.chosen(crm), past.streams)
        names = sharing.crms
        for line in sharing.passed_over:
            get_run_logger().info(line)
        if past.write_back:
            await asyncio.to_thread(steps.require_fields, runtime, names)
        each = {name: replace(past, streams=own) for name, own in sharing.streams.items()}
        done = tuple([await receipt_of(backfill_crm(crm=name, past=own)) for name, own in each.items()])
        receipt = CrmBackfillReceipt(done, left=unfilled(done), passed_over=sharing.passed_over)
        if receipt.left:
            return receipt
        if past.scores:
            span = span_of(runtime, past)
            days = await receipt_of(backfill_days(first=span.first, last=span.last, every=past.every))
            receipt = replace(receipt, scores=days)
        if past.write_back:
            day = runtime.scoring().as_of
            scored = await receipt_of(score_groups(as_of=day))
            written = await write_crms(runtime, names, as_of=day, full=False)
            receipt = replace(receipt, scored=scored, write_backs=written.done, left=written.left)
    return receipt


@task(name="thin", cache_policy=NO_CACHE)
@ends_well
async def thin_days() -> ThinReceipt:
    """Takes older daily snapshots out, in one transaction."""
    with opened() as runtime:
        return await in_thread("kam-thin", runtime.progress, lambda _: steps.thin(runtime))


@flow(name="kam-thin", description="Thins older daily snapshots out to one a month.")
@ends_well
async def thin() -> ThinReceipt:
    """Keeps of each account group and month the last day, what is in force, and what a CRM was shown; KAM_DAILY_DAYS
    says how long every day is kept."""
    return await receipt_of(thin_days())
