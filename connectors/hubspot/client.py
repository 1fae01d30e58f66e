"""The one seam to HubSpot: sends a request at the pace allowed, repeats what may be repeated, gives back JSON.

hubspot-api-client signs in and carries the bytes. Its defaults are not fit for volume (no timeouts, no gzip,
a new pool for each access, typed bodies that cost 15 ms a page), so one of its objects is held and called
low-level, and its retries are off: connectors.retry owns them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
import urllib3

from connectors.contract import CallCount
from connectors.errors import (
    AnswerUnclear,
    RequestRefused,
    SessionExpired,
    SignInRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.hubspot.faults import fault_of
from connectors.hubspot.settings import HubSpotSettings
from connectors.pacing import Pacer
from connectors.retry import Patience, persist
from connectors.web import path_on

Pool = Literal["general", "search", "associations"]
Purpose = Literal["read", "write", "other"]
Query = Sequence[tuple[str, str | int]]

TIMEOUT = (10, 60)
"""Seconds to connect, and between two bytes."""
SHARE = 0.9
"""How much of a stated limit we use: other apps and late clocks get the rest."""
_FREE_LIMIT, _WINDOW = 100, 10.0
"""Calls per ten seconds of the smallest portal: where we start, until an answer states the limit."""
_SEARCHES = 4.0
"""A second; HubSpot allows 5 to the whole account, and states no limit in search answers."""
_HOPS = 3


@dataclass(frozen=True)
class Answer:
    """A 2xx answer: its status and its JSON object, empty where there was no body."""

    status: int
    body: dict[str, Any]

    @property
    def results(self) -> list[dict[str, Any]]:
        """The rows of an answer that must have some."""
        rows = self.body.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UnexpectedAnswer("HubSpot sent no list of results where its documentation promises one")
        return rows

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The single errors of a 207."""
        errors = self.body.get("errors")
        return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    query: Query
    body: Mapping[str, Any] | None
    purpose: Purpose
    pool: Pool
    scope: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class _Sent:
    status: int
    headers: Mapping[str, str]
    raw: bytes


class Client:
    """Calls of one portal with one token. Connects at the first call."""

    def __init__(self, settings: HubSpotSettings, patience: Patience, calls: CallCount | None = None) -> None:
        self.calls = calls if calls is not None else CallCount()
        self.daily_left: int | None = None
        self._settings, self._patience = settings, patience
        self._lock = threading.Lock()
        self._held: Any = None
        start = (_FREE_LIMIT * SHARE, _WINDOW)
        self._pacers: dict[Pool, Pacer] = {
            "general": Pacer(*start, sleep=patience.sleep),
            "associations": Pacer(*start, sleep=patience.sleep),
            "search": Pacer(_SEARCHES, 1.0, sleep=patience.sleep),
        }

    def get(
        self,
        path: str,
        query: Query = (),
        *,
        purpose: Purpose = "read",
        scope: str | None = None,
        optional: bool = False,
    ) -> Answer:
        return self.request("GET", path, query=query, purpose=purpose, scope=scope, optional=optional)

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        purpose: Purpose = "read",
        pool: Pool = "general",
        query: Query = (),
        scope: str | None = None,
        check: Callable[[Answer], None] | None = None,
        optional: bool = False,
    ) -> Answer:
        call = _Call("POST", path, query, body, purpose, pool, scope)
        return self._persist(call, check=check, optional=optional)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        body: Mapping[str, Any] | None = None,
        purpose: Purpose = "read",
        pool: Pool = "general",
        scope: str | None = None,
        optional: bool = False,
    ) -> Answer:
        return self._persist(_Call(method, path, query, body, purpose, pool, scope), optional=optional)

    def _persist(self, call: _Call, *, check: Callable[[Answer], None] | None = None, optional: bool = False) -> Answer:
        """The answer to one call, however often it had to be sent.

        Every call we make may be repeated: updates carry absolute values, and what was created twice is
        refused by its name. `check` may find fault with an answer that looks well, and so have it repeated.
        `optional` is for a call that a server may lack: its second 404 or 405 without JSON is its last word.
        """
        lacking = 0

        def once() -> Answer:
            nonlocal lacking
            try:
                answer = self._answer(call)
            except TryAgainLater as fault:
                lacking += fault.status in {404, 405}
                if optional and lacking > 1:
                    raise RequestRefused(str(fault), code=fault.code, status=fault.status) from fault
                raise
            if check:
                check(answer)
            return answer

        try:
            return persist(once, patience=self._patience, renew=_same_token)
        except SessionExpired as fault:
            raise SignInRefused(str(fault), code=fault.code, status=fault.status) from fault

    def close(self) -> None:
        if self._held is not None:
            self._held.rest_client.pool_manager.clear()
            self._held.close()
            self._held = None

    def _answer(self, call: _Call) -> Answer:
        hop = call
        for _ in range(_HOPS):
            self._pacers[call.pool].wait()
            with self._lock:
                setattr(self.calls, call.purpose, getattr(self.calls, call.purpose) + 1)
            sent = self._send(hop)
            self._learn(sent.headers, call.pool)
            if not (sent.status in {307, 308} or (call.method == "GET" and sent.status in {301, 302})):
                break
            # Within the host only: a slash more or less is no reason to fail, another host is.
            hop = replace(call, path=self._path_of(sent.headers.get("Location", "")), query=())
        if not 200 <= sent.status <= 299:
            raise fault_of(sent.status, sent.headers, sent.raw, call=str(call), scope=call.scope)
        return self._read(sent, call)

    def _read(self, sent: _Sent, call: _Call) -> Answer:
        if sent.status == 204:
            return Answer(204, {})
        try:
            body = orjson.loads(sent.raw)
        except orjson.JSONDecodeError:
            text = f"HubSpot answered {call} with {sent.status} and no JSON, or only part of it"
            raise AnswerUnclear(text, status=sent.status) from None
        if not isinstance(body, dict):
            raise UnexpectedAnswer(f"HubSpot answered {call} with JSON that is no object", status=sent.status)
        rows = body.get("results")
        with self._lock:
            self.calls.rows_in_answers += len(rows) if isinstance(rows, list) else 0
        return Answer(sent.status, body)

    def _path_of(self, location: str) -> str:
        return path_on(self._settings.host, location).removeprefix(urlsplit(self._settings.host).path)

    def _send(self, call: _Call) -> _Sent:
        response = None
        try:
            response = self._api().call_api(
                call.path,
                call.method,
                query_params=list(call.query),
                header_params={"Accept": "application/json"},
                body=call.body,
                auth_settings=["oauth2"],
                _preload_content=False,
                _request_timeout=TIMEOUT,
            )
            return _Sent(response.status, response.headers, response.data)
        except urllib3.exceptions.HTTPError as fault:
            if response is not None:
                response.close()
            raise _dropped(call, fault) from fault
        except Exception as fault:  # noqa: BLE001  the library's own have no common root
            return _refused(fault)

    def _learn(self, headers: Mapping[str, str], pool: Pool) -> None:
        """Takes over the limits that an answer states. Search answers state none of their own."""
        most = _whole(headers.get("X-HubSpot-RateLimit-Max"))
        window = _whole(headers.get("X-HubSpot-RateLimit-Interval-Milliseconds")) or int(_WINDOW * 1000)
        if most and pool != "search":
            self._pacers[pool].set_rate(most * SHARE, window / 1000)
        left = _whole(headers.get("X-HubSpot-RateLimit-Daily-Remaining"))
        self.daily_left = left if left is not None else self.daily_left

    def _api(self) -> Any:
        """The library's low-level client, made once: each access through its tree would open a new pool."""
        if self._held is None:
            from hubspot import HubSpot

            never = urllib3.Retry(total=0, redirect=False, raise_on_status=False)
            hubspot = HubSpot(access_token=self._settings.token, host=self._settings.host, retry=never)
            self._held = hubspot.crm.companies.basic_api.api_client
            self._held.default_headers["Accept-Encoding"] = "gzip"
        return self._held


def _same_token() -> None:
    """A service key does not expire; one more call tells a passing fault from a key that was withdrawn."""


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() else None


def _dropped(call: _Call, fault: urllib3.exceptions.HTTPError) -> TryAgainLater:
    reason = getattr(fault, "reason", None) or fault
    name = type(reason).__name__
    unsent = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    if isinstance(reason, unsent):
        return TryAgainLater(f"HubSpot could not be reached for {call} ({name})", code=name)
    return AnswerUnclear(f"the connection broke during {call} ({name})", code=name)


def _refused(fault: Exception) -> _Sent:
    """The answer inside the library's exception.

    It raises a class of its own per module for what is not 2xx, and trips over bodies that are not UTF-8
    (UnicodeDecodeError) or absent (AttributeError); the answer is then that of the exception it tripped over.
    """
    told = fault if hasattr(fault, "status") else fault.__context__
    status = getattr(told, "status", None)
    if not isinstance(status, int):
        raise fault
    if status == 0:
        raise TryAgainLater("no safe connection to HubSpot: its certificate is not accepted here", code="TLS")
    body = getattr(told, "body", None) or b""
    raw = body.encode() if isinstance(body, str) else body
    return _Sent(status, getattr(told, "headers", None) or {}, raw)
