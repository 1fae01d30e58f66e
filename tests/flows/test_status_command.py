"""`kam status` from the shell: the verdict, since when, what next, and the exit code."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from flows.pipeline.leasing import machine
from kammodel.entities import Run
from kammodel.store import Store
from kammodel.store.control import start_run
from tests.flows.kam_command import kam

NOBODY = 2**22 + 1
"""No process can have this number (pid_max is 2**22)."""


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'home' / 'kam.db'}"


@pytest.fixture
def ran(crms: ServedCompany) -> ServedCompany:
    """Both CRMs after a whole run."""
    assert kam("provision").exit_code == 0
    assert kam("run").exit_code == 0
    return crms


def begin(store: str, kind: str, at: dt.datetime, holder: str) -> None:
    with Store(store) as open_store, open_store.transaction() as tx:
        told: dict[str, object] = {"crm": "hubspot", "holder": holder}
        start_run(tx, Run(run_id=uuid.uuid4().hex, kind=kind, started_at=at, result=told))


def test_without_a_crm_it_is_not_configured() -> None:
    assert kam("status").exit_code == 3


def test_before_the_first_run_nothing_is_healthy(crms: ServedCompany) -> None:
    assert crms.company.org is not None
    result = kam("status")
    assert result.exit_code == 1
    every = ", ".join(f"{crm} {step}" for crm in ("salesforce", "hubspot") for step in ("pull", "plan", "apply"))
    assert f"never ended well yet: score, {every}" in " ".join(result.stdout.split())
    assert result.stdout.count("next: ") == 1
    assert "next: kam provision, then kam run" in result.stdout


def test_after_a_run_all_is_well(ran: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step of each CRM is told with its time and rows; nothing is wrong."""
    assert ran.company.org is not None
    result = kam("status", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 0, told["troubles"]
    assert told["verdict"] == "healthy"
    assert told["since"] is not None
    assert told["troubles"] == []
    for crm in told["crms"]:
        steps = {step["kind"]: step for step in crm["steps"]}
        assert [steps[kind]["newest"] for kind in ("pull", "plan", "apply")] == ["done"] * 3
        assert steps["pull"]["rows"] > 0
        assert steps["apply"]["rows"] == steps["plan"]["rows"] > 0
    assert "healthy since" in kam("status").stdout
    monkeypatch.setenv("KAM_LANGUAGE", "es")
    shown = kam("status").stdout
    assert (" escritas" in shown, "written" in shown) == (True, False)


def test_what_is_too_old_is_stale(ran: ServedCompany) -> None:
    assert ran.company.org is not None
    result = kam("status", "--max-age", "0")
    assert result.exit_code == 1
    assert "stale" in result.stdout


def test_how_old_is_too_old_can_be_set(ran: ServedCompany, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For good; what is said with the command goes before it."""
    assert ran.company.org is not None
    two_hours = 2 * 3600 * 1_000_000
    with Store(store) as open_store, open_store.transaction() as tx:
        tx.run("UPDATE run SET started_at=started_at-:h, ended_at=ended_at-:h", [{"h": two_hours}])
    assert kam("status").exit_code == 0
    monkeypatch.setenv("KAM_MAX_AGE_HOURS", "1.5")
    assert kam("status").exit_code == 1
    assert kam("status", "--max-age", "3").exit_code == 0


def test_a_failure_is_told_until_it_is_mended(ran: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its one line, and without what the CRM was asked with."""
    token = ran.environment()["KAM_HUBSPOT__ACCESS_TOKEN"]
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "pat-wrong-000000")
    assert kam("pull", "--crm", "hubspot").exit_code == 1
    result = kam("status")
    assert result.exit_code == 1
    assert "hubspot pull failed: " in result.stdout
    assert "pat-wrong" not in result.stdout
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", token)
    assert kam("pull", "--crm", "hubspot").exit_code == 0
    mended = json.loads(kam("status", "--json").stdout)
    assert mended["verdict"] == "healthy"
    assert mended["last_failed"]["is_mended"] is True


def test_a_killed_run_does_not_run_for_ever(ran: ServedCompany, store: str) -> None:
    """Its process is gone: that is a failure, until the next run has done the work."""
    assert ran.company.org is not None
    begin(store, "pull", dt.datetime.now(dt.UTC), f"{machine()}/{NOBODY}/x")
    result = kam("status", "--json")
    assert result.exit_code == 1
    assert "hubspot pull failed" in json.loads(result.stdout)["troubles"][0]["what"]
    assert kam("pull", "--crm", "hubspot").exit_code == 0
    assert kam("status").exit_code == 0


def test_a_run_of_another_machine_is_running_until_it_is_stale(ran: ServedCompany, store: str) -> None:
    assert ran.company.org is not None
    begin(store, "reconcile", dt.datetime.now(dt.UTC), "elsewhere/1/x")
    told = json.loads(kam("status", "--json").stdout)
    assert told["verdict"] == "healthy"
    assert {s["newest"] for s in told["crms"][1]["steps"] if s["kind"] == "reconcile"} == {"running"}


def test_metrics_say_the_same(ran: ServedCompany) -> None:
    assert ran.company.org is not None
    result = kam("status", "--prometheus")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert 'kam_status{verdict="healthy"} 1.0' in lines
    assert 'kam_newest_run_failed{crm="hubspot",step="pull"} 0.0' in lines
    assert any(line.startswith('kam_last_success_timestamp_seconds{crm="salesforce",step="apply"}') for line in lines)
    assert any(line == "# TYPE kam_rejects_open gauge" for line in lines)
