"""What SQLite needs that other databases do not: pragmas, real transactions, rows in and out of Polars.

Through Python's own sqlite3 only: a second SQLite library on the same file in one process corrupts it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import polars as pl
from sqlalchemy import Connection, Engine, event

from kammodel.entities.schema import INSTANT

Fault = sqlite3.DatabaseError
"""What the driver raises where SQLAlchemy does not stand between."""

Scratch = sqlite3.Connection
"""The driver's own connection."""

FETCH = 50_000
"""Rows per fetch: bounds what Python holds beside the frame."""


def prepare(engine: Engine) -> None:
    """Write-ahead log, a patient lock, and BEGIN IMMEDIATE, so that two writers queue instead of failing."""

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        # sqlite3 must not open transactions of its own: they start late and end early.
        connection.isolation_level = None
        # The patience first: setting the journal mode already needs the lock.
        for pragma in ("busy_timeout=60000", "journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def driver(connection: Connection) -> sqlite3.Connection:
    """The sqlite3 connection under a SQLAlchemy one, in the same transaction."""
    inner = connection.connection.driver_connection
    if not isinstance(inner, sqlite3.Connection):
        raise TypeError("not a SQLite connection")
    return inner


_OUTSIDE = {"SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"}


def outside_cause(fault: BaseException) -> str | None:
    """What SQLite says where the file, the disk or another program is to blame; None where our SQL is."""
    cause = getattr(fault, "orig", None) or fault
    name = getattr(cause, "sqlite_errorname", "")
    # Extended names begin with the plain one: SQLITE_IOERR_WRITE.
    return str(cause) if any(name == plain or name.startswith(f"{plain}_") for plain in _OUTSIDE) else None


def insert_rows(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    """Appends a frame to a table with columns of the same names."""
    marks = ",".join("?" * frame.width)
    names = ",".join(f'"{name}"' for name in frame.columns)
    rows = frame.select(_to_sql(frame.schema)).iter_rows(buffer_size=10_000)
    driver(connection).executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608


def fetch_frame(
    connection: Connection, sql: str, schema: Mapping[str, pl.DataType], parameters: dict[str, Any] | None = None
) -> pl.DataFrame:
    """The rows of a query as a frame of the stated schema: types are never guessed from the first rows."""
    return fetch_rows(driver(connection), sql, schema, parameters)


def fetch_rows(
    connection: sqlite3.Connection,
    sql: str,
    schema: Mapping[str, pl.DataType],
    parameters: dict[str, Any] | None = None,
) -> pl.DataFrame:
    """The same on the driver's own connection."""
    cursor = connection.execute(sql, parameters or {})
    chunks = [_frame(rows, schema) for rows in _chunks(cursor)]
    return pl.concat(chunks) if chunks else pl.DataFrame(schema=schema)


@contextmanager
def scratch(engine: Engine) -> Iterator[sqlite3.Connection]:
    """A connection outside of any transaction, whose temporary tables lie on disk, for what is large and short-lived.
    It goes back into the pool without them."""
    pooled = engine.raw_connection()
    try:
        connection = pooled.driver_connection
        if not isinstance(connection, sqlite3.Connection):
            raise TypeError("not a SQLite connection")
        connection.execute("PRAGMA temp_store=FILE")
        yield connection
    finally:
        # Closed for good: temporary tables live as long as the connection does.
        pooled.invalidate()


def execute(connection: sqlite3.Connection, sql: str) -> None:
    """One statement."""
    connection.execute(sql)


def insert_ids(connection: sqlite3.Connection, table: str, ids: pl.Series) -> None:
    """Adds ids to a table of ids; those that it has stay."""
    connection.execute("BEGIN")
    connection.executemany(f'INSERT OR IGNORE INTO "{table}" VALUES (?)', ((id_,) for id_ in ids))  # noqa: S608
    connection.execute("COMMIT")


def _chunks(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(FETCH):
        yield rows


def _frame(rows: list[tuple[Any, ...]], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    raw = {name: _raw_type(dtype) for name, dtype in schema.items()}
    return pl.DataFrame(rows, schema=raw, orient="row").select(_from_sql(schema))


def _raw_type(dtype: pl.DataType) -> pl.DataType:
    if dtype in (INSTANT, pl.Boolean()):
        return pl.Int64()
    return pl.String() if dtype == pl.Date() else dtype


def _from_sql(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    return [
        pl.col(name).str.to_date("%Y-%m-%d") if dtype == pl.Date() else pl.col(name).cast(dtype)
        for name, dtype in schema.items()
    ]


def _to_sql(schema: pl.Schema) -> list[pl.Expr]:
    return [_encoded(name, dtype) for name, dtype in schema.items()]


def _encoded(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return pl.col(name).dt.epoch("us")
    if dtype == pl.Date():
        return pl.col(name).dt.strftime("%Y-%m-%d")
    if dtype == pl.Boolean():
        return pl.col(name).cast(pl.Int64)
    return pl.col(name)
