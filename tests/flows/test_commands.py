"""The commands against two served CRMs, and how each fault ends: exit code, and one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

NO_SERVER = "http://127.0.0.1:9/api"
FAULTS = [
    ({}, ("pull",), 3, "no CRM is configured: set KAM_SALESFORCE__INSTANCE_URL or KAM_HUBSPOT__ACCESS_TOKEN"),
    ({}, ("pull", "--crm", "hubspot"), 3, "hubspot is not configured: set KAM_HUBSPOT__ACCESS_TOKEN"),
    ({"KAM_HUBSPOT__BASE_URL": "https://x.com"}, ("check",), 3, "KAM_HUBSPOT__ACCESS_TOKEN is missing"),
    ({"KAM_POLICY_FILE": "/nowhere/policy.toml"}, ("score",), 3, "/nowhere/policy.toml"),
    (
        {"KAM_HUBSPOT__ACCESS_TOKEN": "pat", "KAM_MAPPING_FILE": "/nowhere/mapping.toml"},
        ("pull",),
        3,
        "/nowhere/mapping.toml (KAM_MAPPING_FILE) cannot be read",
    ),
    ({"KAM_STORE_URL": "mysql://db/kam"}, ("score",), 1, "KAM_STORE_URL"),
    ({}, ("explain", "Nobody"), 1, "no account or group 'Nobody'"),
    ({}, ("pull", "--crm", "zoho"), 2, "zoho"),
    ({}, ("score", "--as-of", "yesterday"), 2, "yesterday"),
    ({}, ("demo", "--from-csv", ".", "--server", NO_SERVER), 1, "Account.csv"),
    ({}, ("demo", "--size", "40", "--server", NO_SERVER), 1, f"no Prefect server answers at {NO_SERVER}"),
    ({"PREFECT_API_URL": NO_SERVER}, ("score",), 1, "no Prefect server answers at http://127.0.0.1:9"),
]


@pytest.mark.parametrize(("variables", "command", "code", "line"), FAULTS)
def test_a_fault_is_one_line_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], command: tuple[str, ...], code: int, line: str
) -> None:
    """3 is not configured, 2 wrong usage, 1 failed; the line says what to do, and there is no traceback."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ended = kam(*command)
    assert ended.exit_code == code, ended.output
    assert line in ended.stderr
    assert "Traceback" not in ended.output
    assert code == 2 or ended.stderr.count("\n") == 1


def test_wrong_credentials_name_the_variable_and_not_the_token(
    crms: ServedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1: a person has to act, and is told where."""
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "pat-eu1-wrong-one")
    ended = kam("pull", "--crm", "hubspot")
    assert ended.exit_code == 1
    assert "KAM_HUBSPOT__ACCESS_TOKEN" in ended.stderr
    assert "wrong-one" not in ended.output


def test_run_needs_the_fields_and_reads_nothing_without(crms: ServedCompany) -> None:
    """Exit 3 with the command an admin runs; `run` never provisions, and asks before the first row is read."""
    ended = kam("run")
    assert ended.exit_code == 3
    assert "kam provision --crm salesforce" in ended.stderr
    assert crms.salesforce is not None
    assert not [call for call in crms.salesforce.faults.log if "FROM+Account" in call.query]


def test_the_whole_job_and_once_more(crms: ServedCompany, tmp_path: Path) -> None:
    """check says what is missing, provision creates it, run writes, a second run writes nothing, explain states
    what the CRM holds."""
    checked = kam("check", "--json")
    assert checked.exit_code == 3
    found = {crm["crm"]: crm for crm in json.loads(checked.stdout)["crms"]}
    assert found["salesforce"]["missing_fields"][0] == "KAM_Tier__c"
    assert found["hubspot"]["missing_fields"][0] == "kam_tier"

    made = json.loads(kam("provision", "--json").stdout)
    assert {crm: len(done["created"]) for crm, done in made.items()} == {"salesforce": 18, "hubspot": 18}
    assert kam("check").exit_code == 0

    first, second = (json.loads(kam("run", "--as-of", "2026-06-30", "--json").stdout) for _ in range(2))
    assert [w["applied"]["written"] > 50 for w in first["write_backs"]] == [True, True]
    assert [w["plan"]["cells_to_write"] for w in second["write_backs"]] == [0, 0]
    assert [w["plan"]["write_calls"] for w in second["write_backs"]] == [0, 0]
    assert first["score"]["tiers"] == second["score"]["tiers"]

    assert crms.company.org is not None
    accounts = [record for record in crms.company.org.records("Account") if record.get("KAM_Tier__c")]
    assert len(accounts) >= 5
    for account in accounts[:5]:
        told = json.loads(kam("explain", account["Id"], "--as-of", "2026-06-30", "--json").stdout)
        assert (told["tier"], told["score"]) == (account["KAM_Tier__c"], account["KAM_Score__c"])
        assert account["KAM_Reason__c"] == told["reason"]
    shown = kam("explain", accounts[0]["Id"], "--as-of", "2026-06-30")
    assert shown.exit_code == 0
    assert accounts[0]["KAM_Reason__c"] in " ".join(shown.stdout.split())


def test_steps_one_by_one_and_nothing_but_the_plan(crms: ServedCompany) -> None:
    """plan writes nothing into the CRM; apply writes what it says; applying again has nothing left."""
    assert crms.hubspot is not None
    assert kam("provision", "--crm", "hubspot").exit_code == 0
    assert kam("pull", "--crm", "hubspot").exit_code == 0
    assert kam("score").exit_code == 0
    crms.hubspot.faults.clear()
    (planned,) = json.loads(kam("plan", "--crm", "hubspot", "--json").stdout)
    assert not [call for call in crms.hubspot.faults.log if call.path.endswith("/batch/update")]
    first, again = (json.loads(kam("apply", "--crm", "hubspot", "--json").stdout)[0] for _ in range(2))
    assert planned["cells_to_write"] > 50
    assert (first["written"], again["written"]) == (planned["cells_to_write"], 0)


def test_provision_out_changes_nothing_in_the_crm(crms: ServedCompany, tmp_path: Path) -> None:
    """An admin gets files to review and deploy instead."""
    done = json.loads(kam("provision", "--out", str(tmp_path / "for-admin"), "--json").stdout)
    assert all(Path(file).is_file() for crm in done.values() for file in crm["files"])
    assert set(done) == {"salesforce", "hubspot"}
    assert kam("check").exit_code == 3
