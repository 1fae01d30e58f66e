"""The sandbox portal's tokens: renewed, rotated, looked into, revoked."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.sandbox.hubspot.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.contract.hubspot_world import Front, open_front, portal

COMPANIES = "/crm/v3/objects/companies"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
PATHS = ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-03/token", "/oauth/2026-09/token"]


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def send(front: Front, path: str, **form: str) -> requests.Response:
    """A form, without a token."""
    return requests.post(front.url + path, data=CLIENT | form, timeout=30)


def renewed(front: Front, refresh_token: str, path: str = PATHS[1]) -> requests.Response:
    return send(front, path, grant_type="refresh_token", refresh_token=refresh_token)


@pytest.mark.parametrize("path", PATHS)
def test_every_version_gives_a_token(front: Front, path: str) -> None:
    """For 1,800 seconds; the newer ones say whose it is, the old one does not."""
    front.show(portal())
    told = renewed(front, REFRESH_TOKEN, path).json()
    assert (told["token_type"], told["expires_in"], told["refresh_token"]) == ("bearer", 1800, REFRESH_TOKEN)
    assert told.get("hub_id") == (None if "v1" in path else 145000001)
    assert front.get(COMPANIES, token=told["access_token"]).status_code == 200


def test_a_refresh_token_can_rotate(front: Front) -> None:
    """With that knob the new one works and the old one is refused; without it the same one stays good."""
    front.show(portal(refresh_token_rotates=True))
    new = renewed(front, REFRESH_TOKEN).json()["refresh_token"]
    assert new != REFRESH_TOKEN
    assert renewed(front, REFRESH_TOKEN).json()["status"] == "BAD_REFRESH_TOKEN"
    assert renewed(front, new).status_code == 200
    front.show(portal())
    assert [renewed(front, REFRESH_TOKEN).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"client_id": "x", "refresh_token": REFRESH_TOKEN}, "BAD_CLIENT_ID"),
        ({"client_secret": "x", "refresh_token": REFRESH_TOKEN}, "BAD_CLIENT_ID"),
        ({"refresh_token": ""}, "BAD_REFRESH_TOKEN"),
    ],
)
def test_what_is_refused(front: Front, form: dict[str, str], status: str) -> None:
    """400 in the words of OAuth, never with a token in it."""
    front.show(portal())
    answer = send(front, PATHS[1], grant_type="refresh_token", **form)
    told = answer.json()
    assert (answer.status_code, told["status"], told["error"]) == (400, status, "invalid_grant")
    assert REFRESH_TOKEN not in answer.text


def test_a_token_is_looked_into(front: Front) -> None:
    """What it is, whose, and for how long; nothing but that it is not active once it is over."""
    there = front.show(portal(scopes=frozenset({"oauth", "tickets"})))
    token = renewed(front, REFRESH_TOKEN).json()["access_token"]
    there.clock.advance(dt.timedelta(seconds=100))

    def told(token: str) -> dict[str, Any]:
        found: dict[str, Any] = send(front, "/oauth/v3/token/introspect", token=token).json()
        return found

    found = told(token)
    assert (found["active"], found["token_use"], found["expires_in"]) == (True, "access_token", 1700)
    assert (found["hub_id"], found["scopes"]) == (145000001, ["oauth", "tickets"])
    assert told(REFRESH_TOKEN)["token_use"] == "refresh_token"
    there.clock.advance(dt.timedelta(seconds=1700))
    assert told(token) == {"active": False}
    assert told("") == {"active": False}


def test_a_revoked_token_is_worth_nothing(front: Front) -> None:
    """An access token is unknown from then on, a refresh token gives no more tokens."""
    front.show(portal())
    token = renewed(front, REFRESH_TOKEN).json()["access_token"]
    assert send(front, "/oauth/2026-03/token/revoke", token=token).status_code == 200
    assert front.get(COMPANIES, token=token).json()["category"] == "INVALID_AUTHENTICATION"
    send(front, "/oauth/v3/token/revoke", token=REFRESH_TOKEN)
    assert renewed(front, REFRESH_TOKEN).json()["status"] == "BAD_REFRESH_TOKEN"
    assert renewed(front, "").json()["status"] == "BAD_REFRESH_TOKEN"


def test_calls_with_an_oauth_token_are_told_no_daily_quota(front: Front) -> None:
    """A service key is."""
    front.show(portal())
    token = renewed(front, REFRESH_TOKEN).json()["access_token"]
    assert "X-HubSpot-RateLimit-Daily" not in front.get(COMPANIES, token=token).headers
    assert front.get(COMPANIES).headers["X-HubSpot-RateLimit-Daily"] == "625000"
