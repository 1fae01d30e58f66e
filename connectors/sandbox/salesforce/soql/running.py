"""Runs a SOQL statement over the tables of an org."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.field_history import seen_by
from connectors.sandbox.salesforce.fields import TEXTS
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.refusals import Refusal, error, invalid_field, malformed_query
from connectors.sandbox.salesforce.soql.conditions import Conditions, span
from connectors.sandbox.salesforce.soql.grouping import grouped
from connectors.sandbox.salesforce.soql.parser import parse
from connectors.sandbox.salesforce.soql.paths import Scope
from connectors.sandbox.salesforce.soql.projection import Json, Shape, shape
from connectors.sandbox.salesforce.soql.syntax import Path, Select
from connectors.sandbox.salesforce.table import Row, Table


@dataclass(frozen=True)
class World:
    """What a query runs over, and for whom."""

    tables: Mapping[str, Table]
    access: Access
    now: dt.datetime
    zone: ZoneInfo
    base: str
    newest_first: bool = False


@dataclass(frozen=True)
class Answer:
    """A result: how many, and one record per key (an id, or the row's number where rows are groups)."""

    total: int
    keys: list[Any]
    record: Callable[[Any], Json | None]


def run(world: World, soql: str, *, everything: bool) -> Answer:
    """Run a statement; `everything` shows deleted and archived rows too. Raises Refusal."""
    statement = parse(soql)
    scope = Scope(world.tables, world.access, statement)
    table = scope.table()
    rows = _matching(world, scope, table, everything=everything)
    if statement.count_only:
        return Answer(_count(rows, statement), [], lambda _: None)
    if statement.aggregate:
        groups = _limited(grouped(scope, table, rows), statement)
        return Answer(len(groups), list(range(len(groups))), groups.__getitem__)
    shaped = shape(scope, table, _paths(scope, table), world.base)
    keys = [row[0] for row in _limited(rows, statement)]
    return Answer(len(keys), keys, _shown(table, shaped, stamp(world.now)))


def selected(world: World, statement: Select, *, everything: bool) -> tuple[Scope, Table, list[Path], Iterable[Row]]:
    """The rows themselves of a statement without aggregates, and the fields asked of them. Raises Refusal."""
    scope = Scope(world.tables, world.access, statement)
    table = scope.table()
    rows = _matching(world, scope, table, everything=everything)
    limited = rows if statement.limit is None else _limited(rows, statement)
    return scope, table, _paths(scope, table), limited


def _shown(table: Table, shaped: Shape, now: str) -> Callable[[Any], Json | None]:
    columns = table.position

    def record(record_id: Any) -> Json | None:
        if table.position is not columns:  # a field was deleted since, and the others have moved up
            raise error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        row = table.seen(record_id, now)
        return None if row is None else shaped(row)

    return record


def _count(rows: Iterable[Row], statement: Select) -> int:
    return len(_limited(rows, statement)) if statement.limit is not None else sum(1 for _ in rows)


def _limited(rows: Iterable[Any], statement: Select) -> list[Any]:
    end = None if statement.limit is None else statement.offset + statement.limit
    return list(islice(rows, statement.offset, end))


def _matching(world: World, scope: Scope, table: Table, *, everything: bool) -> Iterable[Row]:
    """Rows that pass, in the order asked for."""
    statement = scope.statement

    def subquery(inner: Select) -> set[Any]:
        inside = Scope(world.tables, world.access, inner)
        path = inner.items[0] if len(inner.items) == 1 else None
        if not isinstance(path, Path):
            raise malformed_query(inner.text, inner.sobject_at, "semi join sub-selects must select one field")
        inner_table = inside.table()
        column = inside.column(inner_table, path)
        return {column.get(row) for row in _matching(world, inside, inner_table, everything=everything)}

    conditions = Conditions(scope, table, world.now, world.zone, subquery)
    test = conditions.test(statement.where) if statement.where else None
    candidates, by_id = table.span(span(statement.where), stamp(world.now))
    if not everything:
        candidates = filter(_current(table), candidates)
    permitted = seen_by(world.access, table, world.tables)
    if permitted:
        candidates = filter(permitted, candidates)
    rows: Iterable[Row] = filter(test, candidates) if test else candidates
    if not statement.order_by:
        return reversed(list(rows)) if world.newest_first and not statement.aggregate else rows
    return _ordered(scope, table, rows, by_id=by_id)


def _current(table: Table) -> Callable[[Row], bool]:
    deleted, archived = table.position.get("isdeleted"), table.position.get("isarchived")
    if deleted is None:
        return lambda _: True
    if archived is None:
        return lambda row: not row[deleted]
    return lambda row: not (row[deleted] or row[archived])


def _ordered(scope: Scope, table: Table, rows: Iterable[Row], *, by_id: bool) -> Iterable[Row]:
    statement = scope.statement
    plain = tuple(o.path.text.lower() for o in statement.order_by if not o.descending)
    if len(plain) == len(statement.order_by) and not statement.aggregate:
        natural = plain == ("id",) if by_id else plain in {("systemmodstamp",), ("systemmodstamp", "id")}
        if natural:
            return rows
    if statement.aggregate:
        return rows
    kept = list(rows)
    for order in reversed(statement.order_by):
        column = scope.column(table, order.path)
        if not column.field.sortable:
            raise invalid_field(
                statement.text, order.path.at, f"field '{column.field.name}' can not be sorted in a query call"
            )
        get, fold = column.get, column.field.type in TEXTS
        nulls = [row for row in kept if get(row) is None]
        others = [row for row in kept if get(row) is not None]
        others.sort(key=(lambda row, get=get: get(row).lower()) if fold else get, reverse=order.descending)
        kept = others + nulls if order.nulls_last else nulls + others
    return kept


def _paths(scope: Scope, table: Table) -> list[Path]:
    """The fields asked for, FIELDS() spelled out."""
    statement = scope.statement
    paths = [item for item in statement.items if isinstance(item, Path)]
    if statement.all_fields:
        paths += [Path((f.name,), statement.sobject_at) for f in _listed(scope, table, statement.all_fields)]
    seen: set[str] = set()
    for path in paths:
        if path.text.lower() in seen:
            raise malformed_query(statement.text, path.at, f"duplicate field selected: {path.text}")
        seen.add(path.text.lower())
    return paths


def _listed(scope: Scope, table: Table, which: str) -> list[Any]:
    if which not in {"ALL", "STANDARD", "CUSTOM"}:
        raise malformed_query(scope.statement.text, scope.statement.sobject_at, f"unexpected token: '{which}'")
    if which != "STANDARD" and (scope.statement.limit is None or scope.statement.limit > 200):
        raise _unbounded()
    visible = [f for f in table.fields if scope.visible(table, f.name)]
    return [f for f in visible if which == "ALL" or f.custom == (which == "CUSTOM")]


def _unbounded() -> Refusal:
    return error(
        400,
        "MALFORMED_QUERY",
        "The SOQL FIELDS function must have a LIMIT of at most 200",
    )
