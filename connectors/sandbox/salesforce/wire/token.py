"""The OAuth token endpoint."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import jwt

from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal, unknown_to_sandbox
from connectors.sandbox.salesforce.wire.call import Reply
from connectors.sandbox.salesforce.wire.sessions import Sessions

_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORM = frozenset(
    {"grant_type", "client_id", "client_secret", "assertion", "refresh_token", "username", "password", "format"}
)
Form = Mapping[str, str]


def token(org: Org, sessions: Sessions, headers: Mapping[str, str], body: bytes, base: str) -> Reply:
    """A session for who proves to be allowed one. Errors are objects here, not arrays. Raises Refusal."""
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    for key in form:
        if key not in _FORM:
            raise unknown_to_sandbox(f"form field {key}")
    form |= _basic(headers.get("authorization", ""))
    grant = _GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise refused("unsupported_grant_type", "grant type not supported")
    user_id, more = grant(org, form, base)
    answer = {
        "access_token": sessions.open(user_id),
        "signature": base64.b64encode(user_id.encode()).decode(),
        "scope": "api refresh_token",
        "instance_url": base,
        "id": f"{base}/id/{org.org_id}/{user_id}",
        "token_type": "Bearer",
        "issued_at": str(int(org.clock.now().timestamp() * 1000)),
    }
    return Reply({**answer, **more}, headers={"Cache-Control": "no-store"})


def revoke(sessions: Sessions, body: bytes) -> Reply:
    """The end of a session, whoever asks."""
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    if set(form) != {"token"}:
        raise refused("unsupported_token_type", "a token is needed, and nothing else")
    sessions.revoke(form["token"])
    return Reply({})


def userinfo(org: Org, user_id: str) -> Reply:
    """Who is signed in, and to which org."""
    user = org.record("User", user_id) or {}
    return Reply(
        {
            "user_id": user_id,
            "organization_id": org.org_id,
            "preferred_username": user["Username"],
            "name": user["Name"],
            "email": user["Email"],
            "zoneinfo": user["TimeZoneSidKey"],
            "language": user["LanguageLocaleKey"],
            "active": user["IsActive"],
        }
    )


def refused(code: str, description: str, status: int = 400) -> Refusal:
    """An OAuth error."""
    return Refusal(status, {"error": code, "error_description": description})


def _basic(header: str) -> dict[str, str]:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        client, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise refused("invalid_client", "invalid client credentials") from None
    return {"client_id": client, "client_secret": secret}


def _user_of_app(org: Org, form: Form, *, secret_needed: bool = True) -> str:
    """The user an app runs as. Raises Refusal."""
    knobs = org.settings
    apps = {
        knobs.client_id: (knobs.client_secret, org.integration_user_id),
        knobs.admin_client_id: (knobs.admin_client_secret, org.admin_user_id),
    }
    known = apps.get(form.get("client_id", ""))
    if known is None:
        raise refused("invalid_client_id", "client identifier invalid")
    if secret_needed and form.get("client_secret") != known[0]:
        raise refused("invalid_client", "invalid client credentials")
    return known[1]


def _client_credentials(org: Org, form: Form, base: str) -> tuple[str, dict[str, str]]:
    if base.rsplit("//", maxsplit=1)[-1].split(".", maxsplit=1)[0] in {"login", "test"}:
        raise refused("invalid_grant", "request not supported on this domain")
    user_id = _user_of_app(org, form)
    if not org.settings.has_run_as_user:
        raise refused("invalid_grant", "no client credentials user enabled")
    return user_id, {}


def _refresh(org: Org, form: Form, base: str) -> tuple[str, dict[str, str]]:
    del base
    user_id = _user_of_app(org, form, secret_needed=org.settings.refresh_needs_secret or "client_secret" in form)
    # The token was given to the app of the integration user, and is of no use to another one.
    if form["client_id"] != org.settings.client_id or form.get("refresh_token") != org.settings.refresh_token:
        raise refused("invalid_grant", "expired access/refresh token")
    if not org.settings.refresh_token_rotates:
        return user_id, {}
    org.settings.refresh_token += ".next"
    return user_id, {"refresh_token": org.settings.refresh_token}


def _password(org: Org, form: Form, base: str) -> tuple[str, dict[str, str]]:
    del base
    _user_of_app(org, form)
    return user_by_password(org, form.get("username", ""), form.get("password", "")), {}


def user_by_password(org: Org, username: str, password: str) -> str:
    """The integration user, who alone has a password; the security token may follow it. Raises Refusal."""
    knobs = org.settings
    if username == knobs.username and password in {knobs.password, knobs.password + knobs.security_token}:
        return org.integration_user_id
    raise refused("invalid_grant", "authentication failure")


def _assertion(org: Org, form: Form, base: str) -> tuple[str, dict[str, str]]:
    claims = _claims(org, form.get("assertion", ""))
    user_id = _user_of_app(org, {"client_id": str(claims.get("iss", ""))}, secret_needed=False)
    users = org.table("User")
    subject = [row[0] for row in users.where("Username", claims.get("sub"))]
    if subject != [user_id]:
        raise refused("invalid_grant", "user hasn't approved this consumer")
    host = str(claims.get("aud", "")).split("//")[-1].rstrip("/")
    own = base.rsplit("//", maxsplit=1)[-1]
    if ("its own" if host == own else host) not in org.settings.jwt_audiences:
        raise refused("invalid_grant", "audience is invalid")
    # Assertions are signed by the caller's own clock, so they are held against real time and not the sandbox's.
    left = int(claims["exp"]) - time.time() if str(claims.get("exp", "")).isdigit() else -1
    if left < 0:
        raise refused("invalid_grant", "expired authorization code")
    # A second more, because clients round.
    if left > org.settings.jwt_seconds + 1:
        raise refused("invalid_grant", "invalid assertion")
    return user_id, {}


def _claims(org: Org, assertion: str) -> dict[str, Any]:
    key = org.settings.jwt_public_key
    if key is None:
        raise refused("invalid_client", "invalid client credentials")
    unchecked: Any = dict.fromkeys(("verify_exp", "verify_aud", "verify_iss", "verify_iat", "verify_sub"), False)
    try:
        return dict(jwt.decode(assertion, key, algorithms=["RS256"], options=unchecked))
    except jwt.PyJWTError:
        raise refused("invalid_grant", "invalid assertion") from None


_GRANTS: dict[str, Callable[[Org, Form, str], tuple[str, dict[str, str]]]] = {
    "client_credentials": _client_credentials,
    "refresh_token": _refresh,
    "password": _password,
    _JWT: _assertion,
}
