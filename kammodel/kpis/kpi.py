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

    def columns(self, windows: Windows) -> list[pl.Expr]:
        """Its value and `<name>__why`."""
        figure = self.figure(windows)
        value = self.typed(figure.value)
        return [value.alias(self.name), reason(value, figure.value, figure.why).alias(f"{self.name}__why")]

    def typed(self, value: pl.Expr) -> pl.Expr:
        """A value as it stands in its column; null for one that does not fit into it."""
        if self.scale:
            return value.cast(pl.Float64).round(self.scale)
        return value.cast(pl.Int64, strict=False)


def reason(typed: pl.Expr, value: pl.Expr, why: pl.Expr | None, is_read: pl.Expr | None = None) -> pl.Expr:
    """Why there is no value, null where there is one: the rows were not read, it is `value` and does not fit, or `why`
    says so."""
    said = pl.lit(None, pl.String) if why is None else why.cast(pl.String)
    said = pl.when(value.is_not_null()).then(pl.lit(OUT_OF_RANGE)).otherwise(said)
    if is_read is not None:
        said = pl.when(is_read).then(said).otherwise(pl.lit(NOT_READ))
    return pl.when(typed.is_null()).then(said)


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
