"""What PostgreSQL needs that other databases do not: one writer at a time, and COPY for rows in and out of Polars.

https://www.postgresql.org/docs/current/sql-copy.html (read 2026-11-28)
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

import polars as pl
import psycopg
from psycopg import sql as composing
from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DatabaseError

from kammodel.entities.schema import INSTANT
from kammodel.store.backend import Parameters

_NULL = r"\N"
_WRITERS = 4_711_063
"""Number of the lock on which our writers queue; another program has no business with it."""
_NO_TRANSACTION = "kam_no_transaction"
_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")


class Postgres:
    """PostgreSQL behind the store."""

    faults: tuple[type[Exception], ...] = (DatabaseError, psycopg.Error)
    is_sole_writer = False

    def prepare(self, engine: Engine) -> None:
        """Transactions queue on a lock that ends with them: the second sees what the first has done."""

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            if not connection.get_execution_options().get(_NO_TRANSACTION):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")

    def execute(self, connection: Connection, sql: str, rows: Iterable[Parameters]) -> int:
        with _driver(connection).cursor() as cursor:
            cursor.executemany(_named(sql), list(rows))
            return max(0, cursor.rowcount)

    def fetch(
        self, connection: Connection, sql: str, schema: Mapping[str, pl.DataType], parameters: Parameters
    ) -> pl.DataFrame:
        # Nothing is nothing, and an empty text is quoted: the reader tells the two apart.
        copy = composing.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(_filled(sql, parameters))
        content = io.BytesIO()
        with _driver(connection).cursor() as cursor, cursor.copy(copy) as rows:
            for block in rows:
                content.write(block)
        return _read(content, schema)

    def batches(
        self, connection: Connection, table: str, schema: Mapping[str, pl.DataType], size: int
    ) -> Iterator[pl.DataFrame]:
        names = composing.SQL(",").join(map(composing.Identifier, schema))
        copy = composing.SQL("COPY {} ({}) TO STDOUT (FORMAT csv)").format(composing.Identifier(table), names)
        with _driver(connection).cursor() as cursor, cursor.copy(copy) as rows:
            # Each message of the server is one row (protocol-message-formats, CopyData; read 2026-11-28).
            while block := list(islice(rows, size)):
                yield _read(io.BytesIO(b"".join(block)), schema)

    def insert(self, connection: Connection, table: str, frame: pl.DataFrame) -> None:
        if frame.is_empty():
            return
        names = composing.SQL(",").join(map(composing.Identifier, frame.columns))
        copy = composing.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL '\\N')").format(
            composing.Identifier(table), names
        )
        with _driver(connection).cursor() as cursor, cursor.copy(copy) as rows:
            rows.write(_csv(frame))

    def upsert_from(self, table: Table, names: list[str], query: Any) -> Any:
        return insert(table).from_select(names, query)

    def staged(self, connection: Connection, table: str) -> None:
        """Tells the planner how few rows these are; it would read the whole other table otherwise."""
        connection.exec_driver_sql(f'ANALYZE "{table}"')

    def in_order(self, *columns: str) -> str:
        return ",".join(f'{column} COLLATE "C"' for column in columns)

    def among(self, column: str, parameter: str) -> str:
        return f"{column} = ANY(:{parameter})"

    def listed(self, values: pl.Series) -> object:
        return values.to_list()

    def like_any(self, column: str, parameter: str) -> str:
        return f"{column} LIKE ANY(:{parameter})"

    def wipe(self, connection: Connection, tables: Iterable[str]) -> bool:
        """Writes the tables anew; the old files are gone with it. Its write-ahead log, replicas and backups are in the
        hands of whoever runs the server.
        https://www.postgresql.org/docs/current/sql-vacuum.html (read 2026-11-29)
        """
        for table in tables:
            connection.exec_driver_sql(f'VACUUM (FULL, ANALYZE) "{table}"')
        return True

    @contextmanager
    def scratch(self, engine: Engine) -> Iterator[Connection]:
        options = {_NO_TRANSACTION: True, "isolation_level": "AUTOCOMMIT"}
        with engine.connect().execution_options(**options) as connection:
            try:
                yield connection
            finally:
                connection.invalidate()

    def outside_cause(self, fault: BaseException) -> str | None:
        cause = getattr(fault, "orig", None) or fault
        is_outside = isinstance(cause, psycopg.OperationalError | psycopg.errors.InsufficientPrivilege)
        return (str(cause).strip().splitlines() or ["no reason given"])[0] if is_outside else None


def _read(content: io.BytesIO, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    if not content.getbuffer().nbytes:
        return pl.DataFrame(schema=schema)
    raw = pl.read_csv(content.getvalue(), has_header=False, new_columns=list(schema), infer_schema=False)
    return raw.select(_decoded(pl.col(name), dtype) for name, dtype in schema.items())


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    """The psycopg connection under a SQLAlchemy one, in the same transaction."""
    inner = connection.connection.driver_connection
    if not isinstance(inner, psycopg.Connection):
        raise TypeError("not a PostgreSQL connection")
    return inner


def _named(sql: str) -> str:
    """`:name` as psycopg spells it."""
    return _NAMED.sub(r"%(\1)s", sql.replace("%", "%%"))


def _filled(sql: str, parameters: Parameters) -> composing.Composed:
    """The query with its values in it, escaped by the driver: COPY takes no parameters."""
    parts = _NAMED.split(sql)
    texts, names = parts[::2], parts[1::2]
    made: list[composing.Composable] = [composing.SQL(texts[0])]
    for name, text in zip(names, texts[1:], strict=True):
        made += [composing.Literal(parameters[name]), composing.SQL(text)]
    return composing.Composed(made)


def _csv(frame: pl.DataFrame) -> bytes:
    """Texts quoted, everything else bare, nothing as \\N; instants as the whole numbers that they are kept as."""
    ready = frame.with_columns(pl.selectors.datetime().dt.epoch("us"))
    return ready.write_csv(include_header=False, null_value=_NULL, quote_style="non_numeric").encode()


def _decoded(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean():
        return column == "t"
    if dtype == INSTANT:
        return column.cast(pl.Int64).cast(INSTANT)
    return column.str.to_date("%Y-%m-%d") if dtype == pl.Date() else column.cast(dtype)
