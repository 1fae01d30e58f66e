"""rollups.toml on the command line: listed, explained, and refused where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam

ROLLUP = """
[[rollup]]
name = "big_deals"
label = { en = "Big deals", es = "Grandes" }
over = "opportunities"
operation = "count"
filter = [{ column = "amount", at_least = 1 }]
"""


@pytest.fixture
def file(crms: ServedCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "inputs"
    made.mkdir()
    monkeypatch.setenv("KAM_INPUTS_DIR", str(made))
    (made / "rollups.toml").write_text(ROLLUP, "utf-8")
    return made / "rollups.toml"


def test_the_catalogue_lists_it(file: Path) -> None:
    """For programs and for people."""
    (told,) = [entry for entry in json.loads(kam("kpis", "--json").stdout) if entry["theme"] == "rollups"]
    assert (told["name"], told["unit"], told["rule"]) == (
        "big_deals",
        "count",
        "count over opportunities where amount >= 1.",
    )
    assert "big_deals" in kam("kpis").stdout


def test_check_says_how_many_there_are(file: Path) -> None:
    assert json.loads(kam("check", "--json").stdout)["inputs"] == f"{file.parent}: rollups.toml (1)"


def test_a_wrong_one_is_not_configured(file: Path) -> None:
    """Exit code 3, with line, key and nearest name."""
    file.write_text(ROLLUP.replace('"count"', '"cuont"'), "utf-8")
    ended = kam("kpis")
    assert ended.exit_code == 3
    assert "rollups.toml: line 6, rollup[1].operation: 'cuont' is not known; did you mean count?" in ended.stderr
