"""The flow that looks for deletions and changed links alone, its task, and the step that both take: one CRM."""

from typing import Annotated

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows import steps
from flows.outcome import ended, ends_well, receipt_of
from flows.parameters import OneCrm
from flows.pipeline.swept import Sweeps
from flows.report.markdown import pulls_page
from flows.results import PullReceipt
from flows.runtime import opened
from flows.seeing import with_usage
from flows.sweeping import sweep_one
from flows.working import in_thread

What = Annotated[Sweeps, Field(json_schema_extra={"title": "Look for"})]


@task(name="sweep", task_run_name="sweep-{crm}", cache_policy=NO_CACHE)
@ends_well
async def sweep_crm(*, crm: str, of: Sweeps) -> PullReceipt:
    """Looks through one CRM, stream by stream. Again after a kill: links go on where they were."""
    with opened() as runtime:
        receipt = await in_thread(
            f"kam-sweep-{crm}",
            runtime.progress,
            lambda told: sweep_one(runtime, crm, of=of, progress=told),
        )
    return ended(receipt, steps.unread([receipt]))


@flow(name="kam-sweep", description="Looks for deletions and changed links in the CRMs, and reads nothing else.")
@ends_well
async def sweep(*, crm: OneCrm = None, of: What = Sweeps.everything) -> tuple[PullReceipt, ...]:
    """Does at once what pulls do now and then: compares all ids with the store, and looks at all links.

    Args:
        crm: Which CRM to look through; none chosen looks through every one that is configured.
        of: What to look for: records deleted for good, links between records that changed, or everything.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        receipts = tuple([await receipt_of(sweep_crm(crm=name, of=of)) for name in names])
        page = await with_usage(runtime, pulls_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-sweep", description="What was gone, and what was missed")
    return ended(receipts, steps.unread(receipts))
