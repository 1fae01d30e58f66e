"""Measures what a store holds of one org, for the guard: rows, columns without a value, and rows set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from kammodel.entities import Sourced
from kammodel.publish.guard import NULLS, REJECTS, ROWS
from kammodel.store.store import Transaction


def measured(
    tx: Transaction, source: str, instance: str, columns: Mapping[type[Sourced], Sequence[str]]
) -> dict[str, float]:
    """By name: the rows of each entity that are not deleted, the share of each column that is null, and the rows that
    are set aside. An entity without rows has no columns."""
    of = {"source": source, "instance": instance}
    found: dict[str, float] = {}
    for entity, names in columns.items():
        found |= _of_entity(tx, entity, names, of)
    sql = (
        "SELECT entity, count(*) AS n FROM rejected_record WHERE source=:source AND source_instance=:instance "
        "AND resolved_at IS NULL GROUP BY entity"
    )
    rejects = tx.frame(sql, {"entity": pl.String(), "n": pl.Int64()}, **of).sort("entity")
    return found | {f"{REJECTS}{entity}": float(n) for entity, n in rejects.iter_rows()}


def _of_entity(tx: Transaction, entity: type[Sourced], names: Sequence[str], of: Mapping[str, str]) -> dict[str, float]:
    table = str(entity.__tablename__)
    counted = "".join(f', count("{name}") AS "{name}"' for name in names)
    sql = (
        f'SELECT count(*) AS "rows of it"{counted} FROM "{table}" WHERE source=:source '  # noqa: S608
        "AND source_instance=:instance AND NOT deleted"
    )
    rows, *known = tx.frame(sql, dict.fromkeys(("rows of it", *names), pl.Int64()), **of).row(0)
    shares = {f"{NULLS}{table}.{name}": 1 - n / rows for name, n in zip(names, known, strict=True)} if rows else {}
    return {f"{ROWS}{table}": float(rows)} | shares
