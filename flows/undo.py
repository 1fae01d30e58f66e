"""The flow that takes a plan back."""

from collections.abc import Sequence
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from flows import steps
from flows.naming import about, refusals
from flows.notifying import tell_owners
from flows.outcome import ended, ends_well, receipt_of
from flows.pipeline import Progress
from flows.pipeline.undoing import Undo, plans_to_undo
from flows.report.markdown import applied_page
from flows.results import ApplyReceipt, PlanReceipt
from flows.runtime import Runtime, opened
from flows.seeing import with_usage
from flows.working import in_thread
from flows.write_back import apply_crm
from kammodel.entities import PublishPlan
from kammodel.errors import KamError

Name = Annotated[str, Field(min_length=6, json_schema_extra={"title": "Plan"})]
Write = Annotated[bool, Field(json_schema_extra={"title": "Write it"})]


async def undos_of(runtime: Runtime, plan: str) -> tuple[Undo, ...]:
    """What takes back what a plan, or each plan of a run, wrote. Stores nothing, and is no task: tasks hand on
    receipts, and never what stands in a CRM."""

    def work(told: Progress) -> tuple[Undo, ...]:
        return tuple(_undo_of(runtime, one, told) for one in plans_to_undo(runtime.store, plan))

    return await in_thread("kam-plan-undo", runtime.progress, work)


def _undo_of(runtime: Runtime, undone: PublishPlan, told: Progress) -> Undo:
    with about(undone.source):
        return steps.undo_of(runtime, undone, progress=told)


async def kept(runtime: Runtime, undo: Undo) -> PlanReceipt:
    """Stores an undo, once no other run writes into its CRM."""
    crm = undo.made.source
    return await in_thread(
        f"kam-undo-{crm}-turn", runtime.progress, lambda told: steps.keep_undo(runtime, undo, progress=told)
    )


async def taken_back(runtime: Runtime, undos: Sequence[Undo]) -> tuple[tuple[ApplyReceipt, ...], tuple[str, ...]]:
    """CRM by CRM, so that none is kept and not written; and the `refusals`."""
    done: list[ApplyReceipt] = []
    faults: dict[str, KamError] = {}
    for one in undos:
        crm = one.made.source
        try:
            receipt = await kept(runtime, one)
            done.append(await receipt_of(apply_crm(crm=crm, plan_id=receipt.plan_id)))
        except KamError as fault:
            faults[crm] = fault
    return tuple(done), refusals(faults, done)


@flow(name="kam-undo", description="Takes back what a plan wrote into a CRM, where it still stands.")
@ends_well
async def undo(*, plan: Name, write: Write = False) -> Sequence[PlanReceipt | ApplyReceipt]:
    """Shows what would be taken back; with the second switch on, takes it back. What somebody edited since is spared.

    Args:
        plan: Id or hash of the plan, as `kam plans` lists them; or the id of the run that made it.
        write: Write it into the CRM. Off: only the page of what would be written.
    """
    with opened() as runtime:
        found = await undos_of(runtime, plan)
        for undo_of in found:
            crm = undo_of.made.source
            page = await with_usage(runtime, steps.undo_page(runtime, undo_of), [crm], [undo_of.receipt])
            await acreate_markdown_artifact(page, key=f"kam-undo-{crm}", description="To be taken back")
        if not write:
            return tuple(undo_of.receipt for undo_of in found)
        done, unbegun = await taken_back(runtime, [undo_of for undo_of in found if not undo_of.is_empty])
        await tell_owners(runtime, done)
        page = await with_usage(runtime, applied_page(done), [one.source for one in done], done)
    await acreate_markdown_artifact(page, key="kam-undo", description="What was taken back")
    return ended(done, (*steps.unwritten(done), *unbegun))
