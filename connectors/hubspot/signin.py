"""How kam signs in to a portal: by a key that stays, or as an OAuth app whose tokens live half an hour."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson

from connectors.errors import AnswerUnclear, SignInRefused, TryAgainLater
from connectors.hubspot.faults import code_of, fault_of
from connectors.hubspot.paths import TOKEN as TOKEN_PATH
from connectors.hubspot.settings import PREFIX, HubSpotSettings
from connectors.hubspot.transport import Sent
from connectors.token_file import FileKeeper, Keeper, Kept, MemoryKeeper

EARLY = 120.0
"""Seconds before its end in which a token is renewed: longer than a call may take."""
_FORM = "application/x-www-form-urlencoded"
_REFRESH = f"{PREFIX}REFRESH_TOKEN"
_WHY = {
    "BAD_CLIENT_ID": f"{PREFIX}CLIENT_ID is not one that HubSpot knows, or not the one the token is for",
    "BAD_CLIENT_SECRET": f"{PREFIX}CLIENT_SECRET is not accepted",
    "BAD_HUB": f"{_REFRESH} is for a portal that does not exist any more, or has removed the app",
}

AskToken = Callable[[str, bytes, str], Sent]
"""Sends a form to a path: path, body, content type."""


@dataclass(frozen=True)
class Grant:
    """A token, and when it ends, in seconds since 1970; None where it does not."""

    token: str = field(repr=False)
    until: float | None = None


class SignIn(Protocol):
    """A way to sign in. `name`: what people call it; `variable`: what a person has to set anew if it is refused."""

    @property
    def name(self) -> str: ...

    @property
    def variable(self) -> str: ...

    @property
    def renews(self) -> bool:
        """Whether a token that was refused can be followed by another."""
        ...

    def grant(self, ask: AskToken, *, refused: str | None = None) -> Grant:
        """A token other than the one that was `refused`, if there can be one."""
        ...


@dataclass(frozen=True)
class ServiceKey:
    """A service key or the token of a private app: it does not expire."""

    key: str = field(repr=False)

    name, variable, renews = "service key", f"{PREFIX}ACCESS_TOKEN", False

    def grant(self, ask: AskToken, *, refused: str | None = None) -> Grant:
        del ask, refused
        return Grant(self.key)


@dataclass(frozen=True)
class OAuthApp:
    """Renews access tokens with a refresh token, the configured one or, where HubSpot gives another, its successor.

    HubSpot's refresh tokens have no end, and whether they are ever replaced is not documented: the newest is kept.
    https://developers.hubspot.com/docs/api-reference/latest/authentication (read 2026-11-28)
    """

    client_id: str
    secret: str = field(repr=False)
    configured: str = field(repr=False)
    keeper: Keeper = field(repr=False)
    now: Callable[[], float] = field(default=time.time, repr=False)

    name, variable, renews = "OAuth app", _REFRESH, True

    def grant(self, ask: AskToken, *, refused: str | None = None) -> Grant:
        """A token that an earlier run or another one left, unless it is refused or near its end; else a new one."""
        found = self._left(refused)
        if found is not None:
            return found
        with self.keeper.alone():
            # Whoever had the lock before may have renewed it.
            return self._left(refused) or self._refreshed(ask)

    def _left(self, refused: str | None) -> Grant | None:
        kept = self.keeper.read()
        if kept is None or not _is_token(kept.access_token) or kept.access_token == refused:
            return None
        if not isinstance(kept.until, int | float) or kept.until - self.now() <= EARLY:
            return None
        return Grant(str(kept.access_token), kept.until)

    def _refreshed(self, ask: AskToken) -> Grant:
        before = self.keeper.read() or Kept(self.configured)
        # Proves that there is room for the answer while the old token still works.
        self.keeper.write(replace(before, is_asking=True))
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "client_secret": self.secret}
        at = self.now()
        body = _granted(ask(TOKEN_PATH, urlencode({**form, "refresh_token": before.refresh_token}).encode(), _FORM))
        lives = body.get("expires_in")
        until = at + lives if isinstance(lives, int | float) and not isinstance(lives, bool) else at + EARLY
        following = body.get("refresh_token")
        newest = following if isinstance(following, str) and following else before.refresh_token
        self.keeper.write(Kept(newest, body["access_token"], until=until))
        return Grant(body["access_token"], until)


def sign_in_of(
    settings: HubSpotSettings,
    state: Path | None = None,
    *,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.time,
) -> SignIn:
    """The way that the settings ask for. `state`: the directory in which tokens are kept between runs; None keeps them
    in memory."""
    if settings.flow == "service key":
        return ServiceKey(settings.token)
    client_id, secret, refresh = settings.app
    parts = (settings.host, client_id, refresh)
    keeper = MemoryKeeper() if state is None else FileKeeper("HubSpot", state, parts, sleep)
    return OAuthApp(client_id, secret, refresh, keeper, now)


def _granted(sent: Sent) -> dict[str, Any]:
    body = _object(sent.raw)
    if not 200 <= sent.status <= 299:
        fault = fault_of(sent.status, sent.headers, sent.raw, call="the sign-in", credential=_REFRESH)
        if isinstance(fault, TryAgainLater):
            raise fault
        status = str(body.get("status", "")) if body else ""
        otherwise = f"{_REFRESH} is not accepted any more: install the app again and set it to the new token"
        raise SignInRefused(f"{fault}: {_WHY.get(status, otherwise)}", code=code_of(body), status=sent.status)
    if body is None:
        text = f"HubSpot answered the sign-in with {sent.status} and no JSON, or only part of it"
        raise AnswerUnclear(text, status=sent.status)
    if not _is_token(body.get("access_token")):
        raise SignInRefused("HubSpot granted the sign-in and sent no token that can be used")
    return body


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None


def _is_token(value: object) -> bool:
    """Whether it can stand in a header."""
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable() and " " not in value
