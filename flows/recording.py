"""Writes down each step that runs, and how it ended: what `kam status` tells of."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from connectors.errors import QuotaSpent
from flows.escaping import plain
from flows.logs import logged_as
from flows.pipeline.leasing import is_dead, machine
from flows.results import CrmBackfillReceipt, RunReceipt
from flows.runtime import Runtime
from kammodel.entities import Run
from kammodel.errors import KamError
from kammodel.store import health
from kammodel.store.approving import plans_named
from kammodel.store.control import end_run, start_run

P = ParamSpec("P")
R = TypeVar("R")

KILLED = "it was killed, or its machine went away; the next run resumes"
_STOPPED = "stopped by hand; the next run resumes"
_SUSPENDED = "suspended until a person approves a plan"
_STOPS = {"Stopped", "CancelledError", "TerminationSignal"}
"""Flows stop their steps by exceptions of their own; Prefect, which is not imported here, stops flows by its own."""


def recorded(
    kind: str | Callable[..., str],
    *,
    of_crm: bool = False,
    rows: str | None = None,
    tells_itself: bool = False,
    command: Callable[..., str] | None = None,
) -> Callable[[Callable[Concatenate[Runtime, P], R]], Callable[Concatenate[Runtime, P], R]]:
    """A step whose runs stand in the store: running, then done, partial or failed with one line.

    `kind`: or what tells it from the runtime and the arguments by place. `of_crm`: its first argument after the runtime
    names the CRM. `rows`: the attribute of its receipt that counts what it did. `tells_itself`: it writes down by
    itself that it is done, with its rows in one transaction. `command`: what goes on with it, from the runtime, the
    arguments by place, and its receipt, None before there is one.
    """

    def around(step: Callable[Concatenate[Runtime, P], R]) -> Callable[Concatenate[Runtime, P], R]:
        @wraps(step)
        def run(runtime: Runtime, /, *args: P.args, **kwargs: P.kwargs) -> R:
            named = kind if isinstance(kind, str) else kind(runtime, *args)
            begun_by = command(runtime, *args, None) if command is not None else None
            with recording(runtime, named, str(args[0]) if of_crm else None, begun_by) as told:
                receipt = step(runtime, *args, **kwargs)
                told.command = command(runtime, *args, receipt) if command is not None else None
                if tells_itself:
                    told.is_told_elsewhere = True
                else:
                    told.receipt, told.rows = receipt, getattr(receipt, rows) if rows else None
            return receipt

        return run

    return around


@contextmanager
def recording(runtime: Runtime, kind: str, crm: str | None = None, command: str | None = None) -> Iterator[Told]:
    """The block as one run. It leaves its receipt with what it is given; without one it is done all the same."""
    told = Told(runtime, kind, crm, command)
    try:
        with logged_as(told.id, told.crm):
            yield told
    except BaseException as fault:
        # Not even a fault of the store that is to be told of may hide the first one.
        with suppress(Exception):
            told.end(*_fault(fault))
        raise
    if told.is_told_elsewhere:
        told.drop()
    else:
        told.end(*_state(told.receipt))


def apply_or_undo(runtime: Runtime, crm: str, plan_id: str | None) -> str:
    """What writing a plan of a CRM is called: what takes another plan back is an undo, and so is what takes that back
    in turn."""
    with runtime.store.transaction() as tx:
        newest = health.newest_plan(tx, crm)
        found = [newest] if plan_id is None else [one for one in plans_named(tx, plan_id) if one.plan_id == plan_id]
        return "undo" if any(one is not None and one.undoes is not None for one in found) else "apply"


class Told:
    """The row of one run."""

    def __init__(self, runtime: Runtime, kind: str, crm: str | None, command: str | None = None) -> None:
        self._store, self._clock = runtime.store, runtime.clock
        self.id, self.crm = uuid.uuid4().hex, crm
        self.receipt: Any = None
        self.rows: int | None = None
        self.is_told_elsewhere = False
        self.command = command
        self._result: dict[str, object] = {health.HOLDER: f"{machine()}/{os.getpid()}/{self.id[:8]}"}
        self._result |= {} if crm is None else {health.CRM: crm}
        now = self._clock()
        with self._store.transaction() as tx:
            for one in health.running(tx, kind):
                if has_died(one):
                    end_run(tx, one.run_id, health.FAILED, {**one.result, health.LINE: KILLED}, now)
            begun_by = {} if command is None else {health.COMMAND: command}
            start_run(tx, Run(run_id=self.id, kind=kind, started_at=now, result=self._result | begun_by))

    def end(self, state: str, line: str | None) -> None:
        told = {health.LINE: line, health.ROWS: self.rows, health.COMMAND: self.command}
        told |= {health.OVERTAKEN: True} if getattr(self.receipt, "skipped", None) is not None else {}
        result = self._result | {name: value for name, value in told.items() if value is not None}
        with self._store.transaction() as tx:
            end_run(tx, self.id, state, result, self._clock())

    def drop(self) -> None:
        with self._store.transaction() as tx:
            health.drop_run(tx, self.id)


def has_died(run: Run) -> bool:
    """Whether a run that tells of no end was a process of this machine that is gone."""
    return is_dead(str(run.result.get(health.HOLDER, "")))


def _state(receipt: Any) -> tuple[str, str | None]:
    if isinstance(receipt, RunReceipt | CrmBackfillReceipt):
        beyond = [f"{plan.source}: {line}" for plan in receipt.stopped for line in plan.tripped]
        if beyond:
            return health.FAILED, plain(f"nothing was written, beyond a limit of the guard: {'; '.join(beyond)}")
        return (health.PARTIAL, plain("; ".join(receipt.left))) if receipt.left else (health.DONE, None)
    stopped = getattr(receipt, "stopped", None)
    if getattr(receipt, "is_partial", False) or not getattr(receipt, "is_complete", True):
        return health.PARTIAL, plain(str(stopped)) if stopped else "not all of it could be done"
    return health.DONE, None


def _fault(fault: BaseException) -> tuple[str, str]:
    """The state, and one line for a person. The text of a fault that is not ours may hold anything, and is left out."""
    if isinstance(fault, KamError):
        return health.PARTIAL if isinstance(fault, QuotaSpent) else health.FAILED, plain(str(fault))
    if type(fault).__name__ == "Pause":
        return health.PARTIAL, _SUSPENDED
    is_stop = isinstance(fault, KeyboardInterrupt) or type(fault).__name__ in _STOPS
    return health.FAILED, _STOPPED if is_stop else f"{type(fault).__name__}: see the log of the run"
