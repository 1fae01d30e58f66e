"""Brings rows of a CRM into their table: by key, in bulk, touching only what changed, and remembering what it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import Column, Table, and_, case, func, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from kammodel.entities import KEY, Restamp, Sourced, content_columns, polars_schema
from kammodel.entities.schema import INSTANT, table_of
from kammodel.entities.types import to_micros
from kammodel.store import versions

if TYPE_CHECKING:
    from kammodel.store.store import Transaction


@dataclass(frozen=True)
class UpsertCount:
    """What an upsert did. `unchanged_rows`: source_id of the rows left alone, with the change stamp that came
    (updated_at) and the newest that they had come with before (known_at)."""

    inserted: int
    changed: int
    unchanged_rows: pl.DataFrame

    @property
    def unchanged(self) -> int:
        return self.unchanged_rows.height


_NOTHING_KNOWN = pl.DataFrame(schema={"source_id": pl.String(), "updated_at": INSTANT, "known_at": INSTANT})


def upsert(
    tx: Transaction,
    entity: type[Sourced],
    rows: pl.DataFrame,
    *,
    source: str,
    instance: str,
    at: dt.datetime,
    corrects: bool = False,
) -> UpsertCount:
    """A row whose content is the same is not touched, its stamps neither; one that changes leaves a version behind.

    `rows` has the entity's columns less source, source_instance, synced_at and content_changed_at. Of two
    rows with one id the last counts: pages that are put together may hold a record twice. `corrects`: the mapping is
    another than before, see `versions.replaced_by`.
    """
    table, rows = table_of(entity), rows.unique("source_id", keep="last", maintain_order=True)
    whole = _enveloped(rows, entity, source, instance, at)
    if tx.backend.is_sole_writer and not _knows_any(tx, table, rows["source_id"], source, instance):
        # As in a first load, where writing each row twice would be a tenth of all the work.
        tx.insert(table.name, _less_empty(whole))
        return UpsertCount(rows.height, 0, _NOTHING_KNOWN)
    with _staged(tx, table, whole) as staging:
        same_key = and_(*(table.c[k] == staging.c[k] for k in KEY))
        differs = or_(*(table.c[c].is_distinct_from(staging.c[c]) for c in content_columns(entity)))
        known = _count(tx, select(func.count()).select_from(staging.join(table, same_key)))
        # A first load, where nothing is known yet, is spared two joins.
        unchanged = _unchanged(tx, table, staging, same_key, differs) if known else _NOTHING_KNOWN
        _note_restamps(tx, table, unchanged, source, instance)
        if known > unchanged.height:
            versions.replaced_by(tx, entity, staging.name, at, corrects=corrects)
        tx.connection.execute(_merge(tx, table, staging, entity))
    return UpsertCount(rows.height - known, known - unchanged.height, unchanged)


def mark_gone(
    tx: Transaction, entity: type[Sourced], gone: pl.DataFrame, *, source: str, instance: str, at: dt.datetime
) -> int:
    """Marks rows deleted that the CRM no longer has; `gone` has source_id and merged_into_id.

    A survivor that is known stays known: no merged_into_id means that nothing was said of a merge. A row that
    was merged before we ever saw it is entered as gone, so that what refers to it finds the survivor.
    """
    if gone.is_empty():
        return 0
    versions.gone(tx, entity, gone, source=source, instance=instance, at=at)
    table = table_of(entity)
    merged = "merged_into_id" in table.c
    sets = "deleted=TRUE, synced_at=:at, content_changed_at=:at" + (
        ", merged_into_id=coalesce(:into, merged_into_id)" if merged else ""
    )
    change = (
        "(NOT deleted OR merged_into_id IS DISTINCT FROM coalesce(:into, merged_into_id))" if merged else "NOT deleted"
    )
    where = f"source=:source AND source_instance=:instance AND source_id=:id AND {change}"
    sql = f'UPDATE "{table.name}" SET {sets} WHERE {where}'  # noqa: S608
    fixed = {"source": source, "instance": instance, "at": to_micros(at)}
    rows = [
        fixed | {"id": row["source_id"]} | ({"into": row["merged_into_id"]} if merged else {})
        for row in gone.iter_rows(named=True)
    ]
    ended = tx.run(sql, rows) if rows else 0
    survived = [row for row in rows if merged and row["into"] is not None]
    return ended + (tx.run(_tombstone(table), survived) if survived else 0)


@contextmanager
def _staged(tx: Transaction, table: Table, frame: pl.DataFrame) -> Iterator[Table]:
    """The frame as a temporary table. No key is needed on it: it is looked through, never looked up in."""
    name = f"staging_{table.name}"
    staging = Table(name, table.metadata.__class__(), *(_copy(c) for c in table.columns), prefixes=["TEMPORARY"])
    staging.create(tx.connection)
    try:
        tx.insert(name, _less_empty(frame))
        tx.backend.staged(tx.connection, name)
        yield staging
    finally:
        staging.drop(tx.connection)


def _less_empty(frame: pl.DataFrame) -> pl.DataFrame:
    """Each value that is bound costs; a column without any is null by itself."""
    return frame[[c.name for c in frame if c.null_count() < frame.height or c.name in KEY]]


def _knows_any(tx: Transaction, table: Table, ids: pl.Series, source: str, instance: str) -> bool:
    sql = (
        f'SELECT EXISTS (SELECT 1 FROM "{table.name}" WHERE source=:source AND source_instance=:instance '  # noqa: S608
        f"AND {tx.backend.among('source_id', 'ids')}) AS n"
    )
    found = tx.frame(sql, {"n": pl.Int64()}, source=source, instance=instance, ids=tx.backend.listed(ids))
    return bool(found.item())


def _merge(tx: Transaction, table: Table, staging: Table, entity: type[Sourced]) -> Any:
    # SQLite takes "SELECT ... ON CONFLICT" for a join unless there is a WHERE.
    names = [c.name for c in table.columns]
    source = select(*(staging.c[n] for n in names)).where(staging.c.source.is_not(None))
    insert = tx.backend.upsert_from(table, names, source)
    fresh = {n: insert.excluded[n] for n in names if n not in KEY}
    changed = or_(*(table.c[c].is_distinct_from(insert.excluded[c]) for c in content_columns(entity)))
    return insert.on_conflict_do_update(index_elements=list(KEY), set_=fresh, where=changed)


def _count(tx: Transaction, query: Any) -> int:
    return int(tx.connection.execute(query).scalar_one())


def _unchanged(
    tx: Transaction, table: Table, staging: Table, same_key: ColumnElement[bool], differs: ColumnElement[bool]
) -> pl.DataFrame:
    again = table_of(Restamp)
    of_row = and_(again.c.entity == table.name, *(again.c[k] == table.c[k] for k in KEY))
    newest = case((again.c.stamp > table.c.updated_at, again.c.stamp), else_=table.c.updated_at)
    query = select(staging.c.source_id, staging.c.updated_at, newest)
    query = query.select_from(staging.join(table, same_key).outerjoin(again, of_row)).where(not_(differs))
    rows = [tuple(row) for row in tx.connection.execute(query)]
    return pl.DataFrame(rows, schema=_NOTHING_KNOWN.schema, orient="row")


def _note_restamps(tx: Transaction, table: Table, unchanged: pl.DataFrame, source: str, instance: str) -> None:
    """Stamps that moved without news stand apart: `updated_at` is when the content changed."""
    moved = unchanged.filter(pl.col("updated_at") > pl.col("known_at"))
    if moved.is_empty():
        return
    of_rows = {"entity": table.name, "source": source, "instance": instance}
    stamps = moved.select("source_id", "updated_at").iter_rows()
    tx.run(_RESTAMP, [of_rows | {"id": id_, "stamp": to_micros(at)} for id_, at in stamps])


_RESTAMP = (
    "INSERT INTO restamp (entity, source, source_instance, source_id, stamp) "
    "VALUES (:entity, :source, :instance, :id, :stamp) "
    "ON CONFLICT (entity, source, source_instance, source_id) DO UPDATE SET stamp=excluded.stamp"
)


def _tombstone(table: Table) -> str:
    """A row that says of an id only that it was merged; left alone where the id is known."""
    return (
        f'INSERT INTO "{table.name}" (source, source_instance, source_id, deleted, synced_at, '  # noqa: S608
        "content_changed_at, merged_into_id) VALUES (:source, :instance, :id, TRUE, :at, :at, :into) "
        "ON CONFLICT DO NOTHING"
    )


def _copy(column: Any) -> Any:
    return Column(column.name, column.type)


def _enveloped(rows: pl.DataFrame, entity: type[Sourced], source: str, instance: str, at: dt.datetime) -> pl.DataFrame:
    schema = polars_schema(entity)
    return rows.with_columns(
        source=pl.lit(source),
        source_instance=pl.lit(instance),
        synced_at=pl.lit(at).cast(schema["synced_at"]),
        content_changed_at=pl.lit(at).cast(schema["content_changed_at"]),
    ).select(pl.col(name).cast(dtype) for name, dtype in schema.items())
