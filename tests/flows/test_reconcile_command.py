"""`kam reconcile` from the shell: what it prints, how it ends, and what then refuses to start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.company import ServedCompany
from kammodel.store import Store
from tests.flows.kam_command import kam


@pytest.fixture
def file(crms: ServedCompany, tmp_path: Path) -> Path:
    """The store after a pull of both CRMs."""
    assert crms.company.org is not None
    assert kam("pull").exit_code == 0
    return tmp_path / "home" / "kam.db"


def lose(file: Path, stream: str) -> None:
    with Store(f"sqlite:///{file}") as store, store.transaction() as tx:
        tx.run(
            "DELETE FROM activity WHERE source_id IN (SELECT source_id FROM activity WHERE source_id LIKE :part "
            "ORDER BY source_id LIMIT 7)",
            [{"part": f"{stream}%"}],
        )


def status() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kam("status", "--json").stdout)
    return found


def test_a_whole_store_is_proven(file: Path) -> None:
    result = kam("reconcile")
    assert result.exit_code == 0, result.stderr
    assert "salesforce" in result.stdout
    assert "proven" in result.stdout
    assert "differs" not in result.stdout
    assert kam("score").exit_code == 0


def test_what_differs_stops_scoring_until_it_is_repaired(file: Path) -> None:
    """Nothing is scored or written from it; the CRM, the stream and the way out are named."""
    lose(file, "call:")
    result = kam("reconcile", "--json")
    assert result.exit_code == 1
    assert "kam reconcile --crm hubspot --repair" in result.stderr
    told = {one["source"]: one for one in json.loads(result.stdout)}
    assert {crm: one["verdict"] for crm, one in told.items()} == {"salesforce": "ok", "hubspot": "differs"}
    assert [w["difference"] for w in told["hubspot"]["windows"] if w["verdict"] == "differs"] == [7]
    assert "7 missing" in [w["reason"] for w in told["hubspot"]["windows"]]
    assert all(w["before"] < w["counted_at"] for one in told.values() for w in one["windows"])
    for command in (("score",), ("apply",), ("run",)):
        refused = kam(*command)
        assert refused.exit_code == 1
        assert "hubspot calls" in refused.stderr
        assert "7 missing" in refused.stderr
        assert "kam reconcile --crm hubspot --repair" in refused.stderr
    assert kam("apply", "--crm", "salesforce").stderr.count("hubspot calls") == 0
    (trouble,) = [one for one in status()["troubles"] if "does not hold" in one["what"]]
    assert trouble["what"] == "hubspot calls: the store does not hold what the CRM has"
    assert (trouble["verdict"], trouble["advice"]) == ("failed", "kam reconcile --crm hubspot --repair")
    mended = kam("reconcile", "--crm", "hubspot", "--repair")
    assert mended.exit_code == 0, mended.stderr
    assert "7 records read again" in mended.stdout
    assert not [one for one in status()["troubles"] if "does not hold" in one["what"]]
    assert kam("score").exit_code == 0


def test_what_was_never_read_is_partly_done(crms: ServedCompany) -> None:
    """Unproven is neither success nor an accusation, and stops nothing."""
    assert crms.company.org is not None
    result = kam("reconcile", "--crm", "salesforce")
    assert result.exit_code == 4
    assert "kam pull" in result.stderr
    assert kam("score").exit_code == 0
