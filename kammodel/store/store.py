"""The store: one database that holds the model, the control tables and the memory of what we wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, Table, and_, create_engine, func, not_, or_, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session

from kammodel.entities import KEY, Sourced, content_columns, polars_schema
from kammodel.entities.schema import INSTANT, table_of
from kammodel.entities.types import to_micros
from kammodel.errors import StoreUnusable
from kammodel.migrations import upgrade
from kammodel.store.backend import Backend
from kammodel.store.sqlite import Sqlite


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
            parsed, self._backend = _reachable(make_url(url))
            self._engine = create_engine(parsed)
        except (ArgumentError, NoSuchModuleError):
            raise StoreUnusable(
                "KAM_STORE_URL is no database address, such as sqlite:////path/kam.db or "
                "postgresql+psycopg://user@host/kam"
            ) from None
        except OSError as fault:
            raise StoreUnusable(f"the store at {_shown(url)} cannot be opened: {fault}") from None
        self._backend.prepare(self._engine)
        try:
            upgrade(self._engine)
        except DatabaseError as fault:
            self.close()
            cause = self._backend.outside_cause(fault) or fault.orig
            raise StoreUnusable(f"the store at {_shown(url)} cannot be opened: {cause}") from None
        except StoreUnusable:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything inside is written together or not at all."""
        try:
            with self._engine.begin() as connection, Session(bind=connection) as session:
                yield Transaction(connection, session, self._backend)
                session.flush()
        except self._backend.faults as fault:
            cause = self._backend.outside_cause(fault)
            if cause is None:
                raise
            raise StoreUnusable(f"the store at {_shown(self.url)} cannot be written: {cause}") from fault

    def read(self, entity: type[Sourced], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows of an entity as a frame, in key order; `columns` picks some of them."""
        schema = polars_schema(entity)
        chosen = {name: schema[name] for name in columns or schema}
        names = ",".join(f'"{name}"' for name in chosen)
        with self._engine.connect() as connection:
            sql = f'SELECT {names} FROM "{entity.__tablename__}" ORDER BY {self._backend.in_order(*KEY)}'  # noqa: S608
            return self._backend.fetch(connection, sql, chosen, {})

    @contextmanager
    def scratch(self) -> Iterator[Transaction]:
        """A connection for temporary tables too large for memory, outside of any transaction."""
        with self._backend.scratch(self._engine) as connection, Session(bind=connection) as session:
            yield Transaction(connection, session, self._backend)

    def close(self) -> None:
        """Releases the database file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transaction:
    """One unit of work: bulk rows and control rows in the same database transaction."""

    def __init__(self, connection: Connection, session: Session, backend: Backend) -> None:
        self.connection = connection
        self.session = session
        self.backend = backend

    def frame(self, sql: str, schema: Mapping[str, pl.DataType], **parameters: Any) -> pl.DataFrame:
        """A query's rows as a frame of the stated schema; parameters by name (`:name`)."""
        return self.backend.fetch(self.connection, sql, schema, parameters)

    def run(self, sql: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """Runs a statement for each row of parameters (`:name`); how many rows of the table it touched."""
        return self.backend.execute(self.connection, sql, rows)

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Appends rows. Zero bytes are left out of texts: PostgreSQL has none, and both are to hold the same."""
        texts = pl.selectors.string().str.replace_all("\x00", "", literal=True)
        self.backend.insert(self.connection, table, frame.with_columns(texts))

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
            self.connection.execute(self._merge(table, staging, entity))
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
            f"AND source_instance=:instance AND NOT deleted AND {self.backend.among('source_id', 'ids')}"
        )
        schema, listed = {"source_id": pl.String()}, self.backend.listed(ids)
        return self.frame(sql, schema, source=source, instance=instance, ids=listed)["source_id"]

    def live_stamps(self, entity: type[Sourced], ids: pl.Series, *, source: str, instance: str) -> pl.DataFrame:
        """source_id and updated_at of those of `ids` that are there and not deleted."""
        sql = (
            f'SELECT source_id, updated_at FROM "{entity.__tablename__}" WHERE source=:source '  # noqa: S608
            f"AND source_instance=:instance AND NOT deleted AND {self.backend.among('source_id', 'ids')}"
        )
        schema, listed = {"source_id": pl.String(), "updated_at": INSTANT}, self.backend.listed(ids)
        return self.frame(sql, schema, source=source, instance=instance, ids=listed)

    def live_parts(self, entity: type[Sourced], owner: str, ids: pl.Series, *, source: str, instance: str) -> pl.Series:
        """The ids of the rows that are not deleted and whose column `owner` names one of `ids`."""
        sql = (
            f'SELECT source_id FROM "{entity.__tablename__}" WHERE source=:source '  # noqa: S608
            f"AND source_instance=:instance AND NOT deleted AND {self.backend.among(owner, 'ids')}"
        )
        schema, listed = {"source_id": pl.String()}, self.backend.listed(ids)
        return self.frame(sql, schema, source=source, instance=instance, ids=listed)["source_id"]

    def live_after(
        self,
        entity: type[Sourced],
        columns: Sequence[str],
        after: str,
        most: int,
        *,
        source: str,
        instance: str,
        id_prefix: str = "",
    ) -> pl.DataFrame:
        """Rows that are not deleted with an id above `after`, in order of id, at most so many: source_id and `columns`.

        `id_prefix`: what their ids begin with."""
        names = ["source_id", *columns]
        sql = (
            f"""SELECT {",".join(f'"{n}"' for n in names)} FROM "{entity.__tablename__}" WHERE source=:source """  # noqa: S608
            "AND source_instance=:instance AND NOT deleted AND source_id > :after AND source_id LIKE :prefix "
            "ORDER BY source_id LIMIT :most"
        )
        schema = {name: polars_schema(entity)[name] for name in names}
        bounds = {"after": after, "most": most, "prefix": f"{id_prefix}%"}
        return self.frame(sql, schema, source=source, instance=instance, **bounds)

    def mark_gone(
        self, entity: type[Sourced], gone: pl.DataFrame, *, source: str, instance: str, at: dt.datetime
    ) -> int:
        """Marks rows deleted that the CRM no longer has; `gone` has source_id and merged_into_id.

        A survivor that is known stays known: no merged_into_id means that nothing was said of a merge. A row that
        was merged before we ever saw it is entered as gone, so that what refers to it finds the survivor.
        """
        table = table_of(entity)
        merged = "merged_into_id" in table.c
        sets = "deleted=TRUE, synced_at=:at, content_changed_at=:at" + (
            ", merged_into_id=coalesce(:into, merged_into_id)" if merged else ""
        )
        change = (
            "(NOT deleted OR merged_into_id IS DISTINCT FROM coalesce(:into, merged_into_id))"
            if merged
            else "NOT deleted"
        )
        where = f"source=:source AND source_instance=:instance AND source_id=:id AND {change}"
        sql = f'UPDATE "{table.name}" SET {sets} WHERE {where}'  # noqa: S608
        fixed = {"source": source, "instance": instance, "at": to_micros(at)}
        rows = [
            fixed | {"id": row["source_id"]} | ({"into": row["merged_into_id"]} if merged else {})
            for row in gone.iter_rows(named=True)
        ]
        ended = self.run(sql, rows) if rows else 0
        survived = [row for row in rows if merged and row["into"] is not None]
        return ended + (self.run(_tombstone(table), survived) if survived else 0)

    @contextmanager
    def _staged(self, table: Table, frame: pl.DataFrame) -> Iterator[Table]:
        """The frame as a temporary table. No key is needed on it: it is looked through, never looked up in."""
        name = f"staging_{table.name}"
        staging = Table(name, table.metadata.__class__(), *(_copy(c) for c in table.columns), prefixes=["TEMPORARY"])
        staging.create(self.connection)
        try:
            # Each value that is bound costs; a column without any is null by itself.
            self.insert(name, frame.select(c for c in frame if c.null_count() < frame.height or c.name in KEY))
            self.backend.staged(self.connection, name)
            yield staging
        finally:
            staging.drop(self.connection)

    def _merge(self, table: Table, staging: Table, entity: type[Sourced]) -> Any:
        # SQLite takes "SELECT ... ON CONFLICT" for a join unless there is a WHERE.
        names = [c.name for c in table.columns]
        source = select(*(staging.c[n] for n in names)).where(staging.c.source.is_not(None))
        insert = self.backend.upsert_from(table, names, source)
        fresh = {n: insert.excluded[n] for n in names if n not in KEY}
        changed = or_(*(table.c[c].is_distinct_from(insert.excluded[c]) for c in content_columns(entity)))
        return insert.on_conflict_do_update(index_elements=list(KEY), set_=fresh, where=changed)

    def _count(self, query: Any) -> int:
        return int(self.connection.execute(query).scalar_one())

    def _unchanged(
        self, table: Table, staging: Table, same_key: ColumnElement[bool], differs: ColumnElement[bool]
    ) -> pl.DataFrame:
        query = select(staging.c.source_id, staging.c.updated_at, table.c.updated_at)
        query = query.select_from(staging.join(table, same_key)).where(not_(differs))
        rows = [tuple(row) for row in self.connection.execute(query)]
        return pl.DataFrame(rows, schema=_NOTHING_KNOWN.schema, orient="row")


def _reachable(url: URL) -> tuple[URL, Backend]:
    """The address as SQLAlchemy needs it, and the kind of database behind it. Drivers are imported late."""
    kind = url.get_backend_name()
    if kind == "sqlite":
        if url.database and url.database != ":memory:":
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return url, Sqlite()
    if kind != "postgresql":
        raise StoreUnusable(f"KAM_STORE_URL: {kind} is no database for a store; it is kept in SQLite or PostgreSQL")
    try:
        from kammodel.store.postgres import Postgres
    except ImportError:
        raise StoreUnusable("KAM_STORE_URL: PostgreSQL needs its driver: pip install 'kam[postgres]'") from None
    return url.set(drivername="postgresql+psycopg"), Postgres()


def _tombstone(table: Table) -> str:
    """A row that says of an id only that it was merged; left alone where the id is known."""
    return (
        f'INSERT INTO "{table.name}" (source, source_instance, source_id, deleted, synced_at, '  # noqa: S608
        "content_changed_at, merged_into_id) VALUES (:source, :instance, :id, TRUE, :at, :at, :into) "
        "ON CONFLICT DO NOTHING"
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
