"""What a database has to offer beneath the store: rows in and out of Polars, and a word for what is not our fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

import polars as pl
from sqlalchemy import Connection, Engine, Table

Parameters = Mapping[str, Any]
"""By name, `:name` in the SQL."""


class Backend(Protocol):
    """One kind of database. SQL is what all of them understand."""

    faults: tuple[type[Exception], ...]
    """SQLAlchemy's, and what the driver raises where SQLAlchemy does not stand between."""

    is_sole_writer: bool
    """Whether nobody else can write from the beginning of a transaction to its end."""

    def prepare(self, engine: Engine) -> None:
        """Makes writers queue, one transaction at a time, instead of failing."""
        ...

    def execute(self, connection: Connection, sql: str, rows: Iterable[Parameters]) -> int:
        """Runs a statement for each row of parameters; how many rows of the table it touched in all."""
        ...

    def fetch(
        self, connection: Connection, sql: str, schema: Mapping[str, pl.DataType], parameters: Parameters
    ) -> pl.DataFrame:
        """The rows of a query as a frame of the stated schema: types are never guessed from the first rows."""
        ...

    def batches(
        self, connection: Connection, table: str, schema: Mapping[str, pl.DataType], size: int
    ) -> Iterator[pl.DataFrame]:
        """The columns of a table, so many rows at a time, in no stated order."""
        ...

    def insert(self, connection: Connection, table: str, frame: pl.DataFrame) -> None:
        """Appends a frame to a table with columns of the same names."""
        ...

    def upsert_from(self, table: Table, names: list[str], query: Any) -> Any:
        """`INSERT ... SELECT` that can be told what to do on conflict."""
        ...

    def staged(self, connection: Connection, table: str) -> None:
        """Called when a temporary table has been filled."""
        ...

    def in_order(self, *columns: str) -> str:
        """An ORDER BY that is the same on every database: byte by byte."""
        ...

    def among(self, column: str, parameter: str) -> str:
        """A condition that a column is one of the values that `listed` makes of them."""
        ...

    def listed(self, values: pl.Series) -> object:
        """Values as one parameter for `among`."""
        ...

    def like_any(self, column: str, parameter: str) -> str:
        """A condition that a column is like one of the patterns that `listed` makes of them; `%` stands for anything.
        Whether case counts depends on the database: what is found has to be looked at once more."""
        ...

    def wipe(self, connection: Connection, tables: Iterable[str]) -> bool:
        """Makes sure that what was deleted from tables stands in no file of theirs any more, on a connection of
        `scratch`. False where another connection keeps the last of it from being done."""
        ...

    def scratch(self, engine: Engine) -> AbstractContextManager[Connection]:
        """A connection outside of any transaction, for temporary tables that are large and short-lived."""
        ...

    def outside_cause(self, fault: BaseException) -> str | None:
        """What the database says where file, disk, network or another program is to blame; None where our SQL is."""
        ...
