"""`kam forget` from the command line: it shows, asks, erases, lists and lets in; faults are one line."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from kammodel.entities import Person, polars_schema
from kammodel.privacy.hashing import HashKey
from kammodel.store import Store, sqlite
from tests.flows.conftest import NOW
from tests.flows.kam_command import kam

KEY = "a key that only this test knows"
ADDRESS = "ada@example.com"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two contacts, and the key."""
    monkeypatch.setenv("KAM_HASH_KEY", KEY)
    schema = {c: t for c, t in polars_schema(Person).items() if c not in {"source", "source_instance"}}
    hash_ = HashKey(KEY).of_address(ADDRESS)
    rows = [
        dict.fromkeys(schema) | {"source_id": i, "deleted": False, "email_hash": h}
        for i, h in (("1", hash_), ("2", None))
    ]
    file = tmp_path / "home" / "kam.db"
    with Store(f"sqlite:///{file}") as opened, opened.transaction() as tx:
        tx.upsert(Person, pl.DataFrame(rows, schema=schema, orient="row"), source="hubspot", instance="146", at=NOW)
    return file


def persons(file: Path) -> list[str]:
    with Store(f"sqlite:///{file}") as opened:
        return opened.read(Person)["source_id"].to_list()


def test_it_shows_what_would_go_and_asks(store: Path) -> None:
    """No answer and another one than yes do nothing; yes erases. The address is told nowhere."""
    nobody = kam("forget", "--person", ADDRESS)
    assert (nobody.exit_code, "nobody was there to ask" in nobody.stderr) == (1, True)
    no = CliRunner().invoke(app, ["forget", "--person", ADDRESS], input="maybe\n")
    assert (no.exit_code, "what would go" in no.stdout, "nothing was forgotten" in no.stderr) == (1, True, True)
    assert persons(store) == ["1", "2"]
    yes = CliRunner().invoke(app, ["forget", "--person", ADDRESS], input="yes\n")
    assert (yes.exit_code, "what is gone" in yes.stdout, persons(store)) == (0, True, ["2"])
    assert ADDRESS not in nobody.output + no.output + yes.output


def test_it_lists_and_lets_in(store: Path) -> None:
    """By the beginning of the hash; nothing else of the person is known."""
    done = json.loads(kam("forget", "--person", "2", "--yes", "--json").stdout)
    assert (done["records"], done["counts"]) == (1, {"person": 1})
    (entry,) = json.loads(kam("forget", "--list", "--json").stdout)["forgotten"]
    assert (entry["hash"], entry["kind"], entry["under"]) == (done["entry"], "person", 0)
    assert done["entry"][:12] in kam("forget", "--list").stdout
    assert kam("forget", "--allow", "0123").exit_code == 1
    assert kam("forget", "--allow", done["entry"][:12]).exit_code == 0
    assert json.loads(kam("forget", "--list", "--json").stdout) == {"forgotten": []}


def test_an_address_of_several_is_shown_by_ids(store: Path) -> None:
    """Whoever is asked sees which they are; a program has to say that it means all. The address is told nowhere."""
    with Store(f"sqlite:///{store}") as opened, opened.transaction() as tx:
        tx.run("UPDATE person SET email_hash=:hash", [{"hash": HashKey(KEY).of_address(ADDRESS)}])
    refused = kam("forget", "--person", f" {ADDRESS.upper()}", "--yes")
    assert (refused.exit_code, persons(store)) == (1, ["1", "2"])
    assert "2 records have this address, several of them in one CRM: hubspot:146:1, hubspot:146:2. " in refused.stderr
    one_of_them = kam("forget", "--person", "1", "--yes")
    assert (one_of_them.exit_code, "to forget them all: --all" in one_of_them.stderr) == (1, True)
    shown = CliRunner().invoke(app, ["forget", "--person", ADDRESS], input="no\n")
    assert ["person hubspot:146:2" in shown.stdout, "forget all of these" in shown.output] == [True, True]
    done = kam("forget", "--person", ADDRESS, "--yes", "--all", "--json")
    assert json.loads(done.stdout)["ids"] == ["hubspot:146:1", "hubspot:146:2"]
    assert persons(store) == []
    every = "".join(one.output for one in (refused, one_of_them, shown, done)).lower()
    assert ADDRESS not in every


def test_without_the_key_it_says_which_variable(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3: what is forgotten could not be remembered."""
    monkeypatch.delenv("KAM_HASH_KEY")
    ended = kam("forget", "--person", "1", "--yes")
    assert (ended.exit_code, ended.stderr.startswith("kam: KAM_HASH_KEY is missing")) == (3, True)
    assert persons(store) == ["1", "2"]


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--person", "1", "--account", "2"),
        ("--list", "--allow", "01234567"),
        ("--person", "1", "--json"),
        ("--account", "2", "--all"),
    ],
)
def test_wrong_usage(store: Path, wrong: tuple[str, ...]) -> None:
    """One thing at a time; what cannot ask has to be told yes."""
    assert kam("forget", *wrong).exit_code == 2


def test_what_another_program_holds_is_partly_done(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4: the rows are gone, and it says how to get the last bytes out of the file."""
    monkeypatch.setattr(sqlite, "WIPE_PATIENCE_MS", 0)
    reader = sqlite3.connect(store, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM person").fetchone()
    ended = kam("forget", "--person", "1", "--yes")
    reader.close()
    assert (ended.exit_code, "run kam thin" in ended.stderr) == (4, True)
    assert persons(store) == ["2"]
