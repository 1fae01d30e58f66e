"""Reads conditions, windows and orders of a rollup, each against the columns of the entity."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from kammodel.rollups.columns import Column
from kammodel.rollups.declaring import TESTS, AnyOf, Condition, Filter, Kind, Order, Test, Value, Window
from kammodel.rollups.tables import Table, nearest, shown

Columns = Mapping[str, Column]
SCALES: Mapping[Kind, int] = {"money": 4, "number": 6, "ratio": 6}
"""Decimals of the whole numbers that a kind stands as."""

_LARGEST = 2**63 - 1
_LISTS: frozenset[Test] = frozenset({"in", "not_in"})
_WITHOUT: frozenset[Test] = frozenset({"is_null", "is_not_null"})
_RANGES: frozenset[Test] = frozenset({"less_than", "at_most", "more_than", "at_least"})
_DAYS: frozenset[Kind] = frozenset({"date", "moment"})
_WANTED: Mapping[Kind, str] = {
    "text": "a text",
    "money": "an amount with at most 4 decimals",
    "number": "a number with at most 6 decimals",
    "ratio": "a number with at most 6 decimals",
    "whole": "a whole number",
    "date": "a day, 2026-06-30 without quotes",
    "moment": "a day, 2026-06-30 without quotes",
    "flag": "true or false",
}


def column_of(table: Table, columns: Columns, *, required: bool = True) -> Column | None:
    """The column that a table names by `column`."""
    name = table.text("column", required=required)
    if name is None or name in columns:
        return None if name is None else columns[name]
    table.wrong("column", f"there is no column {shown(name)}{nearest(name, columns)}")
    return None


def read_filter(table: Table, key: str, columns: Columns) -> Filter:
    """The conditions of a list: each a test of a column, or `any` of several tests."""
    found: list[Condition | AnyOf] = []
    for inner in table.tables(key):
        if not inner.has("any"):
            found += _condition(inner, columns)
            continue
        own = [one for deeper in inner.tables("any") for one in _condition(deeper, columns)]
        inner.done()
        if own:
            found.append(AnyOf(tuple(own)))
    return tuple(found)


def _condition(table: Table, columns: Columns) -> list[Condition]:
    column = column_of(table, columns)
    named: list[Test] = [test for test in TESTS if table.has(test)]
    values = {test: table.get(test, "", lambda _: True) for test in TESTS}
    table.done()
    if len(named) != 1:
        table.faults.add(table.path, f"give one test of the column, not {len(named)}: one of {', '.join(TESTS)}")
        return []
    test = named[0]
    if column is None:
        return []
    value, reason = _value(test, values[test], column.kind)
    if reason is not None:
        table.wrong(test, reason)
        return []
    return [Condition(column.name, test, value)]


def _value(test: Test, value: Any, kind: Kind) -> tuple[Value, str | None]:
    """The value as it stands in a frame, or why it cannot."""
    unfit = _unfit(test, kind)
    if unfit is not None:
        return None, unfit
    if test in _WITHOUT:
        return None, None if value is True else f"{shown(value)} is not true: write {test} = true"
    if test not in _LISTS:
        one = typed(value, kind)
        return one, f"{shown(value)} is not {_WANTED[kind]}" if one is None else None
    if not isinstance(value, list) or not value:
        return None, f"{shown(value)} is not a list of values, [...]"
    several = tuple(typed(one, kind) for one in value)
    wrong = [shown(one) for one, fits in zip(value, several, strict=True) if fits is None]
    if wrong:
        return None, f"{', '.join(wrong)} is not {_WANTED[kind]}"
    return tuple(one for one in several if one is not None), None


def _unfit(test: Test, kind: Kind) -> str | None:
    if test == "contains" and kind != "text":
        return f"a {kind} contains nothing: only a text does"
    if test in _RANGES and kind in {"flag", "text"}:
        return f"a {kind} is neither more nor less than another; use is or in"
    if test in _LISTS and kind == "flag":
        return "a flag is true or false; use is"
    return None


def typed(value: Any, kind: Kind) -> str | int | bool | dt.date | None:
    """A TOML value as it stands in a column of a kind; None where it cannot."""
    if kind == "flag":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind == "text":
        return value if isinstance(value, str) else None
    if kind in _DAYS:
        return value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else None
    return _number(value, SCALES.get(kind, 0))


def _number(value: Any, scale: int) -> int | None:
    if not isinstance(value, int | Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        return None
    shifted = Decimal(value).scaleb(scale)
    if abs(shifted) > _LARGEST or shifted != shifted.to_integral_value():
        return None
    return int(shifted)


def read_window(table: Table, columns: Columns) -> Window | None:
    """`{ column, last = 90, unit = "days" }`, the same with `next`, or `{ column, to_date = "year" }`."""
    column = _day_column(table, columns)
    named = [key for key in ("last", "next", "to_date") if table.has(key)]
    last, ahead = table.whole("last", 1, 36_500), table.whole("next", 1, 36_500)
    to_date = table.choice("to_date", ("year", "quarter"))
    unit = table.choice("unit", ("days", "months"), required=named in (["last"], ["next"]))
    table.done()
    if len(named) != 1:
        table.faults.add(table.path, "give one of last, next and to_date")
        return None
    if to_date is not None and table.has("unit"):
        table.wrong("unit", "goes with last and next only")
    n = last or ahead
    if column is None or (to_date is None and (n is None or unit is None)):
        return None
    kind = named[0]
    return Window(column.name, kind, to_date or unit or "days", n or 0)  # type: ignore[arg-type]


def _day_column(table: Table, columns: Columns) -> Column | None:
    column = column_of(table, columns)
    if column is not None and column.kind not in _DAYS:
        days = [name for name, one in columns.items() if one.kind in _DAYS]
        table.wrong("column", f"{column.name} is a {column.kind}, a window needs a day: {', '.join(days)}")
        return None
    return column


def read_order(table: Table, columns: Columns) -> tuple[Order, ...]:
    """`[{ column = "close_on", descending = true }]`."""
    found = []
    for inner in table.tables("order"):
        column, descending = column_of(inner, columns), inner.flag("descending")
        inner.done()
        if column is not None:
            found.append(Order(column.name, descending))
    return tuple(found)
