"""What a KPI is: a name, a unit, a window, a rounding scale, and one expression over one frame of facts.

A new KPI is one function with `@kpi` in a file of its theme; the docstring states its rule. Its value is null
where there is no evidence, and then a reason code says why: `<name>__why`. How they are computed: computing.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from kammodel.conversion import OUT_OF_RANGE
from kammodel.facts.windows import Windows

__all__ = [
    "ALL_LEVELS",
    "DERIVED",
    "GROUPS",
    "NOT_READ",
    "Figure",
    "Frame",
    "Kpi",
    "Level",
    "Unit",
    "Windows",
    "kpi",
]

Unit = Literal["money", "ratio", "days", "months", "hours", "count", "points", "flag"]
"""Money is Int64 of 1/10,000 units of the reporting currency, a ratio 0..1 (or above), a flag 0 or 1."""

Level = Literal["group", "kam", "portfolio"]
"""Whom a figure is about: an account group, the account groups of one key account manager, or all of them."""

ALL_LEVELS: tuple[Level, ...] = ("group", "kam", "portfolio")

Frame = str
"""Where a KPI is computed: over a frame of kammodel.facts.FRAMES; over GROUPS, the KPIs of account groups before
it (at the level of groups each is one row by itself); or DERIVED, row by row from the KPIs before it."""

GROUPS, DERIVED = "groups", "kpis"
NOT_READ = "not_read"


@dataclass(frozen=True)
class Figure:
    """A value, and the reason code for rows in which it is null (null elsewhere, or not looked at)."""

    value: pl.Expr
    why: pl.Expr | None = None


@dataclass(frozen=True)
class Kpi:
    """`scale`: decimals that a ratio or a median is rounded to, half to even. Whole units have none. `levels`:
    whom it is computed for, by the same expression over the same rows, put together by another key."""

    name: str
    unit: Unit
    window: str
    of: Frame
    scale: int
    levels: tuple[Level, ...]
    rule: str
    figure: Callable[[Windows], Figure]

    def columns(self, windows: Windows, *, not_read: pl.Expr | None = None) -> list[pl.Expr]:
        """Its value and `<name>__why`."""
        figure = self.figure(windows)
        value, why = figure.value, pl.lit(None, pl.String) if figure.why is None else figure.why
        if not_read is not None:
            value, why = pl.when(~not_read).then(value), pl.when(not_read).then(pl.lit(NOT_READ)).otherwise(why)
        typed = self._typed(value)
        why = pl.when(value.is_not_null() & typed.is_null()).then(pl.lit(OUT_OF_RANGE)).otherwise(why)
        value = typed
        return [value.alias(self.name), pl.when(value.is_null()).then(why).cast(pl.String).alias(f"{self.name}__why")]

    def _typed(self, value: pl.Expr) -> pl.Expr:
        if self.scale:
            return value.cast(pl.Float64).round(self.scale)
        return value.cast(pl.Int64, strict=False)


def kpi(
    *, unit: Unit, window: str, of: Frame, scale: int = 0, levels: tuple[Level, ...] = ("group",)
) -> Callable[[Callable[[Windows], pl.Expr | Figure]], Kpi]:
    """Makes a KPI of a function from windows to an expression; its name and rule are the function's."""

    def declared(function: Callable[[Windows], pl.Expr | Figure]) -> Kpi:
        def figure(windows: Windows) -> Figure:
            found = function(windows)
            return found if isinstance(found, Figure) else Figure(found)

        return Kpi(function.__name__, unit, window, of, scale, levels, (function.__doc__ or "").strip(), figure)

    return declared
