"""simple-salesforce against the sandbox: it only speaks https, so an adapter sends its calls to loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET

DOMAIN = "acme.my"
VERSION = "60.0"


class ToLoopback(HTTPAdapter):
    """Sends every https call to one http server, saying which host it was meant for."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._target = urlsplit(url)
        if self._target.hostname != "127.0.0.1":
            raise ValueError("calls may be rewritten to loopback only")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        there = urlsplit(str(request.url))
        request.headers["X-Orig-Host"] = there.netloc
        request.url = urlunsplit(("http", self._target.netloc, there.path, there.query, ""))
        return super().send(request, *args, **kwargs)


@contextmanager
def signed_in(url: str, version: str = VERSION, **login: Any) -> Iterator[Salesforce]:
    """simple-salesforce, signed in; by client credentials of the integration user unless told otherwise."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ToLoopback(url))
        how = login or {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET, "domain": DOMAIN}
        yield Salesforce(session=session, version=version, **how)


def code(answer: object) -> str:
    """The errorCode of an error array."""
    assert isinstance(answer, list)
    return str(answer[0]["errorCode"])
