"""Faults on request: what goes wrong with which call, and the log of all calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

Fault = Literal[
    "429",
    "429_retry_after",
    "503",
    "html_502",
    "expired_token",
    "dropped_before",
    "dropped_after",
    "truncated",
    "empty_page",
]
"""What a sandbox can do instead of answering.

`429` and `429_retry_after`: refused for the rate, as the vendor words it, without and with a Retry-After of one
second. `503`: the vendor's own unavailable. `html_502`: a page of the edge instead of JSON. `expired_token`: the
vendor's 401. `dropped_before`: the connection breaks and nothing was done. `dropped_after`: it was done, and the
connection breaks before the answer. `truncated`: the answer stops in the middle of its body. `empty_page`: a
page of records is answered as if there were none, with success; other calls are answered as usual.
"""

KINDS: tuple[Fault, ...] = (
    "429",
    "429_retry_after",
    "503",
    "html_502",
    "expired_token",
    "dropped_before",
    "dropped_after",
    "truncated",
)
"""Those that a client can tell from the answer, or the lack of one: that a page should not be empty, it cannot."""


@dataclass(frozen=True)
class Call:
    """One request that came in: `status` is 0 where no whole answer went out."""

    method: str
    path: str
    query: str
    status: int
    fault: Fault | None = None


class Faults:
    """Which of the coming calls goes wrong, and how. Thread-safe; one per served CRM."""

    def __init__(self) -> None:
        self.log: list[Call] = []
        self._lock = threading.Lock()
        self._seen = 0
        self._planned: dict[int, Fault] = {}
        self._on_path: list[tuple[str, Fault, int]] = []

    def at(self, call: int, fault: Fault, *, times: int = 1) -> None:
        """The call with this number from now on (0 is the next), and the `times - 1` after it, go wrong."""
        with self._lock:
            for offset in range(times):
                self._planned[self._seen + call + offset] = fault

    def on_path(self, part: str, fault: Fault, *, times: int = 1) -> None:
        """The next `times` calls whose `METHOD path` contains `part` go wrong."""
        with self._lock:
            self._on_path.append((part, fault, times))

    def clear(self) -> None:
        """Nothing goes wrong any more, and the log is empty."""
        with self._lock:
            self._planned.clear()
            self._on_path.clear()
            self.log.clear()

    def take(self, what: str) -> Fault | None:
        """Counts a call, `METHOD path`, and says what goes wrong with it."""
        with self._lock:
            number, self._seen = self._seen, self._seen + 1
            if number in self._planned:
                return self._planned.pop(number)
            for place, (part, fault, times) in enumerate(self._on_path):
                if part in what:
                    self._on_path[place : place + 1] = [(part, fault, times - 1)] if times > 1 else []
                    return fault
            return None

    def note(self, call: Call) -> None:
        """Enters a call into the log."""
        with self._lock:
            self.log.append(call)
