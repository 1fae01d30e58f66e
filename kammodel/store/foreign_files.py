"""Takes words out of SQLite files that are not the store, such as that of a Prefect server of our own."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

MAGIC = b"SQLite format 3\x00"
"""https://www.sqlite.org/fileformat.html (read 2026-11-29)"""
_PATIENCE_S = 5.0


def is_sqlite(path: Path) -> bool:
    """Whether a file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def replace_in_sqlite(path: Path, pattern: re.Pattern[str], word: str) -> bool:
    """Puts a word where a text in any table matches, and writes the file anew. False where another program keeps it
    from being done."""
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)) as connection:
            connection.create_function("is_named", 1, lambda text: pattern.search(text) is not None, deterministic=True)
            connection.create_function("cleaned", 1, lambda text: pattern.sub(word, text), deterministic=True)
            connection.execute("BEGIN IMMEDIATE")
            for table, column in _columns(connection):
                own = f"typeof({column})='text' AND is_named({column})"
                connection.execute(f"UPDATE {table} SET {column}=cleaned({column}) WHERE {own}")  # noqa: S608
            connection.execute("COMMIT")
            for statement in ("PRAGMA secure_delete=ON", "VACUUM"):
                connection.execute(statement)
            is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not is_busy
    except sqlite3.DatabaseError:
        return False


def is_told_in_sqlite(path: Path, pattern: re.Pattern[str]) -> bool:
    """Whether a text in any table matches. Where nobody can look, True."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", timeout=_PATIENCE_S, uri=True)) as connection:
            connection.create_function("is_named", 1, lambda text: pattern.search(text) is not None, deterministic=True)
            return any(
                connection.execute(
                    f"SELECT 1 FROM {table} WHERE typeof({column})='text' AND is_named({column}) LIMIT 1"  # noqa: S608
                ).fetchone()
                for table, column in _columns(connection)
            )
    except sqlite3.DatabaseError:
        return True


def _columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Table and column of every ordinary table, quoted."""
    sql = (
        "SELECT t.name, c.name FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c "
        "WHERE t.schema='main' AND t.type='table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND c.hidden=0"
    )
    return [(_quoted(table), _quoted(column)) for table, column in connection.execute(sql).fetchall()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
