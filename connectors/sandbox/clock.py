"""The sandbox's clock: it stands where it is set, or runs on from there."""

from __future__ import annotations

import datetime as dt
import threading
import time


class Clock:
    """An aware instant that moves when told. `running`: it also moves with real time, as a CRM's does."""

    def __init__(self, start: dt.datetime, *, running: bool = False) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock needs a time zone")
        self._at = start.astimezone(dt.UTC)
        self._since = time.monotonic() if running else None
        self._lock = threading.Lock()

    def now(self) -> dt.datetime:
        """The instant that the sandbox takes for now, in UTC."""
        with self._lock:
            return self._at + self._run()

    def advance(self, by: dt.timedelta) -> None:
        """Lets time pass at once."""
        with self._lock:
            self._at += by

    def set(self, at: dt.datetime) -> None:
        """Moves to an instant; a running clock runs on from there."""
        with self._lock:
            self._at = at.astimezone(dt.UTC)
            self._since = None if self._since is None else time.monotonic()

    def _run(self) -> dt.timedelta:
        return dt.timedelta(seconds=0 if self._since is None else time.monotonic() - self._since)
