"""Token buckets: keeps our own rate of calls under a CRM's window, so that it need not refuse us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pacer:
    """Lets `calls` pass in `seconds`, spread evenly after a first burst of a tenth of them. Thread-safe.

    The burst comes on top, so that no window sees more than 1.1 times `calls`, and the long run sees `calls`:
    pass nine tenths of a limit that must not be crossed. `now` and `sleep` are passed in, so that tests need no time.
    """

    def __init__(
        self,
        calls: float,
        seconds: float,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = calls / seconds
        self._burst = max(1.0, calls / 10)
        self._now, self._sleep = now, sleep
        self._tokens, self._at = self._burst, now()
        self._lock = threading.Lock()

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
            self._burst = max(1.0, calls / 10)
