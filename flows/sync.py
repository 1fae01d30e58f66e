"""The flow that reads CRMs into the store, and its task: one CRM."""

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import steps
from flows.outcome import ended, ends_well, receipt_of
from flows.parameters import Full, OneCrm
from flows.report.markdown import pulls_page
from flows.results import PullReceipt
from flows.runtime import opened
from flows.seeing import with_usage
from flows.working import in_thread


@task(name="pull", task_run_name="pull-{crm}", cache_policy=NO_CACHE)
@ends_well
async def pull_crm(*, crm: str, full: bool) -> PullReceipt:
    """Reads one CRM, stream by stream. Again after a kill: it resumes, nothing is read into the store twice."""
    with opened() as runtime:
        receipt = await in_thread(
            f"kam-pull-{crm}",
            runtime.progress,
            lambda told: steps.pull(runtime, crm, full=full, progress=told),
        )
    return ended(receipt, steps.unread([receipt]))


@flow(name="kam-pull", description="Reads what changed in the CRMs into the store.")
@ends_well
async def pull(*, crm: OneCrm = None, full: Full = False) -> tuple[PullReceipt, ...]:
    """Reads what changed since the last pull.

    Args:
        crm: Which CRM to read; none chosen reads every one that is configured.
        full: Read everything again instead of what changed. Costs far more API calls; nothing is stored twice.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        receipts = tuple([await receipt_of(pull_crm(crm=name, full=full)) for name in names])
        page = await with_usage(runtime, pulls_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-pull", description="What was read")
    return ended(receipts, steps.unread(receipts))
