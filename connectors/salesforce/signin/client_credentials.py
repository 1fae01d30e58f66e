"""The client credentials flow: an app signs in as the run-as user that its policies name.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow_ca.htm (2026-11-23)
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.salesforce.faults import Hints
from connectors.salesforce.settings import PREFIX
from connectors.salesforce.signin.session import SignedIn, TokenEndpoint, granted, is_granted, signed_in

_ABOUT_CREDENTIALS = {400, 401, 403, 415, 422}


@dataclass(frozen=True)
class ClientCredentials:
    """Signs in with key and secret. There is no refresh token in this flow: one asks again.

    `variables`: what the two are called in the configuration, without the prefix.
    """

    host: str
    key: str
    secret: str = field(repr=False)
    variables: tuple[str, str] = ("CLIENT_ID", "CLIENT_SECRET")

    name = "client credentials"

    def __call__(self, endpoint: TokenEndpoint, *, refused: str | None = None) -> SignedIn:
        """Key and secret go in the header, as OAuth has every server take them; a server that refuses is asked once
        more with both in the form, which is what Salesforce's own examples show (RFC 6749, 2.3.1)."""
        del refused
        grant = {"grant_type": "client_credentials"}
        answer = endpoint.ask(self.host, grant, auth=(self.key, self.secret))
        if not is_granted(answer) and answer.status_code in _ABOUT_CREDENTIALS:
            answer = endpoint.ask(self.host, {**grant, "client_id": self.key, "client_secret": self.secret})
        key, secret = self.variables
        body = granted(answer, self._hints(), f"{PREFIX}{key} and {secret} are not accepted")
        return signed_in(body, self.host)

    def _hints(self) -> Hints:
        key, secret = self.variables
        return (
            ("invalid_client_id", f"{PREFIX}{key} is not one that this org knows"),
            ("invalid_client", f"{PREFIX}{key} and {secret} are not accepted"),
            ("unsupported_grant_type", f"{PREFIX}{key}: switch the client credentials flow on in the app's settings"),
            ("not supported on this domain", f"{PREFIX}INSTANCE_URL has to be the org's My Domain address"),
            (
                "invalid_grant",
                f"{PREFIX}{key}: the app has no run-as user for the client credentials flow, or it may not sign in",
            ),
            ("invalid_request", f"{PREFIX}INSTANCE_URL has to be the org's My Domain address for this flow"),
        )
