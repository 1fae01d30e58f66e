"""An OAuth app's tokens live half an hour: they are renewed in time, once for all threads, and kept between runs."""

import datetime as dt
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.contract import Slice
from connectors.errors import ConnectorError, SignInRefused
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.connector import HubSpotConnector
from connectors.hubspot.settings import HubSpotSettings
from connectors.hubspot.signin import sign_in_of
from connectors.retry import Patience
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.contract.hubspot_copy import Copy, read_stream
from tests.contract.hubspot_world import NOW, Front, open_front, portal

HALF_AN_HOUR = dt.timedelta(seconds=1800)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def settings_of(front: Front, **more: Any) -> HubSpotSettings:
    app = {"client_id": CLIENT_ID, "client_secret": SecretStr(CLIENT_SECRET), "refresh_token": SecretStr(REFRESH_TOKEN)}
    return HubSpotSettings(**({"base_url": front.url} | app | more))


def client_of(front: Front, there: Portal, state: Path | None = None, **more: Any) -> Client:
    """A client whose clock is the portal's, unless one is given."""
    clock = more.pop("clock", lambda: there.clock.now().timestamp())
    settings, patience = settings_of(front, **more), Patience(sleep=lambda _: None)
    sign_in = sign_in_of(settings, state, sleep=patience.sleep, now=clock)
    return Client(settings, patience, sign_in=sign_in, clock=clock)


def renewals(front: Front) -> int:
    return sum(call.path.endswith("/token") for call in front.faults.log)


def test_a_token_is_asked_for_once_and_renewed_before_its_end(front: Front) -> None:
    """No call meets an expired token, as long as our clock goes right."""
    there = front.show(portal())
    client = client_of(front, there)
    for _ in range(10):
        client.get(paths.OWNERS)
        there.clock.advance(5 * MINUTE)
    client.close()
    assert renewals(front) == 2
    assert {call.status for call in front.faults.log} == {200}
    assert (client.calls.read, client.calls.other) == (10, 2)


def test_a_token_that_ends_under_a_clock_that_stands_is_renewed(front: Front) -> None:
    """HubSpot's 401 EXPIRED_AUTHENTICATION renews it once, and the call goes on."""
    there = front.show(portal())
    client = client_of(front, there, clock=lambda: 0.0)
    client.get(paths.OWNERS)
    there.clock.advance(HALF_AN_HOUR)
    assert client.get(paths.OWNERS).results
    client.close()
    assert [call.status for call in front.faults.log] == [200, 200, 401, 200, 200]


def test_threads_that_meet_the_end_together_renew_it_once(front: Front) -> None:
    """The others take what the first one was given."""
    there = front.show(portal())
    connector = HubSpotConnector(settings_of(front, parallel_calls=8), patience=Patience(sleep=lambda _: None))
    connector.streams()
    there.clock.advance(HALF_AN_HOUR)
    copy = Copy()
    for name in ("accounts", "opportunities", "calls"):
        read_stream(connector, copy, name, Slice(None, NOW + dt.timedelta(hours=1)))
    connector.close()
    assert renewals(front) == 2
    assert len(copy.live("account")) == 4
    assert connector.identify().sign_in == "OAuth app"


def test_tokens_are_kept_between_runs(front: Front, tmp_path: Path) -> None:
    """A second run asks for none while the first one's lives; a refresh token that was replaced is not used again."""
    there = front.show(portal(refresh_token_rotates=True))
    for wait in (0, 10, 30):
        there.clock.advance(wait * MINUTE)
        client = client_of(front, there, tmp_path)
        assert client.get(paths.OWNERS).results
        client.close()
    assert renewals(front) == 2
    [kept] = (tmp_path / "sign-in").glob("hubspot-*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert REFRESH_TOKEN not in kept.name


def test_a_kept_token_that_was_revoked_is_replaced(front: Front, tmp_path: Path) -> None:
    """The app may have been installed anew since."""
    client = client_of(front, front.show(portal()), tmp_path)
    client.get(paths.OWNERS)
    client.close()
    client = client_of(front, front.show(portal()), tmp_path)
    assert client.get(paths.OWNERS).results
    client.close()
    assert [call.status for call in front.faults.log] == [401, 200, 200]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"refresh_token": SecretStr("eu1-revoked")}, "KAM_HUBSPOT__REFRESH_TOKEN"),
        ({"client_secret": SecretStr("wrong-secret")}, "KAM_HUBSPOT__CLIENT_ID"),
    ],
)
def test_a_refused_sign_in_names_the_variable(front: Front, given: dict[str, Any], named: str) -> None:
    """One line, one call, no secret."""
    client = client_of(front, front.show(portal()), **given)
    with pytest.raises(SignInRefused, match=named) as caught:
        client.get(paths.OWNERS)
    client.close()
    assert len(front.faults.log) == 1
    assert not any(secret in str(caught.value) for secret in ("revoked", "wrong-secret", CLIENT_SECRET, "\n"))


@pytest.mark.parametrize("fault", ["429", "503", "html_502", "dropped_before", "dropped_after", "truncated"])
def test_a_sign_in_that_fails_for_now_is_tried_again(front: Front, fault: Fault) -> None:
    """At the start, and at a renewal."""
    there = front.show(portal())
    client = client_of(front, there)
    for _ in range(2):
        front.faults.on_path("/oauth", fault)
        assert client.get(paths.OWNERS).results
        there.clock.advance(HALF_AN_HOUR)
    client.close()
    assert renewals(front) == 4


def test_a_renewal_that_was_lost_says_what_to_do(front: Front) -> None:
    """Where refresh tokens are replaced and the answer with the new one broke off, a person has to install again."""
    there = front.show(portal(refresh_token_rotates=True))
    client = client_of(front, there)
    front.faults.on_path("/oauth", "dropped_after")
    with pytest.raises(ConnectorError, match="install the app again and set it") as caught:
        client.get(paths.OWNERS)
    client.close()
    assert isinstance(caught.value, SignInRefused)
