"""Which path is answered by what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connectors.sandbox.salesforce.refusals import Refusal, error, unknown_to_sandbox
from connectors.sandbox.salesforce.wire.call import Call, Reply

Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """A path below the version, `{name}` standing for one step, with its handlers by method and its parameters."""

    path: str
    handlers: Mapping[str, Handler]
    params: frozenset[str] = field(default_factory=frozenset)
    counted: bool = True

    def match(self, steps: list[str]) -> dict[str, str] | None:
        """The named steps of a path; None where it is not this route's."""
        mine = self.path.split("/") if self.path else []
        if len(mine) != len(steps):
            return None
        parts = {}
        for pattern, step in zip(mine, steps, strict=True):
            if pattern.startswith("{"):
                parts[pattern[1:-1]] = step
            elif pattern.lower() != step.lower():
                return None
        return parts


def find(routes: list[Route], method: str, steps: list[str]) -> tuple[Route, Handler, dict[str, str]]:
    """The route of a path. Raises Refusal: 500 for a path that the sandbox does not know, 405 for its method."""
    for route in routes:
        parts = route.match(steps)
        if parts is None:
            continue
        handler = route.handlers.get("GET" if method == "HEAD" else method)
        if handler is None:
            raise _not_allowed(method, route)
        return route, handler, parts
    raise unknown_to_sandbox(f"path {'/'.join(steps)}")


def _not_allowed(method: str, route: Route) -> Refusal:
    allowed = ",".join(sorted(route.handlers))
    return error(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")
