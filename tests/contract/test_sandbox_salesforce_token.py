"""The sandbox's token endpoint: whom it grants a session, and with which words it refuses one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
import requests

from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
    ADMIN_USERNAME,
    CLIENT_ID,
    REFRESH_TOKEN,
    USERNAME,
)
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import Desk, open_desk, small_org
from tests.salesforce_key import private_key, private_pem, public_pem

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
REFRESH = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def told(answer: requests.Response) -> tuple[int, str, str]:
    """Status, error and description of a refusal."""
    body = answer.json()
    return answer.status_code, body["error"], body["error_description"]


def assertion(*, key: int = 0, expires_in: int = 120, **claims: Any) -> str:
    """A signed request that the org takes, unless told otherwise."""
    usual = {"iss": CLIENT_ID, "sub": USERNAME, "aud": "https://login.salesforce.com"}
    expires = int(time.time()) + expires_in
    return jwt.encode({**usual, "exp": expires, **claims}, private_pem(private_key(key)), algorithm="RS256")


def certified(**knobs: Any) -> Any:
    """An org whose app has the certificate of key 0."""
    return small_org(jwt_public_key=public_pem(private_key(0)), **knobs)


def test_a_refresh_token_that_rotates_works_once(desk: Desk) -> None:
    """Each use gives the next one and ends the old one."""
    desk.show(small_org(refresh_token_rotates=True))
    following = desk.token(**REFRESH).json()["refresh_token"]
    assert told(desk.token(**REFRESH)) == (400, "invalid_grant", "expired access/refresh token")
    assert desk.token(**{**REFRESH, "refresh_token": following}).status_code == 200


def test_a_refresh_token_that_does_not_rotate_stays(desk: Desk) -> None:
    """It gives a session as often as one likes, and no other refresh token."""
    desk.show(small_org())
    answers = [desk.token(**REFRESH).json() for _ in range(2)]
    assert ["refresh_token" in answer for answer in answers] == [False, False]
    assert answers[0]["access_token"] != answers[1]["access_token"]


def test_of_two_refreshes_at_once_one_fails(desk: Desk) -> None:
    """With rotation, whoever comes second holds a token that has been used."""
    desk.show(small_org(refresh_token_rotates=True))
    form = {"client_id": CLIENT_ID, "client_secret": small_org().settings.client_secret, **REFRESH}

    def refresh(_: int) -> int:
        return requests.post(f"{desk.url}/services/oauth2/token", data=form, timeout=30).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(refresh, range(2))) == [200, 400]


@pytest.mark.parametrize(
    ("form", "refusal"),
    [
        ({"client_secret": ""}, (400, "invalid_client", "invalid client credentials")),
        (
            {"client_id": ADMIN_CLIENT_ID, "client_secret": ADMIN_CLIENT_SECRET},
            (400, "invalid_grant", "expired access/refresh token"),
        ),
    ],
)
def test_a_refresh_token_belongs_to_its_app(desk: Desk, form: dict[str, str], refusal: tuple[int, str, str]) -> None:
    """Another app cannot use it, nor its own without the secret."""
    desk.show(small_org())
    assert told(desk.token(**REFRESH, **form)) == refusal


def test_an_app_may_refresh_without_a_secret(desk: Desk) -> None:
    """Where its policy asks for none; a wrong one is refused all the same."""
    desk.show(small_org(refresh_needs_secret=False))
    plain = {"client_id": CLIENT_ID, **REFRESH}
    url = f"{desk.url}/services/oauth2/token"
    assert requests.post(url, data=plain, timeout=30).status_code == 200
    assert requests.post(url, data={**plain, "client_secret": "wrong"}, timeout=30).json()["error"] == "invalid_client"


def test_an_app_without_a_run_as_user(desk: Desk) -> None:
    """Its client credentials are right, and sign nobody in."""
    org = desk.show(small_org())
    org.settings.has_run_as_user = False
    assert told(desk.token()) == (400, "invalid_grant", "no client credentials user enabled")


def test_each_app_signs_in_its_own_user(desk: Desk) -> None:
    """The admin's app runs as the administrator."""
    org = desk.show(small_org())
    admin = desk.token(client_id=ADMIN_CLIENT_ID, client_secret=ADMIN_CLIENT_SECRET).json()
    assert (desk.token().json()["id"], admin["id"]) == (
        f"{desk.url}/id/{org.org_id}/{org.integration_user_id}",
        f"{desk.url}/id/{org.org_id}/{org.admin_user_id}",
    )


def test_a_signed_request_is_granted(desk: Desk) -> None:
    """For either login host and its own; `exp` may be text, as simple-salesforce sends it."""
    desk.show(certified())
    for audience in ("https://login.salesforce.com", "https://test.salesforce.com/", desk.url):
        assert desk.token(grant_type=GRANT, assertion=assertion(aud=audience)).status_code == 200
    textual = assertion(exp=str(int(time.time()) + 60))
    assert desk.token(grant_type=GRANT, assertion=textual).status_code == 200


def test_simple_salesforce_signs_in_with_a_key(desk: Desk) -> None:
    """The third party's JWT flow is understood."""
    desk.show(certified())
    key = private_pem(private_key(0)).decode()
    with signed_in(desk.url, username=USERNAME, consumer_key=CLIENT_ID, privatekey=key, domain="login") as sf:
        assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 2


@pytest.mark.parametrize(
    ("more", "error", "description"),
    [
        ({"key": 1}, "invalid_grant", "invalid assertion"),
        ({"aud": "https://evil.example"}, "invalid_grant", "audience is invalid"),
        ({"expires_in": -60}, "invalid_grant", "expired authorization code"),
        ({"expires_in": 600}, "invalid_grant", "invalid assertion"),
        ({"sub": "else@x.example"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"sub": ADMIN_USERNAME}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "unknown"}, "invalid_client_id", "client identifier invalid"),
    ],
)
def test_a_signed_request_is_held_against_all_it_says(
    desk: Desk, more: dict[str, Any], error: str, description: str
) -> None:
    """Signature, audience, time, user and app."""
    desk.show(certified())
    assert told(desk.token(grant_type=GRANT, assertion=assertion(**more))) == (400, error, description)


def test_an_app_without_a_certificate_takes_no_assertion(desk: Desk) -> None:
    """However well it is signed; nor does one with a certificate take an unsigned one."""
    desk.show(small_org())
    assert desk.token(grant_type=GRANT, assertion=assertion()).json()["error"] == "invalid_client"
    desk.show(certified())
    claims = {"iss": CLIENT_ID, "sub": USERNAME, "aud": desk.url, "exp": int(time.time()) + 60}
    unsigned = jwt.encode(claims, "", algorithm="none")
    assert desk.token(grant_type=GRANT, assertion=unsigned).json()["error_description"] == "invalid assertion"


def test_an_org_may_be_strict_about_the_audience(desk: Desk) -> None:
    """What is not on its list is refused."""
    desk.show(certified(jwt_audiences=frozenset({"its own"})))
    assert told(desk.token(grant_type=GRANT, assertion=assertion()))[2] == "audience is invalid"
    assert desk.token(grant_type=GRANT, assertion=assertion(aud=desk.url)).status_code == 200
