"""Windows of time that end with the as-of day, as conditions on columns of days."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass

import polars as pl


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

    def days_ahead(self, column: str, n: int) -> pl.Expr:
        """In the next n days, today's left out."""
        day = pl.col(column)
        return (day > self.day) & (day <= self.day + dt.timedelta(days=n))

    def quarter(self, column: str) -> pl.Expr:
        """In the calendar quarter that t is in."""
        return pl.col(column).is_between(*quarter_of(self.day))

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


def quarter_of(day: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of the calendar quarter that a day is in."""
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return first, months_before(first, -3) - dt.timedelta(days=1)
