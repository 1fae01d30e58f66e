"""Events of our own in Prefect's feed, for whoever builds an automation on them: automations.yaml does.

Each has the run as its resource (kam.run.<id of the flow run>), the CRMs it is about as related resources of the role
`crm`, and Prefect adds the flow, its run and its deployment. `what` in the payload says in a line what happened.
"""

from collections.abc import Iterable
from typing import Any

from prefect.context import TaskRunContext
from prefect.events import emit_event
from prefect.runtime import flow_run

from flows.crms import Crm
from flows.escaping import plain
from flows.results import PlanReceipt, ReconcileReceipt

GUARD_TRIPPED = "kam.guard.tripped"
"""A plan goes beyond a limit; nothing of it is written until a person approves it. Payload: `plan`, `hash`."""
CERTIFICATE_FAILED = "kam.certificate.failed"
"""The store does not hold what a CRM has; nothing is scored or written. Payload: `streams`."""
RUN_PARTIAL = "kam.run.partial"
"""A run was done in part, and a later one goes on."""


def tell_guard(plan: PlanReceipt) -> None:
    """Tells of a plan that the guard stopped; of another one nothing."""
    if plan.tripped:
        _emit(GUARD_TRIPPED, [plan.source], "; ".join(plan.tripped), plan=plan.plan_id, hash=plan.hash)


def tell_certificate(receipt: ReconcileReceipt) -> None:
    """Tells of a CRM whose count differs from the store's; of another one nothing."""
    wrong = dict.fromkeys(one.stream for one in receipt.windows if one.verdict == "differs")
    if wrong:
        what = f"{receipt.source} {', '.join(wrong)}: the store does not hold what the CRM has"
        _emit(CERTIFICATE_FAILED, [receipt.source], what, streams=list(wrong))


def tell_partial(left: Iterable[str]) -> None:
    """Tells of a flow run that was done in part; the tasks in it are none. `left`: a line for each CRM begins with its
    name."""
    lines = tuple(left)
    if TaskRunContext.get() is None:
        first = {line.replace(":", " ", 1).split(" ", 1)[0].lower() for line in lines}
        _emit(RUN_PARTIAL, [crm.value for crm in Crm if crm in first], "; ".join(lines))


def _emit(name: str, crms: Iterable[str], what: str, **payload: Any) -> None:
    if not flow_run.id:
        return
    resource = {"prefect.resource.id": f"kam.run.{flow_run.id}", "prefect.resource.name": str(flow_run.name)}
    related = [
        {"prefect.resource.id": f"kam.crm.{crm}", "prefect.resource.role": "crm", "prefect.resource.name": str(crm)}
        for crm in crms
    ]
    emit_event(name, resource, related=related, payload={"what": plain(what), **payload})
