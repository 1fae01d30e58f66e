"""Carries one request to HubSpot over hubspot-api-client's connections, and tells every way in which that can fail.

Of the library its lowest layer is used: the pool that it builds from its configuration. Above that it has no timeouts,
no gzip, a new pool for each access, typed bodies that cost 15 ms a page, and it copies a body of 1,000 inputs twice on
its way out (hubspot-api-client 12.0.0, api_client.py). Its retries are off: connectors.retry owns them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import urllib3

from connectors.errors import AnswerUnclear, RequestRefused, TryAgainLater

Query = Sequence[tuple[str, str | int]]

TIMEOUT = urllib3.Timeout(connect=10, read=60)
"""Seconds to connect, and between two bytes."""
_UNSENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


@dataclass(frozen=True)
class Sent:
    """An answer, whatever it is."""

    status: int
    headers: Mapping[str, str]
    raw: bytes


class Transport:
    """The connections to one host. Thread-safe. Connects at the first call."""

    def __init__(self, host: str, *, connections: int) -> None:
        self._host, self._connections = host, connections
        self._lock = threading.Lock()
        self._held: Any = None

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: bytes | None = None,
        content_type: str = "application/json",
        token: str | None = None,
    ) -> Sent:
        """The answer to one request. Redirects are not followed. Raises what `connectors.errors` names where there
        is no whole answer."""
        library = self._library()
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": library.user_agent}
        if body is not None:
            headers["Content-Type"] = content_type
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = self._host + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = library.rest_client.pool_manager.request(
                method, url, body=body, headers=headers, timeout=TIMEOUT, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as fault:
            raise dropped(f"{method} {path}", fault) from fault
        return Sent(answer.status, answer.headers, answer.data)

    def close(self) -> None:
        with self._lock:
            if self._held is not None:
                self._held.rest_client.pool_manager.clear()
                self._held.close()
                self._held = None

    def _library(self) -> Any:
        """The library's low-level client, made once: each access through its tree would open a new pool."""
        with self._lock:
            if self._held is None:
                from hubspot import HubSpot

                hubspot = HubSpot(host=self._host, connection_pool_maxsize=self._connections)
                self._held = hubspot.crm.companies.basic_api.api_client
            return self._held


def dropped(call: str, fault: urllib3.exceptions.HTTPError) -> TryAgainLater | RequestRefused:
    """Every error of urllib3, by whether the call may have reached HubSpot."""
    reason = getattr(fault, "reason", None)
    cause = reason if isinstance(reason, Exception) else fault
    name = type(cause).__name__
    if isinstance(cause, urllib3.exceptions.SSLError):
        return TryAgainLater("no safe connection to HubSpot: its certificate is not accepted here", code="TLS")
    if isinstance(cause, _UNSENT):
        return TryAgainLater(f"HubSpot could not be reached for {call} ({name})", code=name)
    if isinstance(cause, urllib3.exceptions.LocationParseError):
        return RequestRefused(f"{call} cannot be sent ({name})", code=name)
    return AnswerUnclear(f"the connection broke during {call} ({name})", code=name)
