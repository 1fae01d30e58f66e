"""The store: one database that holds the model, the control tables and the memory of what we wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlmodel import Session

from kammodel.entities import KEY, Sourced, polars_schema
from kammodel.entities.schema import INSTANT
from kammodel.errors import StoreUnusable
from kammodel.migrations import upgrade
from kammodel.privacy.hashing import HashKey
from kammodel.store.backend import Backend
from kammodel.store.sqlite import Sqlite
from kammodel.store.upserting import UpsertCount, mark_gone, upsert


class Store:
    """Opens the database and brings its schema up to date. `url` is a SQLAlchemy URL (KAM_STORE_URL), `hash_key`
    recognises what was forgotten (KAM_HASH_KEY)."""

    def __init__(self, url: str, hash_key: HashKey | None = None) -> None:
        self.url, self.hash_key = url, hash_key
        try:
            parsed, self._backend = _reachable(make_url(url))
            self._engine = create_engine(parsed, hide_parameters=True)
        except (ArgumentError, NoSuchModuleError):
            raise StoreUnusable(
                "KAM_STORE_URL is no database address, such as sqlite:////path/kam.db or "
                "postgresql+psycopg://user@host/kam"
            ) from None
        except OSError as fault:
            raise StoreUnusable(f"the store at {_shown(url)} cannot be opened: {fault}") from None
        self._backend.prepare(self._engine)
        try:
            self.version_before = upgrade(self._engine)
            """Of the schema, when it was opened; None: the store was empty."""
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
                yield Transaction(connection, session, self._backend, self.hash_key)
                session.flush()
        except self._backend.faults as fault:
            cause = self._backend.outside_cause(fault)
            if cause is None:
                raise
            raise StoreUnusable(f"the store at {_shown(self.url)} cannot be written: {cause}") from fault

    @contextmanager
    def rehearsal(self) -> Iterator[Transaction]:
        """A transaction of which nothing stays."""
        with self._engine.connect() as connection, Session(bind=connection) as session, connection.begin() as begun:
            yield Transaction(connection, session, self._backend, self.hash_key)
            begun.rollback()

    def read(self, entity: type[Sourced], columns: Sequence[str] | None = None) -> pl.DataFrame:
        """All rows of an entity as a frame, in key order; `columns` picks some of them."""
        schema = polars_schema(entity)
        chosen = {name: schema[name] for name in columns or schema}
        names = ",".join(f'"{name}"' for name in chosen)
        with self._engine.connect() as connection:
            sql = f'SELECT {names} FROM "{entity.__tablename__}" ORDER BY {self._backend.in_order(*KEY)}'  # noqa: S608
            return self._backend.fetch(connection, sql, chosen, {})

    def count(self, entity: type[Sourced]) -> int:
        """How many rows of an entity there are."""
        with self._engine.connect() as connection:
            sql = f'SELECT count(*) AS n FROM "{entity.__tablename__}"'  # noqa: S608
            return int(self._backend.fetch(connection, sql, {"n": pl.Int64()}, {}).item())

    def batches(self, entity: type[Sourced], columns: Sequence[str], size: int) -> Iterator[pl.DataFrame]:
        """All rows of an entity, so many at a time, in no stated order and as they are at one moment."""
        schema = polars_schema(entity)
        chosen = {name: schema[name] for name in columns}
        with self._engine.connect() as connection:
            yield from self._backend.batches(connection, str(entity.__tablename__), chosen, size)

    @contextmanager
    def scratch(self) -> Iterator[Transaction]:
        """A connection for temporary tables too large for memory, outside of any transaction."""
        with self._backend.scratch(self._engine) as connection, Session(bind=connection) as session:
            yield Transaction(connection, session, self._backend)

    @property
    def file(self) -> Path | None:
        """The database file; None where it is a server's business."""
        parsed = make_url(self.url)
        return Path(parsed.database).absolute() if parsed.get_backend_name() == "sqlite" and parsed.database else None

    def wipe(self, tables: Iterable[str]) -> bool:
        """Makes sure that what was deleted from tables stands in no file any more; False where somebody who reads or
        writes keeps the last of it from being done."""
        try:
            with self._backend.scratch(self._engine) as connection:
                return self._backend.wipe(connection, tables)
        except self._backend.faults as fault:
            if self._backend.outside_cause(fault) is None:
                raise
            return False

    def close(self) -> None:
        """Releases the database file."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Transaction:
    """One unit of work: bulk rows and control rows in the same database transaction."""

    def __init__(
        self, connection: Connection, session: Session, backend: Backend, hash_key: HashKey | None = None
    ) -> None:
        self.connection = connection
        self.session = session
        self.backend = backend
        self.hash_key = hash_key

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
        self,
        entity: type[Sourced],
        rows: pl.DataFrame,
        *,
        source: str,
        instance: str,
        at: dt.datetime,
        corrects: bool = False,
    ) -> UpsertCount:
        """Brings rows in by key, see `upserting.upsert`."""
        return upsert(self, entity, rows, source=source, instance=instance, at=at, corrects=corrects)

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
        """source_id of those of `ids` that are there and not deleted, and the newest stamp that they came with."""
        sql = (
            "SELECT t.source_id, CASE WHEN r.stamp > t.updated_at THEN r.stamp ELSE t.updated_at END AS updated_at "  # noqa: S608
            f'FROM "{entity.__tablename__}" t LEFT JOIN restamp r ON r.entity=:entity AND r.source=t.source '
            "AND r.source_instance=t.source_instance AND r.source_id=t.source_id WHERE t.source=:source "
            f"AND t.source_instance=:instance AND NOT t.deleted AND {self.backend.among('t.source_id', 'ids')}"
        )
        schema, listed = {"source_id": pl.String(), "updated_at": INSTANT}, self.backend.listed(ids)
        where = {"entity": entity.__tablename__, "source": source, "instance": instance}
        return self.frame(sql, schema, **where, ids=listed)

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
        """Marks rows deleted that the CRM no longer has, see `upserting.mark_gone`."""
        return mark_gone(self, entity, gone, source=source, instance=instance, at=at)


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


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
