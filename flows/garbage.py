"""Keeps Python from looking for reference cycles among millions of short-lived objects that hold none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS = 50_000
"""New objects after which the youngest are looked at. Python's default of 700 costs a pull a twentieth of its time."""


@contextmanager
def seldom_collected() -> Iterator[None]:
    """What is there already is not looked at again, and what comes seldom."""
    known = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS, *known[1:])
    try:
        yield
    finally:
        gc.set_threshold(*known)
        gc.unfreeze()
