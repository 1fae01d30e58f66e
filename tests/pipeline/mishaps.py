"""What can go wrong at a call of a run: a fault, an outage, the end of the process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from connectors.sandbox.faults import KINDS, Fault

Mishap = Fault | Literal["outage", "killed_before", "killed_after"]
"""`outage`: the edge answers eight calls in a row. `killed_*`: the process ends as a call is about to go out, or once
it was carried out."""
KILLED: tuple[Mishap, ...] = ("killed_before", "killed_after")
MISHAPS: tuple[Mishap, ...] = (*KINDS, "outage", *KILLED)
OUTAGE = 8


class Killed(BaseException):
    """The end of the process, which nothing of ours catches."""


@dataclass
class Stop:
    """Ends the process at a call, whichever of its threads makes it; what it tries to send afterwards goes nowhere."""

    call: int
    after: bool
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def armed(self) -> Iterator[None]:
        carried = HTTPConnectionPool.urlopen

        def urlopen(pool: HTTPConnectionPool, *args: Any, **kwargs: Any) -> Any:
            number = self._number()
            if number == self.call and self.after:
                carried(pool, *args, **kwargs).close()
            if number >= self.call:
                raise Killed
            return carried(pool, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            # Beneath requests as beneath hubspot-api-client.
            patch.setattr(HTTPConnectionPool, "urlopen", urlopen)
            yield

    def _number(self) -> int:
        with self._lock:
            number, self.seen = self.seen, self.seen + 1
            return number
