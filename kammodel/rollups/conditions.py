"""Which rows a rollup takes, as expressions that are put together from its conditions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

import polars as pl

from kammodel.facts.cut import Cut
from kammodel.facts.windows import months_before, quarter_of
from kammodel.rollups.columns import Column
from kammodel.rollups.declaring import AnyOf, Condition, Filter, Kind, Window
from kammodel.rollups.typed import why_of

CONVERTED: frozenset[Kind] = frozenset({"money", "number", "ratio"})
"""Kinds of which a value may be there and yet not known."""


@dataclass(frozen=True)
class Taken:
    """`sure`: rows that the conditions hold for. `doubtful`: those for which nobody can tell, since a rate is missing,
    and `why`."""

    sure: pl.Expr
    doubtful: pl.Expr
    why: pl.Expr


@dataclass(frozen=True)
class Lens:
    """Columns of rows on a day, as they are looked at."""

    columns: Mapping[str, Column]
    moment: Cut

    def value(self, name: str) -> pl.Expr:
        """A moment counts by its day (reading 2)."""
        return self.moment.local_day(pl.col(name)) if self.columns[name].kind == "moment" else pl.col(name)

    def why(self, name: str) -> pl.Expr:
        """Of rows that have a value which could not be converted, the reason."""
        return pl.col(why_of(name)) if self.columns[name].kind in CONVERTED else pl.lit(None, pl.String)

    def taken(self, conditions: Filter, window: Window | None = None) -> Taken:
        """The rows that pass all of the conditions, within the window."""
        inside = pl.lit(value=True) if window is None else self._inside(window)
        sure, possible = inside, inside
        for part in conditions:
            tests = part.conditions if isinstance(part, AnyOf) else (part,)
            pairs = [self._holds(test) for test in tests]
            sure &= reduce(or_, (holds & ~unknown for holds, unknown in pairs))
            possible &= reduce(or_, (holds | unknown for holds, unknown in pairs))
        return Taken(sure, possible & ~sure, self._reason(conditions))

    def _reason(self, conditions: Filter) -> pl.Expr:
        tests = [t for part in conditions for t in (part.conditions if isinstance(part, AnyOf) else (part,))]
        return pl.coalesce([*(self.why(test.column) for test in tests), pl.lit(None, pl.String)])

    def _holds(self, test: Condition) -> tuple[pl.Expr, pl.Expr]:
        """Whether the test holds, and whether it is unknown."""
        value, unknown = self.value(test.column), self.why(test.column).is_not_null()
        absent = value.is_null() & ~unknown
        if test.test == "is_null":
            return absent, pl.lit(value=False)
        if test.test == "is_not_null":
            return ~absent, pl.lit(value=False)
        return _compared(test, value), unknown

    def _inside(self, window: Window) -> pl.Expr:
        day, t = self.value(window.column), self.moment.day
        if window.kind == "to_date":
            first = t.replace(month=1, day=1) if window.unit == "year" else quarter_of(t)[0]
            return day.is_between(first, t).fill_null(value=False)
        begin, end = _bounds(window, t)
        return ((day > begin) & (day <= end)).fill_null(value=False)


def _bounds(window: Window, t: dt.date) -> tuple[dt.date, dt.date]:
    """`(begin, end]`."""
    n = window.n if window.kind == "last" else -window.n
    other = months_before(t, n) if window.unit == "months" else t - dt.timedelta(days=n)
    return (other, t) if window.kind == "last" else (t, other)


def _compared(test: Condition, value: pl.Expr) -> pl.Expr:
    name, given = test.test, test.value
    if name in {"in", "not_in"} and isinstance(given, tuple):
        among = reduce(or_, (value.eq_missing(pl.lit(one)) for one in given))
        return among if name == "in" else ~among
    one = pl.lit(str(given).lower() if name == "contains" else given)
    holds: Mapping[str, pl.Expr] = {
        "is": value.eq_missing(one),
        "is_not": value.ne_missing(one),
        "less_than": value < one,
        "at_most": value <= one,
        "more_than": value > one,
        "at_least": value >= one,
    }
    if name == "contains":
        return value.str.to_lowercase().str.contains(one, literal=True).fill_null(value=False)
    return holds[name].fill_null(value=False)
