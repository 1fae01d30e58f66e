"""`kam matches`: what may be one company, for a person, a program and the file of decisions; and `kam explain`."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from kammodel.entities import Account
from kammodel.store import Store
from tests.flows.kam_command import kam
from tests.unit.kam_world import crm, frame_of

HOSTILE = '=cmd|"/C calc"!A0\x1b[31m, S.L.'
NOW = dt.datetime(2026, 6, 30, tzinfo=dt.UTC)


def account(source: str, source_id: str, name: str, **values: Any) -> dict[str, Any]:
    return {**crm(source), "source_id": source_id, "name": name, **values}


ACCOUNTS = (
    account("salesforce", "a", "Hostile", domain="hostile.com"),
    account("hubspot", "1", HOSTILE, domain="hostile.com"),
    account("hubspot", "2", "Hostile too", domain="hostile.com"),
    account("salesforce", "b", "Bodega", domain="www.bodega.es"),
    account("hubspot", "3", "BODEGA", domain="bodega.es"),
)
LEFT = "hubspot:portal:{}"
RIGHT = "salesforce:org:a"


@pytest.fixture(autouse=True)
def store(tmp_path: Path) -> None:
    """A store under KAM_HOME with these accounts."""
    (tmp_path / "home").mkdir()
    with Store(f"sqlite:///{tmp_path}/home/kam.db") as opened, opened.transaction() as tx:
        for source in ("salesforce", "hubspot"):
            rows = frame_of(Account, [row for row in ACCOUNTS if row["source"] == source])
            content = rows.drop("source", "source_instance", "synced_at", "content_changed_at")
            tx.upsert(Account, content, source=source, instance=crm(source)["source_instance"], at=NOW)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """KAM_INPUTS_DIR."""
    made = tmp_path / "inputs"
    made.mkdir()
    monkeypatch.setenv("KAM_INPUTS_DIR", str(made))
    return made


def rows_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def test_the_open_pairs_are_listed_with_both_ids_and_what_to_do() -> None:
    shown = kam("matches")
    text = " ".join(shown.stdout.split())
    assert shown.exit_code == 0, shown.output
    assert "2 pairs to decide, 1 joined" in text
    assert "Hostile too (hubspot:portal:2)" in text
    assert "fits more than one account" in text
    assert "matches.csv of KAM_INPUTS_DIR" in text
    assert "Bodega" not in text
    assert "\x1b" not in shown.stdout


def test_all_of_them_are_listed_when_asked_in_the_language_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAM_LANGUAGE", "es")
    text = " ".join(kam("matches", "--all").stdout.split())
    assert "2 pares por decidir, 1 unidos" in text
    assert "dirección web bodega.es" in text


def test_a_program_is_told_rule_evidence_and_reason() -> None:
    told = json.loads(kam("matches", "--json").stdout)
    assert told["counts"]["matches_ambiguous"] == 2
    assert [(pair["left"], pair["right"]) for pair in told["matches"]] == [(LEFT.format(n), RIGHT) for n in (1, 2)]
    assert {(pair["rule"], pair["evidence"], pair["state"], pair["why"]) for pair in told["matches"]} == {
        ("domain", "hostile.com", "ambiguous", "several")
    }


def test_the_file_is_prepared_decided_and_written_again(folder: Path) -> None:
    """What was decided stays, what is open comes after it, and no cell is a formula."""
    file = folder / "matches.csv"
    assert kam("matches", "--csv", str(file)).exit_code == 0
    first = rows_of(file)
    assert [(row["left"], row["right"], row["decision"]) for row in first] == [
        (LEFT.format(n), RIGHT, "") for n in (1, 2)
    ]
    assert first[0]["note"].startswith("'=cmd")
    assert "hostile.com" in first[0]["note"]

    file.write_text(file.read_text("utf-8").replace(f"{LEFT.format(1)},{RIGHT},", f"{LEFT.format(1)},{RIGHT},confirm"))
    told = json.loads(kam("matches", "--json", "--all", "--csv", str(file)).stdout)
    states = {pair["left"]: (pair["state"], pair["why"]) for pair in told["matches"]}
    assert states[LEFT.format(1)] == ("confirmed", None)
    assert states[LEFT.format(2)] == ("ambiguous", "taken")
    second = rows_of(file)
    assert [row["decision"] for row in second] == ["confirm", ""]
    assert not [cell for row in second for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_another_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("precious")
    ended = kam("matches", "--csv", str(other))
    assert ended.exit_code == 1
    assert "is there already" in ended.stderr
    assert other.read_text() == "precious"


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    ended = kam("matches", "--csv", str(tmp_path / "nowhere" / "matches.csv"))
    assert ended.exit_code == 1
    assert ended.stderr.count("\n") == 1


def test_an_explanation_says_with_whom_the_account_is_joined() -> None:
    assert "One company: BODEGA (hubspot:portal:3) and Bodega (salesforce:org:b): web address bodega.es." in " ".join(
        kam("explain", "b").stdout.split()
    )
    (pair,) = json.loads(kam("explain", "b", "--json").stdout)["matches"]
    assert (pair["rule"], pair["state"]) == ("domain", "joined")
