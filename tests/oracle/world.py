"""Random books of business for the oracle: many small worlds in one frame, that never touch one another.

A world is up to six accounts with all that hangs on them, lived through act by act: rows are created, edited,
re-parented, merged, deleted and undeleted, each at an instant of its own. A book is some worlds that share an org, its
rates and a configuration. Each row of a CRM keeps its `states`; what a program could know of them is what it saw from
its first sync on: `seen`.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from kammodel.entities import ExchangeRate, Product, Sourced, User, polars_schema
from kammodel.entities.schema import table_of
from kammodel.scoring import Inputs, ScoringConfig
from kammodel.store.forecasts import FORECASTS
from kammodel.store.versions import VERSION, scored_columns
from tests.oracle.acts import Life
from tests.oracle.file_acts import owner_targets
from tests.oracle.living import live
from tests.unit.kam_world import ALL_STREAMS, CONFIG, crm, frame_of, given_of

Row = dict[str, Any]
MICROSECOND = dt.timedelta(microseconds=1)
DAYS = (
    # The clock changes in Madrid and in New York, the year ends, months of 28, 29, 30 and 31 days, and a plain day.
    (2026, 3, 29), (2025, 10, 26), (2026, 3, 8), (2025, 11, 2), (2025, 12, 31), (2026, 1, 1), (2024, 2, 29),
    (2025, 2, 28), (2026, 5, 31), (2026, 6, 30), (2026, 8, 17),
)  # fmt: skip


@dataclass
class Book:
    """Some worlds under one configuration. `rows`: by entity, the states of each row, oldest first."""

    config: ScoringConfig
    first_sync: dt.datetime
    last_sync: dt.datetime
    rows: dict[type[Sourced], dict[tuple[str, str], list[Row]]] = field(default_factory=lambda: defaultdict(dict))
    files: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    worlds: list[str] = field(default_factory=list)
    forecasts: list[Row] = field(default_factory=list)
    tiers: dict[str, str] = field(default_factory=dict)
    """By group_id, those in force before the as-of day."""
    sources: tuple[str, ...] | None = None
    """The CRMs of all its worlds; None: each has its own."""
    is_plain: bool = False
    """Whether all its amounts are known and can be converted: of many together that is seldom so."""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)

    @property
    def cut(self) -> dt.datetime:
        """The earlier of the end of the as-of day and of the last sync (reading 3)."""
        after = dt.datetime.combine(self.config.as_of + dt.timedelta(days=1), dt.time(), self.zone)
        return min(after.astimezone(dt.UTC) - MICROSECOND, self.last_sync)

    def seen(self, states: list[Row]) -> list[Row]:
        """What was there to be seen at the first sync, and each change after it."""
        before = [state for state in states if state["effective"] <= self.first_sync]
        return before[-1:] + [state for state in states if state["effective"] > self.first_sync]

    def inputs(self) -> Inputs:
        """What the program is told: rows as they are now, and versions of what they were."""
        now = {entity: [plain(states[-1]) for states in rows.values()] for entity, rows in self.rows.items()}
        return Inputs(
            {entity: frame_of(entity, rows) for entity, rows in now.items()},
            read=frozenset((*crm(source).values(), name) for source, names in ALL_STREAMS.items() for name in names),
            synced_at=self.last_sync,
            given=given_of(self.files),
            versions=self.versions(),
            forecasts=self.forecast_frame(),
        )

    def before(self) -> pl.DataFrame | None:
        """What the snapshots in force before the as-of day have; None where there are none."""
        told = {"group_id": list(self.tiers), "tier_effective": list(self.tiers.values())}
        return pl.DataFrame(told) if self.tiers else None

    def forecast_frame(self) -> pl.DataFrame:
        return pl.DataFrame(self.forecasts, schema=FORECASTS, orient="row")

    def versions(self) -> pl.DataFrame:
        """Of each change that was seen, what the row was before (entities/versions.py)."""
        told = [
            version(entity, old, new)
            for entity, rows in self.rows.items()
            for states in rows.values()
            for old, new in self._changes(states)
        ]
        ordered = sorted(told, key=lambda row: row["valid_until"])
        numbered = [{**row, "version_id": number} for number, row in enumerate(ordered, start=1)]
        return pl.DataFrame(numbered, schema=VERSION, orient="row")

    def _changes(self, states: list[Row]) -> Iterator[tuple[Row, Row]]:
        seen = self.seen(states)
        return pairwise(seen)


def plain(state: Row) -> Row:
    """A state as a row of the store."""
    return {name: value for name, value in state.items() if name != "effective"}


def version(entity: type[Sourced], old: Row, new: Row) -> Row:
    """What the store appends when a row changes."""
    content = {name: _encoded(old.get(name)) for name in ("updated_at", *scored_columns(entity))}
    return {
        **{name: old[name] for name in ("source", "source_instance", "source_id")},
        "entity": table_of(entity).name,
        "valid_from": old["updated_at"],
        "valid_until": new["effective"],
        "content": json.dumps(content, separators=(",", ":"), ensure_ascii=False),
    }


def _encoded(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return (value - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // MICROSECOND
    return value.isoformat() if isinstance(value, dt.date) else value


def random_book(seed: int, worlds: int) -> Book:
    """A book of so many worlds; the same for the same seed."""
    random = Random(seed)
    day = dt.date(*random.choice(DAYS))
    zone = random.choice(("Europe/Madrid", "Europe/Madrid", "America/New_York"))
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    config = replace(
        CONFIG,
        as_of=day,
        timezone=zone,
        reporting_currency=random.choice(("EUR", "EUR", "USD")),
        system_of_record=random.choice(("salesforce", "salesforce", "hubspot", None)),
    )
    # Most books are looked at from a later day; some on the day itself, or with a sync that lags behind it.
    last = end + random.choice((dt.timedelta(days=100), dt.timedelta(days=100), -dt.timedelta(hours=5)))
    first = random.choice((end - dt.timedelta(days=700), end - dt.timedelta(days=2), end + dt.timedelta(days=20)))
    book = Book(config, min(first, last), last)
    book.sources = random.choice((("salesforce",), None, None))
    book.is_plain = random.choice((True, False, False))
    _rates(book, random)
    _users(book, random)
    _products(book, random)
    if random.random() < 0.5:
        hours = {"hours_per_month": random.choice((None, 0.0, 90.5))}
        book.files["team"] += [
            {"user": "ana", "function": "Sales", **hours},
            {"user": "luis", "function": "service", "hours_per_month": None},
        ]
    owner_targets(book, random)
    for number in range(worlds):
        name = f"{number:05x}"
        book.worlds.append(name)
        live(Life(book, Random(random.getrandbits(64)), name))
    return book


def _users(book: Book, random: Random) -> None:
    """Two users, of whom one may have left; one of the CRMs does not tell of any."""
    began = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    for user, is_active in (("ana", True), ("luis", random.choice((True, False, None)))):
        row = {**crm("salesforce"), "source_id": user, "is_active": is_active, "deleted": False}
        stamps = {"created_at": began, "updated_at": began, "effective": began}
        book.rows[User]["salesforce", user] = [{**row, **stamps}]


def _products(book: Book, random: Random) -> None:
    """A catalogue in each CRM: one product is sold no more, one is of no family; who may buy what, in some books."""
    began = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    for source in ("salesforce", "hubspot"):
        for product, family in (("pump", "Pumps"), ("valve", "Valves"), ("old", "Spares"), ("plain", None)):
            row = {**crm(source), "source_id": product, "family": family, "is_active": product != "old"}
            stamps = {"created_at": began, "updated_at": began, "effective": began, "deleted": False}
            book.rows[Product][source, product] = [{**row, **stamps}]
    if random.random() < 0.4:
        for family in ("Pumps", "Valves", "Service"):
            line = {"industry": random.choice((None, "Steel")), "country": random.choice((None, "ES"))}
            book.files["families"].append({"family": family, "is_eligible": random.choice((None, True)), **line})
        refused = {"industry": "Food", "country": None, "is_eligible": False}
        book.files["families"].append({"family": "Pumps", **refused})


def _rates(book: Book, random: Random) -> None:
    """Dated rates of two CRMs; one currency has none in some books, one only from the middle on."""
    day = book.config.as_of
    homes = {"salesforce": "EUR", "hubspot": random.choice(("EUR", "USD"))}
    for source, home in homes.items():
        other = "USD" if home == "EUR" else "EUR"
        since = day - dt.timedelta(days=500) if random.random() < 0.3 else None
        for currency, begins in ((other, (None, day - dt.timedelta(days=400), day)), ("GBP", (since, day))):
            for begin in begins:
                rate = {"numerator": random.randint(700, 1300), "denominator": random.choice((1000, 997))}
                told = {"currency": currency, "home_currency": home, "valid_from": begin, **rate}
                key = (source, f"{currency}@{begin}")
                stamp = {"created_at": None, "updated_at": None, "effective": dt.datetime.min.replace(tzinfo=dt.UTC)}
                row = {**dict.fromkeys(polars_schema(ExchangeRate)), **crm(source), "source_id": key[1], **told}
                book.rows[ExchangeRate][key] = [{**row, "deleted": False, **stamp}]
    if random.random() < 0.2:
        rate = {"rate_numerator": random.randint(1, 199), "rate_denominator": 100}
        since = day - dt.timedelta(days=200)
        book.files["fx_rates"].append({"currency": "GBP", "valid_from": since, **rate})
