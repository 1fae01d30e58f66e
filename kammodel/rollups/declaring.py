"""What a rollup is: rows of an entity, an operation over some of them, and whom the figure is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, get_args

from kammodel.publish.fields import Words

Over = Literal["opportunities", "line_items", "activities", "cases", "contacts", "contracts"]
OVERS: tuple[Over, ...] = get_args(Over)

RollupLevel = Literal["group", "account"]
LEVELS: tuple[RollupLevel, ...] = get_args(RollupLevel)

Kind = Literal["text", "money", "number", "ratio", "whole", "date", "moment", "flag"]
"""Of a column. A ratio is a number 0..1; a moment counts by its day in KAM_TIMEZONE, and orders by its instant."""

Unit = Literal["money", "number", "ratio", "count", "flag", "date", "text"]
"""Of a figure. Money is Int64 of 1/10,000 units of the reporting currency, number and ratio are Float64 of six
decimals, a flag is 0 or 1."""

Operation = Literal[
    "sum",
    "count",
    "count_distinct",
    "avg",
    "min",
    "max",
    "median",
    "percentile",
    "first",
    "last",
    "most_frequent",
    "any",
    "all",
    "none",
    "concat",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

Test = Literal[
    "is",
    "is_not",
    "in",
    "not_in",
    "less_than",
    "at_most",
    "more_than",
    "at_least",
    "contains",
    "is_null",
    "is_not_null",
]
TESTS: tuple[Test, ...] = get_args(Test)

Value = str | int | bool | dt.date | tuple[str | int | bool | dt.date, ...] | None
"""As it stands in the frame: money in 1/10,000 units, numbers in millionths."""


@dataclass(frozen=True)
class Condition:
    """A column put to a test. What is null is nothing in particular: `is_not` and `not_in` hold for it, the rest do
    not."""

    column: str
    test: Test
    value: Value = None


@dataclass(frozen=True)
class AnyOf:
    """Holds where one of the conditions does."""

    conditions: tuple[Condition, ...]


Filter = tuple[Condition | AnyOf, ...]
"""Holds where all of them do."""


@dataclass(frozen=True)
class Window:
    """Days of a column. `last` n: (t - n, t]; `next` n: (t, t + n] (reading 6); `to_date`: from the first day of the
    calendar year or quarter up to t. A row without a day is in none."""

    column: str
    kind: Literal["last", "next", "to_date"]
    unit: Literal["days", "months", "year", "quarter"]
    n: int = 0


@dataclass(frozen=True)
class Order:
    """What is null comes after all that is known, in either direction."""

    column: str
    descending: bool = False


@dataclass(frozen=True)
class Published:
    """The custom field of an account that shows the figure. `decimals` of a number."""

    key: str
    decimals: int
    label: Words
    help: Words


@dataclass(frozen=True)
class Rollup:
    """A figure of an account or account group, from rows of `over` that pass `filter` and `window`.

    `matches`: what any, all and none ask of a row, in place of a column. `order`: for first, last and concat, and by
    which the first `top_n` rows are taken. `percent`: of a percentile, in hundredths. `unit`: see `operations`.
    """

    name: str
    label: Words
    over: Over
    operation: Operation
    unit: Unit
    level: RollupLevel = "group"
    column: str | None = None
    matches: Filter = ()
    filter: Filter = ()
    window: Window | None = None
    order: tuple[Order, ...] = ()
    top_n: int | None = None
    percent: int = 5_000
    separator: str = ", "
    distinct: bool = False
    max_length: int = 255
    field: Published | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it looks at, once."""
        tests = [one for part in (*self.matches, *self.filter) for one in _tests(part)]
        own = [self.column, self.window and self.window.column, *(o.column for o in self.order)]
        return tuple(dict.fromkeys(name for name in (*own, *(test.column for test in tests)) if name))


def _tests(part: Condition | AnyOf) -> tuple[Condition, ...]:
    return part.conditions if isinstance(part, AnyOf) else (part,)
