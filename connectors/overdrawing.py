"""Calls that go out though a run has none left: they put right what it has done, or see what that was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_OVERDRAWS: ContextVar[bool] = ContextVar("overdraws", default=False)


@contextmanager
def overdrawing() -> Iterator[None]:
    """Our own share of the calls, and the reserve for others, stop no call that is made in the block, nor one of the
    threads that are set to work in it. The CRM's own limit does."""
    before = _OVERDRAWS.set(True)
    try:
        yield
    finally:
        _OVERDRAWS.reset(before)


def overdraws() -> bool:
    """Whether the call at hand is made in such a block."""
    return _OVERDRAWS.get()
