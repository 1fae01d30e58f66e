"""Writes down each step that runs, and how it ended: what `kam status` tells of."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from connectors.errors import QuotaSpent
from flows.escaping import plain
from flows.logs import logged_as
from flows.pipeline.leasing import is_dead, machine
from flows.runtime import Runtime
from kammodel.entities import Run
from kammodel.errors import KamError
from kammodel.store import health
from kammodel.store.control import end_run, start_run

P = ParamSpec("P")
R = TypeVar("R")

KILLED = "it was killed, or its machine went away; the next run resumes"
_STOPPED = "stopped by hand; the next run resumes"


def recorded(
    kind: str, *, of_crm: bool = False, rows: str | None = None, tells_itself: bool = False
) -> Callable[[Callable[Concatenate[Runtime, P], R]], Callable[Concatenate[Runtime, P], R]]:
    """A step whose runs stand in the store: running, then done, partial or failed with one line.

    `of_crm`: its first argument after the runtime names the CRM. `rows`: the attribute of its receipt that counts what
    it did. `tells_itself`: it writes down by itself that it is done, with its rows in one transaction.
    """

    def around(step: Callable[Concatenate[Runtime, P], R]) -> Callable[Concatenate[Runtime, P], R]:
        @wraps(step)
        def run(runtime: Runtime, /, *args: P.args, **kwargs: P.kwargs) -> R:
            told = _Told(runtime, kind, str(args[0]) if of_crm else None)
            try:
                with logged_as(told.id, told.crm):
                    receipt = step(runtime, *args, **kwargs)
            except BaseException as fault:
                # Not even a fault of the store that is to be told of may hide the first one.
                with suppress(Exception):
                    told.end(health.PARTIAL if isinstance(fault, QuotaSpent) else health.FAILED, _line(fault))
                raise
            if tells_itself:
                told.drop()
            else:
                told.end(*_state(receipt), rows=getattr(receipt, rows) if rows else None)
            return receipt

        return run

    return around


class _Told:
    """The row of one run."""

    def __init__(self, runtime: Runtime, kind: str, crm: str | None) -> None:
        self._store, self._clock = runtime.store, runtime.clock
        self.id, self.crm = uuid.uuid4().hex, crm
        self._result: dict[str, object] = {health.HOLDER: f"{machine()}/{os.getpid()}/{self.id[:8]}"}
        self._result |= {} if crm is None else {health.CRM: crm}
        now = self._clock()
        with self._store.transaction() as tx:
            for one in health.running(tx, kind):
                if has_died(one):
                    end_run(tx, one.run_id, health.FAILED, {**one.result, health.LINE: KILLED}, now)
            start_run(tx, Run(run_id=self.id, kind=kind, started_at=now, result=self._result))

    def end(self, state: str, line: str | None, rows: int | None = None) -> None:
        told = {health.LINE: line, health.ROWS: rows}
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
    stopped = getattr(receipt, "stopped", None)
    if getattr(receipt, "is_partial", False) or not getattr(receipt, "is_complete", True):
        return health.PARTIAL, plain(str(stopped)) if stopped else "not all of it could be done"
    return health.DONE, None


def _line(fault: BaseException) -> str:
    """One line for a person. The text of a fault that is not ours may hold anything, and is left out."""
    if isinstance(fault, KamError):
        return plain(str(fault))
    # Flows stop their steps by an exception of their own.
    is_stop = isinstance(fault, KeyboardInterrupt) or type(fault).__name__ == "Stopped"
    return _STOPPED if is_stop else f"{type(fault).__name__}: see the log of the run"
