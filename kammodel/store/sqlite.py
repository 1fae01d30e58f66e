"""What SQLite needs that other databases do not: pragmas, real transactions, rows in and out of Polars.

Through Python's own sqlite3 only: a second SQLite library on the same file in one process corrupts it.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
import polars as pl
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from kammodel.entities.schema import INSTANT
from kammodel.store.backend import Parameters

FETCH = 50_000
"""Rows per fetch: bounds what Python holds beside the frame."""
_NO_TRANSACTION = "kam_no_transaction"
_PATIENCE_S = 60
"""For so long others are waited for that hold a lock."""
_PAUSE_S = 0.05
WIPE_PATIENCE_MS = 5_000
"""For so long others are waited for that read or write, where a file is written anew."""


class Sqlite:
    """SQLite behind the store."""

    faults: tuple[type[Exception], ...] = (DatabaseError, sqlite3.DatabaseError)
    is_sole_writer = True

    def prepare(self, engine: Engine) -> None:
        """Write-ahead log, a patient lock, and BEGIN IMMEDIATE, so that two writers queue instead of failing."""

        @event.listens_for(engine, "connect")
        def _connect(connection: sqlite3.Connection, _record: object) -> None:
            # sqlite3 must not open transactions of its own: they start late and end early.
            connection.isolation_level = None
            connection.execute(f"PRAGMA busy_timeout={_PATIENCE_S * 1000}")
            _write_ahead(connection)
            for pragma in ("synchronous=NORMAL", "temp_store=MEMORY"):
                connection.execute(f"PRAGMA {pragma}")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if not connection.get_execution_options().get(_NO_TRANSACTION):
                connection.exec_driver_sql("BEGIN IMMEDIATE")

    def execute(self, connection: Connection, sql: str, rows: Iterable[Parameters]) -> int:
        return _driver(connection).executemany(sql, rows).rowcount

    def fetch(
        self, connection: Connection, sql: str, schema: Mapping[str, pl.DataType], parameters: Parameters
    ) -> pl.DataFrame:
        cursor = _driver(connection).execute(sql, parameters)
        chunks = [_frame(rows, schema) for rows in _chunks(cursor)]
        return pl.concat(chunks) if chunks else pl.DataFrame(schema=schema)

    def batches(
        self, connection: Connection, table: str, schema: Mapping[str, pl.DataType], size: int
    ) -> Iterator[pl.DataFrame]:
        """The next batch is fetched while the one before it is made a frame of."""
        driver, query = _driver(connection), _Batch(_driver(connection), table, schema, size)
        driver.execute("BEGIN")
        try:
            with ThreadPoolExecutor(1) as ahead:
                coming = ahead.submit(query.fetch, -1)
                while (found := coming.result()) is not None:
                    coming = ahead.submit(query.fetch, found.last)
                    yield query.frame(found)
        finally:
            driver.execute("ROLLBACK")

    def insert(self, connection: Connection, table: str, frame: pl.DataFrame) -> None:
        marks = ",".join("?" * frame.width)
        names = ",".join(f'"{name}"' for name in frame.columns)
        rows = frame.select(_to_sql(frame.schema)).iter_rows(buffer_size=10_000)
        _driver(connection).executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608

    def upsert_from(self, table: Table, names: list[str], query: Any) -> Any:
        return insert(table).from_select(names, query)

    def staged(self, connection: Connection, table: str) -> None:
        """Nothing: its planner looks the rows up one by one anyway."""

    def in_order(self, *columns: str) -> str:
        return ",".join(columns)

    def among(self, column: str, parameter: str) -> str:
        return f"{column} IN (SELECT value FROM json_each(:{parameter}))"  # noqa: S608

    def listed(self, values: pl.Series) -> object:
        return orjson.dumps(values.to_list()).decode()

    def like_any(self, column: str, parameter: str) -> str:
        return f"EXISTS (SELECT 1 FROM json_each(:{parameter}) WHERE {column} LIKE value)"  # noqa: S608

    def wipe(self, connection: Connection, tables: Iterable[str]) -> bool:  # noqa: ARG002 - it is one file
        """The file is written anew, and the log cut off: it may have pages with what was there before.

        https://www.sqlite.org/pragma.html#pragma_secure_delete, #pragma_wal_checkpoint (read 2026-11-29)
        """
        driver = _driver(connection)
        for statement in (f"PRAGMA busy_timeout={WIPE_PATIENCE_MS}", "PRAGMA secure_delete=ON", "VACUUM"):
            driver.execute(statement)
        is_busy, *_ = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not is_busy

    @contextmanager
    def scratch(self, engine: Engine) -> Iterator[Connection]:
        with engine.connect().execution_options(**{_NO_TRANSACTION: True}) as connection:
            try:
                _driver(connection).execute("PRAGMA temp_store=FILE")
                yield connection
            finally:
                # Closed for good: temporary tables live as long as the connection does.
                connection.invalidate()

    def outside_cause(self, fault: BaseException) -> str | None:
        cause = getattr(fault, "orig", None) or fault
        name = getattr(cause, "sqlite_errorname", "")
        # Extended names begin with the plain one: SQLITE_IOERR_WRITE.
        return str(cause) if any(name == plain or name.startswith(f"{plain}_") for plain in _OUTSIDE) else None


def _is_busy(fault: BaseException) -> bool:
    return getattr(fault, "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """The log of a file that has none yet. Whoever asks for it while another writes, or asks too, is refused at once,
    however patient: SQLite takes it for two that would wait for each other.

    https://www.sqlite.org/c3ref/busy_handler.html (read 2026-11-29)
    """
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as fault:
            if not _is_busy(fault) or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


_OUTSIDE = {"SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_CORRUPT", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY"}


def _driver(connection: Connection) -> sqlite3.Connection:
    """The sqlite3 connection under a SQLAlchemy one, in the same transaction."""
    inner = connection.connection.driver_connection
    if not isinstance(inner, sqlite3.Connection):
        raise TypeError("not a SQLite connection")
    return inner


def _chunks(cursor: sqlite3.Cursor) -> Iterator[list[tuple[Any, ...]]]:
    while rows := cursor.fetchmany(FETCH):
        yield rows


class _Found(NamedTuple):
    last: int
    lists: list[str]
    points: list[tuple[float | None, ...]]


class _Batch:
    """Rows from one rowid on: each column as one JSON list, in a third of the time of a Python object per cell.

    SQLite writes no more than 15 digits of a number with a point: those are fetched as they are. Whose rows they are is
    not, where all of the table are of one org.
    """

    def __init__(self, driver: sqlite3.Connection, table: str, schema: Mapping[str, pl.DataType], size: int) -> None:
        self.driver, self.schema, self.size = driver, schema, size
        self.org = _only_org(driver, table) if {"source", "source_instance"} <= schema.keys() else {}
        self.points = [name for name, dtype in schema.items() if dtype == pl.Float64()]
        self.listed = [name for name in schema if name not in self.points and name not in self.org]
        lists = ",".join(f'json_group_array("{name}")' for name in self.listed)
        columns, points = (",".join(f'"{name}"' for name in names) for names in (self.listed, self.points))
        rows = f'FROM "{table}" WHERE rowid>? ORDER BY rowid LIMIT ?'
        self.sql = f"SELECT max(number),{lists} FROM (SELECT rowid AS number,{columns} {rows})"  # noqa: S608
        self.points_sql = f"SELECT {points} {rows}" if points else None

    def fetch(self, after: int) -> _Found | None:
        last, *lists = self.driver.execute(self.sql, (after, self.size)).fetchone()
        if last is None:
            return None
        points = self.driver.execute(self.points_sql, (after, self.size)).fetchall() if self.points_sql else []
        return _Found(last, lists, points)

    def frame(self, found: _Found) -> pl.DataFrame:
        raw = {
            name: pl.Series(orjson.loads(text), dtype=_raw_type(self.schema[name]))
            for name, text in zip(self.listed, found.lists, strict=True)
        }
        cells = zip(*found.points, strict=True)
        raw |= {name: pl.Series(own, dtype=pl.Float64()) for name, own in zip(self.points, cells, strict=True)}
        org = [pl.lit(value).alias(name) for name, value in self.org.items()]
        return pl.DataFrame(raw).with_columns(org).select(_from_sql(self.schema))


def _only_org(driver: sqlite3.Connection, table: str) -> dict[str, str]:
    """Source and instance of all rows of a table; nothing where there are several, or no rows."""
    orgs = {
        driver.execute(
            f'SELECT source,source_instance FROM "{table}" ORDER BY source {way},source_instance {way} LIMIT 1'  # noqa: S608
        ).fetchone()
        for way in ("ASC", "DESC")
    }
    only = orgs.pop()
    return {} if orgs or only is None else dict(zip(("source", "source_instance"), only, strict=True))


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
