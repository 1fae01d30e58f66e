"""A clock that is fast would put the end of a slice where no row is yet: Salesforce's own clock shows it."""

from collections.abc import Iterator

import pytest
import responses

from connectors.salesforce.signin import SignedIn
from connectors.salesforce.transport import Call, Transport
from kammodel.errors import NotConfigured

ROOT = "https://acme.my.salesforce.com"
THEIRS, THEIR_DATE = 1_793_620_800.0, "Mon, 02 Nov 2026 12:00:00 GMT"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def ask(ours: float) -> int:
    """The status of a call that is made when our clock says so."""
    transport = Transport("66.0", lambda *_: None, now=lambda: ours)
    try:
        call = Call("GET", "/query", {}, None, {}, "read")
        return transport.carry(SignedIn("token", ROOT, None, None), call, f"{ROOT}/query", number=1).status_code
    finally:
        transport.close()


def test_a_clock_that_is_fast_is_refused(wire: responses.RequestsMock) -> None:
    """By more than is read twice, ten minutes: the message says by how much."""
    wire.get(f"{ROOT}/query", json={}, headers={"Date": THEIR_DATE})
    with pytest.raises(NotConfigured, match="is 11 minutes ahead of Salesforce's"):
        ask(THEIRS + 660)


@pytest.mark.parametrize("off", [0, 599, -86_400])
def test_a_clock_that_is_about_right_or_slow_is_fine(wire: responses.RequestsMock, off: int) -> None:
    """What a slow clock leaves out is read by a later run."""
    wire.get(f"{ROOT}/query", json={}, headers={"Date": THEIR_DATE})
    assert ask(THEIRS + off) == 200


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_an_answer_without_a_date_tells_nothing(wire: responses.RequestsMock, date: str | None) -> None:
    """It is taken as it is."""
    wire.get(f"{ROOT}/query", json={}, headers={"Date": date} if date else {})
    assert ask(THEIRS + 86_400) == 200
