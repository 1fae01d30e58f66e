"""Date literals such as TODAY or LAST_N_DAYS:7, as the days they span in the user's time zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

_DAY = dt.timedelta(days=1)
Days = tuple[dt.date, dt.date]
"""First day, and the day after the last."""


def _week(today: dt.date, shift: int) -> Days:
    # Weeks begin on Sunday, as they do for a user with an American locale.
    first = today - dt.timedelta(days=(today.weekday() + 1) % 7) + dt.timedelta(weeks=shift)
    return first, first + dt.timedelta(weeks=1)


def _month_start(today: dt.date, shift: int) -> dt.date:
    months = today.year * 12 + today.month - 1 + shift
    return dt.date(months // 12, months % 12 + 1, 1)


def _months(today: dt.date, shift: int, length: int = 1) -> Days:
    return _month_start(today, shift), _month_start(today, shift + length)


def _quarters(today: dt.date, shift: int) -> Days:
    into = (today.month - 1) % 3
    return _months(today, shift * 3 - into, 3)


def _years(today: dt.date, shift: int) -> Days:
    return dt.date(today.year + shift, 1, 1), dt.date(today.year + shift + 1, 1, 1)


_FIXED: dict[str, Callable[[dt.date], Days]] = {
    "YESTERDAY": lambda t: (t - _DAY, t),
    "TODAY": lambda t: (t, t + _DAY),
    "TOMORROW": lambda t: (t + _DAY, t + 2 * _DAY),
    "LAST_WEEK": lambda t: _week(t, -1),
    "THIS_WEEK": lambda t: _week(t, 0),
    "NEXT_WEEK": lambda t: _week(t, 1),
    "LAST_MONTH": lambda t: _months(t, -1),
    "THIS_MONTH": lambda t: _months(t, 0),
    "NEXT_MONTH": lambda t: _months(t, 1),
    "LAST_QUARTER": lambda t: _quarters(t, -1),
    "THIS_QUARTER": lambda t: _quarters(t, 0),
    "NEXT_QUARTER": lambda t: _quarters(t, 1),
    "LAST_YEAR": lambda t: _years(t, -1),
    "THIS_YEAR": lambda t: _years(t, 0),
    "NEXT_YEAR": lambda t: _years(t, 1),
    "LAST_90_DAYS": lambda t: (t - 90 * _DAY, t + _DAY),
    "NEXT_90_DAYS": lambda t: (t + _DAY, t + 91 * _DAY),
}
_COUNTED: dict[str, Callable[[dt.date, int], Days]] = {
    "LAST_N_DAYS": lambda t, n: (t - n * _DAY, t + _DAY),
    "NEXT_N_DAYS": lambda t, n: (t + _DAY, t + (n + 1) * _DAY),
    "N_DAYS_AGO": lambda t, n: (t - n * _DAY, t - (n - 1) * _DAY),
    "LAST_N_WEEKS": lambda t, n: (_week(t, -n)[0], _week(t, 0)[0]),
    "LAST_N_MONTHS": lambda t, n: (_month_start(t, -n), _month_start(t, 0)),
    "LAST_N_QUARTERS": lambda t, n: (_quarters(t, -n)[0], _quarters(t, 0)[0]),
    "LAST_N_YEARS": lambda t, n: (_years(t, -n)[0], _years(t, 0)[0]),
}


def period(word: str, count: int | None, today: dt.date) -> Days | None:
    """The days of a literal, `word` in capitals; None where it is none of ours."""
    if count is None:
        return _FIXED[word](today) if word in _FIXED else None
    return _COUNTED[word](today, count) if word in _COUNTED else None
