"""What a run ends in, less what tells of when and by which run it was done; and how two ends differ."""

from __future__ import annotations

import sqlite3
from collections import Counter

from tests.pipeline.steps import World

_TIMES_OF_READING = {"synced_at", "content_changed_at", "recorded_at", "rejected_at", "resolved_at", "written_at"}
_ABOUT_RUNS = {"run_id", "plan_id", "snapshot_id", "rows_read", "rows_rejected", "inputs_fingerprint"}
_HOW_FAR = {"watermark", "read_until", "loaded_at", "deletions_until", "compared_at", "linked_at"}
"""Of these it counts whether they are there: a run that was made up for ends a little later."""
_OF_A_VERSION = {"version_id", "valid_from", "valid_until"}
"""What was deleted counts from when it was seen, and what we wrote ourselves from when that was."""
_LESS_TIMES = "json_remove(content, '$.updated_at', '$.content_changed_at') AS content"
_OF_EACH_RUN = {"run", "publish_plan", "planned_cell", "alembic_version", "restamp"}


def store_of(file: sqlite3.Connection) -> World:
    """The rows of each table."""
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables: World = {}
    for name in names:
        if name in _OF_EACH_RUN or name.startswith("sqlite_"):
            continue
        columns = [str(row[1]) for row in file.execute(f"PRAGMA table_info({name})")]
        # Our own writing moves an account's stamp, and is done later where it was disturbed.
        left_out = _TIMES_OF_READING | _ABOUT_RUNS | ({"updated_at"} if name == "account" else set())
        left_out |= _OF_A_VERSION if name == "entity_version" else set()
        asked = [f"{c} IS NULL" if c in _HOW_FAR else c for c in columns if c not in left_out]
        if name == "entity_version":
            asked = [_LESS_TIMES if c == "content" else c for c in asked]
        rows = file.execute(f"SELECT {', '.join(asked)} FROM {name}").fetchall()
        tables[f"store {name}"] = Counter(rows)
    pending = "SELECT COUNT(*) FROM planned_cell WHERE outcome IS NULL AND decision = 'write'"
    return tables | {"store pending": file.execute(pending).fetchone()}


def check_same(found: World, expected: World) -> None:
    """Raises AssertionError with the first few rows that differ."""
    differing = [name for name in expected if found.get(name) != expected[name]]
    assert found.keys() == expected.keys()
    assert not differing, _told(differing[0], found, expected)


def _told(name: str, found: World, expected: World) -> str:
    one, other = found[name], expected[name]
    if isinstance(one, Counter):
        only, lacking = list(one - other), list(other - one)
        return f"{name}: {one.total()} rows for {other.total()}; too much {only[:3]}; lacking {lacking[:3]}"
    rows, wanted = (one, other) if isinstance(one, dict) else ({0: one}, {0: other})
    differing = [key for key in {*rows, *wanted} if rows.get(key) != wanted.get(key)]
    return f"{name}: {[(key, rows.get(key), wanted.get(key)) for key in differing[:2]]}"
