"""Keeps Python from looking for reference cycles among millions of short-lived objects that hold none."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_OBJECTS = 50_000
"""New objects after which the youngest are looked at. Python's default of 700 costs a pull a twentieth of its time."""


@dataclass
class _Pulls:
    """How many are under way, in whatever threads, and the threshold before the first of them."""

    under_way: int = 0
    before: tuple[int, int, int] = (0, 0, 0)
    lock: threading.Lock = field(default_factory=threading.Lock)


_pulls = _Pulls()


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is there already is not looked at again, and what comes seldom, until the last of several ends."""
    with _pulls.lock:
        if not _pulls.under_way:
            _pulls.before = gc.get_threshold()
            gc.freeze()
            gc.set_threshold(_OBJECTS, *_pulls.before[1:])
        _pulls.under_way += 1
    try:
        yield
    finally:
        with _pulls.lock:
            _pulls.under_way -= 1
            if not _pulls.under_way:
                gc.set_threshold(*_pulls.before)
                gc.unfreeze()
