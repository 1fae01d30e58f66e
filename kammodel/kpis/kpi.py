"""What a KPI is: a name, a unit, a window, a rounding scale, and one expression over one frame of facts.

A new KPI is one function with `@kpi` in a file of its theme; the docstring states its rule. Its value is null
where there is no evidence, and then a reason code says why: `<name>__why`.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from kammodel.conversion import OUT_OF_RANGE

Unit = Literal["money", "ratio", "days", "months", "count"]
Frame = Literal["deals", "purchase_days", "touches", "contacts", "kpis"]
"""Where a KPI is computed: aggregated over a frame of facts.py, or row by row from the KPIs before it."""

NOT_READ = "not_read"
_FROM_DEALS: tuple[Frame, ...] = ("deals", "purchase_days")


@dataclass(frozen=True)
class Windows:
    """Windows that end with the as-of day, `(t - n, t]`. Reading 6: months keep the day number, clamped to a
    shorter month and counted from t; days are calendar days with t included."""

    day: dt.date

    def months(self, column: str, n: int, *, skip: int = 0) -> pl.Expr:
        """In `(t - (skip + n) months, t - skip months]`."""
        day = pl.col(column)
        return (day > months_before(self.day, skip + n)) & (day <= months_before(self.day, skip))

    def start_of_months(self, n: int) -> dt.date:
        """t - n months: the day that a window of n months begins after."""
        return months_before(self.day, n)

    def days(self, column: str, n: int) -> pl.Expr:
        """In the last n days, today's included."""
        day = pl.col(column)
        return (day > self.day - dt.timedelta(days=n)) & (day <= self.day)

    def until(self, column: str) -> pl.Expr:
        """Up to t."""
        return pl.col(column) <= self.day

    def within_months_ahead(self, column: str, n: int) -> pl.Expr:
        """Up to t + n months, past due ones included."""
        return pl.col(column) <= months_before(self.day, -n)

    def days_since(self, day: pl.Expr) -> pl.Expr:
        return (pl.lit(self.day) - day).dt.total_days()


def months_before(day: dt.date, n: int) -> dt.date:
    """The same day number n months earlier (later for a negative n), clamped to a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - n, 12)
    return dt.date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Figure:
    """A value, and the reason code for rows in which it is null (null elsewhere, or not looked at)."""

    value: pl.Expr
    why: pl.Expr | None = None


@dataclass(frozen=True)
class Kpi:
    """`scale`: decimals that a ratio or a median is rounded to, half to even. Whole units have none."""

    name: str
    unit: Unit
    window: str
    of: Frame
    scale: int
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
    *, unit: Unit, window: str, of: Frame, scale: int = 0
) -> Callable[[Callable[[Windows], pl.Expr | Figure]], Kpi]:
    """Makes a KPI of a function from windows to an expression; its name and rule are the function's."""

    def declared(function: Callable[[Windows], pl.Expr | Figure]) -> Kpi:
        def figure(windows: Windows) -> Figure:
            found = function(windows)
            return found if isinstance(found, Figure) else Figure(found)

        return Kpi(function.__name__, unit, window, of, scale, (function.__doc__ or "").strip(), figure)

    return declared


@dataclass(frozen=True)
class Facts:
    """The frames by name, each with `group`; `groups`: group, `deals_read`, `touches_read`."""

    frames: dict[Frame, pl.DataFrame]
    groups: pl.DataFrame


def compute(kpis: Sequence[Kpi], facts: Facts, day: dt.date) -> pl.DataFrame:
    """`group` and each KPI with its reason, one row per group, in order of `group`.

    A KPI over a frame of which the group's CRM was never read is null with `not_read`: unknown is not zero.
    """
    windows = Windows(day)
    wide = facts.groups.sort("group")
    for name, frame in facts.frames.items():
        own = [k for k in kpis if k.of == name]
        if own:
            wide = wide.join(_aggregated(own, name, frame, facts.groups, windows), on="group", how="left")
    for derived in (k for k in kpis if k.of == "kpis"):
        wide = wide.with_columns(derived.columns(windows))
    names = [column for k in kpis for column in (k.name, f"{k.name}__why")]
    return wide.select("group", *names).sort("group")


def _aggregated(
    kpis: Sequence[Kpi], name: Frame, frame: pl.DataFrame, groups: pl.DataFrame, windows: Windows
) -> pl.DataFrame:
    """One pass over a frame. Every group takes part with a row of nulls, so that nothing there is a 0."""
    flag = "deals_read" if name in _FROM_DEALS else "touches_read"
    rows = pl.concat([frame, groups.select("group")], how="diagonal")
    read = groups.select("group", flag)
    figures = [(k, k.figure(windows)) for k in kpis]
    aggregated = rows.group_by("group").agg(
        *(f.value.alias(k.name) for k, f in figures),
        *(f.why.alias(f"{k.name}__why") for k, f in figures if f.why is not None),
    )
    with_flag = aggregated.join(read, on="group", how="left", maintain_order="left")
    kept = [replace(k, figure=_stored(k.name, has_why=f.why is not None)) for k, f in figures]
    return with_flag.select("group", *(c for k in kept for c in k.columns(windows, not_read=~pl.col(flag))))


def _stored(name: str, *, has_why: bool) -> Callable[[Windows], Figure]:
    return lambda _: Figure(pl.col(name), pl.col(f"{name}__why") if has_why else None)
