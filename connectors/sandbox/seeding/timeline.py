"""When things happen in an invented book: business days and hours, seasons, the moments of bulk loads."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import TypeVar

from connectors.sandbox.seeding.segments import MONTHS

T = TypeVar("T")

DAYS = 1_096
"""A book covers this many days before its `now`."""

_HALF = DAYS / 6
_MOST = max(MONTHS)
# One in this many things is done late in the evening in UTC, when it is already the next day in Madrid.
_LATE_EVERY = 60


class Timeline:
    """The three years before `now`, with the stamps that many rows share."""

    def __init__(self, now: dt.datetime, rng: random.Random) -> None:
        self.now = now.astimezone(dt.UTC).replace(microsecond=0)
        self.today = self.now.date()
        self.start = self.today - dt.timedelta(days=DAYS)
        self.rng = rng
        # The company moved into its CRMs half a year into the book; later one job touched many accounts at once.
        self.loaded_at = self._at_night(self.start + dt.timedelta(days=182))
        self.mass_update_at = self._at_night(self.today - dt.timedelta(days=200))
        self.left_at = self._at_night(self.today - dt.timedelta(days=420))

    def day(self, halves: Sequence[float]) -> dt.date:
        """A business day before today: by the weights of the six half-years, and by season."""
        half = self._half(halves)
        while True:
            day = self.start + dt.timedelta(days=int((half + self.rng.random()) * _HALF))
            if self.rng.random() * _MOST <= MONTHS[day.month - 1] and day < self.today:
                return business_day(day)

    def plain_day(self, halves: Sequence[float]) -> dt.date:
        """A business day before today, whatever the season."""
        half = self._half(halves)
        day = self.start + dt.timedelta(days=int((half + self.rng.random()) * _HALF))
        return business_day(min(day, self.today - dt.timedelta(days=1)))

    def at(self, day: dt.date) -> dt.datetime:
        """A moment of a day, in business hours but for a few, and never after now."""
        minute = int(self.rng.random() * 540) + 420
        if not minute % _LATE_EVERY:
            minute = 1_350
        moment = dt.datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=dt.UTC)
        return moment if moment <= self.now or day > self.today else self.now

    def future_day(self, within: int) -> dt.date:
        """A business day after today, at most so many days and a weekend ahead."""
        return business_day(self.today + dt.timedelta(days=3 + int(self.rng.random() * within)))

    def pick(self, choices: Sequence[T]) -> T:
        """One of several: what `Random.choice` does, in a third of the time."""
        return choices[int(self.rng.random() * len(choices))]

    def _half(self, halves: Sequence[float]) -> int:
        place = self.rng.random() * sum(halves)
        for half, weight in enumerate(halves):
            place -= weight
            if place < 0:
                return half
        return len(halves) - 1

    def _at_night(self, day: dt.date) -> dt.datetime:
        return dt.datetime(day.year, day.month, day.day, 2, 30, tzinfo=dt.UTC)


def business_day(day: dt.date) -> dt.date:
    """The day itself, or the Friday before a weekend."""
    return day - dt.timedelta(days=max(0, day.weekday() - 4))
