"""Has something happen in a CRM just before a call of ours is answered: what people do in that moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send


class Shown(Protocol):
    """A server whose app can be changed."""

    app: ASGIApp | None


@dataclass
class Meanwhile:
    """`deeds`: what is done before the first, the second ... call whose `METHOD path` contains `part`."""

    inner: ASGIApp
    part: str
    deeds: list[Callable[[], object]]
    met: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = f"{scope.get('method')} {scope.get('path')}"
        if self.part in called:
            self.met.append(called)
            if self.deeds:
                self.deeds.pop(0)()
        await self.inner(scope, receive, send)


def meanwhile(front: Shown, part: str, *deeds: Callable[[], object]) -> list[str]:
    """The calls in question, as they come."""
    assert front.app is not None
    hook = Meanwhile(front.app, part, list(deeds))
    front.app = hook
    return hook.met
