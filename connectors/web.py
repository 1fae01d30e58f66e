"""Base URLs and links: where a token may be sent, and where it may not."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from connectors.errors import UnexpectedAnswer
from kammodel.errors import NotConfigured

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def checked_base_url(url: str, variable: str) -> str:
    """The URL without blanks around it and a trailing slash: https, or plain http on loopback only.

    Names the variable if it is anything else, or carries what is no part of an address to build on: a user, a
    query, a fragment.
    """
    parts = _split(url.strip())
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotConfigured(f"{variable} is no address: it should be https:// and the name of a host")
    if "@" in parts.netloc or parts.query or parts.fragment or not url.strip().isprintable():
        raise NotConfigured(f"{variable} holds more than an address: leave out user names, ? and # and what follows")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise NotConfigured(f"{variable} is plain http: a token is sent over https only (http on loopback is fine)")
    return url.strip().rstrip("/")


def path_on(base_url: str, link: str) -> str:
    """The path and query of a paging link, which must stay on `base_url`'s host.

    It starts with a slash: put behind a host's name, anything else could become part of that name.
    """
    parts, base = _split(link), urlsplit(base_url)
    if parts is None or (parts.netloc and _place(parts) != _place(base)):
        raise UnexpectedAnswer("a paging link points to another host; a token is not sent there")
    if not parts.path.startswith("/"):
        raise UnexpectedAnswer("a paging link has no path that starts with a slash; a token is not sent there")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _split(url: str) -> SplitResult | None:
    """The parts of an address, None if it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  a port that is no number is noticed only here
    except ValueError:
        return None
    return parts


def _place(parts: SplitResult) -> tuple[str | None, int | None]:
    """Host and port. The scheme's own port may be left out, and servers behind a proxy write http for https."""
    return parts.hostname, None if parts.port in {80, 443} else parts.port
