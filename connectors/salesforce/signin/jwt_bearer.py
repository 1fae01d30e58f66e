"""The JWT bearer flow: a request signed with our private key signs in as a user who has the app's approval.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm (read 2026-11-28)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.salesforce.faults import Hints
from connectors.salesforce.settings import PREFIX
from connectors.salesforce.signin.session import SignedIn, TokenEndpoint, granted, is_granted, signed_in
from kammodel.errors import NotConfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFE_S = 120
"""Salesforce takes up to three minutes from its own clock; a minute is left for a clock of ours that is fast."""
_LARGEST_FILE = 65_536
_LEAST_BITS = 2048
"""RFC 7518, 3.3: RS256 must not be used with less."""
_KEY = f"{PREFIX}PRIVATE_KEY_FILE"
_APPROVE = (
    f"{PREFIX}USERNAME has not been allowed to use the app: in the app's policies let admin-approved users in, and "
    "give this user a profile or permission set of the app"
)
_HINTS: Hints = (
    ("invalid_client_id", f"{PREFIX}CLIENT_ID is not one that this org knows"),
    ("invalid_client", f"{PREFIX}CLIENT_ID is not accepted, or the app has no certificate"),
    ("unsupported_grant_type", f"{PREFIX}CLIENT_ID: switch the JWT bearer flow on in the app's settings"),
    ("approved", _APPROVE),
    ("audience", f"set {PREFIX}LOGIN_URL to the login address of this org"),
    (
        "expired",
        "the clock of this machine is more than two minutes off, or Salesforce was slow; try again",
    ),
    ("assertion", f"{_KEY} is not the key whose certificate the app has"),
    ("invalid_grant", f"{PREFIX}USERNAME may not sign in, or {_KEY} is not the key whose certificate the app has"),
    ("invalid_app_access", _APPROVE),
)


@dataclass(frozen=True)
class JwtBearer:
    """Signs in with a private key. There is no refresh token in this flow: one signs again.

    `login_host`: whom the request is addressed to. None is the login host of production or of sandboxes by the
    address of the org, and, where that is refused, the org's own: whether an org takes both is not documented.
    """

    host: str
    key: str
    user: str
    key_file: Path
    login_host: str | None = None
    now: Callable[[], float] = field(default=time.time, repr=False)

    name = "JWT bearer"

    def __call__(self, endpoint: TokenEndpoint, *, refused: str | None = None) -> SignedIn:
        """Raises NotConfigured where the key cannot be used, before anything is asked."""
        import jwt

        del refused
        private_key = read_private_key(self.key_file)
        audiences = [self.login_host] if self.login_host else [login_host_of(self.host), self.host]
        for audience in audiences:
            claims = {"iss": self.key, "sub": self.user, "aud": audience, "exp": int(self.now()) + _LIFE_S}
            assertion = jwt.encode(claims, private_key, algorithm="RS256")
            answer = endpoint.ask(self.host, {"grant_type": _GRANT, "assertion": assertion})
            if is_granted(answer) or b"audience" not in answer.content.lower():
                break
        body = granted(answer, _HINTS, f"{PREFIX}CLIENT_ID, {PREFIX}USERNAME and {_KEY} are not accepted")
        return signed_in(body, self.host)


def login_host_of(host: str) -> str:
    """The login host that serves an org: another one for sandboxes and scratch orgs, told by their My Domain names.

    https://help.salesforce.com/s/articleView?id=xcloud.domain_name_url_formats.htm (read 2026-11-28)
    """
    name = urlsplit(host).hostname or ""
    is_test = "--" in name.partition(".")[0] or ".sandbox." in name or ".scratch." in name
    return "https://test.salesforce.com" if is_test else "https://login.salesforce.com"


def read_private_key(path: Path) -> RSAPrivateKey:
    """The RSA key in a PEM file. Raises NotConfigured that names the variable and what is wrong, never the content."""
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(_LARGEST_FILE)
    except OSError as fault:
        raise NotConfigured(f"{_KEY}: {path} cannot be read ({fault.strerror})") from None
    if b"-----BEGIN" not in content:
        raise NotConfigured(f"{_KEY}: {path} is no PEM file (it has no line -----BEGIN ... PRIVATE KEY-----)")
    if b"PRIVATE KEY-----" not in content:
        raise NotConfigured(f"{_KEY}: {path} holds no private key; the certificate is what the app in Salesforce gets")
    return _loaded(content, path)


def _loaded(content: bytes, path: Path) -> RSAPrivateKey:
    # Late, because it brings OpenSSL, which the other flows do not need.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        text = f"{_KEY}: {path} is locked by a passphrase; write it without one: openssl pkey -in KEY -out NEW"
        raise NotConfigured(text) from None
    except (ValueError, UnsupportedAlgorithm):
        raise NotConfigured(f"{_KEY}: {path} holds a private key that cannot be read") from None
    if not isinstance(key, RSAPrivateKey):
        raise NotConfigured(f"{_KEY}: {path} holds no RSA key, which is the kind that Salesforce takes (RS256)")
    if key.key_size < _LEAST_BITS:
        raise NotConfigured(f"{_KEY}: {path} holds a key of {key.key_size} bits; RS256 takes {_LEAST_BITS} and more")
    return key
