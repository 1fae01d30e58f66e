"""`kam report` on a store: one file, what it says of itself, and what to do where there is nothing yet."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kammodel.store import Store
from tests.benchmarks.big_book import fill
from tests.flows.kam_command import kam

AS_OF = ("--as-of", "2026-06-30")
ACCOUNTS = 44


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a book of business, in which nothing is scored yet."""
    file = tmp_path_factory.mktemp("report") / "kam.db"
    with Store(f"sqlite:///{file}") as store:
        fill(store, ACCOUNTS)
    return file


@pytest.fixture
def store(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment points at it, and at an org whose pages can be named without asking it."""
    monkeypatch.setenv("KAM_STORE_URL", f"sqlite:///{filled}")
    monkeypatch.setenv("KAM_TIMEZONE", "Europe/Madrid")
    monkeypatch.setenv("KAM_SALESFORCE__INSTANCE_URL", "https://kam.my.salesforce.com")
    monkeypatch.setenv("KAM_SALESFORCE__CLIENT_ID", "id")
    monkeypatch.setenv("KAM_SALESFORCE__CLIENT_SECRET", "secret")


@pytest.mark.usefixtures("store")
def test_the_report_is_one_file_with_links_and_what_was_left_out(tmp_path: Path) -> None:
    """Its name is that of the day; programs read how much of it there is; what moved is since the quarter before."""
    assert kam("score", "--as-of", "2026-03-31").exit_code == 0
    ended = kam("report", *AS_OF, "--accounts", "1")
    assert ended.exit_code == 0, ended.output
    file = tmp_path / "kam-report-2026-06-30.html"
    page = file.read_text("utf-8")
    assert [found.name for found in tmp_path.iterdir() if found.is_file()] == [file.name]
    assert ended.stdout.startswith(f"{file.name}: 1 of 41 account groups in full, ")
    assert ended.stdout.endswith("Left out: 5 Strategic and Key groups; --accounts N shows more.\n")
    assert "Left out: 5; kam report --accounts N shows more." in page
    assert "Since 31 Mar 2026: up " in page
    assert page.count('<section class="account"') == 1
    assert 'href="https://kam.my.salesforce.com/lightning/r/Account/0010' in page

    told = json.loads(kam("report", *AS_OF, "--accounts", "0", "--out", str(tmp_path / "r.html"), "--json").stdout)
    size = (tmp_path / "r.html").stat().st_size
    expected = {"as_of": "2026-06-30", "file": str(tmp_path / "r.html"), "bytes": size, "groups": 41, "accounts": 0}
    assert told == expected | {"left_out": 6}


@pytest.mark.usefixtures("store")
def test_a_report_writes_nothing_into_the_store(filled: Path) -> None:
    """Not even the scores that it has computed."""
    before = _held(filled)
    assert kam("report", *AS_OF, "--accounts", "1").exit_code == 0
    assert _held(filled) == before


def test_in_spanish_of_an_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a CRM, an account or a score: a page that says what to do."""
    monkeypatch.setenv("KAM_LANGUAGE", "es")
    ended = kam("report", *AS_OF, "--out", "vacio.html")
    assert (ended.exit_code, ended.stdout.split(",")[0]) == (0, "vacio.html: 0 de 0 grupos en detalle")
    page = (tmp_path / "vacio.html").read_text("utf-8")
    assert '<html lang="es">' in page
    assert "Aún no se sabe de ninguna cuenta: kam pull lee los CRM" in page


def test_faults_say_what_to_do(tmp_path: Path) -> None:
    """A folder that is not there, and a number that is none."""
    ended = kam("report", *AS_OF, "--out", str(tmp_path / "nowhere" / "r.html"))
    assert (ended.exit_code, ended.stderr.count("\n")) == (1, 1)
    assert "nowhere/r.html: No such file or directory; name a file you may write" in ended.stderr
    assert kam("report", "--accounts", "-1").exit_code == 2


def _held(file: Path) -> list[str]:
    """All that is in a database, as text."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())
