"""The flow that writes tiers and KPIs back into CRMs, and its task: plan and apply for one CRM."""

import datetime as dt

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import pipeline
from flows.outcome import ends_well, partial, receipt_of
from flows.parameters import AsOf, CompareAll, OneCrm
from flows.pipeline import Progress
from flows.report.markdown import write_backs_page
from flows.results import WriteBackReceipt, unwritten
from flows.runtime import Runtime, opened
from flows.working import in_thread


def write_one(
    runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress
) -> WriteBackReceipt:
    """Plans one CRM's cells and writes them."""
    connector, store, clock = runtime.connector(crm), runtime.store, runtime.clock
    planned = pipeline.plan(connector, store, runtime.scoring(as_of), clock, full=full, progress=progress)
    return WriteBackReceipt(planned, pipeline.apply(connector, store, planned.plan_id, clock, progress=progress))


@task(name="write-back", task_run_name="write-back-{crm}", cache_policy=NO_CACHE)
@ends_well
async def write_crm(crm: str, as_of: dt.date | None, full: bool) -> WriteBackReceipt:  # noqa: FBT001 - as in sync
    """Compares what we want with what the CRM holds, and writes the cells that differ."""
    with opened() as runtime:
        return await in_thread(
            f"kam-write-back-{crm}",
            runtime.progress,
            lambda told: write_one(runtime, crm, as_of, full=full, progress=told),
        )


@flow(name="kam-write-back", description="Writes tiers, KPIs and reasons into the CRMs' custom fields.")
@ends_well
async def write_back(
    crm: OneCrm = None, as_of: AsOf = None, full: CompareAll = False
) -> tuple[WriteBackReceipt, ...]:
    """Plans and writes only the cells that differ; a value that a person typed is left alone.

    Args:
        crm: Which CRM to write; none chosen writes to every one that is configured.
        as_of: The day whose tiers to write; today in KAM_TIMEZONE if left out.
        full: Read our fields of every account from the CRM, not only of those that may differ.
    """
    with opened() as runtime:
        receipts = tuple([await receipt_of(write_crm(name, as_of, full)) for name in runtime.chosen(crm)])
    await acreate_markdown_artifact(write_backs_page(receipts), key="kam-write-back", description="What was written")
    left = unwritten(receipts)
    return partial(receipts, left) if left else receipts
