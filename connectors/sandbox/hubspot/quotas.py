"""Counts calls against the portal's limits, refuses those beyond them, and states them in headers."""

from __future__ import annotations

import datetime as dt
from collections import deque
from typing import Literal

from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.refusals import Refusal, day_exceeded, search_exceeded, window_exceeded

Pool = Literal["general", "search", "associations"]
_WINDOW_MS, _SECOND_MS = 10_000, 1000
_REMEMBERED = 1000
_SECONDLY = 19


class Quotas:
    """The windows of one portal: ten seconds for general calls and for associations, one second for search."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._calls: dict[Pool, deque[int]] = {
            pool: deque(maxlen=_REMEMBERED) for pool in ("general", "search", "associations")
        }
        self.day: dt.date | None = None
        self.today = 0
        self.links_today = 0

    @property
    def spent(self) -> int:
        """Calls of the day, those of other apps among them: the account has one count for all."""
        return self.today + self._portal.settings.daily_requests_by_others

    def take(self, pool: Pool, *, is_oauth: bool) -> dict[str, str]:
        """Counts a call and gives the headers of its answer. Raises a Refusal beyond a limit."""
        settings, now = self._portal.settings, self._portal.now_ms()
        self._turn_day()
        calls = self._calls[pool]
        most, span = self._limit(pool)
        while calls and calls[0] <= now - span:
            calls.popleft()
        is_spent = self.spent >= settings.daily_requests and not is_oauth
        if pool == "associations":
            is_spent = is_spent or self.links_today >= settings.associations_daily_requests
        if settings.rate_limits and is_spent:
            raise Refusal(429, day_exceeded(), self._headers(pool, 0, is_oauth=is_oauth))
        if settings.rate_limits and len(calls) >= most:
            body = search_exceeded() if pool == "search" else window_exceeded()
            raise Refusal(429, body, self._headers(pool, 0, is_oauth=is_oauth))
        calls.append(now)
        self.today += 1
        self.links_today += pool == "associations"
        return self._headers(pool, max(0, most - len(calls)), is_oauth=is_oauth)

    def _limit(self, pool: Pool) -> tuple[int, int]:
        settings = self._portal.settings
        if pool == "search":
            return settings.search_per_second, _SECOND_MS
        most = settings.window_requests if pool == "general" else settings.associations_window_requests
        return most, _WINDOW_MS

    def _headers(self, pool: Pool, left: int, *, is_oauth: bool) -> dict[str, str]:
        settings = self._portal.settings
        headers: dict[str, str] = {}
        if not is_oauth:
            headers["X-HubSpot-RateLimit-Daily"] = str(settings.daily_requests)
            headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(max(0, settings.daily_requests - self.spent))
        stated = settings.associations_limit_stated if pool == "associations" else "own"
        if pool != "search" and stated != "none":
            headers["X-HubSpot-RateLimit-Interval-Milliseconds"] = str(_WINDOW_MS)
            headers["X-HubSpot-RateLimit-Max"] = str(self._limit("general" if stated == "general" else pool)[0])
            headers["X-HubSpot-RateLimit-Remaining"] = str(left)
            headers["X-HubSpot-RateLimit-Secondly"] = str(_SECONDLY)
            headers["X-HubSpot-RateLimit-Secondly-Remaining"] = str(_SECONDLY - 1)
        return headers

    def _turn_day(self) -> None:
        """The day's count starts again at midnight of the portal's zone."""
        today = self._portal.clock.now().astimezone(self._portal.account.timezone).date()
        if today != self.day:
            self.day, self.today, self.links_today = today, 0, 0
