"""`kam plans`, `approve`, `apply` and `undo`: what is only looked at changes nothing, and an approval has one name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

PUBLISH = "[fields]\ndefault = {rule!r}\n[limits]\ntier_changes = {most}\nleast = 1\n"


@pytest.fixture
def provisioned(crms: ServedCompany) -> ServedCompany:
    """Both CRMs have our fields, and everything is read and scored."""
    for command in ("provision", "pull", "score"):
        assert kam(command).exit_code == 0
    return crms


def rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, rule: str = "person-wins", most: float = 1.0) -> None:
    file = tmp_path / "publish.toml"
    file.write_text(PUBLISH.format(rule=rule, most=most), "utf-8")
    monkeypatch.setenv("KAM_PUBLISH_FILE", str(file))


def stored() -> list[dict[str, Any]]:
    """All plans, the newest first."""
    told: list[dict[str, Any]] = json.loads(kam("plans", "--json").stdout)
    return told


def states() -> dict[str, str]:
    return {str(plan["plan_id"]): str(plan["state"]) for plan in stored()}


def test_an_undo_that_is_only_looked_at_is_not_written_later(provisioned: ServedCompany) -> None:
    """With --dry-run, and where the answer is not yes: no plan is stored, and the next apply writes nothing."""
    assert kam("plan", "--crm", "hubspot").exit_code == 0
    (applied,) = json.loads(kam("apply", "--crm", "hubspot", "--json").stdout)
    before = states()
    (looked,) = json.loads(kam("undo", applied["plan_id"], "--dry-run", "--json").stdout)
    assert (looked["plan_id"], looked["undoes"]) == (None, applied["plan_id"])
    cells = json.loads(kam("plans", applied["plan_id"], "--json").stdout)["cells"]
    assert {cell["before"] for cell in cells} == {None}
    declined = kam("undo", applied["plan_id"])
    assert (declined.exit_code, "nothing was taken back" in declined.stderr) == (1, True)
    assert states() == before
    (again,) = json.loads(kam("apply", "--crm", "hubspot", "--json").stdout)
    assert (again["plan_id"], again["written"]) == (applied["plan_id"], 0)
    (undone,) = json.loads(kam("undo", applied["plan_id"], "--yes", "--json").stdout)
    assert undone["written"] == applied["written"]


def test_what_waits_for_review_is_said_to_wait(
    provisioned: ServedCompany, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Also once all else of the plan is applied: until it is approved, or a newer plan has looked."""
    rules(monkeypatch, tmp_path, rule="review")
    assert kam("run").exit_code == 0
    ended = kam("run")
    assert ended.exit_code == 0
    assert "cells wait for a person to approve them" in ended.stdout
    assert list(states().values()) == [*["waits for review"] * 2, *["applied"] * 2]
    newest = stored()[0]
    assert kam("approve", newest["hash"], "--by", "Ana Ruiz").exit_code == 0
    assert states()[newest["plan_id"]] == "to be written"
    assert kam("apply", "--crm", newest["source"]).exit_code == 0
    assert states()[newest["plan_id"]] == "applied"


def test_an_approval_is_given_once_and_only_where_one_is_needed(
    provisioned: ServedCompany, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody's name is put over another's, nor on a plan that waits for nobody; a hash is told by six letters."""
    rules(monkeypatch, tmp_path, rule="review")
    assert kam("plan", "--crm", "hubspot").exit_code == 0
    (plan,) = stored()
    short = kam("approve", plan["hash"][:5], "--by", "Ana Ruiz")
    assert (short.exit_code, "too short for a hash" in short.stderr) == (1, True)
    assert kam("approve", plan["hash"][:6], "--by", "Ana Ruiz").exit_code == 0
    second = kam("approve", plan["hash"], "--by", "Carl")
    assert (second.exit_code, "approved already" in second.stderr) == (1, True)
    assert kam("apply", "--crm", "hubspot").exit_code == 0
    assert [one["approved_by"] for one in stored()] == ["Ana Ruiz"]
    rules(monkeypatch, tmp_path)
    assert kam("plan", "--crm", "hubspot").exit_code == 0
    needless = kam("approve", stored()[0]["hash"], "--by", "Carl")
    assert (needless.exit_code, "needs no approval" in needless.stderr) == (1, True)


def test_a_hash_is_in_one_piece_on_a_narrow_terminal(
    provisioned: ServedCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is what a person copies."""
    for name, value in (("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    planned = kam("plan", "--crm", "salesforce")
    (plan,) = stored()
    assert plan["hash"] in planned.stdout
    assert plan["hash"] in kam("plans").stdout


def test_a_plan_that_is_stopped_stops_apply_before_any_crm_is_written(
    provisioned: ServedCompany, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Salesforce comes first, and HubSpot's is the plan that the guard stopped."""
    assert kam("plan", "--crm", "salesforce").exit_code == 0
    assert kam("plan", "--crm", "hubspot").exit_code == 0
    assert kam("apply", "--crm", "hubspot").exit_code == 0
    policy = tmp_path / "policy.toml"
    policy.write_text("[small_population]\nstrategic = 60\nkey = 50\ngrowth = 40\n", "utf-8")
    monkeypatch.setenv("KAM_POLICY_FILE", str(policy))
    rules(monkeypatch, tmp_path, most=0.0)
    assert kam("score").exit_code == 0
    assert kam("plan", "--crm", "hubspot").exit_code == 0
    ended = kam("apply")
    assert (ended.exit_code, "the guard stopped it" in ended.stderr) == (1, True)
    assert [plan["outcomes"].get("written", 0) for plan in stored() if plan["source"] == "salesforce"] == [0]
