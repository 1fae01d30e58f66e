"""Sessions: tokens that were given out, how long they live, and the calls of the day."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from dataclasses import dataclass

from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import error, expired_session, quota_spent


@dataclass
class Session:
    """One token's life."""

    user_id: str
    since: dt.datetime
    calls: int = 0
    revoked: bool = False


class Sessions:
    """All sessions of an org, and its quota of calls, which is that of the past 24 hours by the org's clock."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._given: dict[str, Session] = {}
        self._calls: Counter[int] = Counter()

    def open(self, user_id: str) -> str:
        """A new token for a user."""
        secret = hashlib.sha256(f"{self._org.org_id}/{user_id}/{len(self._given)}".encode()).hexdigest()
        token = f"{self._org.org_id[:15]}!AQ{secret}"
        self._given[token] = Session(user_id, self._org.clock.now())
        return token

    def user_of(self, token: str) -> str:
        """The user of a token, whose call is counted. Raises Refusal 401, or 403 for a user without the API."""
        session = self._given.get(token)
        if session is None or session.revoked or self._over(session):
            raise expired_session()
        session.calls += 1
        if not self._org.settings.api_enabled or "ApiEnabled" not in self._org.access(session.user_id).permissions:
            raise error(403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner")
        return session.user_id

    def revoke(self, token: str | None = None) -> None:
        """End one session, or all."""
        for known, session in self._given.items():
            if token in {None, known}:
                session.revoked = True

    def count(self) -> None:
        """One more call of the day. Raises Refusal 403 where none is left."""
        # Those of others were made meanwhile, and do not stop where ours do.
        self._calls[self._hour()] += self._org.settings.others_between_calls
        if self.used() >= self._org.settings.daily_api_requests:
            raise quota_spent()
        self._calls[self._hour()] += 1

    def used(self) -> int:
        """Calls in the past 24 hours."""
        since = self._hour() - 24
        made = sum(calls for hour, calls in self._calls.items() if hour > since)
        return made + self._org.settings.calls_of_others

    def _hour(self) -> int:
        return int(self._org.clock.now().timestamp() // 3600)

    def _over(self, session: Session) -> bool:
        knobs = self._org.settings
        if knobs.session_calls is not None and session.calls >= knobs.session_calls:
            return True
        age = (self._org.clock.now() - session.since).total_seconds()
        return knobs.session_seconds is not None and age >= knobs.session_seconds
