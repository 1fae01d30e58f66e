"""Compares the ids that a CRM has with those that the store has, however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from kammodel.entities import Sourced
from kammodel.store import sqlite
from kammodel.store.store import Store

_ID = {"source_id": pl.String()}


@dataclass(frozen=True)
class Compared:
    """`vanished`: ids that live here and not in the CRM. `missing`: those that live there, and are here not at all,
    or deleted; what is set aside is not missing. `live`: how many live here."""

    vanished: pl.Series
    missing: pl.Series
    live: int


def compare_ids(
    store: Store,
    entity: type[Sourced],
    existing: Iterable[pl.Series],
    *,
    source: str,
    instance: str,
    stream: str,
    id_prefix: str = "",
) -> Compared:
    """`existing`: every id that lives in the CRM, in portions. `id_prefix`: where several streams fill one entity,
    what the ids of this one begin with.

    The ids lie in a table of their own meanwhile, on disk and outside of any transaction: reading them takes minutes,
    and others want to write.
    """
    of_stream = {"source": source, "instance": instance, "prefix": f"{id_prefix}%"}
    with store.scratch() as scratch:
        sqlite.execute(scratch, "CREATE TEMP TABLE existing (source_id TEXT PRIMARY KEY) WITHOUT ROWID")
        for ids in existing:
            sqlite.insert_ids(scratch, "existing", ids)
        here = f'"{entity.__tablename__}" WHERE source=:source AND source_instance=:instance'
        ours = f"{here} AND source_id LIKE :prefix AND NOT deleted"
        live = sqlite.fetch_rows(scratch, f"SELECT count(*) n FROM {ours}", {"n": pl.Int64()}, of_stream)  # noqa: S608
        vanished = sqlite.fetch_rows(
            scratch,
            f"SELECT source_id FROM {ours} AND source_id NOT IN (SELECT source_id FROM existing)",  # noqa: S608
            _ID,
            of_stream,
        )
        missing = sqlite.fetch_rows(
            scratch,
            "SELECT source_id FROM existing WHERE source_id NOT IN "  # noqa: S608
            f"(SELECT source_id FROM {here} AND NOT deleted) AND source_id NOT IN (SELECT source_id FROM "
            "rejected_record WHERE source=:source AND source_instance=:instance AND stream=:stream "
            "AND resolved_at IS NULL)",
            _ID,
            {"source": source, "instance": instance, "stream": stream},
        )
    return Compared(vanished["source_id"], missing["source_id"], int(live["n"][0]))
