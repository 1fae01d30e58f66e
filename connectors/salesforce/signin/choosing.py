"""Chooses the flow that the settings ask for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.signin.client_credentials import ClientCredentials
from connectors.salesforce.signin.jwt_bearer import JwtBearer
from connectors.salesforce.signin.refresh_token import RefreshToken
from connectors.salesforce.signin.session import SignedIn, TokenEndpoint
from connectors.token_file import FileKeeper, MemoryKeeper


class SignIn(Protocol):
    """A flow. `name`: what people call it."""

    @property
    def name(self) -> str: ...

    def __call__(self, endpoint: TokenEndpoint, *, refused: str | None = None) -> SignedIn:
        """A session with another token than the one that was `refused`, if one was."""
        ...


def sign_in_of(
    settings: SalesforceSettings, state: Path | None = None, sleep: Callable[[float], None] = time.sleep
) -> SignIn:
    """The flow that the settings ask for.

    `state`: the directory in which a refresh token is kept between runs. None keeps it in memory, which loses one
    that rotates.
    """
    host = settings.host
    if settings.flow == "refresh token":
        parts = (host, settings.key, settings.refresh)
        keeper = MemoryKeeper() if state is None else FileKeeper("Salesforce", state, parts, sleep)
        token_host = settings.login_host or host
        return RefreshToken(host, token_host, settings.key, settings.secret, settings.refresh, keeper)
    if settings.flow == "JWT bearer" and settings.private_key_file is not None:
        return JwtBearer(host, settings.key, settings.user, settings.private_key_file, settings.login_host)
    return ClientCredentials(host, settings.key, settings.secret)


def admin_sign_in(settings: SalesforceSettings) -> SignIn | None:
    """The sign-in of the administrator who provisions; None where no credentials of theirs are configured."""
    if not settings.has_admin:
        return None
    variables = ("ADMIN_CLIENT_ID", "ADMIN_CLIENT_SECRET")
    return ClientCredentials(settings.host, settings.admin_key, settings.admin_secret, variables)
