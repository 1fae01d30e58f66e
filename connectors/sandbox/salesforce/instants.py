"""Instants as an org stores and says them: `2026-03-10T23:04:41.000+0000`, whole seconds, in UTC.

Being of one width and one zone, these texts sort as the instants do, so the org keeps and compares the text.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

_STORED = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}\+0000")
_SHAPE = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


def stamp(instant: dt.datetime) -> str:
    """An aware datetime, cut to the second."""
    return instant.astimezone(dt.UTC).isoformat()[:19] + ".000+0000"


def instant(text: str) -> dt.datetime:
    """The aware UTC datetime of a stored stamp."""
    return dt.datetime.fromisoformat(text)


def parsed_stamp(text: str, *, zone_needed: bool = False) -> str | None:
    """The stored form of an ISO datetime, without zone taken for UTC; None where it is none."""
    if _STORED.fullmatch(text):
        return text
    found = _SHAPE.fullmatch(text.strip())
    if not found or (zone_needed and not found[4]):
        return None
    day, clock, fraction, zone = found.groups()
    offset = "+00:00" if zone in {None, "Z", "z"} else zone
    try:
        at = dt.datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return f"{at.isoformat()[:19]}.{(fraction or '')[:3].ljust(3, '0')}+0000"


def parsed_day(text: str) -> str | None:
    """A date as stored, `2026-03-10`; the day of a datetime is taken. None where it is none."""
    try:
        return dt.date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return None


def midnight(day: dt.date, zone: ZoneInfo) -> str:
    """The stamp at which a day begins in a zone."""
    return stamp(dt.datetime.combine(day, dt.time(), tzinfo=zone))
