"""Folds rows into groups: GROUP BY and the aggregate functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connectors.sandbox.salesforce.fields import NUMBERS
from connectors.sandbox.salesforce.refusals import malformed_query
from connectors.sandbox.salesforce.soql.paths import Getter, Scope
from connectors.sandbox.salesforce.soql.syntax import Call, Path
from connectors.sandbox.salesforce.table import Row, Table

Json = dict[str, Any]
Fold = Callable[[list[Any]], Any]
_FOLDS: dict[str, Fold] = {
    "COUNT": len,
    "COUNT_DISTINCT": lambda values: len(set(values)),
    "SUM": lambda values: sum(values) if values else None,
    "AVG": lambda values: sum(values) / len(values) if values else None,
    "MIN": lambda values: min(values, default=None),
    "MAX": lambda values: max(values, default=None),
}


def grouped(scope: Scope, table: Table, rows: Iterable[Row]) -> list[Json]:
    """One record per group, in the order of the group's values or as ORDER BY says. Raises Refusal."""
    statement = scope.statement
    keys = [scope.column(table, path) for path in statement.group_by]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(key.get(row) for key in keys), []).append(row)
    if not keys and not groups:
        groups[()] = []
    outputs = _outputs(scope, table)
    ordered = _ordered(scope, groups)
    return [
        {"attributes": {"type": "AggregateResult"}} | {name: output(groups[key]) for name, output in outputs}
        for key in ordered
    ]


def _outputs(scope: Scope, table: Table) -> list[tuple[str, Callable[[list[Row]], Any]]]:
    statement = scope.statement
    group_names = {path.text.lower() for path in statement.group_by}
    outputs: list[tuple[str, Callable[[list[Row]], Any]]] = []
    unnamed = 0
    for item in statement.items:
        if isinstance(item, Path):
            if item.text.lower() not in group_names:
                raise malformed_query(statement.text, item.at, f"Field must be grouped or aggregated: {item.parts[-1]}")
            column = scope.column(table, item)
            outputs.append((column.field.name, _first(column.get)))
            continue
        name = item.alias
        if name is None:
            name, unnamed = f"expr{unnamed}", unnamed + 1
        outputs.append((name, _folding(scope, table, item)))
    return outputs


def _first(get: Getter) -> Callable[[list[Row]], Any]:
    return lambda rows: get(rows[0])


def _folding(scope: Scope, table: Table, call: Call) -> Callable[[list[Row]], Any]:
    if call.path is None:
        return len
    column = scope.column(table, call.path)
    if call.function in {"SUM", "AVG"} and column.field.type not in NUMBERS:
        raise malformed_query(
            scope.statement.text, call.at, f"field {call.path.text} does not support aggregate operator {call.function}"
        )
    fold, get = _FOLDS[call.function], column.get
    if column.field.type == "currency" and call.function in {"SUM", "AVG", "MIN", "MAX"} and len(call.path.parts) == 1:
        get = _in_home_currency(scope, table, get)
    return lambda rows: fold([value for row in rows if (value := get(row)) is not None])


def _in_home_currency(scope: Scope, table: Table, get: Getter) -> Getter:
    """With several currencies, aggregates of amounts are in the org's own, by the rates of CurrencyType."""
    code, types = table.position.get("currencyisocode"), scope.tables.get("currencytype")
    if code is None or types is None:
        return get
    iso, rate = types.position["isocode"], types.position["conversionrate"]
    rates = {row[iso]: row[rate] for row in types.rows.values()}

    def converted(row: Row) -> Any:
        value, by = get(row), rates.get(row[code])
        return value if value is None or not by or by == 1 else value / by

    return converted


def _ordered(scope: Scope, groups: dict[tuple[Any, ...], list[Row]]) -> list[tuple[Any, ...]]:
    statement = scope.statement
    names = [path.text.lower() for path in statement.group_by]
    ordered = sorted(groups, key=lambda key: tuple((value is not None, value) for value in key))
    for order in reversed(statement.order_by):
        if order.path.text.lower() not in names:
            raise malformed_query(
                statement.text, order.path.at, f"Ordered field must be grouped or aggregated: {order.path.text}"
            )
        place = names.index(order.path.text.lower())
        ordered.sort(key=lambda key, p=place: (key[p] is not None, key[p]), reverse=order.descending)  # type: ignore[misc]
    return ordered
