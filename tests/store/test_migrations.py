"""Migrations: a store of an older version keeps its rows, and ends with the schema of a fresh one."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import kammodel.migrations
from kammodel.entities import Activity, OpportunityStageEvent, Person
from kammodel.store import Store

SCRIPTS = Path(kammodel.migrations.__file__).parent
ROWS = (
    "INSERT INTO activity (source, source_instance, source_id, deleted, synced_at, content_changed_at, is_calendar, "
    "is_counted, account_ids) VALUES ('s', 'i', 'a', 0, 1, 1, 0, 1, 'x')",
    "INSERT INTO opportunity_stage_event (source, source_instance, source_id, deleted, synced_at, content_changed_at, "
    "amount) VALUES ('s', 'i', 'e', 0, 1, 1, 70000)",
)


def to_version(url: str, revision: str, *, down: bool = False) -> None:
    """Brings a store to a version, as a program of that version would have."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)
    engine.dispose()


def schema(url: str) -> set[tuple[str, ...]]:
    """Table, column, type, not null and key of every column."""
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        found = {
            (table, *map(str, (name, kind, not_null, key)))
            for table in tables
            for _, name, kind, not_null, _, key in raw.execute(f"PRAGMA table_info({table})")
        }
    raw.close()
    return found


def test_versions_follow_one_another() -> None:
    """One line without branches: two programs would else bring a store to different ends."""
    scripts = ScriptDirectory(str(SCRIPTS))
    assert len(scripts.get_heads()) == 1
    assert [s.revision for s in scripts.walk_revisions()][-2:] == ["0002", "0001"]


def test_a_store_of_the_first_version_keeps_its_rows(url: str) -> None:
    """What is new is empty; what was there stays as it was."""
    to_version(url, "0001")
    with sqlite3.connect(url.removeprefix("sqlite:///")) as raw:
        for sql in ROWS:
            raw.execute(sql)
    raw.close()
    with Store(url) as store:
        assert store.read(Activity, ["account_ids", "case_id"]).rows() == [("x", None)]
        assert store.read(OpportunityStageEvent, ["amount", "prev_amount"]).rows() == [(70000, None)]
        assert store.read(Person).is_empty()


@pytest.mark.parametrize("start", ["0001"])
def test_every_way_leads_to_the_same_schema(url: str, tmp_path: Path, start: str) -> None:
    """An upgraded store is what a fresh one is."""
    fresh = f"sqlite:///{tmp_path / 'fresh.db'}"
    Store(fresh).close()
    to_version(url, start)
    Store(url).close()
    assert schema(url) == schema(fresh)


def test_the_way_back_is_the_way_there(url: str) -> None:
    """Going back a version and on again leaves no trace."""
    to_version(url, "0001")
    first = schema(url)
    to_version(url, "0002")
    assert schema(url) > first
    to_version(url, "0001", down=True)
    assert schema(url) == first
