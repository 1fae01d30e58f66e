"""The flows that write tiers and KPIs back into CRMs, and their tasks: the plan of one CRM, and its writing."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Sequence

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run

from connectors.errors import QuotaSpent
from flows import steps
from flows.approval import approved, reviewed
from flows.events import tell_guard
from flows.notifying import tell_owners
from flows.outcome import each, ended, ends_well, receipt_of, skipped
from flows.parameters import AsOf, CompareAll, OneCrm, Review
from flows.proving import require_proven
from flows.report.markdown import applied_page, plans_page, write_backs_page
from flows.results import ApplyReceipt, PlanReceipt, WriteBackReceipt
from flows.runtime import Runtime, opened
from flows.seeing import with_usage
from flows.working import in_thread


@task(name="plan", task_run_name="plan-{crm}", cache_policy=NO_CACHE)
@ends_well
async def plan_crm(*, crm: str, as_of: dt.date | None, full: bool) -> PlanReceipt:
    """Compares what we want with what one CRM holds, and stores the cells that differ as a plan."""
    with opened() as runtime:
        runtime.made_by = flow_run.id
        receipt = await in_thread(
            f"kam-plan-{crm}",
            runtime.progress,
            lambda told: steps.plan(runtime, crm, as_of, full=full, progress=told),
        )
    tell_guard(receipt)
    return receipt


@task(name="apply", task_run_name="apply-{crm}", cache_policy=NO_CACHE)
@ends_well
async def apply_crm(*, crm: str, plan_id: str | None) -> ApplyReceipt:
    """Writes what is still pending of a CRM's plan. Again after a kill: it goes on with the rest."""
    with opened() as runtime:
        receipt = await in_thread(
            f"kam-apply-{crm}",
            runtime.progress,
            lambda told: steps.apply(runtime, crm, plan_id, progress=told),
        )
    return ended(receipt, steps.unwritten([receipt]), skipped([receipt]))


async def write_crms(
    runtime: Runtime, names: Sequence[str], *, as_of: dt.date | None, full: bool, review: bool = False
) -> steps.WriteBacks:
    """Plan and apply, as tasks. Plans beyond the guard's limits are approved first, while the run is suspended; begun
    anew after that, the run goes on with the plans that it made. `review`: once all else is written, a person is asked
    likewise about the cells that wait for review."""

    async def planned(name: str) -> PlanReceipt:
        before = await planned_before(runtime, name, review=review)
        return await receipt_of(plan_crm(crm=name, as_of=as_of, full=full)) if before is None else before

    async def applied(plan: PlanReceipt) -> WriteBackReceipt:
        return WriteBackReceipt(plan, await receipt_of(apply_crm(crm=plan.source, plan_id=plan.plan_id)))

    await asyncio.to_thread(require_proven, runtime, names)
    plans, unplanned = await each(names, planned)
    done, unbegun = await each(await approved(runtime, plans), applied)
    waiting = [one.plan for one in done if review and one.plan.cells_to_review and _is_through(one.applied)]
    if waiting:
        # A person may take a day: whose tiers have changed is told before that.
        await tell_owners(runtime, [one.applied for one in done])
        freed, unfreed = await each(await reviewed(runtime, waiting), applied)
        done, unbegun = _together(done, freed), (*unbegun, *unfreed)
    left = steps.unwritten(one.applied for one in done)
    return steps.WriteBacks(done, (), (*left, *unplanned, *unbegun))


def _is_through(applied: ApplyReceipt) -> bool:
    """Whether the plan was written, and is the one to ask about: neither stopped nor overtaken."""
    return applied.stopped is None and applied.skipped is None


def _together(done: Iterable[WriteBackReceipt], later: Iterable[WriteBackReceipt]) -> tuple[WriteBackReceipt, ...]:
    """What was written in two goes, as one."""
    after = {one.plan.plan_id: one for one in later}
    return tuple(
        WriteBackReceipt(then.plan, one.applied.and_then(then.applied))
        if (then := after.get(one.plan.plan_id)) is not None
        else one
        for one in done
    )


async def planned_before(runtime: Runtime, name: str, *, review: bool) -> PlanReceipt | None:
    """The plan that this very run made of a CRM before it was suspended."""
    runtime.made_by = flow_run.id
    return await asyncio.to_thread(steps.planned_already, runtime, name, reviewed=review)


@flow(name="kam-plan", description="Works out which cells to write. Writes nothing into a CRM.")
@ends_well
async def plan(*, crm: OneCrm = None, as_of: AsOf = None, full: CompareAll = False) -> tuple[PlanReceipt, ...]:
    """Stores a plan per CRM, for kam-apply.

    Args:
        crm: Which CRM to look at; none chosen looks at every one that is configured.
        as_of: The day whose tiers are wanted; today in KAM_TIMEZONE if left out.
        full: Read our fields of every account from the CRM, not only of those that may differ.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        receipts, unplanned = await each(names, lambda name: receipt_of(plan_crm(crm=name, as_of=as_of, full=full)))
        page = await with_usage(runtime, plans_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-plan", description="What would be written")
    if unplanned:
        raise QuotaSpent("; ".join(unplanned))
    return receipts


@flow(name="kam-apply", description="Writes the latest plan of each CRM, and nothing but it.")
@ends_well
async def apply(*, crm: OneCrm = None) -> tuple[ApplyReceipt, ...]:
    """Writes the cells of the latest plan that are still pending.

    Args:
        crm: Which CRM to write; none chosen writes to every one that is configured.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        await asyncio.to_thread(steps.require_writable, runtime, names)
        receipts, unbegun = await each(names, lambda name: receipt_of(apply_crm(crm=name, plan_id=None)))
        await tell_owners(runtime, receipts)
        page = await with_usage(runtime, applied_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-apply", description="What was written")
    if unbegun:
        raise QuotaSpent("; ".join((*steps.unwritten(receipts), *unbegun)))
    return ended(receipts, steps.unwritten(receipts))


@flow(name="kam-write-back", description="Writes tiers, KPIs and reasons into the CRMs' custom fields.")
@ends_well
async def write_back(
    *, crm: OneCrm = None, as_of: AsOf = None, full: CompareAll = False, review: Review = False
) -> tuple[WriteBackReceipt, ...]:
    """Plans and writes only the cells that differ; a value that a person typed is left alone.

    Args:
        crm: Which CRM to write; none chosen writes to every one that is configured.
        as_of: The day whose tiers to write; today in KAM_TIMEZONE if left out.
        full: Read our fields of every account from the CRM, not only of those that may differ.
        review: Once all else is written, wait as long as the plan is good for a person to approve the cells of fields
            whose rule is review. Without it they stay in the plan for kam approve.
    """
    with opened() as runtime:
        names = runtime.chosen(crm)
        written = await write_crms(runtime, names, as_of=as_of, full=full, review=review)
        receipts = written.done
        await tell_owners(runtime, [one.applied for one in receipts])
        page = await with_usage(runtime, write_backs_page(receipts), names, receipts)
    await acreate_markdown_artifact(page, key="kam-write-back", description="What was written")
    if len(receipts) < len(names):
        raise QuotaSpent("; ".join(written.left))
    return ended(receipts, written.left, skipped(one.applied for one in receipts))
