"""Base URLs and links: where a token may be sent, and where it may not."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.errors import UnexpectedAnswer
from kammodel.errors import NotConfigured

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def checked_base_url(url: str, variable: str) -> str:
    """The URL without a trailing slash: https, or plain http on loopback only. Names the variable if not."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotConfigured(f"{variable} is no address: it should look like https://example.my.salesforce.com")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise NotConfigured(f"{variable} is plain http: a token is sent over https only (http on loopback is fine)")
    return url.rstrip("/")


def path_on(base_url: str, link: str) -> str:
    """The path and query of a paging link, which must stay on `base_url`'s host."""
    parts = urlsplit(link)
    if parts.netloc and parts.netloc != urlsplit(base_url).netloc:
        raise UnexpectedAnswer("a paging link points to another host; a token is not sent there")
    return parts.path + (f"?{parts.query}" if parts.query else "")
