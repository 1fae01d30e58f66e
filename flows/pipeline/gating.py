"""Whether a plan may be written: not once it is too old, and beyond the guard's limits only if a person approved it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

from connectors.contract import Identity
from flows.pipeline.progress import Clock
from flows.results import ApprovalReceipt, PlanReceipt
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.store import Store, approving


class NeedsApproval(KamError):
    """A plan goes beyond the guard's limits. Nothing is written until a person approves its hash."""

    exit_code: ClassVar[int] = 1


def needs_approval(plans: Iterable[PlanReceipt]) -> NeedsApproval:
    """The fault that says of each plan what tripped, and what to do."""
    told = (
        f"{plan.source}: plan {plan.plan_id} is not written, the guard stopped it: {'; '.join(plan.tripped)}. "
        f"Look at it: kam plans {plan.plan_id}; if it is right: kam approve {plan.hash} --by NAME, kam apply"
        for plan in plans
    )
    return NeedsApproval(" / ".join(told))


def check_may_be_written(plan: PublishPlan, now: dt.datetime) -> None:
    """Raises KamError for a plan that is too old, NeedsApproval for one that nobody approved and somebody should. Of a
    plan that was written to its end nothing is left to be written."""
    if plan.applied_at is not None:
        return
    _check_age(plan, now)
    if plan.tripped and plan.approved_at is None:
        raise needs_approval([_receipt(plan, {})])


def is_too_old(plan: PublishPlan | PlanReceipt, now: dt.datetime) -> bool:
    """Whether a plan may be written no more."""
    return plan.expires_at is not None and now > plan.expires_at


def _check_age(plan: PublishPlan, now: dt.datetime) -> None:
    if plan.expires_at is not None and is_too_old(plan, now):
        raise KamError(
            f"{plan.source}: plan {plan.plan_id} is too old to be written: it was good until "
            f"{plan.expires_at:%Y-%m-%d %H:%M} UTC, and people have worked since. Make a new one: "
            f"kam plan --crm {plan.source}"
        )


def planned_by(
    store: Store, identity: Identity, made_by: str, now: dt.datetime, *, reviewed: bool = False
) -> PlanReceipt | None:
    """The newest plan of an org, if this run of a scheduler made it, it did not come to its end, and may still be
    written. `reviewed`: its end is not before a person has looked at the cells that wait for review."""
    with store.transaction() as tx:
        plan = approving.newest(tx, identity.source, identity.instance)
        if plan is None or plan.made_by != made_by or is_too_old(plan, now):
            return None
        to_review = approving.to_review(tx, plan.plan_id)
        if plan.applied_at is not None and not (reviewed and to_review):
            return None
        return _receipt(plan, approving.outcomes(tx, plan.plan_id), to_review)


def _receipt(plan: PublishPlan, outcomes: dict[str, int], to_review: int = 0) -> PlanReceipt:
    """What is known of a plan that was made before."""
    return PlanReceipt(
        plan_id=plan.plan_id,
        source=plan.source,
        as_of=plan.as_of,
        compared=0,
        known=0,
        accounts_to_write=0,
        cells_to_write=outcomes.get("pending", 0) + outcomes.get("waiting", 0),
        cells_held=plan.cells_held - to_review,
        cells_equal=plan.cells_equal,
        calls=0,
        write_calls=plan.write_calls,
        seconds=0.0,
        hash=plan.hash,
        expires_at=plan.expires_at,
        cells_to_review=to_review,
        tripped=() if plan.approved_at is not None else tuple(plan.tripped),
    )


def approve(store: Store, name: str, by: str, clock: Clock) -> ApprovalReceipt:
    """Approves the newest plan of that hash, in the name of a person. Raises KamError where there is none, or it was
    overtaken by a newer one, is too old, or does not wait for anybody: what was approved is what is written, and
    nothing else, and nobody's name is put over another's."""
    person = " ".join(by.split())
    if not person:
        raise KamError("an approval needs the name of whoever gives it: --by NAME")
    if len(name) < approving.SHORTEST:
        raise KamError(f"{name!r} is too short for a hash: give at least its first {approving.SHORTEST} characters")
    with store.transaction() as tx:
        found = [plan for plan in approving.plans_named(tx, name) if plan.hash.startswith(name)]
        if not found:
            raise KamError(f"no plan has a hash that begins with {name!r}; kam plans lists them")
        plan = found[0]
        latest = approving.newest(tx, plan.source, plan.source_instance) or plan
        if latest.plan_id != plan.plan_id:
            newer = f"{latest.plan_id}, hash {latest.hash}"
            raise KamError(f"{plan.source}: a newer plan has taken the place of {plan.plan_id}: {newer}")
        _check_waits(plan, approving.to_review(tx, plan.plan_id), clock())
        freed = approving.approve(tx, plan.plan_id, person, clock())
    return ApprovalReceipt(plan.plan_id, plan.source, plan.hash, person, tuple(plan.tripped), freed)


def _check_waits(plan: PublishPlan, to_review: int, now: dt.datetime) -> None:
    """Raises KamError for a plan with nothing to approve, or too late. All else of one whose cells wait for review may
    have been written in time: they are too old all the same."""
    if to_review or plan.applied_at is None:
        _check_age(plan, now)
    if to_review or (plan.tripped and plan.approved_at is None):
        return
    why = "has been approved already" if plan.approved_at is not None else "needs no approval"
    raise KamError(f"{plan.source}: plan {plan.plan_id} {why}; see: kam plans {plan.plan_id}")
