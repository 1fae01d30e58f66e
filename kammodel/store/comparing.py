"""Compares the ids that a CRM has with those that the store has, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from kammodel.entities import Sourced
from kammodel.store.certifying import ALL, Ends, in_ranges
from kammodel.store.store import Store

_ID = {"source_id": pl.String()}


@dataclass(frozen=True)
class Compared:
    """`vanished`: ids that live here and not in the CRM. `missing`: those that live there, and are here not at all,
    or deleted; what is set aside is not missing. `live`: how many live here, in whatever range."""

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
    within: Callable[[], Sequence[Ends]] = lambda: (ALL,),
) -> Compared:
    """`existing`: every id that lives in the CRM, in portions. `id_prefix`: where several streams fill one entity,
    what the ids of this one begin with. `within`: the ranges of the numbers that the ids are in which `existing` had
    all of them, asked when it has ended.

    The ids lie in a table of their own meanwhile, on disk and outside of any transaction: reading them takes minutes,
    and others want to write.
    """
    of_stream = {"source": source, "instance": instance, "prefix": f"{id_prefix}%"}
    with store.scratch() as scratch:
        scratch.run("CREATE TEMPORARY TABLE existing (source_id TEXT PRIMARY KEY)", [{}])
        for ids in existing:
            rows = ({"id": id_} for id_ in ids)
            scratch.run("INSERT INTO existing (source_id) VALUES (:id) ON CONFLICT DO NOTHING", rows)
        here = f'"{entity.__tablename__}" t WHERE t.source=:source AND t.source_instance=:instance'
        every = f"{here} AND t.source_id LIKE :prefix AND NOT t.deleted"
        told, bounds = in_ranges(within(), len(id_prefix))
        ours = f"{every} AND {told}"
        live = scratch.frame(f"SELECT count(*) n FROM {every}", {"n": pl.Int64()}, **of_stream)  # noqa: S608
        vanished = scratch.frame(
            f"SELECT t.source_id FROM {ours} AND NOT EXISTS "  # noqa: S608
            "(SELECT 1 FROM existing e WHERE e.source_id=t.source_id)",
            _ID,
            **of_stream,
            **bounds,
        )
        missing = scratch.frame(
            "SELECT e.source_id FROM existing e WHERE NOT EXISTS "  # noqa: S608
            f"(SELECT 1 FROM {here} AND NOT t.deleted AND t.source_id=e.source_id) AND NOT EXISTS "
            "(SELECT 1 FROM rejected_record r WHERE r.source=:source AND r.source_instance=:instance "
            "AND r.stream=:stream AND r.source_id=e.source_id AND r.resolved_at IS NULL)",
            _ID,
            source=source,
            instance=instance,
            stream=stream,
        )
    return Compared(vanished["source_id"], missing["source_id"], int(live["n"][0]))
