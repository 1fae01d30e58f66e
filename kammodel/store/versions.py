"""What rows were before they changed: appended by the writers of rows, read to see the store as it was known once."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from kammodel.entities import KEY, EntityVersion, Sourced, content_columns, polars_schema
from kammodel.entities.schema import INSTANT, table_of
from kammodel.entities.types import to_micros

if TYPE_CHECKING:
    from kammodel.store.store import Transaction

VERSION = {name: dtype for name, dtype in polars_schema(EntityVersion).items() if name != "recorded_at"}
_STAMPS = ("updated_at", "content_changed_at")
_KNOWN_BY_NAME = ("account",)
"""Accounts are matched by name between CRMs."""
_UNSCORED = frozenset({"name", "pipeline_name", "code", "loss_reason", "email_hash", "email"})
"""Columns that no figure depends on: people edit them often, or they tell who somebody is."""
_NEXT = "next_updated_at"


def scored_columns(entity: type[Sourced]) -> list[str]:
    """The columns of an entity that scores depend on: all that come from the CRM, less names and addresses."""
    named = table_of(entity).name in _KNOWN_BY_NAME
    return [name for name in content_columns(entity) if named or name not in _UNSCORED]


def replaced_by(tx: Transaction, entity: type[Sourced], staging: str, at: dt.datetime, *, corrects: bool) -> None:
    """Appends a version of each row whose content the rows of a staging table, of the same columns, will replace.

    `corrects`: the rows are read again otherwise than before (another mapping). Where the CRM did not move a row's
    stamp it was always so, and the row was never what we took it for: it gets no version.
    """
    names = _columns(entity)
    columns = ",".join(f't."{name}"' for name in names)
    same = " AND ".join(f't."{name}"=s."{name}"' for name in KEY)
    differs = " OR ".join(f't."{name}" IS DISTINCT FROM s."{name}"' for name in content_columns(entity))
    sql = (
        f"SELECT {columns},s.updated_at AS {_NEXT} "  # noqa: S608
        f'FROM "{staging}" s JOIN "{table_of(entity).name}" t ON {same} WHERE {differs} '
        f"ORDER BY {tx.backend.in_order('t.source_id')}"
    )
    schema = polars_schema(entity)
    rows = tx.frame(sql, {name: schema[name] for name in names} | {_NEXT: INSTANT})
    rows = rows.with_columns(moved=(pl.col(_NEXT) > pl.col("updated_at")).fill_null(_only_now_stamped()))
    if corrects:
        rows = rows.filter("moved")
    until = pl.when("moved").then(_NEXT).otherwise(pl.lit(at).cast(INSTANT))
    _append(tx, entity, rows.with_columns(valid_until=until), at)


def gone(
    tx: Transaction, entity: type[Sourced], ended: pl.DataFrame, *, source: str, instance: str, at: dt.datetime
) -> None:
    """Appends a version of each row that is about to be marked deleted or merged: `ended` has source_id,
    merged_into_id. No CRM says with a deletion when it was: it counts from when we saw it."""
    names, schema = _columns(entity), polars_schema(entity)
    columns = ",".join(f'"{name}"' for name in names)
    sql = (
        f'SELECT {columns} FROM "{table_of(entity).name}" WHERE source=:source AND source_instance=:instance '  # noqa: S608
        f"AND {tx.backend.among('source_id', 'ids')} ORDER BY {tx.backend.in_order('source_id')}"
    )
    listed = tx.backend.listed(ended["source_id"])
    known = tx.frame(sql, {name: schema[name] for name in names}, source=source, instance=instance, ids=listed)
    changes = ~pl.col("deleted")
    if "merged_into_id" in schema:
        into = ended.select("source_id", into=pl.col("merged_into_id").cast(pl.String)).unique("source_id", keep="last")
        known = known.join(into, on="source_id", how="left", maintain_order="left")
        changes |= (pl.col("into") != pl.col("merged_into_id")).fill_null(
            pl.col("into").is_not_null() & pl.col("merged_into_id").is_null()
        )
    _append(tx, entity, known.filter(changes).with_columns(valid_until=pl.lit(at).cast(INSTANT)), at)


def versions_after(tx: Transaction, at: dt.datetime | None = None) -> pl.DataFrame:
    """Of each row the version in force at an instant, that is the first recorded of those that ended later: no more
    than there are rows. Without an instant all versions. In the order in which they were recorded."""
    first = (
        "WHERE version_id IN (SELECT min(version_id) FROM entity_version WHERE valid_until > :at "
        "GROUP BY entity, source, source_instance, source_id)"
    )
    bound, parameters = ("", {}) if at is None else (first, {"at": to_micros(at)})
    sql = f"SELECT {','.join(VERSION)} FROM entity_version {bound} ORDER BY version_id"  # noqa: S608
    return tx.frame(sql, VERSION, **parameters)


def as_known(
    entity: type[Sourced], frame: pl.DataFrame, versions: pl.DataFrame, at: dt.datetime, *, later_too: bool = False
) -> pl.DataFrame:
    """Rows as they were at an instant, and `is_reconstructed`. design.md step 4, readings 4 and 5.

    In: KEY and any columns of the entity as they are now, and what `versions_after` gives. Rows created after `at`
    are left out (unless `later_too`), deletions, merges and edits after it are taken back. What a column held that
    the program did not know yet when it wrote the version, it holds still.

    `is_reconstructed`: the CRM changed the row after `at` and before we first saw it, so that nobody knows what it was
    then; it is given as the earliest that we know, which later edits do not change any more. A row without
    `updated_at`, in the frame or at all, is taken to be as it was.
    """
    then = _first_ended_after(entity, frame, versions, at)
    known = frame.join(then, on=KEY, how="left", maintain_order="left") if not then.is_empty() else frame
    restored = [
        pl.when(pl.col(f"{name}:there").fill_null(value=False)).then(f"{name}:then").otherwise(name).alias(name)
        for name in frame.columns
        if f"{name}:then" in known.columns
    ]
    known = known.with_columns(restored).select(frame.columns)
    stamp = pl.col("updated_at") if "updated_at" in frame.columns else pl.lit(None, INSTANT)
    if "created_at" in frame.columns and not later_too:
        known = known.filter(pl.col("created_at").is_null() | (pl.col("created_at") <= at))
    return known.with_columns(is_reconstructed=(stamp > at).fill_null(value=False))


def _first_ended_after(
    entity: type[Sourced], frame: pl.DataFrame, versions: pl.DataFrame, at: dt.datetime
) -> pl.DataFrame:
    """KEY, and for each column of the frame `<column>:then` and `<column>:there`: of each row that changed after `at`
    the version in force then, the first recorded of those that ended later."""
    own = versions.filter(pl.col("entity") == table_of(entity).name, pl.col("valid_until") > at)
    # A piece of the rows needs no more than its own versions read.
    own = own.join(frame.select(KEY), on=KEY, how="semi")
    first = own.sort("version_id").unique(KEY, keep="first", maintain_order=True)
    schema = {name: dtype for name, dtype in polars_schema(entity).items() if name in _columns(entity)}
    wanted = [name for name in frame.columns if name in schema and name not in KEY]
    texts = first.select(*KEY, "content", fields=pl.col("content").str.json_decode(_raw(schema, wanted)))
    return texts.select(
        *KEY,
        *(_typed(pl.col("fields").struct.field(name), schema[name]).alias(f"{name}:then") for name in wanted),
        # A quotation mark within a text has a backslash before it, so that this is a key.
        *(pl.col("content").str.contains(f'"{name}":', literal=True).alias(f"{name}:there") for name in wanted),
    )


def _only_now_stamped() -> pl.Expr:
    return pl.col("updated_at").is_null() & pl.col(_NEXT).is_not_null()


def _columns(entity: type[Sourced]) -> list[str]:
    return [*KEY, *_STAMPS, *scored_columns(entity)]


def _append(tx: Transaction, entity: type[Sourced], rows: pl.DataFrame, at: dt.datetime) -> None:
    if rows.is_empty():
        return
    content = [name for name in _columns(entity) if name not in KEY]
    texts = rows.select(
        *KEY,
        entity=pl.lit(table_of(entity).name),
        valid_from="updated_at",
        valid_until="valid_until",
        recorded_at=pl.lit(at).cast(INSTANT),
        content=pl.struct(_encoded(name, rows.schema[name]) for name in content).struct.json_encode(),
    )
    tx.insert("entity_version", texts)


def _encoded(name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == INSTANT:
        return pl.col(name).dt.epoch("us")
    return pl.col(name).dt.strftime("%Y-%m-%d") if dtype == pl.Date() else pl.col(name)


def _raw(schema: dict[str, pl.DataType], names: list[str]) -> pl.Struct:
    """How columns stand in `content`."""
    kinds: dict[pl.DataType, pl.DataType] = {INSTANT: pl.Int64(), pl.Date(): pl.String()}
    return pl.Struct({name: kinds.get(schema[name], schema[name]) for name in names})


def _typed(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return value.str.to_date("%Y-%m-%d") if dtype == pl.Date() else value.cast(dtype)
