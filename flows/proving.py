"""The proof of the store on a runtime: counted for a command or a task, and asked for before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from flows import turns
from flows.naming import about
from flows.pipeline import Progress, reconciling
from flows.recording import recorded
from flows.results import ReconcileReceipt
from flows.runtime import Runtime


@recorded("reconcile", of_crm=True)
def reconcile(runtime: Runtime, crm: str, *, repair: bool, progress: Progress) -> ReconcileReceipt:
    """Counts the records of one CRM against those of the store."""
    connector, clock = runtime.connector(crm), runtime.clock
    work = partial(reconciling.reconcile, connector, runtime.store, clock, repair=repair, progress=progress)
    with about(crm):
        return turns.in_turn(work, partial(turns.uncounted, runtime, crm), runtime=runtime, progress=progress)


def require_proven(runtime: Runtime, crms: Iterable[str]) -> None:
    """Raises KamError where the newest certificate of one of the CRMs says that the store lacks what it has."""
    reconciling.check_certified(runtime.store, crms)


def unproven(receipts: Iterable[ReconcileReceipt]) -> tuple[str, ...]:
    """A line for each reason why streams could not be proven, and for each CRM that was counted in part."""
    told: list[str] = []
    for one in receipts:
        told += [f"{one.source} is not proven in {streams}: {why}" for why, streams in one.unproven.items()]
        told += [f"{one.source}: {one.stopped}"] if one.stopped is not None else []
    return tuple(told)
