"""KAM_INPUTS_DIR on the command line: what is read, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sandbox.company import ServedCompany
from tests.flows.kam_command import kam


@pytest.fixture
def folder(crms: ServedCompany, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "inputs"
    made.mkdir()
    monkeypatch.setenv("KAM_INPUTS_DIR", str(made))
    return made


def test_check_lists_the_files_that_are_there(folder: Path) -> None:
    (folder / "team.csv").write_text("user\nana\n", "utf-8")
    assert json.loads(kam("check", "--json").stdout)["inputs"] == f"{folder}: team.csv"


@pytest.mark.parametrize("command", ["check", "score"])
def test_a_mistake_in_a_file_is_not_configured(folder: Path, command: str) -> None:
    """Exit code 3, and one line that says where and what to do."""
    (folder / "team.csv").write_text("user,hours_per_month\nana,many\n", "utf-8")
    ended = kam(command)
    assert ended.exit_code == 3
    assert "team.csv: line 2, hours_per_month: 'many' is not a number like 1234.56, from 0 up to 744" in ended.stderr


def test_accounts_that_no_crm_knows_are_told(folder: Path) -> None:
    (folder / "wallet.csv").write_text("account,amount\nnobody,10\n", "utf-8")
    ended = kam("score")
    assert ended.exit_code == 0
    assert "wallet.csv names accounts that no CRM knows: nobody" in ended.stdout
