"""What can go wrong at a call of a run: a fault, an outage, the end of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from urllib3 import HTTPResponse
from urllib3.connectionpool import HTTPConnectionPool

from connectors.sandbox.faults import KINDS, Fault

Mishap = Fault | Literal["outage", "odd_200", "killed_before", "killed_after"]
"""`outage`: the edge answers eight calls in a row. `odd_200`: something before the CRM answers in its place, with an
empty JSON object. `killed_*`: the process ends as a call is about to go out, or once it was carried out."""
KILLED: tuple[Mishap, ...] = ("killed_before", "killed_after")
MISHAPS: tuple[Mishap, ...] = (*KINDS, "outage", *KILLED)
ODD: Mishap = "odd_200"
OUTAGE = 8


class Killed(BaseException):
    """The end of the process, which nothing of ours catches."""


@dataclass
class _Between:
    """Stands between the connections and the CRM, and counts the calls, whichever thread makes them."""

    call: int
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def armed(self) -> Iterator[None]:
        carried = HTTPConnectionPool.urlopen

        def urlopen(pool: HTTPConnectionPool, *args: Any, **kwargs: Any) -> Any:
            return self.answer(self._number(), lambda: carried(pool, *args, **kwargs))

        with pytest.MonkeyPatch.context() as patch:
            # Beneath requests as beneath hubspot-api-client.
            patch.setattr(HTTPConnectionPool, "urlopen", urlopen)
            yield

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        raise NotImplementedError

    def _number(self) -> int:
        with self._lock:
            number, self.seen = self.seen, self.seen + 1
            return number


@dataclass
class Stop(_Between):
    """Ends the process at a call; what it tries to send afterwards goes nowhere."""

    after: bool = False

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        if number == self.call and self.after:
            carry().close()
        if number >= self.call:
            raise Killed
        return carry()


@dataclass
class Odd(_Between):
    """Answers one call with an empty object and success; the CRM does not hear of it."""

    def answer(self, number: int, carry: Callable[[], Any]) -> Any:
        if number != self.call:
            return carry()
        return HTTPResponse(b"{}", {"Content-Type": "application/json"}, 200, preload_content=True)
