"""The token endpoint: what is asked of it, what a granted sign-in says, and where its token may be sent.

simple-salesforce knows two of the flows too, but only for hosts below salesforce.com, without a timeout, and it drops
the headers and half of the body of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from connectors.errors import AnswerUnclear, SignInRefused, UnexpectedAnswer
from connectors.salesforce import paths
from connectors.salesforce.faults import Hints, sign_in_fault
from connectors.salesforce.settings import PREFIX

_VENDOR = (".salesforce.com", ".force.com", ".salesforce.mil", ".sfcrmproducts.cn")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_OF_EVERY_FLOW: Hints = (
    ("unauthorized_client", f"{PREFIX}CLIENT_ID: the app is not allowed to sign in this way"),
    ("inactive_user", f"{PREFIX}CLIENT_ID: the user that the app signs in is inactive"),
    ("inactive user", f"{PREFIX}CLIENT_ID: the user that the app signs in is inactive"),
    ("inactive_org", f"{PREFIX}INSTANCE_URL leads to an org that is locked or closed"),
    ("ip restricted", f"{PREFIX}CLIENT_ID: the app's policies or the user's profile refuse this machine's address"),
)


@dataclass(frozen=True)
class SignedIn:
    """A session: its token, the address to send it to, and whose it is, where the answer says so.

    `is_new`: it was granted just now; else an earlier run left it, and it may have ended since.
    """

    token: str
    root: str
    org_id: str | None
    user_id: str | None
    is_new: bool = True


@dataclass
class TokenEndpoint:
    """Where tokens are asked for. `asked` counts the requests."""

    session: requests.Session
    timeout: tuple[float, float]
    asked: int = 0

    def ask(self, host: str, form: Mapping[str, str], *, auth: tuple[str, str] | None = None) -> requests.Response:
        """The answer, whatever it is, to a form with the credentials of a flow. Redirects are not followed."""
        self.asked += 1
        return self.session.post(
            host + paths.TOKEN,
            data=form,
            auth=auth,
            headers={"Accept": "application/json"},
            timeout=self.timeout,
            allow_redirects=False,
        )


def is_granted(answer: requests.Response) -> bool:
    return 200 <= answer.status_code <= 299


def granted(answer: requests.Response, hints: Hints, otherwise: str) -> dict[str, Any]:
    """The body of a granted sign-in. Raises what `connectors.errors` names, saying what to do about a refusal."""
    if not is_granted(answer):
        known = (*hints, *_OF_EVERY_FLOW)
        raise sign_in_fault(answer.status_code, answer.headers, answer.content, hints=known, otherwise=otherwise)
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        text = f"Salesforce answered the sign-in with {answer.status_code} and no JSON, or only part of it"
        raise AnswerUnclear(text, status=answer.status_code) from None
    if not isinstance(body, dict) or not is_token(body.get("access_token")):
        raise SignInRefused("Salesforce granted the sign-in and sent no token that can be used")
    return body


def is_token(value: object) -> bool:
    """Whether it can stand in a header."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()


def signed_in(body: Mapping[str, Any], configured: str) -> SignedIn:
    """The session that a granted sign-in opens."""
    org_id, user_id = _whose(body.get("id"))
    return SignedIn(body["access_token"], trusted_root(configured, body.get("instance_url")), org_id, user_id)


def trusted_root(configured: str, named: object) -> str:
    """Where the token goes: the address configured, or the one named if it is the vendor's own and https.

    On loopback it is always the one configured: what is served there has no business elsewhere.
    """
    parts = urlsplit(configured)
    if not isinstance(named, str) or not named or parts.hostname in LOOPBACK:
        return configured
    try:
        other = urlsplit(named.strip())
        host, port = other.hostname or "", other.port
    except ValueError:
        raise UnexpectedAnswer("the sign-in names an address that is none; the token is not sent there") from None
    if host == parts.hostname and port in {None, 443, parts.port}:
        return configured
    if other.scheme == "https" and port in {None, 443} and host.endswith(_VENDOR) and "@" not in other.netloc:
        return f"https://{host}"
    raise UnexpectedAnswer("the sign-in names an address outside of Salesforce; the token is not sent there")


def _whose(identity: object) -> tuple[str | None, str | None]:
    """Org and user out of the identity address, `https://login.salesforce.com/id/<org>/<user>`."""
    steps = urlsplit(identity).path.strip("/").split("/") if isinstance(identity, str) else []
    if len(steps) < 3 or steps[-3] != "id":
        return None, None
    return steps[-2] or None, steps[-1] or None
