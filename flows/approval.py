"""A person's approval of a plan beyond the guard's limits, asked for in the Prefect UI while the run is suspended."""

import asyncio
from collections.abc import Sequence
from typing import Any

from prefect.artifacts import acreate_markdown_artifact
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment
from pydantic import Field

from flows import steps
from flows.escaping import plain
from flows.pipeline import gating
from flows.report.markdown import plans_page
from flows.results import PlanReceipt
from flows.runtime import Runtime
from kammodel.errors import KamError

DAY = 24 * 3600
"""Seconds after which a suspended run ends by itself: its plan is too old then."""


class Approval(RunInput):
    """What the form asks for. Prefect itself knows nobody by name."""

    approved_by: str = Field(min_length=2, max_length=80, description="Your name")
    plan_hash: str = Field(description="The hash of the plan that you have looked at: that one is written, no other")


async def approved(runtime: Runtime, beyond: Sequence[PlanReceipt]) -> None:
    """Gets each of these plans approved. The run is suspended, its process ends, and it begins anew once a person has
    filled in the form in Prefect's UI; see `steps.planned_already`.

    Raises NeedsApproval where there is no form to fill in, because the run belongs to no deployment; then a person
    approves with `kam approve`, and `kam apply` writes.
    """
    if not deployment.id:
        raise gating.needs_approval(beyond)
    for plan in beyond:
        page = await asyncio.to_thread(steps.plan_page, runtime, plan)
        await acreate_markdown_artifact(page, key=f"kam-approval-{plan.source}", description="Waits for approval")
        told = plans_page([plan])
        form: Any = Approval.with_initial_data(description=told, plan_hash=plan.hash)
        given: Any = await suspend_flow_run(wait_for_input=form, key=f"{plan.source}-{plan.hash}", timeout=DAY)
        if given.plan_hash.strip() != plan.hash:
            raise KamError(f"{plan.source}: the plan to be written is {plan.hash}, and another one was approved")
        await asyncio.to_thread(steps.approve, runtime, plan.hash, plain(given.approved_by))
