"""Signs in by the client credentials flow, and says to which address the token may be sent.

simple-salesforce knows this flow too, but only for hosts below salesforce.com, without a timeout, and it drops
the headers and half of the body of a refusal.
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow_ca.htm (2026-11-23)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from connectors.errors import AnswerUnclear, SignInRefused, UnexpectedAnswer
from connectors.salesforce import paths
from connectors.salesforce.faults import sign_in_fault
from connectors.salesforce.settings import SalesforceSettings

_VENDOR = (".salesforce.com", ".force.com", ".salesforce.mil", ".sfcrmproducts.cn")
_ABOUT_CREDENTIALS = {400, 401, 403, 415, 422}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class SignedIn:
    """A session: its token, the address to send it to, and whose it is, where the answer says so."""

    token: str
    root: str
    org_id: str | None
    user_id: str | None


def sign_in(session: requests.Session, settings: SalesforceSettings, timeout: tuple[float, float]) -> SignedIn:
    """Asks for a token. There is no refresh token in this flow: one asks again.

    Key and secret go in the header, as OAuth has every server take them; a server that refuses is asked once more
    with both in the form, which is what Salesforce's own examples show (RFC 6749, 2.3.1).
    """
    grant = {"grant_type": "client_credentials"}
    in_form = grant | {"client_id": settings.key, "client_secret": settings.secret}
    ways: tuple[dict[str, Any], ...] = ({"data": grant, "auth": (settings.key, settings.secret)}, {"data": in_form})
    for last, way in enumerate(ways):
        answer = session.post(
            settings.host + paths.TOKEN,
            **way,
            headers={"Accept": "application/json"},
            timeout=timeout,
            allow_redirects=False,
        )
        if 200 <= answer.status_code <= 299:
            break
        fault = sign_in_fault(answer.status_code, answer.headers, answer.content)
        if last or answer.status_code not in _ABOUT_CREDENTIALS:
            raise fault
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        text = f"Salesforce answered the sign-in with {answer.status_code} and no JSON, or only part of it"
        raise AnswerUnclear(text, status=answer.status_code) from None
    return _signed_in(body, settings.host)


def _signed_in(body: Any, configured: str) -> SignedIn:
    token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise SignInRefused("Salesforce granted the sign-in and sent no token that can be used")
    org_id, user_id = _whose(body.get("id"))
    return SignedIn(token, trusted_root(configured, body.get("instance_url")), org_id, user_id)


def trusted_root(configured: str, named: object) -> str:
    """Where the token goes: the address configured, or the one named if it is the vendor's own and https.

    On loopback it is always the one configured: what is served there has no business elsewhere.
    """
    parts = urlsplit(configured)
    if not isinstance(named, str) or not named or parts.hostname in _LOOPBACK:
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
