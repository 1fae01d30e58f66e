"""The connector signs in to the sandbox org by each flow, and as an administrator to provision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import FieldsNotProvisioned, SignInRefused
from connectors.sandbox.salesforce.settings import (
    ADMIN_CLIENT_ID,
    ADMIN_CLIENT_SECRET,
    NIGHTLY_PERMISSIONS,
    USERNAME,
)
from kammodel.publish.fields import FIELDS
from tests.contract.salesforce_connected import Front, connected, open_front, org
from tests.contract.salesforce_runs import BY_REFRESH, BY_SECRET, TOKEN, by_key, run, sign_in
from tests.salesforce_key import private_key, public_pem


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.mark.parametrize("flow", ["client credentials", "JWT bearer", "refresh token"])
def test_each_flow_says_who_we_are_and_how(front: Front, tmp_path: Path, flow: str) -> None:
    """User name and id, the flow, and the calls that are left."""
    there = front.show(org(jwt_public_key=public_pem(private_key(0))))
    ways = {"client credentials": BY_SECRET, "JWT bearer": by_key(tmp_path), "refresh token": BY_REFRESH}
    with run(front, tmp_path, **ways[flow]) as connector:
        who = connector.identify()
    assert (who.user, who.sign_in) == (f"{USERNAME} ({there.integration_user_id})", flow)
    assert who.calls_left is not None
    assert front.asked(TOKEN) == 1


@pytest.mark.parametrize("flow", ["JWT bearer", "refresh token"])
def test_a_session_that_ends_all_the_time_is_renewed_all_the_time(front: Front, tmp_path: Path, flow: str) -> None:
    """By any flow, and with rotation too: each session is good for one call."""
    key = public_pem(private_key(0))
    front.show(org(session_calls=1, refresh_token_rotates=True, jwt_public_key=key))
    with run(front, tmp_path, **(by_key(tmp_path) if flow == "JWT bearer" else BY_REFRESH)) as connector:
        assert {stream.name for stream in connector.streams()} >= {"accounts", "opportunities"}
        assert len(connector.missing_fields(FIELDS)) == len(FIELDS)
    assert front.asked(TOKEN) > 4


# JWT bearer.


def test_an_org_that_takes_its_own_name_only(front: Front, tmp_path: Path) -> None:
    """The login host is tried first, then the org's own; one that is configured is the only one tried."""
    key = public_pem(private_key(0))
    front.show(org(jwt_public_key=key, jwt_audiences=frozenset({"its own"})))
    assert sign_in(front, **by_key(tmp_path))
    assert front.asked(TOKEN) == 2
    front.faults.clear()
    assert sign_in(front, **by_key(tmp_path, login_url=front.url))
    assert front.asked(TOKEN) == 1
    with pytest.raises(SignInRefused, match="set KAM_SALESFORCE__LOGIN_URL to the login address of this org"):
        sign_in(front, **by_key(tmp_path, login_url="https://login.salesforce.com"))


@pytest.mark.parametrize(
    ("number", "change", "hint"),
    [
        (1, {}, "KAM_SALESFORCE__PRIVATE_KEY_FILE is not the key whose certificate the app has"),
        (0, {"username": "else@x.example"}, "KAM_SALESFORCE__USERNAME has not been allowed to use the app"),
        (0, {"client_id": "unknown"}, "KAM_SALESFORCE__CLIENT_ID is not one that this org knows"),
    ],
)
def test_a_refused_request_names_the_variable(
    front: Front, tmp_path: Path, number: int, change: dict[str, str], hint: str
) -> None:
    """Key, user and app are told apart; nothing of them is shown."""
    front.show(org(jwt_public_key=public_pem(private_key(0))))
    with pytest.raises(SignInRefused, match=hint) as refused:
        sign_in(front, **{**by_key(tmp_path, number), **change})
    assert "else@x" not in str(refused.value)
    assert front.asked(TOKEN) == 1


# Administrator.


def test_provisioning_signs_in_as_the_administrator(front: Front) -> None:
    """Who may only read and write provisions nothing; with the admin's app it works, and the nightly user gets the
    permission set."""
    there = front.show(org(permissions=NIGHTLY_PERMISSIONS))
    with connected(front) as alone, pytest.raises(FieldsNotProvisioned, match="grant the user that provisions"):
        alone.provision(FIELDS, "en")
    with connected(front, admin_client_id=ADMIN_CLIENT_ID, admin_client_secret=ADMIN_CLIENT_SECRET) as connector:
        front.faults.clear()
        assert connector.identify().user == f"{USERNAME} ({there.integration_user_id})"
        assert front.asked(TOKEN) == 1
        assert connector.provision(FIELDS, "en").created
        assert front.asked(TOKEN) == 2
        assert connector.missing_fields(FIELDS) == []
    held = {(a["AssigneeId"], a["PermissionSetId"]) for a in there.records("PermissionSetAssignment")}
    (ours,) = (p["Id"] for p in there.records("PermissionSet") if p["Name"] == "KAM_Integration")
    assert {user for user, which in held if which == ours} == {there.integration_user_id}


def test_refused_admin_credentials_name_their_own_variables(front: Front) -> None:
    """Not those of the nightly user, which are fine."""
    front.show(org())
    with (
        connected(front, admin_client_id=ADMIN_CLIENT_ID, admin_client_secret="wrong") as connector,
        pytest.raises(SignInRefused, match="KAM_SALESFORCE__ADMIN_CLIENT_ID and ADMIN_CLIENT_SECRET"),
    ):
        connector.provision(FIELDS, "en")


@pytest.mark.parametrize("kept", [False, True])
def test_a_session_that_is_never_accepted_is_for_a_person(front: Front, tmp_path: Path, kept: bool) -> None:
    """Renewed once, asked once more, then a person is told; that an older session was kept changes nothing."""
    front.show(org(refresh_token_rotates=True))
    if kept:
        sign_in(front, tmp_path)
    front.faults.clear()
    front.faults.on_path("/services/data", "expired_token", times=20)
    with pytest.raises(SignInRefused, match="scope api"):
        sign_in(front, tmp_path)
    assert front.asked(TOKEN) == (1 if kept else 2)
    assert front.asked("/services/data") == 2
