"""Rollups once more, row by row in plain Python, from what a book of business says: slow, obvious, and independent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from kammodel.rollups.columns import columns_of
from kammodel.rollups.declaring import AnyOf, Condition, Rollup
from tests.unit.kam_world import AS_OF, Row
from tests.unit.rollup_book import Book
from tests.unit.rollup_oracle_rows import half_even, local, rows

Answer = tuple[Any, str | None]


class Unknown(Exception):
    """The figure cannot be told."""


def rolled(rollup: Rollup, book: Book) -> dict[str, Answer]:
    """Value and reason by group or company."""
    keys = {group for _, group, _ in book.places.values()} if rollup.level == "group" else set(book.companies)
    found: dict[str, dict[tuple[str, str], Row]] = {key: {} for key in keys}
    for source, account, row in rows(rollup.over, book.world):
        place = book.places.get((source, account))
        if place is not None and place[2]:
            found[place[1] if rollup.level == "group" else place[0]][source, row["source_id"]] = row
    return {key: answer(rollup, list(own.values())) for key, own in found.items()}


def answer(rollup: Rollup, own: list[Row]) -> Answer:
    """One figure of some rows."""
    try:
        return figure(rollup, taken(rollup, own)), None
    except Unknown as unknown:
        return None, str(unknown)


# Which of it


def taken(rollup: Rollup, own: list[Row]) -> list[Row]:
    """The rows that pass, the first of them by the order."""
    inside = [row for row in own if within(rollup, row)]
    judged = [(row, passes(rollup, rollup.filter, row)) for row in inside]
    reasons = [why for _, (_, why) in judged if why is not None]
    chosen = [row for row, (holds, _) in judged if holds]
    reasons += [why for row in chosen if (why := first_unknown(rollup, [o.column for o in rollup.order], row))]
    if reasons:
        raise Unknown(min(reasons))
    ordered = in_order(rollup, chosen)
    return ordered[: rollup.top_n] if rollup.top_n else ordered


def first_unknown(rollup: Rollup, names: list[str], row: Row) -> str | None:
    return next((why for name in names if (why := unknown(rollup, name, row))), None)


def unknown(rollup: Rollup, name: str, row: Row) -> str | None:
    value = row.get(name)
    return value if kind_of(rollup, name) == "money" and isinstance(value, str) else None


def kind_of(rollup: Rollup, name: str) -> str:
    return columns_of(rollup.over)[name].kind


def value_of(rollup: Rollup, name: str, row: Row) -> Any:
    """As figures and conditions see it."""
    value, kind = row.get(name), kind_of(rollup, name)
    if value is None or unknown(rollup, name, row):
        return None
    if kind == "moment":
        return local(value)
    if kind in {"number", "ratio"}:
        return int((Decimal(value * 1_000_000)).to_integral_value(ROUND_HALF_EVEN))
    return value


def within(rollup: Rollup, row: Row) -> bool:
    window = rollup.window
    if window is None:
        return True
    day = value_of(rollup, window.column, row)
    if day is None:
        return False
    if window.kind == "to_date":
        month = 1 if window.unit == "year" else (AS_OF.month - 1) // 3 * 3 + 1
        return AS_OF.replace(month=month, day=1) <= day <= AS_OF
    sign = 1 if window.kind == "next" else -1
    other = later(AS_OF, sign * window.n) if window.unit == "months" else AS_OF + dt.timedelta(days=sign * window.n)
    return min(AS_OF, other) < day <= max(AS_OF, other)


def later(day: dt.date, months: int) -> dt.date:
    """The same day number, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return dt.date(year, month + 1, number)
        except ValueError:
            continue
    return dt.date(year, month + 1, day.day)


def passes(rollup: Rollup, conditions: tuple[Condition | AnyOf, ...], row: Row) -> tuple[bool, str | None]:
    """Whether the row passes; a reason where nobody can tell."""
    doubts = False
    for part in conditions:
        answers = [holds(rollup, test, row) for test in tests_of(part)]
        if True in answers:
            continue
        if None not in answers:
            return False, None
        doubts = True
    if not doubts:
        return True, None
    named = [test.column for part in conditions for test in tests_of(part)]
    return False, first_unknown(rollup, named, row)


def tests_of(part: Condition | AnyOf) -> tuple[Condition, ...]:
    return part.conditions if isinstance(part, AnyOf) else (part,)


def holds(rollup: Rollup, test: Condition, row: Row) -> bool | None:
    value, given = value_of(rollup, test.column, row), test.value
    is_unknown = unknown(rollup, test.column, row) is not None
    if test.test in {"is_null", "is_not_null"}:
        return (value is None and not is_unknown) == (test.test == "is_null")
    if is_unknown:
        return None
    compare: dict[str, Callable[[], bool]] = {
        "is": lambda: bool(value == given) and value is not None,
        "is_not": lambda: value is None or bool(value != given),
        "in": lambda: value in given,  # type: ignore[operator]
        "not_in": lambda: value not in given,  # type: ignore[operator]
        "less_than": lambda: value is not None and value < given,
        "at_most": lambda: value is not None and value <= given,
        "more_than": lambda: value is not None and value > given,
        "at_least": lambda: value is not None and value >= given,
        "contains": lambda: value is not None and str(given).lower() in value.lower(),
    }
    return compare[test.test]()


def in_order(rollup: Rollup, own: list[Row]) -> list[Row]:
    """By key, then by the last of the orders, ... then by the first; what is null at the end."""
    ordered = sorted(own, key=lambda row: (row["source"], row["source_instance"], row["source_id"]))
    backwards = rollup.operation == "last"
    if backwards:
        ordered.reverse()
    for order in reversed(rollup.order):
        descending = order.descending != backwards
        known = [row for row in ordered if row.get(order.column) is not None]
        blank = [row for row in ordered if row.get(order.column) is None]
        # Equal ones stay as they stand, also when sorted backwards.
        known.sort(key=lambda row: row[order.column], reverse=descending)
        ordered = known + blank
    return ordered


# What of it


def figure(rollup: Rollup, own: list[Row]) -> Any:
    operation = rollup.operation
    if operation in {"any", "all", "none"}:
        return matching(rollup, own)
    if operation == "count" and rollup.column is None:
        return len(own)
    name = str(rollup.column)
    reasons = [why for row in own if (why := unknown(rollup, name, row))]
    if reasons:
        raise Unknown(min(reasons))
    values = [value for row in own if (value := value_of(rollup, name, row)) is not None]
    if operation == "count":
        return len(values)
    if operation == "count_distinct":
        return len(set(values))
    if not own and operation != "sum":
        raise Unknown("no_rows")
    if own and not values:
        raise Unknown("amounts_unknown" if kind_of(rollup, name) == "money" else "values_unknown")
    return shown(rollup, of_values(rollup, values))


def matching(rollup: Rollup, own: list[Row]) -> int:
    if rollup.matches:
        judged = [passes(rollup, rollup.matches, row) for row in own]
        reasons = [why for _, why in judged if why is not None]
        if reasons:
            raise Unknown(min(reasons))
        hits = [answered for answered, _ in judged]
    else:
        hits = [row.get(str(rollup.column)) is True for row in own]
    if rollup.operation == "all" and not own:
        raise Unknown("no_rows")
    return int({"any": any(hits), "all": all(hits), "none": not any(hits)}[rollup.operation])


def of_values(rollup: Rollup, values: list[Any]) -> Any:
    operation, finer = rollup.operation, 1_000_000 if kind_of(rollup, str(rollup.column)) == "whole" else 1
    if operation == "sum":
        return sum(values)
    if operation == "avg":
        return half_even(Fraction(sum(values) * finer, len(values)))
    if operation in {"median", "percentile"}:
        percent = rollup.percent if operation == "percentile" else 5_000
        return half_even(quantile(sorted(values), Fraction(percent, 10_000)) * finer)
    counted = Counter(values)
    return {
        "min": lambda: min(values),
        "max": lambda: max(values),
        "first": lambda: values[0],
        "last": lambda: values[0],
        "most_frequent": lambda: min(value for value, n in counted.items() if n == max(counted.values())),
        "concat": lambda: joined(rollup, [str(value) for value in values]),
    }[operation]()


def quantile(ordered: list[int], share: Fraction) -> Fraction:
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def joined(rollup: Rollup, texts: list[str]) -> str:
    texts = texts if rollup.order else sorted(texts)
    texts = list(dict.fromkeys(texts)) if rollup.distinct else texts
    whole = rollup.separator.join(texts)
    if len(whole) <= rollup.max_length:
        return whole
    for shown_n in range(len(texts) - 1, 0, -1):
        text = rollup.separator.join([*texts[:shown_n], f"+{len(texts) - shown_n}"])
        if len(text) <= rollup.max_length:
            return text
    return texts[0][: rollup.max_length - 1] + "…"


def shown(rollup: Rollup, value: Any) -> Any:
    if rollup.unit in {"number", "ratio"}:
        return float(value) / 1_000_000
    return int(value) if rollup.unit in {"money", "count", "flag"} else value
