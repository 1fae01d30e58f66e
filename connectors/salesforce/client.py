"""The one seam to Salesforce: signs in, sends a request, repeats what may be repeated, gives back JSON."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import orjson
import requests

from connectors.contract import CallCount
from connectors.errors import (
    AnswerUnclear,
    ConnectorError,
    RequestRefused,
    SessionExpired,
    SignInRefused,
    UnexpectedAnswer,
)
from connectors.overdrawing import overdraws
from connectors.pacing import Budget
from connectors.retry import Patience, persist
from connectors.salesforce import paths
from connectors.salesforce.settings import PREFIX, SalesforceSettings
from connectors.salesforce.signin import SignedIn, SignIn, TokenEndpoint, sign_in_of
from connectors.salesforce.transport import TIMEOUT, Call, Moved, Purpose, Transport, dropped
from connectors.web import path_on
from kammodel.errors import NotConfigured

T = TypeVar("T")
_HOPS = 3
_ROUNDS = 3
"""Sessions that other runs left, and that have ended too, before one is taken to be refused."""


class Client:
    """Calls of one org. Connects and signs in at the first call. Thread-safe.

    `sign_in`: the flow, if not the one that the settings ask for.
    """

    def __init__(
        self,
        settings: SalesforceSettings,
        patience: Patience,
        calls: CallCount | None = None,
        *,
        sign_in: SignIn | None = None,
    ) -> None:
        self.calls = calls if calls is not None else CallCount()
        self.version = settings.api_version
        self._patience = patience
        self._sign_in = sign_in or sign_in_of(settings)
        self._lock, self._signing_in = threading.Lock(), threading.Lock()
        self.budget = Budget("Salesforce", PREFIX, share=settings.call_share, reserve=settings.call_reserve)
        self._transport = Transport(settings.api_version, self.budget.learn)
        self._signed_in: SignedIn | None = None
        self._refused: str | None = None
        self._used = threading.local()
        self._version_is_known = False

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        purpose: Purpose = "read",
        asks: str | None = None,
    ) -> dict[str, Any]:
        """The JSON object below the version's path. `asks`: what to grant if it is forbidden."""
        body = self._request("GET", path, query=query, headers=headers, purpose=purpose, asks=asks)
        if not isinstance(body, dict):
            raise UnexpectedAnswer(f"Salesforce answered GET {path} with JSON that is no object")
        return body

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        *,
        purpose: Purpose = "write",
        asks: str | None = None,
        check: Callable[[Any], None] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """The JSON answer to a JSON body. It may be sent twice, unless it is not `repeatable`: then AnswerUnclear is
        raised where nobody knows whether it was carried out.

        `check` may find fault with an answer that looks well, and so have it repeated.
        """
        headers = {"Content-Type": "application/json", "Sforce-Mru": "updateMru=false"}
        given: dict[str, Any] = {"body": orjson.dumps(body), "headers": headers, "purpose": purpose, "asks": asks}
        return self._request(method, path, **given, check=check, repeatable=repeatable)

    def upload(self, path: str, content: bytes, content_type: str, *, asks: str) -> Any:
        """The JSON answer to a body of another type."""
        headers = {"Content-Type": content_type}
        return self._request("POST", path, body=content, headers=headers, purpose="other", asks=asks)

    def fetch(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        read: Callable[[requests.Response], T],
        asks: str | None = None,
        purpose: Purpose = "read",
    ) -> T:
        """What `read` makes of an answer that is no JSON. It may find fault with it, and so have it repeated."""
        call = Call("GET", path, query or {}, None, {"Accept": "text/csv"}, purpose, asks)
        return self._renewing(lambda: read(self._carry(call)))

    def put(self, path: str, content: bytes, content_type: str, *, asks: str | None = None) -> None:
        """Sends a body whose answer is empty. It may be sent twice."""
        call = Call("PUT", path, {}, content, {"Content-Type": content_type}, "write", asks)
        self._renewing(lambda: self._carry(call))

    def delete(self, path: str, *, purpose: Purpose = "other") -> None:
        """Takes away something of ours. That it is gone already is fine."""
        try:
            self._request("DELETE", path, purpose=purpose)
        except RequestRefused as fault:
            if fault.status != 404:
                raise

    def by_library(self, what: str, call: Callable[[Any], T]) -> T:
        """What one of simple-salesforce's SOAP calls gives, repeated and renewed as any other."""

        def once() -> T:
            self._spend("other")
            return self._transport.by_library(self._ready(), what, call)

        return self._renewing(once)

    def follow(self, link: str, *, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object behind a paging link, which has to stay on the host."""
        root = self._who().root
        path = path_on(root, link).removeprefix(urlsplit(root).path)
        return self.get(path, headers=headers)

    @property
    def user_id(self) -> str | None:
        """Who we are, where the sign-in says so."""
        return self._who().user_id

    @property
    def sign_in_flow(self) -> str:
        """How we sign in, for people."""
        return self._sign_in.name

    @property
    def org_id(self) -> str | None:
        return self._who().org_id

    @property
    def calls_left(self) -> int | None:
        """Of the org's calls in 24 hours, as its last answer said."""
        return self._transport.calls_left

    @property
    def sleep(self) -> Callable[[float], None]:
        return self._patience.sleep

    def close(self) -> None:
        self._transport.close()

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        purpose: Purpose = "read",
        asks: str | None = None,
        check: Callable[[Any], None] | None = None,
        repeatable: bool = True,
    ) -> Any:
        call = Call(method, path, query or {}, body, headers or {}, purpose, asks)

        def once() -> Any:
            answer = self._answer(call)
            if check:
                check(answer)
            return answer

        try:
            return self._renewing(once, repeatable=repeatable)
        except RequestRefused as fault:
            if fault.status in {404, 410}:
                self._check_version()
            raise

    def _renewing(self, call: Callable[[], T], *, repeatable: bool = True) -> T:
        for _ in range(_ROUNDS):
            try:
                return self._with_patience(call, repeatable=repeatable)
            except SessionExpired as fault:
                latest, expired = self._signed_in, fault
                if latest is not None and latest.is_new:
                    break
                # Another run left this session, and it has ended like ours: the next renewal gets a new one.
        text = f"{expired}: the token was just granted and is not accepted; may the app use the API (scope api)?"
        raise SignInRefused(text, code=expired.code, status=expired.status) from expired

    def _with_patience(self, call: Callable[[], T], *, repeatable: bool = True) -> T:
        return persist(call, patience=self._patience, renew=self._renew, repeatable=repeatable)

    def _answer(self, call: Call) -> Any:
        return self._read(self._carry(call), call)

    def _carry(self, call: Call) -> requests.Response:
        url = self._url(call)
        for _ in range(_HOPS):
            number = self._spend(call.purpose, even_if_spent=call.ends_ours)
            try:
                return self._transport.carry(self._ready(), call, url, number=number)
            except Moved as moved:
                # Within the host only: a slash more or less is no reason to fail, another host is.
                root = self._ready().root
                place = urlsplit(root)
                url = f"{place.scheme}://{place.netloc}{path_on(root, moved.location)}"
        raise UnexpectedAnswer(f"Salesforce redirects {call} in a circle")

    def _spend(self, purpose: Purpose, *, even_if_spent: bool = False) -> int:
        """Counts a call that is about to go out; its number. Raises QuotaSpent where the budget has none left."""
        number = self.budget.spend(even_if_spent=even_if_spent or overdraws())
        with self._lock:
            setattr(self.calls, purpose, getattr(self.calls, purpose) + 1)
        return number

    def _read(self, answer: requests.Response, call: Call) -> Any:
        if answer.status_code == 204:
            return None
        try:
            return orjson.loads(answer.content)
        except orjson.JSONDecodeError:
            text = f"Salesforce answered {call} with {answer.status_code} and no JSON, or only part of it"
            raise AnswerUnclear(text, status=answer.status_code) from None

    def _url(self, call: Call) -> str:
        below = call.path if call.path.startswith("/services/") else paths.versioned(self.version, call.path)
        return f"{self._ready().root}{below}" + (f"?{urlencode(call.query)}" if call.query else "")

    def _ready(self) -> SignedIn:
        with self._signing_in:
            if self._signed_in is None:
                self._signed_in = self._granted()
            self._used.token = self._signed_in.token
            return self._signed_in

    def _who(self) -> SignedIn:
        return self._with_patience(self._ready)

    def _renew(self) -> None:
        """Another session than the one this thread's call used: that of another thread, or one asked for anew."""
        with self._signing_in:
            if self._signed_in is not None and self._signed_in.token == self._used.token:
                self._refused, self._signed_in = self._signed_in.token, None
        self._ready()

    def _granted(self) -> SignedIn:
        endpoint = TokenEndpoint(self._transport.session, TIMEOUT)
        try:
            return self._sign_in(endpoint, refused=self._refused)
        except requests.RequestException as fault:
            raise dropped("the sign-in", fault) from fault
        finally:
            with self._lock:
                self.calls.other += endpoint.asked

    def _check_version(self) -> None:
        """A path that is not there may be that of a version that is not there: then that is what is told."""
        if self._version_is_known or not (served := self._served_versions()):
            return
        if self.version in served:
            self._version_is_known = True
            return
        raise NotConfigured(
            f"{PREFIX}API_VERSION is {self.version}, which this org does not serve; "
            f"it serves {served[0]} to {served[-1]}"
        )

    def _served_versions(self) -> list[str]:
        """The API versions of the org, oldest first; empty where it does not list them. Not worth a second try."""
        try:
            listed = self._answer(Call("GET", paths.VERSIONS, {}, None, {}, "other"))
        except ConnectorError:
            return []
        rows = listed if isinstance(listed, list) else []
        versions = [v for r in rows if isinstance(r, dict) and isinstance(v := r.get("version"), str)]
        return sorted((v for v in versions if v.replace(".", "", 1).isdecimal()), key=float)
