"""How a backfill stands: rows, share, calls and the time left, for whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Callable

from flows.results import EstimateReceipt


class Standing:
    """Told after each chunk. The share is that of the calls, which, unlike rows, every window takes; where no estimate
    was made there is none."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._began = now, now()
        self._rows_before = self._rows = 0
        self._calls, self._calls_before, self._calls_to_make = 0, 0, 0
        self._rows_to_read: int | None = None
        self._place = ""

    def begin(self, estimate: EstimateReceipt | None) -> None:
        """Reading begins."""
        self._began = self._now()
        if estimate is not None:
            self._rows_to_read, self._calls_to_make = estimate.rows, estimate.calls
            self._calls = self._calls_before = estimate.setup + estimate.asked

    def enter(self, place: str) -> None:
        """The next window begins."""
        self._place = place
        self._rows_before, self._rows = self._rows_before + self._rows, 0

    def tell(self, place: str, rows: int, calls: int) -> None:
        """`rows` of the window at hand; `calls` in all."""
        self._place, self._rows, self._calls = place, rows, calls

    @property
    def rows(self) -> int:
        return self._rows_before + self._rows

    @property
    def total(self) -> int | None:
        """Rows, as far as can be foreseen: never fewer than were read."""
        return None if self._rows_to_read is None else max(self._rows_to_read, self.rows)

    @property
    def share(self) -> float | None:
        """0..1; of the calls that reading takes."""
        whole = self._calls_to_make - self._calls_before
        return min(1.0, (self._calls - self._calls_before) / whole) if whole > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """By the time that was needed so far; None before anything was done."""
        share = self.share
        return None if not share else (self._now() - self._began) * (1 - share) / share

    def text(self) -> str:
        """In one line."""
        told = [self._place] if self._place else []
        told.append(f"{self.rows:,} rows" + (f" of about {self.total:,}" if self.total else ""))
        if self.share is not None:
            told.append(f"{100 * self.share:.0f} %")
        told.append(f"{self._calls:,} calls" + (f" of about {self._calls_to_make:,}" if self._calls_to_make else ""))
        if self.seconds_left is not None:
            told.append(f"about {_spelled(self.seconds_left)} left")
        return ", ".join(told)


def _spelled(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
