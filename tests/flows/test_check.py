"""`kam check` says who we are, how we signed in, what is left, and what permission hides."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.company import ServedCompany
from connectors.sandbox.salesforce.settings import REFRESH_TOKEN, USERNAME
from tests.flows.kam_command import kam


def test_check_names_what_is_hidden_and_what_to_grant(crms: ServedCompany) -> None:
    """An object costs its stream, a field its column; each line says what to grant."""
    assert crms.company.org is not None
    crms.company.org.settings.hidden_objects = frozenset({"Event"})
    crms.company.org.settings.hidden_fields = frozenset({"Account.Industry"})
    (found,) = [one for one in json.loads(kam("check", "--json").stdout)["crms"] if one["crm"] == "salesforce"]
    assert "grant read access to the object Event" in found["unavailable"]["events"]
    assert "grant this user read access to Account.Industry" in found["unavailable"]["accounts.Industry"]
    shown = " ".join(kam("check").stdout.split())
    assert "not available: accounts.Industry: grant this user read access to Account.Industry" in shown


def test_check_says_who_we_are_and_how_and_what_is_left(crms: ServedCompany) -> None:
    """User name and id, the flow, the calls of the day."""
    assert crms.company.org is not None
    shown = " ".join(kam("check").stdout.split())
    assert f"{USERNAME} ({crms.company.org.integration_user_id}), signed in by client credentials" in shown
    assert "calls left today" in shown


def test_a_rotating_token_serves_one_command_after_the_other(
    crms: ServedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest token and the session are kept under KAM_HOME."""
    assert crms.company.org is not None
    assert crms.salesforce is not None
    crms.company.org.settings.refresh_token_rotates = True
    monkeypatch.setenv("KAM_SALESFORCE__REFRESH_TOKEN", REFRESH_TOKEN)
    ended = [kam("check", "--json") for _ in range(2)]
    found = [json.loads(one.stdout)["crms"][0]["sign_in"] for one in ended]
    assert found == ["refresh token", "refresh token"]
    assert sum(call.path == "/services/oauth2/token" for call in crms.salesforce.faults.log) == 1
    assert REFRESH_TOKEN not in "".join(one.output for one in ended)


def test_check_warns_of_a_prefect_server_without_a_key(
    crms: ServedCompany,
    prefect_api: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever reaches it could approve plans: that is worth a word, and no fault."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    ended = kam("check", "--json")
    assert "anybody who reaches it may approve plans" in json.loads(ended.stdout)["prefect"]
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert "nothing answers there" in json.loads(kam("check", "--json").stdout)["prefect"]
