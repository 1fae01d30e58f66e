"""What happens in a world, act by act: each changes one thing at an instant of its own."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kammodel.entities import (
    Sourced,
)
from tests.unit.kam_world import crm

if TYPE_CHECKING:
    from tests.oracle.world import Book

Row = dict[str, Any]
STAGES = ("offer", "talks", "terms")
TITLES = (
    "CEO", "Chief of Staff", "VP Sales", "Vice President, Finance", "Director General", "Directora Comercial",
    "Consejero Delegado", "Socia directora", "Asistente del Presidente", "Product Owner", "Owner", "Gerente general",
    "IT Manager", "Jefe de compras", "Ingeniero", "Plant manager", "Clerk", "Vicepresidenta de Operaciones", None,
)  # fmt: skip
ROLES = ("Economic Buyer", "Champion", "Technical Buyer", "End user", "Executive Sponsor", "Influencer", None)
MONEY = (None, 0, -25_0000, 1, 3, 99_9999, 1_000_0000, 12_345_6789, 250_000_0001)


class Life:
    """One world of a book; `name` begins every id of it."""

    def __init__(self, book: Book, random: Random, name: str) -> None:
        self.book, self.random, self.name = book, random, name
        self.today: dict[type[Sourced], dict[tuple[str, str], Row]] = {}
        self.made = 0
        drawn: tuple[str, ...] = random.choice((("salesforce",), ("hubspot",), ("salesforce", "hubspot")))
        self.sources = book.sources or drawn
        self.with_history: set[tuple[str, str]] = set()
        self.currencies: tuple[str | None, ...] = random.choice(
            (("EUR",), ("EUR", "USD", None), ("EUR", "GBP"), ("USD", "EUR"))
        )
        self.money: tuple[int | None, ...] = MONEY
        if book.is_plain:
            self.currencies, self.money = ("EUR", "USD"), tuple(money for money in MONEY if money and money > 0)
        self.wealth = random.choice((1, 1, 2))

    # Time: most instants are any, some are where rules have their edges.

    def day(self, low: int = 1000, high: int = 80) -> dt.date:
        """A day around the as-of day, often on the edge of a window."""
        t: dt.date = self.book.config.as_of
        if self.random.random() < 0.4:
            edge = self.random.choice((0, 0, -1, 1, 7, 30, 89, 90, 91, 180, 179, 181, 364, 365, 366))
            if self.random.random() < 0.5:
                return months_before(t, self.random.choice((3, 6, 12, 12, 24, 24, -12))) + dt.timedelta(
                    days=self.random.choice((-1, 0, 0, 1))
                )
            return t - dt.timedelta(days=edge)
        return t - dt.timedelta(days=self.random.randint(-high, low))

    def instant(self, day: dt.date | None = None) -> dt.datetime:
        """An instant of a day in the zone of the book: often just before or after midnight, or while clocks change."""
        hour = self.random.choice((0, 0, 1, 2, 2, 9, 12, 18, 22, 23, 23))
        local = dt.time(hour, *self.random.choice(((0, 0), (30, 0), (59, 59), (15, 20))))
        return dt.datetime.combine(day or self.day(), local, ZoneInfo(self.book.config.timezone)).astimezone(dt.UTC)

    def moments(self, n: int, after: dt.datetime | None = None) -> list[dt.datetime]:
        """Instants in order, none twice, none after the last sync nor before `after`."""
        drawn = {self.instant() for _ in range(n)}
        last = self.book.last_sync
        return sorted(at for at in drawn if at <= last and (after is None or at > after))

    # Rows.

    def put(self, entity: type[Sourced], source: str, source_id: str, at: dt.datetime, **values: Any) -> None:
        """Creates a row, or changes it; one that stays what it is has no new state."""
        own = self.today.setdefault(entity, {})
        key = (source, source_id)
        old = own.get(key)
        if old is None:
            new = {**crm(source), "source_id": source_id, "created_at": at, "deleted": False, **values}
        else:
            new = {**old, **values}
            if new == old:
                return
        own[key] = new
        self._state(entity, key, {**new, "updated_at": at, "effective": at})

    def gone(self, entity: type[Sourced], source: str, source_id: str, at: dt.datetime, **values: Any) -> None:
        """A deletion that moves no stamp: it counts from when it was seen."""
        key = (source, source_id)
        self.today[entity][key] = {**self.today[entity][key], "deleted": True, **values}
        stamp = self.book.rows[entity][key][-1]["updated_at"]
        self._state(entity, key, {**self.today[entity][key], "updated_at": stamp, "effective": at})

    def _state(self, entity: type[Sourced], key: tuple[str, str], state: Row) -> None:
        self.book.rows[entity].setdefault(key, []).append(state)

    def id(self, letter: str) -> str:
        self.made += 1
        return f"{self.name}{letter}{self.made}"

    def keys(self, entity: type[Sourced], source: str | None = None) -> list[tuple[str, str]]:
        return [key for key in self.today.get(entity, {}) if source in {None, key[0]}]

    def some(self, entity: type[Sourced], source: str, *, none: float = 0.0) -> str | None:
        """The id of a row of a CRM, now and then of none."""
        keys = self.keys(entity, source)
        return None if not keys or self.random.random() < none else self.random.choice(keys)[1]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    # A life.

    def exists(self, entity: type[Sourced], source: str, source_id: str, at: dt.datetime) -> bool:
        return bool(at > self.book.rows[entity][source, source_id][-1]["effective"])

    def edit(self, entity: type[Sourced], source: str, source_id: str, at: dt.datetime, **values: Any) -> None:
        if self.exists(entity, source, source_id, at):
            self.put(entity, source, source_id, at, **values)


def months_before(day: dt.date, n: int) -> dt.date:
    """The same day number n months earlier (later for a negative n), clamped to a shorter month (reading 6)."""
    months = day.year * 12 + day.month - 1 - n
    year, month = months // 12, months % 12 + 1
    return dt.date(year, month, min(day.day, monthrange(year, month)[1]))
