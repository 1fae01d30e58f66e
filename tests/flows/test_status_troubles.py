"""What `kam status` says of runs that were done in part, stopped or failed: one line each, and what to do next."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

OTHER_TIERS = "[small_population]\nstrategic = 60\nkey = 50\ngrowth = 40\n"
NO_TIER_MOVES = "[limits]\ntier_changes = 0.0\nleast = 1\n"


def alone(crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this CRM is configured, and a whole run of it has ended well."""
    for name in list(os.environ):
        if name.startswith("KAM_") and "__" in name and crm.upper() not in name:
            monkeypatch.delenv(name)
    assert kam("provision").exit_code == 0
    assert kam("run").exit_code == 0


def told() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kam("status", "--json").stdout)
    return found


def step(found: dict[str, Any], kind: str) -> dict[str, Any]:
    """A step of the only CRM."""
    (one,) = [step for step in found["crms"][0]["steps"] if step["kind"] == kind]
    return dict(one)


def test_what_was_done_in_part_is_told_in_either_language(crms: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither healthy nor failed; the next pull mends it."""
    alone("salesforce", monkeypatch)
    org = crms.company.org
    assert org is not None
    org.settings.calls_of_others = org.settings.daily_api_requests
    assert kam("pull").exit_code == 4
    assert kam("status").exit_code == 4
    found = told()
    (trouble,) = found["troubles"]
    assert (found["verdict"], trouble["since"]) == ("partial", found["since"])
    assert trouble["what"].startswith("salesforce pull was done in part: ")
    assert trouble["advice"] == "kam pull --crm salesforce goes on with it"
    monkeypatch.setenv("KAM_LANGUAGE", "es")
    shown = kam("status").stdout
    assert "hecho en parte desde " in shown
    assert "pull de salesforce se hizo en parte: " in shown
    assert "siguiente: kam pull --crm salesforce sigue desde ahí" in shown
    assert "próxima ejecución: no hay servidor de Prefect configurado" in shown
    org.settings.calls_of_others = 0
    assert kam("pull").exit_code == 0
    assert "en orden desde " in kam("status").stdout


def test_a_plan_that_the_guard_stopped_waits_for_a_person(
    crms: ServedCompany, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What stopped it and who has to do what. The run failed, of which nothing is said beside that; once the plan is
    approved and written the run is made good."""
    assert crms.company.portal is not None
    alone("hubspot", monkeypatch)
    for name, text in (("POLICY", OTHER_TIERS), ("PUBLISH", NO_TIER_MOVES)):
        (tmp_path / name).write_text(text, "utf-8")
        monkeypatch.setenv(f"KAM_{name}_FILE", str(tmp_path / name))
    assert kam("run").exit_code == 1
    assert kam("status").exit_code == 1
    found = told()
    plan, plan_hash = found["crms"][0]["plan_id"], found["crms"][0]["waits_for_approval"]
    (trouble,) = found["troubles"]
    assert trouble["what"].startswith(f"hubspot: plan {plan} waits for approval: ")
    assert trouble["advice"] == f"kam plans {plan}, then kam approve {plan_hash} --by NAME"
    assert (found["run"]["newest"], "beyond a limit of the guard" in found["run"]["line"]) == ("failed", True)
    assert kam("approve", plan_hash, "--by", "Ana Ruiz").exit_code == 0
    assert kam("apply").exit_code == 0
    assert kam("run").exit_code == 0
    found = told()
    assert (found["verdict"], found["run"]["newest"]) == ("healthy", "done")


def test_an_undo_and_a_backfill_go_by_their_own_names(crms: ServedCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo is no apply. A backfill that failed is told of until it is mended; the pull has no part in it."""
    alone("hubspot", monkeypatch)
    (plan,) = json.loads(kam("plans", "--json").stdout)
    before = step(told(), "apply")
    assert kam("undo", plan["plan_id"], "--yes").exit_code == 0
    found = told()
    assert (step(found, "undo")["newest"], step(found, "apply")) == ("done", before)
    back = ("backfill", "--of", "crm", "--stream", "accounts", "--from", "2026-06-01", "--to", "2026-06-20")
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "pat-wrong-000000")
    assert kam(*back).exit_code == 1
    (trouble,) = told()["troubles"]
    assert trouble["what"].startswith("hubspot backfill failed: ")
    asked = "kam backfill --of crm --crm hubspot --from 2026-06-01 --to 2026-06-20 --stream accounts"
    assert trouble["advice"] == f"put that right, then: {asked}"
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", crms.environment()["KAM_HUBSPOT__ACCESS_TOKEN"])
    assert kam(*back).exit_code == 0
    found = told()
    assert (found["verdict"], step(found, "backfill")["newest"]) == ("healthy", "done")


def test_a_backfill_in_part_goes_on_by_what_it_was_asked_for(crms: ServedCompany) -> None:
    """The next step is the same days and streams, not two years of all; what was begun to be read again is no more."""
    assert crms.company.org is not None
    back = ("backfill", "--of", "crm", "--crm", "salesforce", "--from", "2026-05-10", "--to", "2026-06-20")
    few = ("--stream", "accounts", "--stream", "opportunities")
    assert kam(*back, *few).exit_code == 0
    whole = json.loads(kam(*back, *few, "--again", "--json").stdout)["crms"][0]
    calls = str(whole["estimate"]["setup"] + 2)
    assert kam(*back, *few, "--again", "--calls", calls).exit_code == 4
    (advice,) = [one["advice"] for one in told()["troubles"] if "backfill" in one["what"]]
    assert advice == f"kam {' '.join((*back, *few, '--calls', calls))} goes on with it"
    assert kam(*advice.removesuffix(" goes on with it").split()[1:]).exit_code == 0
    assert [one for one in told()["troubles"] if "backfill" in one["what"]] == []
