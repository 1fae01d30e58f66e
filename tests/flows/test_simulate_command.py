"""`kam simulate`: a bad policy is refused with its line, a good one shown, and programs read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

AS_OF = ("--as-of", "2026-06-30")


def test_a_bad_policy_is_refused_with_line_and_reason(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("[caps]\nkeys = 3\n", "utf-8")
    ended = kam("simulate", "--policy", str(policy))
    assert ended.exit_code == 3
    assert ended.stderr.count("\n") == 1
    assert "line 2: caps.keys: no such key; did you mean key?" in ended.stderr


def test_a_policy_is_tried_on_what_was_pulled(
    crms: ServedCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lower thresholds, and who passes them. As tables, and as one document; the store is left as it is."""
    policy = tmp_path / "policy.toml"
    policy.write_text("[small_population]\nbelow = 1000\nstrategic = 60\nkey = 40\ngrowth = 20\n", "utf-8")
    assert kam("pull", "--crm", "salesforce").exit_code == 0
    assert kam("score", *AS_OF).exit_code == 0
    shown = kam("simulate", "--policy", str(policy), "--past", *AS_OF)
    assert shown.exit_code == 0, shown.output
    assert "would move" in shown.stdout
    assert "2026-06-30 to 2026-06-30, 1 days" in shown.stdout
    monkeypatch.setenv("KAM_LANGUAGE", "es")
    spanish = kam("simulate", "--policy", str(policy), "--past", *AS_OF).stdout
    assert "cambiarían de nivel" in spanish
    assert "de 2026-06-30 a 2026-06-30, 1 días" in " ".join(spanish.split())
    assert "would move" not in spanish
    monkeypatch.delenv("KAM_LANGUAGE")
    found = json.loads(kam("simulate", "--policy", str(policy), *AS_OF, "--json").stdout)
    assert found["moves"]
    assert {move["rule"] for move in found["moves"]} == {"threshold"}
    assert found["totals_then"] != found["totals_now"]
    assert found["past"] is None
    again = json.loads(kam("score", *AS_OF, "--json").stdout)
    assert (again["tiers"], again["appended"]) == (found["totals_now"], 0)
