"""`kam migrate` from the shell: from what to what, only told, and refused."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from kammodel.migrations import newest_version
from tests.flows.kam_command import kam
from tests.store.test_migrations import to_version


def store_file(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir(exist_ok=True)
    return tmp_path / "home" / "kam.db"


def test_it_says_from_what_to_what(tmp_path: Path) -> None:
    """And at the second time that there is nothing to do."""
    to_version(f"sqlite:///{store_file(tmp_path)}", "0001")
    assert f"version 0001, kam migrate brings it to {newest_version()}" in kam("migrate", "--check").stdout
    assert f"was version 0001, is now at {newest_version()}" in kam("migrate").stdout
    assert "nothing to do" in kam("migrate").stdout


def test_checking_makes_no_store(tmp_path: Path) -> None:
    told = json.loads(kam("migrate", "--check", "--json").stdout)
    assert (told["before"], told["after"], told["changed"], told["is_current"]) == (None, None, False, False)
    assert not (tmp_path / "home" / "kam.db").exists()


def test_programs_read_what_was_done() -> None:
    told = json.loads(kam("migrate", "--json").stdout)
    assert (told["before"], told["after"], told["changed"], told["is_current"]) == (None, newest_version(), True, True)


def test_a_newer_store_is_refused_and_left(tmp_path: Path) -> None:
    """By one line that says what to do, and with exit code 3; only looking refuses it too."""
    assert kam("migrate").exit_code == 0
    with closing(sqlite3.connect(store_file(tmp_path))) as file, file:
        file.execute("UPDATE alembic_version SET version_num='9999'")
    for arguments in (("migrate",), ("migrate", "--check"), ("score",)):
        result = kam(*arguments)
        assert result.exit_code == 3
        assert "written by a newer kam; upgrade kam" in result.stderr
        assert result.stderr.count("\n") == 1
    with closing(sqlite3.connect(store_file(tmp_path))) as file:
        assert file.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
