"""Who may call: tokens that are accepted, tokens that are issued, and the scopes they carry."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from connectors.sandbox.hubspot.asking import Ask, Reply
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.refusals import (
    Refusal,
    bad_credentials,
    expired_credentials,
    missing_scopes,
    not_found,
    unknown_to_sandbox,
)

_TOKEN_FIELDS = {"client_id", "client_secret", "token", "token_type_hint"}
_FIELDS = {"grant_type", "client_id", "client_secret", "refresh_token", "redirect_uri", "scope"}


class Tokens:
    """The service key of the portal, which stays valid, and OAuth tokens, which expire by the portal's clock."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._expiry: dict[str, int] = {}

    def check(self, header: str) -> bool:
        """Whether the call comes with an OAuth token. Raises a Refusal for a token that is not accepted."""
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise bad_credentials()
        if token == self._portal.settings.access_token:
            return False
        if token not in self._expiry:
            raise bad_credentials()
        past = self._portal.now_ms() - self._expiry[token]
        if past >= 0:
            raise expired_credentials(past // 1000, iso(self._expiry[token]))
        return True

    def issue(self) -> str:
        """A new access token."""
        token = f"CPj-sandbox-{len(self._expiry) + 1:06d}"
        self._expiry[token] = self._portal.now_ms() + self._portal.settings.token_lifetime_s * 1000
        return token

    def left_s(self, token: str) -> int | None:
        """Seconds that a token has to live; None where it is not known or over."""
        expiry = self._expiry.get(token)
        left = -1 if expiry is None else (expiry - self._portal.now_ms()) // 1000
        return left if left > 0 else None

    def drop(self, token: str) -> None:
        """An access token is worth nothing any more."""
        self._expiry.pop(token, None)


def refresh(ask: Ask, tokens: Tokens) -> Reply:
    """`POST /oauth/{version}/token` with a refresh token."""
    form, settings = _form(ask, _FIELDS), ask.portal.settings
    if form.get("grant_type") != "refresh_token":
        raise unknown_to_sandbox(f"grant_type {form.get('grant_type')}")
    _check_client(ask, form)
    if not settings.refresh_token or form.get("refresh_token") != settings.refresh_token:
        raise _grant_refused("BAD_REFRESH_TOKEN", "missing or unknown refresh token")
    access_token = tokens.issue()
    if settings.refresh_token_rotates:
        settings.refresh_token = f"eu1-sandbox-refresh-{access_token[-6:]}"
    body = {
        "token_type": "bearer",
        "refresh_token": settings.refresh_token,
        "access_token": access_token,
        "expires_in": settings.token_lifetime_s,
    }
    if ask.version != "v1":
        body |= {"hub_id": settings.portal_id, "scopes": sorted(settings.scopes), "user_id": 70_001}
    return Reply(200, body)


def describe_token(ask: Ask, tokens: Tokens) -> Reply:
    """`GET /oauth/v1/access-tokens/{token}`: what a token is good for. Needs no other credential."""
    token, settings = ask.path["token"], ask.portal.settings
    left = tokens.left_s(token)
    if left is None:
        raise not_found()
    body = {
        "token": token,
        "user": "integration@example.com",
        "hub_domain": "example.com",
        "scopes": sorted(settings.scopes),
        "hub_id": settings.portal_id,
        "app_id": 2_214_005,
        "expires_in": left,
        "user_id": 70_001,
        "token_type": "access",
    }
    return Reply(200, body)


def introspect(ask: Ask, tokens: Tokens) -> Reply:
    """`POST /oauth/v3/token/introspect`: whether a token is worth anything, and what for."""
    form, settings = _form(ask, _TOKEN_FIELDS), ask.portal.settings
    _check_client(ask, form)
    token = form.get("token", "")
    is_refresh, left = bool(token) and token == settings.refresh_token, tokens.left_s(token)
    if not is_refresh and left is None:
        return Reply(200, {"active": False})
    body = {
        "active": True,
        "token": token,
        "token_type": "bearer",
        "token_use": "refresh_token" if is_refresh else "access_token",
        "client_id": settings.client_id,
        "hub_id": settings.portal_id,
        "user_id": 70_001,
        "scopes": sorted(settings.scopes),
    }
    return Reply(200, body if is_refresh else body | {"expires_in": left})


def revoke(ask: Ask, tokens: Tokens) -> Reply:
    """`POST /oauth/v3/token/revoke`: of a refresh token or an access token; a token that is not known is no fault."""
    form, settings = _form(ask, _TOKEN_FIELDS), ask.portal.settings
    _check_client(ask, form)
    token = form.get("token", "")
    if token == settings.refresh_token:
        settings.refresh_token = ""
    tokens.drop(token)
    return Reply(200, {})


def need(portal: Portal, *any_of: str) -> None:
    """Raises the 403 of a call that none of these scopes is there for."""
    if not portal.settings.scopes.intersection(any_of):
        raise missing_scopes(any_of)


def need_read(portal: Portal, kind: Kind) -> None:
    """The scope to read records of a kind."""
    need(portal, *kind.read_scopes)


def need_write(portal: Portal, kind: Kind) -> None:
    """The scope to write records of a kind."""
    need(portal, *kind.write_scopes)


def need_definitions(portal: Portal, kind: Kind) -> None:
    """The scope to read properties and pipelines: that of the schemas or that of the records."""
    schemas = tuple(scope.removesuffix(".write") + ".read" for scope in kind.schema_scopes)
    need(portal, *schemas, *kind.schema_scopes, *kind.read_scopes)


def _form(ask: Ask, known: Collection[str]) -> dict[str, str]:
    form = dict(parse_qsl(ask.raw.decode("utf-8", "replace"), keep_blank_values=True))
    for name in form:
        if name not in known:
            raise unknown_to_sandbox(f"form field {name}")
    return form


def _check_client(ask: Ask, form: Mapping[str, str]) -> None:
    settings = ask.portal.settings
    if (form.get("client_id"), form.get("client_secret")) != (settings.client_id, settings.client_secret):
        raise _grant_refused("BAD_CLIENT_ID", "missing or unknown client id")


def _grant_refused(status: str, message: str) -> Refusal:
    body = {"status": status, "message": message, "error": "invalid_grant", "error_description": message}
    return Refusal(400, body)
