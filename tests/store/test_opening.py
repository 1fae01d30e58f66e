"""Opening a store: fresh, known, newer, broken, unreachable, and by two programs at once."""

import re
import sqlite3
import threading
from pathlib import Path

import polars as pl
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from kammodel.entities import Account
from kammodel.errors import StoreUnusable
from kammodel.store import Store


def run(url: str, sql: str) -> list[tuple[object, ...]]:
    """What another program would do with the database."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        done = connection.exec_driver_sql(sql)
        rows = [tuple(row) for row in done] if done.returns_rows else []
    engine.dispose()
    return rows


def test_a_fresh_store_has_the_schema_of_the_models(store: Store) -> None:
    """Migrations and models say the same: tables, columns, types, keys and indexes."""
    engine = create_engine(store.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_a_drifted_schema_would_be_noticed(store: Store) -> None:
    """A check that cannot fail is none."""
    engine = create_engine(store.url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE account DROP COLUMN industry")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert [d[0] for d in compare_metadata(context, SQLModel.metadata)] == ["add_column"]
    engine.dispose()


def test_opening_again_changes_nothing(url: str) -> None:
    """What is up to date is left alone, rows and all."""
    with Store(url) as first, first.transaction() as tx:
        tx.insert(
            "run", pl.DataFrame({"run_id": ["r"], "kind": ["x"], "started_at": [0], "state": ["d"], "result": ["{}"]})
        )
    with Store(url) as second, second.transaction() as tx:
        assert tx.frame("SELECT run_id FROM run", {"run_id": pl.String()})["run_id"].to_list() == ["r"]


def test_a_file_without_a_log_is_waited_for(tmp_path: Path) -> None:
    """Another writes into it, as a second program does that opens it for the first time."""
    file = tmp_path / "kam.db"
    another = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    another.execute("BEGIN IMMEDIATE")
    letting_go = threading.Timer(0.3, another.rollback)
    letting_go.start()
    with Store(f"sqlite:///{file}") as store:
        assert store.version_before is None
    letting_go.join()
    another.close()


def test_folders_are_made(tmp_path: Path) -> None:
    """The data directory need not exist."""
    with Store(f"sqlite:///{tmp_path / 'not' / 'yet' / 'kam.db'}") as store:
        assert store.read(Account).is_empty()


def test_a_newer_store_is_refused_and_not_touched(url: str) -> None:
    """The message says what to do, and the file keeps its version."""
    Store(url).close()
    run(url, "UPDATE alembic_version SET version_num='9999'")
    with pytest.raises(StoreUnusable, match=r"9999.*newer kam; upgrade kam, or point KAM_STORE_URL") as fault:
        Store(url)
    assert "\n" not in str(fault.value)
    assert run(url, "SELECT version_num FROM alembic_version") == [("9999",)]


def test_many_opening_at_once_make_one_schema(url: str) -> None:
    """The first migrates, the others wait and find it done."""
    barrier = threading.Barrier(6)
    faults: list[BaseException] = []

    def start() -> None:
        try:
            barrier.wait()
            Store(url).close()
        except BaseException as fault:  # noqa: BLE001  to be shown by the test, not lost in a thread
            faults.append(fault)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("not an address", "KAM_STORE_URL"),
        ("", "KAM_STORE_URL"),
        ("nosuch://x/y", "KAM_STORE_URL"),
        ("mysql://u:secret@h/d", "KAM_STORE_URL: mysql is no database for a store"),
        ("postgresql://u:secret@127.0.0.1:9/d", "u:\\*\\*\\*@127.0.0.1:9/d cannot be opened: connection failed"),
        ("sqlite+nosuch:///kam.db", "KAM_STORE_URL"),
    ],
)
def test_what_is_no_store_address_names_the_variable(url: str, said: str) -> None:
    """One line, without the password that may stand in it."""
    with pytest.raises(StoreUnusable, match=said) as fault:
        Store(url)
    assert "\n" not in str(fault.value)
    assert "secret" not in str(fault.value)


def test_a_path_that_cannot_be_is_told_in_one_line(tmp_path: Path) -> None:
    """A folder in place of the file, a file in place of the folder, a file that is no database."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no database, but long enough to look like one " * 40)
    for path in ("folder", "text/kam.db", "text"):
        with pytest.raises(StoreUnusable, match=re.escape(str(tmp_path / path))) as fault:
            Store(f"sqlite:///{tmp_path / path}")
        assert "\n" not in str(fault.value)


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(sqlite_url: str) -> None:
    """What the machine is to blame for is no bug of ours; the rows of the transaction are not there."""
    rows = pl.DataFrame({"source": ["s"], "source_instance": ["i"], "source_id": ["x" * 10**6]})
    store = Store(sqlite_url)

    def fill() -> None:
        with store.transaction() as tx:
            tx.connection.exec_driver_sql("PRAGMA max_page_count=1")
            tx.insert("account_to_compare", rows)

    with pytest.raises(StoreUnusable, match=r"cannot be written: database or disk is full") as fault:
        fill()
    assert "\n" not in str(fault.value)
    with store.transaction() as tx:
        assert tx.frame("SELECT count(*) AS n FROM account_to_compare", {"n": pl.Int64()}).item() == 0
    store.close()


def test_a_fault_of_ours_stays_one(store: Store) -> None:
    """Wrong SQL is not blamed on the machine."""
    faults = (sqlite3.OperationalError, psycopg.errors.UndefinedTable)
    with pytest.raises(faults, match="nowhere"), store.transaction() as tx:
        tx.frame("SELECT 1 AS n FROM nowhere", {"n": pl.Int64()})
