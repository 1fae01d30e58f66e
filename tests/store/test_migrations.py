"""Migrations: a store of an older version keeps its rows, and ends with the schema of a fresh one."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

import kammodel.migrations
from kammodel.entities import Activity, OpportunityStageEvent, Person
from kammodel.store import Store
from kammodel.store.control import bookmarks

SCRIPTS = Path(kammodel.migrations.__file__).parent
ROWS = (
    "INSERT INTO activity (source, source_instance, source_id, deleted, synced_at, content_changed_at, is_calendar, "
    "is_counted, account_ids) VALUES ('s', 'i', 'a', FALSE, 1, 1, FALSE, TRUE, 'x')",
    "INSERT INTO opportunity_stage_event (source, source_instance, source_id, deleted, synced_at, content_changed_at, "
    "amount) VALUES ('s', 'i', 'e', FALSE, 1, 1, 70000)",
    "INSERT INTO bookmark (source, source_instance, stream, fingerprint, columns, rows_read, rows_rejected) VALUES "
    "('s', 'i', 'accounts', 'f', '', 1, 0)",
)


def engine_of(url: str) -> Engine:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def to_version(url: str, revision: str, *, down: bool = False) -> None:
    """Brings a store to a version, as a program of that version would have."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    engine = engine_of(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
    engine.dispose()


def schema(url: str) -> set[tuple[str, ...]]:
    """Table, column, type, whether it may be null, and whether it is of the key."""
    engine = engine_of(url)
    seen = inspect(engine)
    found = {
        (table, c["name"], str(c["type"]), str(c["nullable"]), str(c["name"] in keys))
        for table in seen.get_table_names()
        for keys in [seen.get_pk_constraint(table)["constrained_columns"]]
        for c in seen.get_columns(table)
    }
    engine.dispose()
    return found


def test_versions_follow_one_another() -> None:
    """One line without branches: two programs would else bring a store to different ends."""
    scripts = ScriptDirectory(str(SCRIPTS))
    assert len(scripts.get_heads()) == 1
    assert [s.revision for s in scripts.walk_revisions()][-3:] == ["0003", "0002", "0001"]


def test_a_store_of_the_first_version_keeps_its_rows(url: str) -> None:
    """What is new is empty; what was there stays as it was."""
    to_version(url, "0001")
    engine = engine_of(url)
    with engine.begin() as connection:
        for sql in ROWS:
            connection.exec_driver_sql(sql)
    engine.dispose()
    with Store(url) as store:
        assert store.read(Activity, ["account_ids", "case_id"]).rows() == [("x", None)]
        assert store.read(OpportunityStageEvent, ["amount", "prev_amount"]).rows() == [(70000, None)]
        assert store.read(Person).is_empty()
        with store.transaction() as tx:
            assert [(mark.stream, mark.types) for mark in bookmarks(tx)] == [("accounts", {})]


@pytest.mark.parametrize("start", ["0001", "0002", "0003", "0005"])
def test_every_way_leads_to_the_same_schema(url: str, another_url: str, start: str) -> None:
    """An upgraded store is what a fresh one is."""
    Store(another_url).close()
    to_version(url, start)
    Store(url).close()
    assert schema(url) == schema(another_url)


def test_the_way_back_is_the_way_there(url: str) -> None:
    """Going back a version and on again leaves no trace."""
    to_version(url, "0001")
    first = schema(url)
    to_version(url, "head")
    assert schema(url) > first
    to_version(url, "0001", down=True)
    assert schema(url) == first
