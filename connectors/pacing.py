"""Keeps our own calls under a CRM's limits, so that it need not refuse us: those of a window, and those of a day."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from connectors.allowing import allowance
from connectors.errors import QuotaSpent


class Pacer:
    """Lets `calls` pass in `seconds`, spread evenly after a first burst of a tenth of them. Thread-safe.

    The burst comes on top, so that no window sees more than 1.1 times `calls`, and the long run sees `calls`:
    pass nine tenths of a limit that must not be crossed. `burst`: another share than a tenth. `now` and `sleep` are
    passed in, so that tests need no time.
    """

    def __init__(
        self,
        calls: float,
        seconds: float,
        *,
        burst: float = 0.1,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = calls / seconds
        self._share = burst
        self._burst = max(1.0, calls * burst)
        self._now, self._sleep = now, sleep
        self._tokens, self._at = self._burst, now()
        self._lock = threading.Lock()

    @property
    def rate(self) -> float:
        """Calls a second in the long run."""
        return self._rate

    def wait(self) -> None:
        """Returns when the next call may go out."""
        with self._lock:
            at = self._now()
            self._tokens = min(self._burst, self._tokens + (at - self._at) * self._rate) - 1
            self._at = at
            debt = -self._tokens / self._rate
        if debt > 0:
            self._sleep(debt)

    def set_rate(self, calls: float, seconds: float) -> None:
        """Takes over the limit that the CRM states in its answers."""
        with self._lock:
            self._rate = calls / seconds
            self._burst = max(1.0, calls * self._share)


class Budget:
    """How many of a CRM's calls of the day one run may make. Thread-safe.

    `share` of the limit is ours at most; where everybody's calls reach 1 - `reserve` of it, the rest is left to the
    others. Both are 0..1. `prefix` begins the names of the variables that set them, `crm` is the CRM's name for people.
    `span`: the time that the limit is for, in words. Nothing is known, and everything allowed, until an answer has
    stated the limit.
    """

    def __init__(self, crm: str, prefix: str, *, share: float, reserve: float, span: str = "in 24 hours") -> None:
        self._crm, self._prefix, self._span = crm, prefix, span
        self._share, self._reserve = share, reserve
        self._spent = self._newest = 0
        # Calls of the day that were not made by this run, as the newest answer tells.
        self._of_others = 0
        self._limit: int | None = None
        self._lock = threading.Lock()

    def spend(self, *, even_if_spent: bool = False) -> int:
        """Counts one more call of ours, before it goes out; its number, for `learn`. Raises QuotaSpent where none is
        left, or none to the work at hand (`connectors.allowing`), unless it has to go out in any case."""
        allowed = allowance()
        with self._lock:
            if not even_if_spent and self._limit is not None:
                self._check(self._limit)
            if allowed is not None:
                allowed.spend(even_if_spent=even_if_spent)
            self._spent += 1
            return self._spent

    def left(self) -> tuple[int, int] | None:
        """How many calls more this run may make, and the limit of the day; None while no answer has stated it."""
        with self._lock:
            if self._limit is None:
                return None
            ours, all_but_reserve = _part(self._limit, self._share), _part(self._limit, 1 - self._reserve)
            return max(0, min(ours - self._spent, all_but_reserve - self._of_others - self._spent)), self._limit

    def learn(self, number: int, used: int, limit: int) -> None:
        """What the answer to call `number` says: everybody's calls, and the limit. Answers may come out of order: what
        others made may be taken for as many less as there are calls under way."""
        with self._lock:
            if limit > 0 and number >= self._newest:
                self._newest, self._limit, self._of_others = number, limit, used - number

    def _check(self, limit: int) -> None:
        ours, all_but_reserve = _part(limit, self._share), _part(limit, 1 - self._reserve)
        if self._spent >= ours:
            raise QuotaSpent(
                f"this run has made {self._spent:,} of the {ours:,} calls to {self._crm} that one run may make "
                f"({self._prefix}CALL_SHARE={self._share:g} of the {limit:,} {self._span}); run again later"
            )
        used = self._of_others + self._spent
        if used >= all_but_reserve:
            raise QuotaSpent(
                f"{used:,} of the {limit:,} calls to {self._crm} {self._span} are spent, and the last "
                f"{limit - all_but_reserve:,} are left to others ({self._prefix}CALL_RESERVE={self._reserve:g}); "
                "run again later"
            )


def _part(limit: int, share: float) -> int:
    """Whole calls; 0.29 of 100 are 29, though not to a binary fraction."""
    return math.floor(round(limit * share, 6))
