"""A field that a CRM shows no longer stops the run before it reads, names what stands on it, and moves no tier."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from kammodel.store import Store
from tests.flows.kam_command import kam


def tiers(tmp_path: Path) -> list[tuple[object, ...]]:
    with Store(f"sqlite:///{tmp_path / 'home' / 'kam.db'}") as store, store.transaction() as tx:
        return sorted(tx.session.connection().exec_driver_sql("SELECT * FROM score_snapshot").fetchall(), key=str)


@pytest.mark.parametrize(("field", "is_scored"), [("Probability", True), ("LeadSource", False)])
def test_a_hidden_field_stops_the_run_and_moves_no_tier(
    crms: ServedCompany, tmp_path: Path, field: str, *, is_scored: bool
) -> None:
    org = crms.company.org
    assert org is not None
    assert kam("provision").exit_code == 0
    assert kam("run").exit_code == 0
    before = tiers(tmp_path)
    org.settings = replace(org.settings, hidden_fields=frozenset({f"Opportunity.{field}"}))
    result = kam("run")
    assert result.exit_code != 0
    assert f"opportunities.{field}" in result.stderr
    assert ("KPIs concerned: " in result.stderr) is is_scored
    assert ("criteria concerned: volume, potential" in result.stderr) is is_scored
    assert tiers(tmp_path) == before
    told = json.loads(kam("status", "--json").stdout)
    assert told["verdict"] == "failed"
    assert f"opportunities.{field}" in told["troubles"][0]["what"]
