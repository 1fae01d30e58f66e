"""What is known at the end of a day: the cut that every fact respects."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl

_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Cut:
    """What is known at the as-of `day`: everything up to and including the instant `at`. Readings 2 and 3."""

    day: dt.date
    timezone: str
    at: dt.datetime
    is_past: bool
    """True where the CRM was read after the cut: then later news must be kept out."""

    @property
    def last_full_day(self) -> dt.date:
        """The last day that was over at the cut: what has a day only is over at its end."""
        return (self.at + _MICROSECOND).astimezone(ZoneInfo(self.timezone)).date() - dt.timedelta(days=1)

    def local_day(self, instant: pl.Expr) -> pl.Expr:
        return instant.dt.convert_time_zone(self.timezone).dt.date()

    def existed(self) -> pl.Expr:
        """Rows of an entity that were there at the cut: not deleted, and not created after it (reading 5). One
        without a time of creation was."""
        return ~pl.col("deleted") & (pl.col("created_at").is_null() | (pl.col("created_at") <= self.at))


def cut(day: dt.date, timezone: str, synced_at: dt.datetime | None) -> Cut:
    """The earlier of the end of the day in `timezone` and the time of the last sync (reading 3)."""
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(timezone)).astimezone(dt.UTC)
    end = midnight - _MICROSECOND
    if synced_at is not None and synced_at <= end:
        return Cut(day, timezone, synced_at, is_past=False)
    return Cut(day, timezone, end, is_past=True)
