"""A person's approval of a plan beyond the guard's limits, or of cells that wait for review: asked for in Prefect's UI,
while the run is suspended."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.logging import get_run_logger
from prefect.runtime import deployment
from pydantic import Field

from flows import steps
from flows.escaping import plain
from flows.pipeline import gating
from flows.report.markdown import plans_page, review_page
from flows.results import PlanReceipt
from flows.runtime import Runtime
from kammodel.errors import KamError
from kammodel.store.approving import review_by_field

LONGEST = dt.timedelta(days=1)
"""How long an answer is waited for to a plan that does not get too old."""

NO_FORM = (
    "%s: nobody can be asked about the %d cells that wait for review, because this run belongs to no deployment. Look "
    "at them: kam plans %s; if they are right: kam approve %s --by NAME, kam apply"
)
TOO_LATE = (
    "%s: nobody is asked about the %d cells that wait for review, because plan %s got too old meanwhile; the next run "
    "plans them anew"
)
FREES_TOO = "Approving the plan approves these cells too: they are written along with the rest."


class Approval(RunInput):
    """What the form asks for. Prefect itself knows nobody by name."""

    approved_by: str = Field(min_length=2, max_length=80, description="Your name")
    plan_hash: str = Field(description="The hash of the plan that you have looked at: that one is written, no other")


async def approved(runtime: Runtime, plans: Sequence[PlanReceipt]) -> tuple[PlanReceipt, ...]:
    """Gets each of these plans that the guard stopped approved; gives all, with what that sets free. The run is
    suspended, its process ends, and it begins anew once a person has filled in the form in Prefect's UI; see
    `steps.planned_already`. The form shows the cells that wait for review as well: an approval is of the whole plan.

    Raises NeedsApproval where there is no form to fill in, because the run belongs to no deployment; then a person
    approves with `kam approve`, and `kam apply` writes.
    """
    beyond = [plan for plan in plans if plan.tripped]
    if beyond and not deployment.id:
        raise gating.needs_approval(beyond)
    freed = {}
    for plan in beyond:
        page = await asyncio.to_thread(steps.plan_page, runtime, plan)
        told = plans_page([plan])
        if plan.cells_to_review:
            review = f"{await _to_review(runtime, plan)}\n\n{FREES_TOO}"
            told, page = f"{told}\n\n{review}", f"{review}\n\n{page}"
        freed[plan.plan_id] = await _ask(runtime, plan, told, page)
    return tuple(freed.get(plan.plan_id, plan) for plan in plans)


async def reviewed(runtime: Runtime, waiting: Sequence[PlanReceipt]) -> tuple[PlanReceipt, ...]:
    """Gets the cells of these plans that wait for review approved, likewise; gives the plans with what that sets free.

    A run that belongs to no deployment has no form: then none is, a warning says how, and what may be written is.
    """
    if not deployment.id:
        for plan in waiting:
            get_run_logger().warning(NO_FORM, plan.source, plan.cells_to_review, plan.plan_id, plan.hash)
        return ()
    freed = []
    for plan in waiting:
        if gating.is_too_old(plan, runtime.clock()):
            get_run_logger().warning(TOO_LATE, plan.source, plan.cells_to_review, plan.plan_id)
            continue
        told = await _to_review(runtime, plan)
        page = await asyncio.to_thread(steps.plan_page, runtime, plan)
        freed.append(await _ask(runtime, plan, told, f"{told}\n\n{page}"))
    return tuple(freed)


async def _to_review(runtime: Runtime, plan: PlanReceipt) -> str:
    """The cells of a plan that wait for review, by field, as Markdown."""

    def fields() -> dict[str, int]:
        with runtime.store.transaction() as tx:
            return review_by_field(tx, plan.plan_id)

    return review_page(plan, await asyncio.to_thread(fields))


async def _ask(runtime: Runtime, plan: PlanReceipt, told: str, page: str) -> PlanReceipt:
    """Suspends the run until a person has filled in the form, but no longer than the plan is good; approves the plan in
    their name, and gives it with the cells that this sets free."""
    await acreate_markdown_artifact(page, key=f"kam-approval-{plan.source}", description="Waits for approval")
    form: Any = Approval.with_initial_data(description=told, plan_hash=plan.hash)
    left = plan.expires_at - runtime.clock() if plan.expires_at is not None else LONGEST
    seconds = max(1, int(left.total_seconds()))
    given: Any = await suspend_flow_run(wait_for_input=form, key=f"{plan.source}-{plan.hash}", timeout=seconds)
    if given.plan_hash.strip() != plan.hash:
        raise KamError(f"{plan.source}: the plan to be written is {plan.hash}, and another one was approved")
    receipt = await asyncio.to_thread(steps.approve, runtime, plan.hash, plain(given.approved_by))
    return replace(plan, cells_to_write=plan.cells_to_write + receipt.freed, cells_to_review=0)
