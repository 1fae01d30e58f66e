"""Instants as HubSpot writes them: ISO 8601 in UTC with milliseconds, or epoch milliseconds."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
DAY_MS = 86_400_000


def ms_of(instant: dt.datetime) -> int:
    """Epoch milliseconds of an aware datetime, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


# A record shows the same two instants twice, a page of records hundreds of the same few years: worded once each.
@lru_cache(maxsize=10_000)
def iso(ms: int) -> str:
    """`2026-03-10T23:04:41.164Z`."""
    days, rest = divmod(ms, DAY_MS)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{_day(days)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{thousandths:03d}Z"


@lru_cache(maxsize=20_000)
def _day(days: int) -> str:
    return (_EPOCH + dt.timedelta(days=days)).date().isoformat()


def parse_ms(text: str) -> int | None:
    """Epoch milliseconds of an epoch-ms string, an ISO date or an ISO datetime; None where it is neither."""
    if text.lstrip("-").isascii() and text.lstrip("-").isdigit():
        return int(text)
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return ms_of(instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC))
