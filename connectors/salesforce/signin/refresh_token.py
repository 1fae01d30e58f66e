"""The refresh token flow: what a person authorised once is renewed, run after run.

With rotation on, each refresh gives a new refresh token and ends the one before; of two refreshes with the same token
one fails. The newest token is therefore written down before it is used, and asked for by one run at a time.
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm (read 2026-11-28)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from connectors.salesforce.faults import Hints
from connectors.salesforce.settings import PREFIX
from connectors.salesforce.signin.session import (
    SignedIn,
    TokenEndpoint,
    granted,
    is_granted,
    is_token,
    signed_in,
    trusted_root,
)
from connectors.token_file import Keeper, Kept

_TOKEN = f"{PREFIX}REFRESH_TOKEN"
_AGAIN = f"authorise the app again and set {_TOKEN} to the new token"


@dataclass(frozen=True)
class RefreshToken:
    """Signs in with a refresh token, the configured one or the one that followed it.

    `token_host`: the host that gave it, which alone renews it. `secret` is empty where the app asks for none.
    """

    host: str
    token_host: str
    key: str
    secret: str = field(repr=False)
    configured: str = field(repr=False)
    keeper: Keeper = field(repr=False)

    name = "refresh token"

    def __call__(self, endpoint: TokenEndpoint, *, refused: str | None = None) -> SignedIn:
        """A session that an earlier run or another one left, unless it is the one that was `refused`; else a new one.

        Raises SignInRefused that says to authorise again where the token is lost or revoked: no other would work.
        """
        kept = self._left(refused)
        if kept is not None:
            return kept
        with self.keeper.alone():
            # Whoever had the lock before may have renewed it.
            kept = self._left(refused)
            if kept is not None:
                return kept
            return self._refreshed(endpoint)

    def _left(self, refused: str | None) -> SignedIn | None:
        kept = self.keeper.read()
        if kept is None or not is_token(kept.access_token) or kept.access_token == refused:
            return None
        root = trusted_root(self.host, kept.root)
        return SignedIn(str(kept.access_token), root, kept.org_id, kept.user_id, is_new=False)

    def _refreshed(self, endpoint: TokenEndpoint) -> SignedIn:
        before = self.keeper.read() or Kept(self.configured)
        # Proves that there is room for the answer while the old token still works, and tells a later run of it.
        self.keeper.write(replace(before, is_asking=True))
        form = {"grant_type": "refresh_token", "client_id": self.key, "refresh_token": before.refresh_token}
        answer = endpoint.ask(self.token_host, {**form, "client_secret": self.secret} if self.secret else form)
        if not is_granted(answer) and answer.status_code < 500 and not before.is_asking:
            self.keeper.write(before)
        body = granted(answer, _hints(before, self.configured), f"{_TOKEN} is not accepted: {_AGAIN}")
        fresh = signed_in(body, self.host)
        self.keeper.write(_kept(fresh, body, before))
        return fresh


def _kept(fresh: SignedIn, body: dict[str, Any], before: Kept) -> Kept:
    following = body.get("refresh_token")
    newest = following if isinstance(following, str) and following else before.refresh_token
    return Kept(newest, fresh.token, fresh.root, fresh.org_id, fresh.user_id)


def _hints(before: Kept, configured: str) -> Hints:
    lost = f"{_TOKEN} is not accepted any more (expired or revoked): {_AGAIN}"
    if before.is_asking:
        lost = f"{_TOKEN}: its last renewal got no answer, and the token that Salesforce gave then is lost: {_AGAIN}"
    elif before.refresh_token != configured:
        lost = (
            f"{_TOKEN}: the token that followed it is not accepted any more (expired, revoked, or renewed by a kam "
            f"with another KAM_HOME): {_AGAIN}"
        )
    return (
        ("invalid_client_id", f"{PREFIX}CLIENT_ID is not one that this org knows, or not the one the token is for"),
        ("invalid_client", f"{PREFIX}CLIENT_SECRET is not accepted, or missing"),
        ("unsupported_grant_type", f"{PREFIX}CLIENT_ID: switch the refresh token flow on in the app's settings"),
        ("not supported on this domain", f"set {PREFIX}LOGIN_URL to the host where the app was authorised"),
        ("invalid_grant", lost),
    )
