"""The one seam to HubSpot: sends a request at the pace allowed, repeats what may be repeated, gives back JSON."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import orjson
import polars as pl

from connectors.clock import check_clock
from connectors.contract import CallCount
from connectors.errors import (
    AnswerUnclear,
    RequestRefused,
    SessionExpired,
    SignInRefused,
    TryAgainLater,
    UnexpectedAnswer,
)
from connectors.hubspot import paths
from connectors.hubspot.answers import Answer, Mend, read_columns, read_json
from connectors.hubspot.faults import fault_of
from connectors.hubspot.pools import Pool, Pools, whole
from connectors.hubspot.settings import PREFIX, HubSpotSettings
from connectors.hubspot.signin import EARLY, Grant, SignIn, sign_in_of
from connectors.hubspot.transport import Query, Sent, Transport
from connectors.overdrawing import overdraws
from connectors.pacing import Budget
from connectors.retry import Patience, persist
from connectors.web import path_on

T = TypeVar("T")
Purpose = Literal["read", "write", "other"]

_HOPS = 3
_APART: ContextVar[tuple[CallCount, ...]] = ContextVar("apart", default=())
"""Where the calls of this context are counted beside those of the client."""


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


class Client:
    """Calls of one portal with one sign-in. Connects at the first call. Thread-safe.

    `sign_in`: the way, if not the one that the settings ask for. `now`: a clock in seconds that only moves on.
    """

    def __init__(
        self,
        settings: HubSpotSettings,
        patience: Patience,
        calls: CallCount | None = None,
        *,
        sign_in: SignIn | None = None,
        now: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.calls = calls if calls is not None else CallCount()
        self.daily_left: int | None = None
        self.parallel = settings.parallel_calls
        self.room = threading.BoundedSemaphore(self.parallel)
        """For so many portions of records at a time, of whichever streams."""
        self._host, self._version, self._patience, self._clock = settings.host, settings.api_version, patience, clock
        self._sign_in = sign_in or sign_in_of(settings, sleep=patience.sleep, now=clock)
        self._transport = Transport(settings.host, connections=settings.parallel_calls)
        self.budget = Budget("HubSpot", PREFIX, share=settings.call_share, reserve=settings.call_reserve, span="today")
        self._lock, self._signing_in = threading.Lock(), threading.Lock()
        self._under_way = threading.BoundedSemaphore(settings.parallel_calls)
        self._granted: Grant | None = None
        self._refused: str | None = None
        self._used = threading.local()
        self._pools = Pools(settings.searches_per_second, now=now, sleep=patience.sleep)
        self.shares = self._pools.shares

    def get(
        self,
        path: str,
        query: Query = (),
        *,
        purpose: Purpose = "read",
        scope: str | None = None,
        check: Callable[[Answer], None] | None = None,
        optional: bool = False,
    ) -> Answer:
        call = _Call("GET", path, query, None, purpose, "general", scope)
        return self._persist(call, read_json, check=check, optional=optional)

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
        repeatable: bool = True,
    ) -> Answer:
        """The answer to a JSON body. What is not `repeatable` is not sent again where it may have been carried out:
        AnswerUnclear."""
        call = _Call("POST", path, query, body, purpose, pool, scope)
        return self._persist(call, read_json, check=check, optional=optional, repeatable=repeatable)

    def columns(
        self,
        path: str,
        body: Mapping[str, Any],
        shape: pl.Struct,
        *,
        pool: Pool = "general",
        check: Callable[[pl.DataFrame], None] | None = None,
        mend: Mend | None = None,
    ) -> pl.DataFrame:
        """What is read by a POST as one row of columns: see `answers.read_columns`."""
        call = _Call("POST", path, (), body, "read", pool, None)
        return self._persist(call, lambda sent, shown: read_columns(sent, shown, shape, mend), check=check)

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
        return self._persist(_Call(method, path, query, body, purpose, pool, scope), read_json, optional=optional)

    def _persist(
        self,
        call: _Call,
        read: Callable[[Sent, str], T],
        *,
        check: Callable[[T], None] | None = None,
        optional: bool = False,
        repeatable: bool = True,
    ) -> T:
        """The answer to one call, however often it had to be sent.

        All but writes may be repeated: what was created twice is refused by its name. `check` may find fault with an
        answer that looks well, and so have it repeated, as one of an odd shape is: UnexpectedAnswer if it stays odd.
        `optional` is for a call that a server may lack: its second 404 or 405 without JSON is its last word.
        """
        lacking = 0

        def once() -> T:
            nonlocal lacking
            try:
                answer = self._answer(call, read)
                if check:
                    check(answer)
            except TryAgainLater as fault:
                lacking += fault.status in {404, 405}
                if optional and lacking > 1:
                    raise RequestRefused(str(fault), code=fault.code, status=fault.status) from fault
                raise
            except UnexpectedAnswer as fault:
                raise AnswerUnclear(str(fault), status=fault.status) from fault
            return answer

        try:
            return persist(once, patience=self._patience, renew=self._renew, repeatable=repeatable)
        except AnswerUnclear as fault:
            raise fault.__cause__ if isinstance(fault.__cause__, UnexpectedAnswer) else fault from None
        except SessionExpired as fault:
            raise SignInRefused(str(fault), code=fault.code, status=fault.status) from fault

    @contextmanager
    def counting(self, calls: CallCount) -> Iterator[None]:
        """Counts in `calls`, too, what is called in the block and by crews that are set to work in it."""
        before = _APART.set((*_APART.get(), calls))
        try:
            yield
        finally:
            _APART.reset(before)

    @property
    def sign_in_name(self) -> str:
        """How we sign in, for people."""
        return self._sign_in.name

    def rate(self, pool: Pool) -> float:
        """Calls a second that a pool lets pass at present."""
        return self._pools.rate(pool)

    def close(self) -> None:
        self._transport.close()

    def _answer(self, call: _Call, read: Callable[[Sent, str], T]) -> T:
        path, query = paths.in_version(call.path, self._version), call.query
        body = None if call.body is None else orjson.dumps(call.body)
        for _ in range(_HOPS):
            token = self._ready()
            number = self._spend(call.purpose)
            # However many streams and threads there are. Paced when it is its turn, so that none go out in a heap.
            with self._under_way:
                self._pools.wait(call.pool)
                sent = self._transport.send(call.method, path, query=query, body=body, token=token)
            self._learn(sent.headers, call.pool, number)
            if not (sent.status in {307, 308} or (call.method == "GET" and sent.status in {301, 302})):
                break
            # Within the host only: a slash more or less is no reason to fail, another host is.
            path, query = self._path_of(sent.headers.get("Location", ""), call), ()
        shown = replace(call, path=paths.in_version(call.path, self._version))
        if not 200 <= sent.status <= 299:
            raise self._fault(sent, shown)
        check_clock("HubSpot", sent.headers.get("Date", ""), self._clock())
        return read(sent, str(shown))

    def _fault(self, sent: Sent, call: _Call) -> Exception:
        variable = self._sign_in.variable
        fault = fault_of(sent.status, sent.headers, sent.raw, call=str(call), scope=call.scope, credential=variable)
        if sent.status == 401 and self._sign_in.renews and isinstance(fault, SignInRefused):
            # The app may have been installed anew, or an earlier run may have left a token that was revoked.
            return SessionExpired(str(fault), code=fault.code, status=fault.status)
        return fault

    def _ready(self) -> str:
        """The token to send; another one before its time is over."""
        with self._signing_in:
            held = self._granted
            if held is None or (held.until is not None and held.until - self._clock() <= EARLY / 2):
                held = self._granted = self._sign_in.grant(self._ask_token, refused=self._refused)
            self._used.token = held.token
            return held.token

    def _renew(self) -> None:
        """Another token than the one this thread's call used: that of another thread, or one asked for anew.

        A service key does not expire: one more call tells a passing fault from a key that was withdrawn.
        """
        if not self._sign_in.renews:
            return
        with self._signing_in:
            if self._granted is not None and self._granted.token == self._used.token:
                self._refused, self._granted = self._granted.token, None
        self._ready()

    def _ask_token(self, path: str, form: bytes, content_type: str) -> Sent:
        self._count("other")
        return self._transport.send("POST", paths.in_version(path, self._version), body=form, content_type=content_type)

    def _spend(self, purpose: Purpose) -> int:
        """Counts a call that is about to go out; its number. Raises QuotaSpent where the budget has none left."""
        number = self.budget.spend(even_if_spent=overdraws())
        self._count(purpose)
        return number

    def _count(self, purpose: Purpose) -> None:
        with self._lock:
            for calls in (self.calls, *_APART.get()):
                setattr(calls, purpose, getattr(calls, purpose) + 1)

    def _path_of(self, location: str, call: _Call) -> str:
        """An edge in trouble, or a proxy that wants a person to sign in, sends on to another host."""
        try:
            return path_on(self._host, location).removeprefix(urlsplit(self._host).path)
        except UnexpectedAnswer:
            raise TryAgainLater(f"HubSpot sends {call} on to another host; a token is not sent there") from None

    def _learn(self, headers: Mapping[str, str], pool: Pool, number: int) -> None:
        """Takes over the limits that an answer states. OAuth apps have no limit of a day.
        https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines (read 2026-11-28)
        """
        self._pools.learn(pool, headers)
        if pool == "associations":
            # Their day is one of its own. That they count in the general one too is not excluded, so that they are
            # counted in our share of it.
            return
        left = whole(headers.get("X-HubSpot-RateLimit-Daily-Remaining"))
        limit = whole(headers.get("X-HubSpot-RateLimit-Daily"))
        if left is not None:
            self.daily_left = left
            if limit:
                self.budget.learn(number, limit - left, limit)
