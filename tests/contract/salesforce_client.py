"""simple-salesforce against the sandbox: it only speaks https, so an adapter sends its calls to loopback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce

from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET

DOMAIN = "acme.my"
VERSION = "66.0"


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
def loopback_session(url: str) -> Iterator[requests.Session]:
    """A session whose https goes to `url`, and which hears nothing of proxies in the environment."""
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", ToLoopback(url))
        yield session


@contextmanager
def signed_in(url: str, **login: Any) -> Iterator[Salesforce]:
    """simple-salesforce, signed in; by client credentials of the integration user unless told otherwise."""
    with loopback_session(url) as session:
        how = login or {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET, "domain": DOMAIN}
        yield Salesforce(session=session, version=VERSION, **how)


def rest(url: str, headers: Mapping[str, str] | None = None, **login: str) -> tuple[requests.Session, str]:
    """A plain session with a token, and the address of the version it speaks. Close the session."""
    session = requests.Session()
    session.trust_env = False
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **login}
    with session.post(f"{url}/services/oauth2/token", data=form) as answer:
        answer.raise_for_status()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    session.headers.update(headers or {})
    return session, f"{url}/services/data/v{VERSION}"
