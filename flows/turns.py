"""Waiting for another run that reads or writes the same CRM: what a flow does, and a command leaves to its user."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

from flows.pipeline import Progress
from flows.pipeline.leasing import Taken
from flows.results import ApplyReceipt, PullReceipt, ReconcileReceipt
from flows.runtime import Runtime
from kammodel.store import approving, plans

R = TypeVar("R")

LONGEST = dt.timedelta(minutes=30)
"""How long a run of the schedule waits for another one; then the next one of the schedule does its work."""
BETWEEN_S = 10.0
"""Between two looks whether the other one is done."""


@runtime_checkable
class Waits(Protocol):
    """A progress of somebody who need not be answered at once: of a flow."""

    def wait(self, why: str, seconds: float) -> None:
        """Waits for so long. `why` is the same for as long as it is the same run that is waited for."""
        ...


def in_turn(work: Callable[[], R], unbegun: Callable[[str], R], *, runtime: Runtime, progress: Progress) -> R:
    """Does the work as soon as no other run has the lease that it takes.

    `unbegun`: the receipt of work that was waited with for too long, by why. Raises Taken at once where the progress
    cannot wait.
    """
    if not isinstance(progress, Waits):
        return work()
    until = runtime.clock() + LONGEST
    while True:
        try:
            return work()
        except Taken as other:
            if runtime.clock() >= until:
                minutes = int(LONGEST.total_seconds() / 60)
                return unbegun(f"waited {minutes} minutes for another run, which is {other.doing} ({other.holder})")
            progress.wait(f"another run is {other.doing} ({other.holder})", BETWEEN_S)


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
