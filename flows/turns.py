"""Waiting for another run that reads or writes the same CRM: what a flow does, and a command leaves to its user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NoReturn, Protocol, TypeVar, runtime_checkable

from connectors.errors import JobUnderWay, QuotaSpent
from flows.pipeline import Progress
from flows.pipeline.applying import Replaced
from flows.pipeline.leasing import Taken
from flows.results import ApplyReceipt, PullReceipt, ReconcileReceipt
from flows.runtime import Runtime
from kammodel.store import approving, plans

R = TypeVar("R")

LONGEST = dt.timedelta(minutes=30)
"""How long a run of the schedule waits for another one; then the next one of the schedule does its work."""
BETWEEN_S = 10.0
"""Between two looks whether the other one is done."""
NOBODYS = "a newer plan has taken its place, which no run is to write"
OVERTAKEN = "a newer plan has taken its place; it writes what this one would have"


class TurnMissed(QuotaSpent):
    """The turn of a step that leaves no receipt did not come. As where no calls are left: a later run goes on."""


@runtime_checkable
class Waits(Protocol):
    """A progress of somebody who need not be answered at once: of a flow."""

    def wait(self, why: str, seconds: float) -> None:
        """Waits for so long. `why` is the same for as long as it is the same run that is waited for."""
        ...


def in_turn(work: Callable[[], R], unbegun: Callable[[str], R], *, runtime: Runtime, progress: Progress) -> R:
    """Does the work as soon as no other run has the lease that it takes, and no job that one left behind may write.

    `unbegun`: the receipt of work that was waited with for too long, by why. Raises Taken or JobUnderWay at once where
    the progress cannot wait.
    """
    if not isinstance(progress, Waits):
        return work()
    until = runtime.clock() + LONGEST
    while True:
        try:
            return work()
        except (Taken, JobUnderWay) as other:
            if runtime.clock() >= until:
                return unbegun(f"waited {int(LONGEST.total_seconds() / 60)} minutes {_in_vain(other)}")
            why = f"another run is {other.doing} ({other.holder})" if isinstance(other, Taken) else str(other)
            progress.wait(why, BETWEEN_S)


def _in_vain(other: Taken | JobUnderWay) -> str:
    if isinstance(other, Taken):
        return f"for another run, which is {other.doing} ({other.holder})"
    return f"in vain: {other}"


def write_in_turn(
    work: Callable[[], ApplyReceipt], runtime: Runtime, crm: str, plan_id: str | None, *, progress: Progress
) -> ApplyReceipt:
    """As `in_turn`, for the writing of a plan. One that was overtaken is left out where the progress can wait: nobody
    need be told of what a newer one writes, if a run made that to write it; of what nobody writes somebody is told. One
    that takes another back is not left out: it is what somebody waits for."""
    try:
        return in_turn(work, partial(unwritten, runtime, crm, plan_id), runtime=runtime, progress=progress)
    except Replaced:
        if plan_id is None or not isinstance(progress, Waits) or _is_undo(runtime, plan_id):
            raise
    left = replace(unwritten(runtime, crm, None, NOBODYS), plan_id=plan_id)
    return replace(left, stopped=None, pending=0, skipped=OVERTAKEN) if _is_written(runtime, crm) else left


def _is_undo(runtime: Runtime, plan_id: str) -> bool:
    with runtime.store.transaction() as tx:
        found = [one for one in approving.plans_named(tx, plan_id) if one.plan_id == plan_id]
        return any(one.undoes is not None for one in found) or not found


def _is_written(runtime: Runtime, crm: str) -> bool:
    """Whether a run made the newest plan of a CRM, or it was written already. One made by hand may be there to be
    looked at, and one that takes another back is none of tiers."""
    who = runtime.connector(crm).identify()
    with runtime.store.transaction() as tx:
        newest = approving.newest(tx, who.source, who.instance)
    return newest is not None and newest.undoes is None and not (newest.made_by is None and newest.applied_at is None)


def unplanned(why: str) -> NoReturn:
    """Of a plan whose turn did not come."""
    raise TurnMissed(f"no plan was made, the next run makes one: {why}")


def not_taken_back(why: str) -> NoReturn:
    """Of an undo whose turn did not come."""
    raise TurnMissed(f"nothing is taken back, undo it once more: {why}")


def unread(crm: str, kind: str, why: str) -> PullReceipt:
    """Of a pull or sweep whose turn did not come."""
    return PullReceipt(crm, None, None, (), {}, 0, 0.0, stopped=why, resumes=f"is left to the next {kind}")


def uncounted(runtime: Runtime, crm: str, why: str) -> ReconcileReceipt:
    """Of a repair whose turn did not come."""
    who = runtime.connector(crm).identify()
    return ReconcileReceipt(crm, who.instance, who.organisation, (), 0, 0.0, runtime.clock(), stopped=why)


def unwritten(runtime: Runtime, crm: str, plan_id: str | None, why: str) -> ApplyReceipt:
    """Of a plan whose turn did not come: all that was to be written of it still is."""
    who = runtime.connector(crm).identify()
    with runtime.store.transaction() as tx:
        newest = approving.newest(tx, who.source, who.instance)
        plan_id = plan_id or (newest.plan_id if newest is not None else "")
        left = plans.cells_of(tx, plan_id, pending_only=True).height
    nothing = ApplyReceipt(plan_id, crm, written=0, rejected=0, gone=0, retry=0, calls=0, seconds=0.0)
    return replace(nothing, pending=left, stopped=why)
