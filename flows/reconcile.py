"""The flow that counts CRMs against the store, and its task: one CRM."""

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import proving
from flows.events import tell_certificate
from flows.outcome import ended, ends_well, receipt_of
from flows.parameters import OneCrm, Repair
from flows.pipeline.reconciling import StoreDiffers
from flows.report.reconciled import reconciled_page
from flows.results import ReconcileReceipt
from flows.runtime import opened
from flows.seeing import with_usage
from flows.working import in_thread


@task(name="reconcile", task_run_name="reconcile-{crm}", cache_policy=NO_CACHE)
@ends_well
async def reconcile_crm(*, crm: str, repair: bool) -> ReconcileReceipt:
    """Counts one CRM, stream by stream, and keeps a certificate of each."""
    with opened() as runtime:
        receipt = await in_thread(
            f"kam-reconcile-{crm}",
            runtime.progress,
            lambda told: proving.reconcile(runtime, crm, repair=repair, progress=told),
        )
    tell_certificate(receipt)
    return ended(receipt, proving.unproven([receipt]))


@flow(name="kam-reconcile", description="Proves the store by the CRMs' own counts.")
@ends_well
async def reconcile(*, crm: OneCrm = None, repair: Repair = False) -> tuple[ReconcileReceipt, ...]:
    """Counts the records of the CRMs, and adds up amounts, against the store. Where something differs, nothing is
    scored or written until a later count finds it right, and this run fails.

    Args:
        crm: Which CRM to count; none chosen counts every one that is configured.
        repair: Read again what differs, and nothing else; then count once more.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        receipts = tuple([await receipt_of(reconcile_crm(crm=name, repair=repair)) for name in names])
        page = await with_usage(runtime, reconciled_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-reconcile", description="What was counted")
    if any(one.verdict == "differs" for one in receipts):
        raise StoreDiffers(receipts)
    return ended(receipts, proving.unproven(receipts))
