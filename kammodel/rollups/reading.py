"""Reads rollups.toml into rollups, or tells everything that is wrong in it, each with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from kammodel.given.faults import Fault
from kammodel.publish.fields import FIELDS, Words
from kammodel.rollups.columns import ALL_COLUMNS, Column
from kammodel.rollups.declaring import LEVELS, OPERATIONS, OVERS, Kind, Operation, Published, Rollup, Window
from kammodel.rollups.lines import lines_of
from kammodel.rollups.operations import MATCHING, TAKES, unit_of
from kammodel.rollups.tables import Faults, Table, shown
from kammodel.rollups.values import Columns, column_of, read_filter, read_order, read_window

FILENAME = "rollups.toml"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_LABEL, _LONGEST_HELP = 40, 255
"""Salesforce's limits of a label, and of what HubSpot shows of a description."""

_LONGEST_KEY = 36
"""Salesforce's 40 characters of a field's name, less KAM_."""


def parse_rollups(text: str) -> tuple[tuple[Rollup, ...], list[Fault]]:
    """The rollups of a file's text in its order, and what is wrong in it: one of the two is empty."""
    faults = Faults(FILENAME)
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        faults.add((), f"is not valid TOML: {fault}")
        return (), faults.found
    faults.lines = lines_of(text)
    root = Table(values, (), faults)
    tables = root.tables("rollup")
    read = [_rollup(table) for table in tables]
    root.done()
    _refuse_twice(tables)
    if faults.found:
        return (), sorted(faults.found, key=lambda fault: fault.line or 0)
    return tuple(rollup for rollup in read if rollup is not None), []


def _rollup(table: Table) -> Rollup | None:
    """None where something is wrong; as much of it as can be judged is."""
    before = len(table.faults.found)
    name, label = _name(table), _words(table, "label", _LONGEST_LABEL, required=True)
    over, operation = table.choice("over", OVERS, required=True), table.choice("operation", OPERATIONS, required=True)
    level = table.choice("level", LEVELS) or "group"
    columns: Columns = ALL_COLUMNS[over] if over else _any_column()
    column = column_of(table, columns, required=False)
    parts: dict[str, Any] = {
        "filter": read_filter(table, "filter", columns),
        "matches": read_filter(table, "matches", columns),
        "order": read_order(table, columns),
        "window": _window(table, columns),
        "top_n": table.whole("top_n", 1, 1_000_000),
        **_options(table),
    }
    if operation is not None:
        _check(table, operation, column)
    named, kind = (column.name, column.kind) if column else (None, None)
    unit = unit_of(operation or "count", kind)
    published = _field(table, name, label, unit)
    table.done()
    if len(table.faults.found) > before or name is None or label is None or over is None or operation is None:
        return None
    return Rollup(name, label, over, operation, unit, level, named, field=published, **parts)


def _any_column() -> dict[str, Column]:
    """Where nobody knows which entity is meant, every column may be one of it."""
    return {name: column for columns in ALL_COLUMNS.values() for name, column in columns.items()}


def _name(table: Table) -> str | None:
    name = table.text("name", required=True, longest=_LONGEST_KEY)
    if name is None:
        return None
    if not _NAME.fullmatch(name):
        table.wrong("name", f"{shown(name)} is no name: small letters, digits, single underscores, such as open_amount")
    elif name in _taken():
        table.wrong("name", f"{name} is the name of a KPI of ours: choose another")
    return name


@cache
def _taken() -> frozenset[str]:
    # Late: KPIs are made of facts, and facts of what was given.
    from kammodel.kpis import KPIS

    return frozenset(k.name for k in KPIS)


def _words(table: Table, key: str, longest: int, *, required: bool = False) -> Words | None:
    inner = table.table(key, required=required)
    if inner is None:
        return None
    en, es = (inner.text(language, required=True, longest=longest) for language in ("en", "es"))
    inner.done()
    return None if en is None or es is None else Words(en, es)


def _window(table: Table, columns: Columns) -> Window | None:
    inner = table.table("window")
    return None if inner is None else read_window(inner, columns)


def _options(table: Table) -> dict[str, int | str | bool]:
    """What only some operations take; each of them as its default where it is not there."""
    operation = table.values.get("operation")
    percent = table.get("p", "a percentile from 0 to 100 with at most 2 decimals", _is_percent)
    if operation == "percentile" and not table.has("p"):
        table.faults.add(table.path, "p is missing: give the percentile, such as p = 90")
    found: dict[str, int | str | bool] = {"percent": 5_000 if percent is None else int(percent * 100)}
    separator = table.get(
        "separator", "a text of 1 to 10 characters", lambda v: isinstance(v, str) and 0 < len(v) <= 10
    )
    longest, distinct = table.whole("max_length", 1, 255), table.flag("distinct")
    found |= {"separator": separator or ", ", "max_length": longest or 255, "distinct": distinct}
    for key, goes_with in (("p", "percentile"), *((key, "concat") for key in ("separator", "max_length", "distinct"))):
        if table.has(key) and operation != goes_with and operation in OPERATIONS:
            table.wrong(key, f"goes with {goes_with} only, not with {operation}")
    return found


def _is_percent(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(0) <= value <= Decimal(100) and (Decimal(value) * 100) % 1 == 0


def _is_separator(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 10


def _check(table: Table, operation: Operation, column: Column | None) -> None:
    """Notes what an operation lacks, and what it has no use for."""
    takes = TAKES[operation]
    if column is not None and column.kind not in takes.kinds:
        kinds = sorted(takes.kinds)
        table.wrong("column", f"{column.name} is a {column.kind}; {operation} takes {_listed(kinds)}")
    if takes.column == "needed" and not table.has("column"):
        table.faults.add(table.path, f"column is missing: {operation} needs one")
    if operation in MATCHING and table.has("column") == table.has("matches"):
        table.faults.add(table.path, f"{operation} needs either a column that is a flag, or matches, and not both")
    if table.has("matches") and operation not in MATCHING:
        table.wrong("matches", f"goes with any, all and none only; for {operation} use filter")
    if takes.order == "needed" and not table.has("order"):
        table.faults.add(table.path, f"order is missing: {operation} needs one")
    if table.has("top_n") and not table.has("order"):
        table.wrong("top_n", "needs an order: the first of what?")
    if table.has("top_n") and not takes.top_n:
        table.wrong("top_n", f"has no use with {operation}, which is of one row")
    if table.has("order") and not (takes.order == "needed" or operation == "concat" or table.has("top_n")):
        table.wrong("order", f"changes nothing in {operation}: take it away, or add top_n")


def _listed(kinds: list[Kind]) -> str:
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]


def _field(table: Table, name: str | None, label: Words | None, unit: str) -> Published | None:
    """The custom field: `field = true`, or a table that says what it is called."""
    if isinstance(table.values.get("field"), bool):
        wanted = table.flag("field")
        return Published(name, 2, label, label) if wanted and name and label else None
    inner = table.table("field")
    if inner is None:
        return None
    key = inner.text("name", longest=_LONGEST_KEY) or name
    own = _words(inner, "label", _LONGEST_LABEL) or label
    told, decimals = _words(inner, "help", _LONGEST_HELP) or own, inner.whole("decimals", 0, 6)
    if decimals is not None and unit not in {"money", "number", "ratio"}:
        inner.wrong("decimals", f"a {unit} has none")
    inner.done()
    if key is not None and not _NAME.fullmatch(key):
        inner.wrong("name", f"{shown(key)} is no name: small letters, digits and single underscores")
    return None if key is None or own is None or told is None else Published(key, _decimals(decimals), own, told)


def _decimals(given: int | None) -> int:
    return 2 if given is None else given


def _refuse_twice(tables: Iterable[Table]) -> None:
    """Notes names that stand there twice, and fields that are ours or another rollup's."""
    names: dict[str, str] = {}
    keys = {field.key: "a field of kam itself" for field in FIELDS}
    for place, table in enumerate(tables, start=1):
        name, field = table.values.get("name"), table.values.get("field")
        if not isinstance(name, str):
            continue
        other = names.setdefault(name, f"rollup[{place}]")
        if other != f"rollup[{place}]":
            table.wrong("name", f"{name} is the name of {other} too: choose another")
        key = field.get("name", name) if isinstance(field, dict) else name
        if field and isinstance(key, str):
            owner = keys.setdefault(key, f"the field of rollup[{place}]")
            if owner != f"the field of rollup[{place}]":
                table.wrong("field", f"{key} is {owner}: give it another name")
