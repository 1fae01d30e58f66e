"""The flows that keep the history of tiers, and their tasks: past days computed, older ones thinned out."""

import datetime as dt
from typing import Annotated

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows import steps
from flows.outcome import ends_well, receipt_of
from flows.pipeline.backfilling import Every
from flows.report.history import backfill_page
from flows.results import BackfillReceipt, ThinReceipt
from flows.runtime import opened
from flows.working import in_thread

From = Annotated[dt.date | None, Field(json_schema_extra={"title": "From"})]
To = Annotated[dt.date | None, Field(json_schema_extra={"title": "To"})]
Step = Annotated[Every, Field(json_schema_extra={"title": "Every"})]


@task(name="backfill", cache_policy=NO_CACHE)
@ends_well
async def backfill_days(*, first: dt.date | None, last: dt.date | None, every: Every) -> BackfillReceipt:
    """Scores past days in the order of time. Again after a kill: days that are there are passed over."""
    with opened() as runtime:
        return await in_thread(
            "kam-backfill",
            runtime.progress,
            lambda told: steps.backfill(runtime, first, last, every, progress=told),
        )


@flow(name="kam-backfill", description="Computes the tiers of past days; publishes nothing.")
@ends_well
async def backfill(*, first: From = None, last: To = None, every: Step = "month") -> BackfillReceipt:
    """Recomputes the tiers of past days from what the store holds, as far as it was known then.

    Args:
        first: The first day to look at; two years before the last one if left out.
        last: The last day to look at; today in KAM_TIMEZONE if left out.
        every: Which days to compute: all of them, or the last ones of weeks, months or quarters.
    """
    receipt = await receipt_of(backfill_days(first=first, last=last, every=every))
    await acreate_markdown_artifact(backfill_page(receipt), key="kam-backfill", description="Past tiers")
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
