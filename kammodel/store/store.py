"""The store: one database that holds the model, the control tables and the memory of what we wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import polars as pl
from sqlalchemy import Connection, Table, and_, create_engine, func, not_, or_, select
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from kammodel.entities import KEY, Sourced, content_columns, polars_schema
from kammodel.entities.schema import INSTANT, table_of
from kammodel.entities.types import to_micros
from kammodel.errors import StoreUnusable
from kammodel.migrations import upgrade
from kammodel.store import sqlite


@dataclass(frozen=True)
class UpsertCount:
    """What an upsert did. `unchanged_rows`: source_id of the rows left alone, with the change stamp that came
    (updated_at) and the one that is kept (known_at)."""

    inserted: int
    changed: int
    unchanged_rows: pl.DataFrame

    @property
    def unchanged(self) -> int:
        return self.unchanged_rows.height


_NOTHING_KNOWN = pl.DataFrame(schema={"source_id": pl.String(), "updated_at": INSTANT, "known_at": INSTANT})


class Store:
    """Opens the database and brings its schema up to date. `url` is a SQLAlchemy URL (KAM_STORE_URL)."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() != "sqlite":
                raise StoreUnusable("KAM_STORE_URL: this version keeps its store in SQLite (sqlite:////path/kam.db)")
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed)
        except ArgumentError:
            raise StoreUnusable("KAM_STORE_URL is no database address, such as sqlite:////path/kam.db") from None
        except OSError as fault:
            raise StoreUnusable(f"the store at {_shown(url)} cannot be opened: {fault}") from None
        sqlite.prepare(self._engine)
        try:
            upgrade(self._engine)
        except DatabaseError as fault:
            self.close()
            raise StoreUnusable(f"the store at {_shown(url)} cannot be opened: {fault.orig}") from None
        except StoreUnusable:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything inside is written together or not at all."""
        try:
            with self._engine.begin() as connection, Session(bind=connection) as session:
                yield Transaction(connection, session)
                session.flush()
        except (sqlite.Fault, DatabaseError) as fault:
            cause = sqlite.outside_cause(fault)
            if cause is None:
                raise
            raise StoreUnusable(f"the store at {_shown(self.url)} cannot be written: {cause}") from fault

    def read(self, entity: type[Sourced], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows of an entity as a frame, in key order; `columns` picks some of them."""
        schema = polars_schema(entity)
        chosen = {name: schema[name] for name in columns or schema}
        names = ",".join(f'"{name}"' for name in chosen)
        order = ",".join(KEY)
        with self._engine.connect() as connection:
            sql = f'SELECT {names} FROM "{entity.__tablename__}" ORDER BY {order}'  # noqa: S608
            return sqlite.fetch_frame(connection, sql, chosen)

    @contextmanager
    def scratch(self) -> Iterator[sqlite.Scratch]:
        """A connection for temporary tables too large for memory, outside of any transaction."""
        with sqlite.scratch(self._engine) as connection:
            yield connection

    def close(self) -> None:
        """Releases the database file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transaction:
    """One unit of work: bulk rows and control rows in the same database transaction."""

    def __init__(self, connection: Connection, session: Session) -> None:
        self.connection = connection
        self.session = session

    def frame(self, sql: str, schema: Mapping[str, pl.DataType], **parameters: Any) -> pl.DataFrame:
        """A query's rows as a frame of the stated schema; parameters by name (`:name`)."""
        return sqlite.fetch_frame(self.connection, sql, schema, parameters)

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Appends rows."""
        sqlite.insert_rows(self.connection, table, frame)

    def upsert(
        self, entity: type[Sourced], rows: pl.DataFrame, *, source: str, instance: str, at: dt.datetime
    ) -> UpsertCount:
        """Brings rows in by key. A row whose content is the same is not touched, its stamps neither.

        `rows` has the entity's columns less source, source_instance, synced_at and content_changed_at. Of two
        rows with one id the last counts: pages that are put together may hold a record twice.
        """
        table, rows = table_of(entity), rows.unique("source_id", keep="last", maintain_order=True)
        with self._staged(table, _enveloped(rows, entity, source, instance, at)) as staging:
            same_key = and_(*(table.c[k] == staging.c[k] for k in KEY))
            differs = or_(*(table.c[c].is_distinct_from(staging.c[c]) for c in content_columns(entity)))
            known = self._count(select(func.count()).select_from(staging.join(table, same_key)))
            # A first load, where nothing is known yet, is spared two joins.
            unchanged = self._unchanged(table, staging, same_key, differs) if known else _NOTHING_KNOWN
            self.connection.execute(_merge(table, staging, entity))
        return UpsertCount(rows.height - known, known - unchanged.height, unchanged)

    def live_ids(self, entity: type[Sourced], *, source: str, instance: str) -> pl.Series:
        """The ids of an org's rows that are not deleted."""
        sql = (
            f'SELECT source_id FROM "{entity.__tablename__}" WHERE source=:source '  # noqa: S608
            "AND source_instance=:instance AND NOT deleted"
        )
        return self.frame(sql, {"source_id": pl.String()}, source=source, instance=instance)["source_id"]

    def live_among(self, entity: type[Sourced], ids: pl.Series, *, source: str, instance: str) -> pl.Series:
        """Those of the ids whose rows are here and not deleted."""
        sql = (
            f'SELECT source_id FROM "{entity.__tablename__}" WHERE source=:source '  # noqa: S608
            "AND source_instance=:instance AND NOT deleted AND source_id IN (SELECT value FROM json_each(:ids))"
        )
        schema, listed = {"source_id": pl.String()}, orjson.dumps(ids.to_list()).decode()
        return self.frame(sql, schema, source=source, instance=instance, ids=listed)["source_id"]

    def mark_gone(
        self, entity: type[Sourced], gone: pl.DataFrame, *, source: str, instance: str, at: dt.datetime
    ) -> int:
        """Marks rows deleted that the CRM no longer has; `gone` has source_id and merged_into_id.

        A survivor that is known stays known: no merged_into_id means that nothing was said of a merge. A row that
        was merged before we ever saw it is entered as gone, so that what refers to it finds the survivor.
        """
        table = table_of(entity)
        merged = "merged_into_id" in table.c
        sets = "deleted=1, synced_at=:at, content_changed_at=:at" + (
            ", merged_into_id=coalesce(:into, merged_into_id)" if merged else ""
        )
        change = "(deleted=0 OR merged_into_id IS NOT coalesce(:into, merged_into_id))" if merged else "deleted=0"
        where = f"source=:source AND source_instance=:instance AND source_id=:id AND {change}"
        sql = f'UPDATE "{table.name}" SET {sets} WHERE {where}'  # noqa: S608
        fixed = {"source": source, "instance": instance, "at": to_micros(at)}
        rows = [
            fixed | {"id": row["source_id"]} | ({"into": row["merged_into_id"]} if merged else {})
            for row in gone.iter_rows(named=True)
        ]
        driver = sqlite.driver(self.connection)
        ended = driver.executemany(sql, rows).rowcount if rows else 0
        if merged:
            ended += driver.executemany(_tombstone(table), [row for row in rows if row["into"] is not None]).rowcount
        return ended

    @contextmanager
    def _staged(self, table: Table, frame: pl.DataFrame) -> Iterator[Table]:
        """The frame as a temporary table. No key is needed on it: it is looked through, never looked up in."""
        name = f"staging_{table.name}"
        staging = Table(name, table.metadata.__class__(), *(_copy(c) for c in table.columns), prefixes=["TEMPORARY"])
        staging.create(self.connection)
        try:
            # Each value that is bound costs; a column without any is null by itself.
            self.insert(name, frame.select(c for c in frame if c.null_count() < frame.height or c.name in KEY))
            yield staging
        finally:
            staging.drop(self.connection)

    def _count(self, query: Any) -> int:
        return int(self.connection.execute(query).scalar_one())

    def _unchanged(
        self, table: Table, staging: Table, same_key: ColumnElement[bool], differs: ColumnElement[bool]
    ) -> pl.DataFrame:
        query = select(staging.c.source_id, staging.c.updated_at, table.c.updated_at)
        query = query.select_from(staging.join(table, same_key)).where(not_(differs))
        rows = [tuple(row) for row in self.connection.execute(query)]
        return pl.DataFrame(rows, schema=_NOTHING_KNOWN.schema, orient="row")


def _merge(table: Table, staging: Table, entity: type[Sourced]) -> Any:
    # SQLite takes "SELECT ... ON CONFLICT" for a join unless there is a WHERE.
    names = [c.name for c in table.columns]
    source = select(*(staging.c[n] for n in names)).where(staging.c.source.is_not(None))
    insert = sqlite_dialect.insert(table).from_select(names, source)
    fresh = {n: insert.excluded[n] for n in names if n not in KEY}
    changed = or_(*(table.c[c].is_distinct_from(insert.excluded[c]) for c in content_columns(entity)))
    return insert.on_conflict_do_update(index_elements=list(KEY), set_=fresh, where=changed)


def _tombstone(table: Table) -> str:
    """A row that says of an id only that it was merged; left alone where the id is known."""
    return (
        f'INSERT OR IGNORE INTO "{table.name}" (source, source_instance, source_id, deleted, synced_at, '  # noqa: S608
        "content_changed_at, merged_into_id) VALUES (:source, :instance, :id, 1, :at, :at, :into)"
    )


def _copy(column: Any) -> Any:
    from sqlalchemy import Column

    return Column(column.name, column.type)


def _enveloped(rows: pl.DataFrame, entity: type[Sourced], source: str, instance: str, at: dt.datetime) -> pl.DataFrame:
    schema = polars_schema(entity)
    return rows.with_columns(
        source=pl.lit(source),
        source_instance=pl.lit(instance),
        synced_at=pl.lit(at).cast(schema["synced_at"]),
        content_changed_at=pl.lit(at).cast(schema["content_changed_at"]),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
