"""Signing in to the Salesforce sandbox as third-party clients do, and how sessions end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    SECURITY_TOKEN,
    USERNAME,
)
from tests.contract.salesforce_client import DOMAIN, code, signed_in
from tests.contract.salesforce_small_org import Desk, open_desk, small_org

BY_SOAP = {"username": USERNAME, "password": PASSWORD, "security_token": SECURITY_TOKEN, "domain": "login"}


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


@pytest.mark.parametrize(
    "login",
    [
        {"consumer_key": CLIENT_ID, "consumer_secret": CLIENT_SECRET, "domain": DOMAIN},
        {
            "username": USERNAME,
            "password": PASSWORD,
            "consumer_key": CLIENT_ID,
            "consumer_secret": CLIENT_SECRET,
            "domain": "login",
        },
        BY_SOAP,
    ],
)
def test_simple_salesforce_signs_in_and_reads(desk: Desk, login: dict[str, str]) -> None:
    """By client credentials, password grant and SOAP login."""
    desk.show(small_org())
    with signed_in(desk.url, **login) as sf:
        assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 2


def test_a_token_answer_names_the_host_that_was_asked(desk: Desk) -> None:
    """And no lifetime: that is a policy of the org."""
    desk.show(small_org())
    answer = desk.token().json()
    assert answer["instance_url"] == desk.url
    assert answer["token_type"] == "Bearer"
    assert answer["issued_at"] == "1777636800000"
    assert set(answer) == {"access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at"}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "wrong"}, "invalid_client_id"),
        ({"grant_type": "refresh_token", "refresh_token": "wrong"}, "invalid_grant"),
        ({"grant_type": "magic"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_with_an_object(desk: Desk, form: dict[str, str], error: str) -> None:
    """Not with the array that REST uses."""
    desk.show(small_org())
    answer = desk.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_client_credentials_need_the_my_domain_host(desk: Desk) -> None:
    """The login host does not take them; simple-salesforce does not even try, so this is asked plainly."""
    desk.show(small_org())
    desk.session.headers["X-Orig-Host"] = "login.salesforce.com"
    answer = desk.token()
    del desk.session.headers["X-Orig-Host"]
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_soap_login_refuses_a_wrong_password_and_a_new_version(desk: Desk) -> None:
    """INVALID_LOGIN; and from v65.0 on there is no login() at all."""
    desk.show(small_org())
    with (
        pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"),
        signed_in(desk.url, **{**BY_SOAP, "password": "wrong"}),
    ):
        pass
    desk.show(small_org(max_soap_login_version=59))
    with pytest.raises(SalesforceAuthenticationFailed, match="UNSUPPORTED_API_VERSION"), signed_in(desk.url, **BY_SOAP):
        pass


@pytest.mark.parametrize("knob", ["session_calls", "session_seconds"])
def test_a_session_ends_after_calls_or_seconds(desk: Desk, knob: str) -> None:
    """401 INVALID_SESSION_ID; simple-salesforce signs in anew and goes on."""
    org = desk.show(small_org(**{knob: 1}))
    assert desk.call("GET", "limits").status_code == 200
    org.clock.advance(dt.timedelta(seconds=1))
    answer = desk.call("GET", "limits")
    assert (answer.status_code, answer.json()) == (
        401,
        [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    )
    with signed_in(desk.url) as sf:
        for _ in range(3):
            org.clock.advance(dt.timedelta(seconds=1))
            assert sf.limits()["DailyApiRequests"]["Max"] == 100_000


def test_a_user_without_the_api_gets_nothing(desk: Desk) -> None:
    """403 API_DISABLED_FOR_ORG."""
    desk.show(small_org(permissions=frozenset()))
    answer = desk.call("GET", "limits")
    assert (answer.status_code, code(answer.json())) == (403, "API_DISABLED_FOR_ORG")


def test_a_foreign_token_is_refused(desk: Desk) -> None:
    """A session that this org never gave."""
    desk.show(small_org())
    with (
        pytest.raises(SalesforceExpiredSession),
        signed_in(desk.url, session_id="00Dnothing", instance_url=desk.url) as sf,
    ):
        sf.query("SELECT Id FROM Account")


def test_the_administrator_signs_in_with_an_app_of_his_own(desk: Desk) -> None:
    """His writes carry his id."""
    org = desk.show(small_org(), client_id=ADMIN_CLIENT_ID, client_secret=ADMIN_CLIENT_SECRET)
    made = desk.call("POST", "sobjects/Account", json={"Name": "x"}).json()["id"]
    record = org.record("Account", made)
    assert record is not None
    assert record["CreatedById"] == org.admin_user_id


def test_a_session_can_be_looked_at_and_ended(desk: Desk) -> None:
    """userinfo names user and org; a revoked token is a 401."""
    org = desk.show(small_org())
    who = desk.session.get(f"{desk.url}/services/oauth2/userinfo", timeout=30).json()
    assert (who["user_id"], who["organization_id"]) == (org.integration_user_id, org.org_id)
    token = str(desk.session.headers["Authorization"]).removeprefix("Bearer ")
    assert desk.session.post(f"{desk.url}/services/oauth2/revoke", data={"token": token}, timeout=30).status_code == 200
    assert desk.call("GET", "limits").status_code == 401
