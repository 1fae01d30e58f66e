"""The columns that a rollup may name: those of the entities, under their own names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from kammodel.entities import (
    KEY,
    Activity,
    Case,
    Contract,
    LineItem,
    Opportunity,
    Person,
    Product,
    Sourced,
    polars_schema,
)
from kammodel.entities.schema import INSTANT, table_of
from kammodel.entities.types import Money
from kammodel.rollups.declaring import OVERS, Kind, Over

ENTITY: Mapping[Over, type[Sourced]] = {
    "opportunities": Opportunity,
    "line_items": LineItem,
    "activities": Activity,
    "cases": Case,
    "contacts": Person,
    "contracts": Contract,
}
LED: Mapping[Over, Mapping[str, type[Sourced]]] = {"line_items": {"opportunity": Opportunity, "product": Product}}
"""Rows that a row leads to: their columns are named `opportunity.status`."""

_MADE: Mapping[Over, Mapping[str, Kind]] = {"activities": {"day": "date", "is_done": "flag"}}
"""Columns that no entity has: what touches stand on (readings 1 and 22)."""

_HIDDEN = frozenset(
    {"source_instance", "updated_at", "deleted", "synced_at", "content_changed_at", "merged_into_id", "is_counted"}
) | {"email", "email_hash"}
"""The envelope less what people know a row by; what decides whether a row counts at all; addresses, which no figure
and no field of an account is to show."""

_KINDS: Mapping[pl.DataType, Kind] = {
    INSTANT: "moment",
    pl.Boolean(): "flag",
    pl.Date(): "date",
    pl.Int64(): "whole",
    pl.Float64(): "number",
}


@dataclass(frozen=True)
class Column:
    """`entity` and `source`: where it is read, None of what is made of others."""

    name: str
    kind: Kind
    entity: type[Sourced] | None
    source: str


@cache
def columns_of(over: Over) -> Mapping[str, Column]:
    """The columns by name, in the order in which they are documented."""
    own = _of_entity(ENTITY[over], "")
    made = [Column(name, kind, None, name) for name, kind in _MADE.get(over, {}).items()]
    led = [c for prefix, entity in LED.get(over, {}).items() for c in _of_entity(entity, f"{prefix}.")]
    return {column.name: column for column in (*own, *made, *led)}


def entities_of(over: Over, names: Iterable[str]) -> dict[type[Sourced], tuple[str, ...]]:
    """The columns of entities that are read for rollups which look at these columns."""
    found: dict[type[Sourced], tuple[str, ...]] = {}
    for column in map(columns_of(over).__getitem__, names):
        if column.entity is not None:
            money = ("currency",) if column.kind == "money" else ()
            found[column.entity] = (*found.get(column.entity, KEY), column.source, *money)
    return {entity: tuple(dict.fromkeys(columns)) for entity, columns in found.items()}


def _of_entity(entity: type[Sourced], prefix: str) -> list[Column]:
    table = table_of(entity)
    return [
        Column(f"{prefix}{name}", _kind(name, dtype, is_money=isinstance(table.c[name].type, Money)), entity, name)
        for name, dtype in sorted(polars_schema(entity).items(), key=lambda item: item[0] in {*KEY, "created_at"})
        if name not in _HIDDEN and not (prefix and name in KEY)
    ]


def _kind(name: str, dtype: pl.DataType, *, is_money: bool) -> Kind:
    if is_money:
        return "money"
    if name == "probability" or name.endswith("_share"):
        return "ratio"
    return _KINDS.get(dtype, "text")


ALL_COLUMNS = {over: columns_of(over) for over in OVERS}
