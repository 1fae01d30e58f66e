"""How a flow or task ends: a foreseeable fault is a state with one line, not a traceback."""

import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from connectors.errors import QuotaSpent
from flows.escaping import plain
from flows.events import tell_partial
from flows.naming import named
from flows.results import ApplyReceipt, PlanReceipt
from kammodel.errors import KamError

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", str, PlanReceipt)

_OURS = {"flows", "connectors", "kammodel"}

PARTIAL = "Partial"
"""Name of the states of what was done in part; a later run goes on."""


class Unforeseen(KamError):
    """A fault that nobody foresaw: of which kind, and where."""


def ends_well(work: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Turns a KamError into a Failed state that says what to do. Whoever awaits the flow gets the KamError.

    Raised as it is, Prefect would write a traceback into log, state and events. Where no calls are left the state is
    named Partial. A task of that name failed, so that its flow gets the fault; a flow is completed, for nobody has to
    look into it, and has the fault for its result. A fault that nobody foresaw is an Unforeseen one: where it happened
    is in the log.
    """

    @wraps(work)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await work(*args, **kwargs)
        except QuotaSpent as fault:
            tell_partial([str(fault)])
            how = Completed if TaskRunContext.get() is None else Failed
            return cast("R", how(name=PARTIAL, message=plain(str(fault)), data=fault))
        except KamError as fault:
            return cast("R", Failed(message=plain(str(fault)), data=fault))
        except Exception as fault:  # noqa: BLE001 - its text may hold anything, such as the row that a database refused
            told = Unforeseen(f"{type(fault).__name__} in {_place(fault)}: see the log of the run")
            get_run_logger().error("%s\n%s", told, "".join(traceback.format_tb(fault.__traceback__)).rstrip())
            return cast("R", Failed(message=str(told), data=told))

    return guarded


def _place(fault: BaseException) -> str:
    """The innermost line of ours that a fault came through: module and number."""
    frames = [(str(frame.f_globals.get("__name__")), line) for frame, line in traceback.walk_tb(fault.__traceback__)]
    ours = [one for one in frames if one[0].split(".")[0] in _OURS]
    return "{}, line {}".format(*ours[-1])


async def receipt_of(call: Awaitable[R]) -> R:
    """What a task gives back; raises its fault. A task that returns a state hands the state to the flow."""
    given: Any = await call
    return cast("R", await given.aresult()) if isinstance(given, State) else cast("R", given)


async def each(crms: Iterable[C], work: Callable[[C], Awaitable[R]]) -> tuple[tuple[R, ...], tuple[str, ...]]:
    """As `flows.steps.each`, for tasks."""
    receipts: list[R] = []
    left: list[str] = []
    for crm in crms:
        try:
            receipts.append(await work(crm))
        except QuotaSpent as fault:
            left.append(named(crm.source if isinstance(crm, PlanReceipt) else crm, fault))
    return tuple(receipts), tuple(left)


def ended(receipt: R, left: Sequence[str], skipped: Sequence[str] = ()) -> R:
    """The receipt; with something left to do, as a completed run whose state is named Partial and says what. With
    something `skipped`, that need not be done, as one that is completed like any other, and says why: it wakes nobody.
    """
    if not (left or skipped):
        return receipt
    if left:
        tell_partial(left)
    name = PARTIAL if left else "Completed"
    return cast("R", Completed(name=name, message=plain("; ".join((*left, *skipped))), data=receipt))


def skipped(applied: Iterable[ApplyReceipt]) -> tuple[str, ...]:
    """A line for each plan that was not written, and need not be."""
    return tuple(f"{one.source}: {one.skipped}" for one in applied if one.skipped is not None)
