"""What a step tells while it works, and the clock it is given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Protocol

Clock = Callable[[], dt.datetime]
"""Gives the present instant, aware. Passed in, so that tests and sandboxes decide what now is."""


class Progress(Protocol):
    """Called after each chunk: the step (`salesforce accounts`), how much is done, and of how much if known."""

    def __call__(self, step: str, done: int, total: int | None) -> None: ...


def quiet(step: str, done: int, total: int | None) -> None:
    """Tells nobody."""
