"""Where a token may be sent: base URLs and links."""

import pytest

from connectors.errors import UnexpectedAnswer
from connectors.web import checked_base_url, path_on
from kammodel.errors import NotConfigured

BASE = "https://acme.my.salesforce.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (BASE, BASE),
        (f" {BASE}/\n", BASE),
        (f"{BASE}:8443/hub/", f"{BASE}:8443/hub"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_https_and_loopback_are_fine(given: str, expected: str) -> None:
    """https anywhere, plain http on this machine; blanks and a last slash do not matter."""
    assert checked_base_url(given, "KAM_X") == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "acme.my.salesforce.com",
        "ftp://acme.example",
        "https://",
        "https://[::1",
        "https://acme.example:port",
        "https://acme.example:99999",
        "http://acme.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.1@evil.example",
        "https://user:secret@acme.example",
        "https://acme.example/?next=1",
        "https://acme.example/#top",
        "https://acme.example/\x00",
        "https://acme\n.example",
    ],
)
def test_what_is_no_safe_address_names_the_variable(given: str) -> None:
    """One line with the variable's name, and nothing of its value: it may hold a password."""
    with pytest.raises(NotConfigured, match="KAM_X") as fault:
        checked_base_url(given, "KAM_X")
    assert "\n" not in str(fault.value)
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize(
    ("link", "path"),
    [
        ("/services/data/v60.0/query/01g-2000", "/services/data/v60.0/query/01g-2000"),
        ("/crm/v3/owners?after=1&limit=2", "/crm/v3/owners?after=1&limit=2"),
        (f"{BASE}/x?y=1", "/x?y=1"),
        (f"{BASE}:443/x", "/x"),
        ("http://ACME.my.salesforce.com/x", "/x"),
        ("//acme.my.salesforce.com/x", "/x"),
    ],
)
def test_links_on_the_host_give_their_path(link: str, path: str) -> None:
    """Relative or whole, with or without the scheme's own port, in any case."""
    assert path_on(BASE, link) == path


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x",
        "//evil.example/x",
        f"{BASE}:8443/x",
        f"{BASE}.evil.example/x",
        "https://acme.my.salesforce.com@evil.example/x",
        ".evil.example/x",
        "@evil.example/x",
        ":pass@evil.example/x",
        "https:evil.example",
        "javascript:alert(1)",
        "next",
        "?after=2",
        "",
        "https://[evil/x",
        f"{BASE}:port/x",
    ],
)
def test_links_off_the_host_are_refused(link: str) -> None:
    """Another host, another port, and what would grow into another host's name behind ours."""
    with pytest.raises(UnexpectedAnswer, match="a token is not sent there") as fault:
        path_on(BASE, link)
    assert "evil" not in str(fault.value)
