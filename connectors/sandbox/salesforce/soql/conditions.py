"""Turns a WHERE clause into a test of rows, and into the span of rows that need testing."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.salesforce.fields import NUMBERS, TEXTS, Field
from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.instants import midnight
from connectors.sandbox.salesforce.refusals import Refusal, error, invalid_field
from connectors.sandbox.salesforce.soql.paths import Column, Getter, Scope
from connectors.sandbox.salesforce.soql.periods import period
from connectors.sandbox.salesforce.soql.syntax import (
    Comparison,
    Condition,
    Junction,
    Literal,
    Membership,
    Negation,
    Path,
    Select,
)
from connectors.sandbox.salesforce.soql.tokens import like_pattern
from connectors.sandbox.salesforce.table import Row, Span, Table

Test = Callable[[Row], bool]
Subquery = Callable[[Select], set[Any]]
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_IDS = frozenset({"id", "reference"})
_TYPE_NAMES = {"datetime": "dateTime", "int": "int", "boolean": "boolean", "date": "date"}


class Conditions:
    """Compiles the conditions of one statement over one table."""

    def __init__(self, scope: Scope, table: Table, now: dt.datetime, zone: ZoneInfo, subquery: Subquery) -> None:
        self._scope, self._table, self._subquery = scope, table, subquery
        self._today, self._zone = now.astimezone(zone).date(), zone

    def test(self, node: Condition) -> Test:
        """The test of a condition. Raises Refusal."""
        if isinstance(node, Junction):
            tests = [self.test(part) for part in node.parts]
            return _all(tests) if node.operator == "AND" else _any(tests)
        if isinstance(node, Negation):
            inner = self.test(node.inner)
            return lambda row: not inner(row)
        column = self._filterable(node.path)
        if isinstance(node, Membership):
            return self._membership(node, column)
        return self._comparison(node, column)

    def _filterable(self, path: Path) -> Column:
        column = self._scope.column(self._table, path)
        if not column.field.filterable:
            raise self._refused(path.at, f"field '{column.field.name}' can not be filtered in a query call")
        return column

    def _refused(self, at: int, why: str) -> Refusal:
        return invalid_field(self._scope.statement.text, at, why)

    # One value.

    def _comparison(self, node: Comparison, column: Column) -> Test:
        field, get, value = column.field, column.get, node.value
        if node.operator == "LIKE":
            return self._like(node, column)
        if value.kind == "period":
            return self._period(node, column)
        wanted = self._value(field, value)
        if node.operator in _ORDERINGS:
            if field.type == "boolean" or wanted is None:
                raise error(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {field.name}: {node.operator}")
            compare = _ORDERINGS[node.operator]
            get, wanted = _folded(field, get), _fold(field, wanted)
            return lambda row: (have := get(row)) is not None and compare(have, wanted)
        get, wanted = _folded(field, get), _fold(field, wanted)
        if node.operator == "=":
            return lambda row: get(row) == wanted
        return lambda row: get(row) != wanted

    def _like(self, node: Comparison, column: Column) -> Test:
        if column.field.type not in TEXTS or node.value.kind != "string":
            raise error(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {column.field.name}: LIKE")
        pattern, get = like_pattern(node.value.raw), column.get
        return lambda row: (have := get(row)) is not None and pattern.fullmatch(have) is not None

    def _period(self, node: Comparison, column: Column) -> Test:
        word = str(node.value.value)
        days = period(word, node.value.count, self._today)
        if days is None:
            raise self._refused(node.value.at, f"Bind variables only allowed in Apex code: {node.value.raw}")
        if column.field.type not in {"date", "datetime"}:
            raise self._wrong_type(column.field, node.value)
        on_dates = column.field.type == "date"
        start, end = (day.isoformat() if on_dates else midnight(day, self._zone) for day in days)
        get = column.get
        tests: dict[str, Callable[[Any], bool]] = {
            "=": lambda have: start <= have < end,
            "!=": lambda have: not start <= have < end,
            "<": lambda have: have < start,
            "<=": lambda have: have < end,
            ">": lambda have: have >= end,
            ">=": lambda have: have >= start,
        }
        inside = tests[node.operator]
        return lambda row: (have := get(row)) is not None and inside(have)

    # Several values.

    def _membership(self, node: Membership, column: Column) -> Test:
        field = column.field
        if node.operator in {"INCLUDES", "EXCLUDES"}:
            return self._includes(node, column)
        if isinstance(node.values, Select):
            members = self._subquery(node.values)
            get = column.get
        else:
            members = {_fold(field, self._value(field, value)) for value in node.values}
            get = _folded(field, column.get)
        if node.operator == "IN":
            return lambda row: get(row) in members
        return lambda row: get(row) not in members

    def _includes(self, node: Membership, column: Column) -> Test:
        if column.field.type != "multipicklist" or isinstance(node.values, Select):
            raise error(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {column.field.name}")
        wanted = [set(str(value.value).split(";")) for value in node.values]
        get = column.get

        def includes(row: Row) -> bool:
            have = set((get(row) or "").split(";"))
            return any(one <= have for one in wanted)

        return includes if node.operator == "INCLUDES" else lambda row: not includes(row)

    # Values.

    def _value(self, field: Field, literal: Literal) -> Any:
        """A literal as the field stores it. Raises Refusal where the kinds do not go together."""
        if literal.kind == "null":
            return None
        if field.type in _IDS and literal.kind == "string":
            return self._id(literal)
        if field.type in TEXTS and literal.kind == "string":
            return literal.value or None
        fits = (
            (field.type in NUMBERS and literal.kind == "number")
            or (field.type == "boolean" and literal.kind == "boolean")
            or (field.type in {"date", "datetime"} and literal.kind == field.type)
        )
        if not fits:
            raise self._wrong_type(field, literal)
        return literal.value

    def _id(self, literal: Literal) -> str | None:
        if not literal.value:
            return None
        text = str(literal.value)
        full = widened(text)
        if full is None:
            raise error(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
        return full

    def _wrong_type(self, field: Field, literal: Literal) -> Refusal:
        if field.type in TEXTS | _IDS:
            return self._refused(
                literal.at,
                f"value of filter criterion for field '{field.name}' must be of type string and should be enclosed in "
                "quotes",
            )
        name = _TYPE_NAMES.get(field.type, "double")
        return self._refused(
            literal.at,
            f"value of filter criterion for field '{field.name}' must be of type {name} and should not be enclosed in "
            "quotes",
        )


def span(node: Condition | None) -> Span:
    """The ids and change stamps outside of which no row can pass a condition."""
    if node is None:
        return Span()
    return Span(_bounds(node, "id"), _bounds(node, "systemmodstamp"))


Bounds = tuple[str | None, str | None]


def _bounds(node: Condition, name: str) -> Bounds:
    if isinstance(node, Junction):
        each = [_bounds(part, name) for part in node.parts]
        lows, highs = [low for low, _ in each], [high for _, high in each]
        if node.operator == "AND":
            return max((x for x in lows if x), default=None), min((x for x in highs if x), default=None)
        # Either side may hold: the span is that of both, and open where one is open.
        return (
            min(x or "" for x in lows) or None,
            None if any(x is None for x in highs) else max(x or "" for x in highs),
        )
    if isinstance(node, Negation) or node.path.text.lower() != name:
        return None, None
    if isinstance(node, Comparison):
        value = _bound(node.value, name)
        low = value if node.operator in {"=", ">", ">="} else None
        return low, value if node.operator in {"=", "<", "<="} else None
    if node.operator != "IN" or isinstance(node.values, Select):
        return None, None
    values = [_bound(value, name) for value in node.values]
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known and len(known) == len(values) else (None, None)


def _bound(literal: Literal, name: str) -> str | None:
    if literal.kind not in {"string", "datetime"} or not literal.value:
        return None
    return widened(str(literal.value)) if name == "id" else str(literal.value)


def _fold(field: Field, value: Any) -> Any:
    return value.lower() if field.type in TEXTS and isinstance(value, str) else value


def _folded(field: Field, get: Getter) -> Getter:
    if field.type not in TEXTS:
        return get
    return lambda row: have.lower() if (have := get(row)) is not None else None


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)
    return lambda row: all(test(row) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)
