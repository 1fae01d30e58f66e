"""The pools of calls that HubSpot allows a portal, each with its pace: learned from what answers state."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

from connectors.pacing import Pacer

Pool = Literal["general", "search", "associations"]

SHARE, BURST = 0.9, 0.05
"""How much of a stated limit we use, and how much of that at once: other apps and late clocks get the rest."""
_FREE_LIMIT, _WINDOW = 100, 10.0
"""Calls per ten seconds of the smallest portal: where we start, until an answer states the limit."""
_LINKS_OF = {100: 100, 110: 100, 190: 150, 250: 200}
"""Calls of a plan per ten seconds: general ones -> those to associations, which are a pool of their own. (110: an app
of the marketplace, which the plan of its portal is not told.)
https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide (read 2026-11-29)"""


class Pools:
    """The pace of each pool. Thread-safe.

    What answers about associations state is not documented: their own limit is believed; where it is the general one,
    or none, theirs follows from the plan that has such a general limit.
    """

    def __init__(self, searches_per_second: float, *, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        start = (_FREE_LIMIT * SHARE, _WINDOW)
        timed: dict[str, Any] = {"burst": BURST, "now": now, "sleep": sleep}
        self._pacers: dict[Pool, Pacer] = {
            "general": Pacer(*start, **timed),
            "associations": Pacer(*start, **timed),
            "search": Pacer(searches_per_second, 1.0, **timed),
        }
        self._lock, self._is_stated = threading.Lock(), False
        self._passed: Counter[Pool] = Counter()

    def wait(self, pool: Pool) -> None:
        """Returns when the next call may go out."""
        with self._lock:
            self._passed[pool] += 1
        self._pacers[pool].wait()

    def shares(self) -> dict[Pool, float]:
        """Of the calls that went out so far, 0..1 of each pool."""
        with self._lock:
            return {pool: calls / self._passed.total() for pool, calls in self._passed.items()}

    def rate(self, pool: Pool) -> float:
        """Calls a second that a pool lets pass at present."""
        return self._pacers[pool].rate

    def learn(self, pool: Pool, headers: Mapping[str, str]) -> None:
        """Takes over the limit that an answer states. Search answers state none of their own.
        https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines (read 2026-11-28)
        """
        most = whole(headers.get("X-HubSpot-RateLimit-Max"))
        if not most or pool == "search":
            return
        seconds = (whole(headers.get("X-HubSpot-RateLimit-Interval-Milliseconds")) or int(_WINDOW * 1000)) / 1000
        with self._lock:
            if pool == "associations":
                self._is_stated = True
                self._set(pool, _LINKS_OF.get(most, most), seconds)
                return
            self._set(pool, most, seconds)
            if not self._is_stated:
                self._set("associations", _LINKS_OF.get(most, min(most, _FREE_LIMIT)), seconds)

    def _set(self, pool: Pool, calls: int, seconds: float) -> None:
        self._pacers[pool].set_rate(calls * SHARE, seconds)


def whole(text: str | None) -> int | None:
    """A header's number, if it is one."""
    return int(text) if text and text.strip().isdecimal() else None
