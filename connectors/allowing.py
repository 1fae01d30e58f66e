"""A number of calls that a piece of work may make, whatever the CRM's day would allow."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from connectors.errors import QuotaSpent


class Allowance:
    """Calls that are left to a piece of work. Thread-safe. `calls` None: as many as the CRM's day allows."""

    def __init__(self, calls: int | None) -> None:
        self._calls, self._made = calls, 0
        self._lock = threading.Lock()

    @property
    def made(self) -> int:
        return self._made

    def spend(self, *, even_if_spent: bool = False) -> None:
        """Counts a call that is about to go out. Raises QuotaSpent where none is left."""
        with self._lock:
            if self._calls is not None and self._made >= self._calls and not even_if_spent:
                raise QuotaSpent(f"the {self._calls:,} calls that it was given are made; run again to go on")
            self._made += 1


_ALLOWED: ContextVar[Allowance | None] = ContextVar("allowed", default=None)


@contextmanager
def allowing(allowance: Allowance) -> Iterator[Allowance]:
    """Calls that are made in the block, and by threads that are set to work in it, are of this allowance."""
    before = _ALLOWED.set(allowance)
    try:
        yield allowance
    finally:
        _ALLOWED.reset(before)


def allowance() -> Allowance | None:
    """That of the block at hand."""
    return _ALLOWED.get()
