"""Instants as HubSpot writes them: ISO 8601 in UTC with milliseconds, or epoch milliseconds."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
DAY_MS = 86_400_000


def ms_of(instant: dt.datetime) -> int:
    """Epoch milliseconds of an aware datetime, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


def instant_of(ms: int) -> dt.datetime:
    """The aware UTC datetime of epoch milliseconds."""
    return _EPOCH + ms * _MILLISECOND


def iso(ms: int) -> str:
    """`2026-03-10T23:04:41.164Z`."""
    return instant_of(ms).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_ms(text: str) -> int | None:
    """Epoch milliseconds of an epoch-ms string, an ISO date or an ISO datetime; None where it is neither."""
    if text.lstrip("-").isascii() and text.lstrip("-").isdigit():
        return int(text)
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return ms_of(instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC))
