"""Carries one request to an org, and tells every way in which it can go wrong.

simple-salesforce keeps the session: its headers, its requests session, its reading of the usage header. It is called
at its lowest level and without its own renewal, because above that it has no timeouts, loses our headers on the call
after a renewal, renews for ever in places, parses pages into trees of ordered dictionaries, and drops the headers of
a refusal (simple-salesforce 1.12.10, api.py and util.py). A hook reads a refusal before the library flattens it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter

from connectors.clock import check_clock
from connectors.errors import AnswerUnclear, ConnectorError, RequestRefused, TryAgainLater, UnexpectedAnswer
from connectors.salesforce import paths
from connectors.salesforce.faults import fault_of, soap_fault_of
from connectors.salesforce.signin import SignedIn

T = TypeVar("T")
Purpose = Literal["read", "write", "other"]

TIMEOUT = (10.0, 180.0)
"""Seconds to connect, and between two bytes: a query may run for two minutes before its first."""
CLIENT_NAME = "kam"
"""Marks our calls in the org's logs and in the change events they cause (Sforce-Call-Options)."""
_HEADERS: dict[str, str | None] = {
    "Accept": "application/json",
    # None takes out what the library would send: its X-PrettyPrint makes each page a third longer.
    "Content-Type": None,
    "X-PrettyPrint": None,
    "Sforce-Call-Options": f"client={CLIENT_NAME}",
}
_USAGE = re.compile(r"(?<![\w-])api-usage=(\d+)/(\d+)")
"""In Sforce-Limit-Info: everybody's calls of the last 24 hours, and how many the org has. A second figure, of the calls
of one app (`per-app-api-usage`), may stand beside it."""


@dataclass(frozen=True)
class Call:
    """One request. `path` stands below the version, unless it begins with /services/. `asks`: what to grant if it
    is forbidden."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None
    headers: Mapping[str, str]
    purpose: Purpose
    asks: str | None = None

    @property
    def ends_ours(self) -> bool:
        """Takes away or closes what we made, or learns how a write ended that is under way: goes out even where no
        calls are left for anything else."""
        return self.method == "DELETE" or self.path.startswith(f"{paths.INGEST_JOBS}/")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class Moved(Exception):
    """The answer is a redirect to `location`."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class Transport:
    """The connections to an org. Thread-safe. `learn` is told what each answer says of the day's calls: the number of
    our call, everybody's calls, and the limit. `now` is this machine's clock, in seconds since 1970."""

    def __init__(
        self, version: str, learn: Callable[[int, int, int], None], *, now: Callable[[], float] = time.time
    ) -> None:
        self._learn, self._now = learn, now
        self.session = _session()
        self.calls_left: int | None = None
        self._version = version
        self._library: Any = None
        self._for_soap: Any = None
        self._lock = threading.Lock()

    def carry(self, signed_in: SignedIn, call: Call, url: str, *, number: int) -> requests.Response:
        """A 2xx answer with its whole body. Raises Moved for a redirect, NotConfigured where this machine's clock is
        fast, else what `connectors.errors` names."""
        library = self._low_level(signed_in)
        try:
            response: requests.Response = library._call_salesforce(
                call.method,
                url,
                data=call.body,
                headers={**_HEADERS, **call.headers},
                hooks={"response": [self._usage_hook(number), _refusal_hook(call)]},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as fault:
            raise dropped(str(call), fault) from fault
        return response

    def _usage_hook(self, number: int) -> Callable[..., None]:
        """Before the one that refuses: a refusal tells of the calls as well."""

        def note(response: requests.Response, **_: object) -> None:
            found = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
            if found:
                used, limit = int(found[1]), int(found[2])
                self.calls_left = max(0, limit - used)
                self._learn(number, used, limit)
            if response.ok:
                check_clock("Salesforce", response.headers.get("Date", ""), self._now())

        return note

    def by_library(self, signed_in: SignedIn, what: str, call: Callable[[Any], T]) -> T:
        """What one of the library's SOAP calls gives. They have an object of their own: they leave headers behind."""
        from simple_salesforce.exceptions import SalesforceError

        with self._lock:
            if self._for_soap is None or self._for_soap.session_id != signed_in.token:
                self._for_soap = self._made(signed_in)
                self._for_soap.metadata_url = f"{signed_in.root}/services/Soap/m/{self._version}/"
        try:
            return call(self._for_soap)
        except SalesforceError as fault:
            raise soap_fault_of(fault.status, str(fault.content), call=what) from fault
        except requests.RequestException as fault:
            raise dropped(what, fault) from fault
        except SyntaxError as fault:
            # The XML parser's errors are syntax errors to Python.
            raise AnswerUnclear(f"Salesforce answered {what} with no XML, or only part of it") from fault
        except Exception as fault:
            # The library raises the plain kind, and only that, for XML without the result that it looks for.
            if type(fault) is not Exception:
                raise
            raise UnexpectedAnswer(f"Salesforce answered {what} without a result") from fault

    def close(self) -> None:
        self.session.close()

    def _low_level(self, signed_in: SignedIn) -> Any:
        """The library's object for the session, made anew after a renewal."""
        with self._lock:
            if self._library is None or self._library.session_id != signed_in.token:
                self._library = self._made(signed_in)
            return self._library

    def _made(self, signed_in: SignedIn) -> Any:
        # Late, because it brings a SOAP stack that takes the better part of a second.
        from simple_salesforce.api import Salesforce

        return Salesforce(
            session_id=signed_in.token, instance_url=signed_in.root, version=self._version, session=self.session
        )


def dropped(call: str, fault: requests.RequestException) -> ConnectorError:
    """Every error of requests, by whether the call may have reached Salesforce."""
    name = type(fault).__name__
    if isinstance(fault, requests.exceptions.SSLError):
        return TryAgainLater("no safe connection to Salesforce: its certificate is not accepted here", code="TLS")
    if isinstance(fault, requests.exceptions.ConnectTimeout) or _is_unsent(fault):
        text = f"Salesforce could not be reached for {call} ({name}); is KAM_SALESFORCE__INSTANCE_URL its address?"
        return TryAgainLater(text, code=name)
    if isinstance(fault, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader):
        return RequestRefused(f"{call} cannot be sent ({name})", code=name)
    return AnswerUnclear(f"the connection broke during {call} ({name})", code=name)


def _is_unsent(fault: requests.RequestException) -> bool:
    """Whether no connection came about: nobody there, or a name that leads nowhere."""
    cause = getattr(fault.args[0], "reason", None) if fault.args else None
    return isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError)


class _TimedAdapter(HTTPAdapter):
    """No call without a timeout, those that the library makes by itself included."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT
        return super().send(request, *args, **kwargs)


def _session() -> requests.Session:
    """Ours: no proxies or netrc of the machine, packed answers, a pool, and no retries of its own."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip"
    for scheme in ("https://", "http://"):
        session.mount(scheme, _TimedAdapter(pool_connections=2, pool_maxsize=10, max_retries=0))
    return session


def _refusal_hook(call: Call) -> Callable[..., None]:
    def refuse(response: requests.Response, **_: object) -> None:
        status = response.status_code
        if 200 <= status <= 299:
            return
        # The body is read in any case, so that the connection goes back into the pool.
        content = response.content
        moved = status in {307, 308} or (call.method == "GET" and status in {301, 302})
        if moved and response.headers.get("Location"):
            raise Moved(response.headers["Location"])
        raise fault_of(status, response.headers, content, call=str(call), asks=call.asks)

    return refuse
