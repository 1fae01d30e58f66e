"""Shapes rows as a query answers them: attributes first, then the fields in the order asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.refusals import no_such_column, no_such_relationship
from connectors.sandbox.salesforce.soql.paths import NAME_FIELDS, Scope, named_value
from connectors.sandbox.salesforce.soql.syntax import Path
from connectors.sandbox.salesforce.table import Row, Table

Json = dict[str, Any]
Shape = Callable[[Row], Json]


@dataclass
class _Wanted:
    """Fields of one object, and those reached over its lookups."""

    fields: dict[str, Path] = field(default_factory=dict)
    beyond: dict[str, tuple[_Wanted, Path, str]] = field(default_factory=dict)
    order: list[tuple[str, bool]] = field(default_factory=list)


def shape(scope: Scope, table: Table, paths: list[Path], base: str) -> Shape:
    """How a row of `table` is shown. `base` is `/services/data/vNN.0/sobjects`. Raises Refusal INVALID_FIELD."""
    wanted = _Wanted()
    for path in paths:
        parts = path.parts
        if len(parts) > 1 and parts[0].lower() == table.name.lower() and scope.statement.sobject:
            parts = parts[1:]
        _sort_in(wanted, parts, path)
    return _shape(scope, table, wanted, base)


def _sort_in(wanted: _Wanted, parts: tuple[str, ...], path: Path) -> None:
    name = parts[0].lower()
    if len(parts) == 1:
        if name not in wanted.fields:
            wanted.fields[name] = path
            wanted.order.append((name, False))
        return
    if name not in wanted.beyond:
        wanted.beyond[name] = (_Wanted(), path, parts[0])
        wanted.order.append((name, True))
    _sort_in(wanted.beyond[name][0], parts[1:], path)


def _shape(scope: Scope, table: Table, wanted: _Wanted, base: str) -> Shape:
    steps: list[tuple[str, Callable[[Row], Any]]] = []
    for name, is_lookup in wanted.order:
        if is_lookup:
            inner, path, written = wanted.beyond[name]
            lookup = scope.lookup(table, written, path)
            steps.append((lookup.relationship or name, _beyond(scope, table, lookup, inner, base)))
            continue
        one = scope.visible(table, name)
        if one is None:
            path = wanted.fields[name]
            raise no_such_column(scope.statement.text, path.at, path.parts[-1], table.name)
        steps.append((one.name, _plain(table, one)))
    kind, start = table.name, f"{base}/{table.name}/"

    def shaped(row: Row) -> Json:
        record: Json = {"attributes": {"type": kind, "url": start + row[0]}}
        for key, get in steps:
            record[key] = get(row)
        return record

    return shaped


def _plain(table: Table, one: Field) -> Callable[[Row], Any]:
    if one.type == "address":
        return lambda row: address_value(table, row, one)
    return table.getter(one.name)


def _beyond(scope: Scope, table: Table, lookup: Field, inner: _Wanted, base: str) -> Callable[[Row], Any]:
    place = table.position[lookup.name.lower()]
    targets = [scope.tables[t.lower()] for t in lookup.refers_to if t.lower() in scope.tables]
    if len(lookup.refers_to) > 1:
        return _pointed(scope, targets, inner, place, base)
    target = targets[0]
    shaped = _shape(scope, target, inner, base)

    def follow(row: Row) -> Json | None:
        referred = target.rows.get(row[place])
        return None if referred is None else shaped(referred)

    return follow


def _pointed(scope: Scope, targets: list[Table], inner: _Wanted, place: int, base: str) -> Callable[[Row], Any]:
    for _, path, written in inner.beyond.values():
        raise no_such_relationship(scope.statement.text, path.at, written)
    names = []
    for name, path in inner.fields.items():
        if name not in NAME_FIELDS:
            raise no_such_column(scope.statement.text, path.at, path.parts[-1], "Name")
        names.append(NAME_FIELDS[name].name)

    def follow(row: Row) -> Json | None:
        kind = named_value(targets, row[place], "Type")
        if kind is None:
            return None
        record: Json = {"attributes": {"type": "Name", "url": f"{base}/{kind}/{row[place]}"}}
        return record | {name: named_value(targets, row[place], name) for name in names}

    return follow


def address_value(table: Table, row: Row, compound: Field) -> Json | None:
    """A compound address from its parts; None where all are empty."""
    prefix = compound.name.removesuffix("Address")
    parts = {
        key: table.value(row, prefix + part)
        for key, part in (
            ("city", "City"),
            ("country", "Country"),
            ("postalCode", "PostalCode"),
            ("state", "State"),
            ("street", "Street"),
        )
    }
    if not any(parts.values()):
        return None
    return {**parts, "geocodeAccuracy": None, "latitude": None, "longitude": None}
