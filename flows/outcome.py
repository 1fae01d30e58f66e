"""How a flow or task ends: a foreseeable fault is a Failed state with one line, not a traceback."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.escaping import plain
from kammodel.errors import KamError

P = ParamSpec("P")
R = TypeVar("R")


def ends_well(work: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Turns a KamError into a Failed state that says what to do. Whoever awaits the flow gets the KamError.

    Raised as it is, Prefect would write a traceback into log, state and events.
    """

    @wraps(work)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await work(*args, **kwargs)
        except KamError as fault:
            return cast("R", Failed(message=plain(str(fault)), data=fault))

    return guarded


async def receipt_of(call: Awaitable[R]) -> R:
    """What a task gives back; raises its fault. A task that returns a state hands the state to the flow."""
    given: Any = await call
    return cast("R", await given.aresult()) if isinstance(given, State) else cast("R", given)


def partial(receipt: R, message: str) -> R:
    """A completed run whose state is named Partial: the work is done but for what the message says."""
    return cast("R", Completed(name="Partial", message=message, data=receipt))
