"""What the store and the files know, as frames: the rows, which streams they come from, and when that was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import polars as pl

from kammodel import identity
from kammodel.conversion import Rates, home_currencies
from kammodel.digest import digest
from kammodel.entities import (
    KEY,
    Account,
    AccountPerson,
    Activity,
    Bookmark,
    Case,
    ExchangeRate,
    LineItem,
    Opportunity,
    OpportunityFieldChange,
    OpportunityPerson,
    OpportunityStageEvent,
    Order,
    Person,
    Sourced,
    polars_schema,
)
from kammodel.facts import FRAMES, REGISTRY, FactFrame, Sources
from kammodel.facts.cut import Cut
from kammodel.facts.windows import quarter_of
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.identity import AccountGroups
from kammodel.numbering import LINKS, Numbers, number
from kammodel.rollups import Rollup
from kammodel.rollups.frames import entities as rolled_entities
from kammodel.spilling import Spill
from kammodel.store import Store
from kammodel.store.control import bookmarks
from kammodel.store.forecasts import FORECASTS, stored_forecasts
from kammodel.store.versions import VERSION, as_known, versions_after

Stream = tuple[str, str, str]
"""source, source_instance, name."""

_STAMP = "content_changed_at"
_ENVELOPE = (*KEY, "created_at", "updated_at", "deleted", _STAMP)
HISTORIES: frozenset[type[Sourced]] = frozenset({OpportunityStageEvent, OpportunityFieldChange})
"""What deals were before, as their CRM tells it."""
LARGE: tuple[type[Sourced], ...] = (
    Opportunity,
    AccountPerson,
    Person,
    Case,
    OpportunityStageEvent,
    OpportunityFieldChange,
    OpportunityPerson,
    LineItem,
    Order,
    Activity,
)
"""The entities of which there are many rows for each account; those that others lead to an account by come first."""

SHARD_ROWS = 2_000_000
"""Rows of LARGE entities that are held in memory together, unless said otherwise."""

_BATCH = 100_000
_ALWAYS: Mapping[type[Sourced], tuple[str, ...]] = {
    Account: (*identity.COLUMNS, "currency", "owner_id"),
    Opportunity: ("currency",),
    ExchangeRate: tuple(polars_schema(ExchangeRate)),
}


@cache
def asked(rollups: tuple[Rollup, ...] = ()) -> dict[type[Sourced], tuple[str, ...]]:
    """The columns of each entity that the facts, and these rollups, are made of."""
    wanted: dict[type[Sourced], tuple[str, ...]] = {}
    for entities in (_ALWAYS, *(frame.entities for frame in FRAMES), rolled_entities(rollups)):
        for entity, columns in entities.items():
            wanted[entity] = tuple(dict.fromkeys((*wanted.get(entity, _ENVELOPE), *columns)))
    return wanted


@dataclass(frozen=True)
class Inputs:
    """What is known. `entities`: rows by entity; one that is not there has none. `read`: the streams read to their
    end at least once; `columns`: those of ours that a stream fills, all of them unless it is named.

    `given`: the files of KAM_INPUTS_DIR. `synced_at`: the time of the last sync, null if there was none.
    `forecasts`: what our snapshots said at the beginning of past quarters, see store/forecasts.py. `versions`: what
    rows were before they changed, see store/versions.py. `in_doubt`: once `as_known`, the rows of which nobody
    knows what they were then. `copies`: on disk, by name of the entity, the rows of those LARGE ones that are not among
    `entities`, since together they were too many. `numbers`: of the ids that rows are put together by.
    """

    entities: Mapping[type[Sourced], pl.DataFrame]
    read: frozenset[Stream]
    synced_at: dt.datetime | None
    given: Given = NOTHING_GIVEN
    columns: Mapping[Stream, frozenset[str]] = field(default_factory=dict)
    forecasts: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FORECASTS))
    versions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=VERSION))
    in_doubt: Mapping[type[Sourced], pl.DataFrame] = field(default_factory=dict)
    copies: Spill | None = None
    rows_copied: int = 0
    numbers: Numbers = field(default_factory=Numbers)

    @property
    def large_rows(self) -> int:
        """How many rows of LARGE entities there are."""
        return self.rows_copied + sum(rows.height for entity, rows in self.entities.items() if entity in LARGE)

    def pieces(self, entity: type[Sourced], columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """The rows of an entity, not all at once where they are on disk; `columns` picks some of them."""
        if entity in self.entities:
            rows = self.numbers.added(entity, self.entities[entity])
            yield rows if columns is None else rows.select(columns)
        elif self.copies is not None:
            yield from self.copies.pieces(entity.__name__, columns)

    def held(self) -> Inputs:
        """The same with every row in memory."""
        if self.copies is None:
            return self
        copied = {entity: list(self.pieces(entity)) for entity in LARGE if entity not in self.entities}
        rows = {entity: pl.concat(pieces) for entity, pieces in copied.items() if pieces}
        return replace(self, entities={**self.entities, **rows}, copies=None, rows_copied=0)

    def small(self) -> Inputs:
        """The same without LARGE entities."""
        few = {entity: rows for entity, rows in self.entities.items() if entity not in LARGE}
        return replace(self, entities=few, copies=None, rows_copied=0)

    def of(self, entity: type[Sourced]) -> pl.DataFrame:
        """The rows of an entity."""
        found = self.entities.get(entity)
        return pl.DataFrame(schema=polars_schema(entity)) if found is None else found

    def as_known(self, moment: Cut) -> Inputs:
        """The rows as they were at a cut: those created later left out, later edits taken back. design.md step 4.

        Of a deal of which no version tells what it was then, the next row of its history is left too: that it goes on
        says that its last row up to the cut was in force at it (reading 4).
        """
        if not moment.is_past:
            return self
        then = {entity: self.rows_known(entity, rows, moment) for entity, rows in self.entities.items()}
        unknown = then[Opportunity].filter("is_reconstructed") if Opportunity in then else None
        for entity in HISTORIES & then.keys():
            then[entity] = pl.concat(history([then[entity]], unknown, moment))
        in_doubt = {
            entity: rows.filter("is_reconstructed", ~pl.col("deleted"))
            for entity, rows in then.items()
            if entity not in HISTORIES
        }
        entities = {entity: rows.drop("is_reconstructed") for entity, rows in then.items()}
        return replace(self, entities=entities, in_doubt=in_doubt)

    def rows_known(self, entity: type[Sourced], rows: pl.DataFrame, moment: Cut) -> pl.DataFrame:
        """Rows of an entity as they were at a cut, with `is_reconstructed`, see `store.versions.as_known`."""
        # The numbers are those of the ids of today.
        plain = rows.drop(number(name) for name in LINKS.get(entity, ()) if number(name) in rows.columns)
        then = as_known(entity, plain, self.versions, moment.at, later_too=entity in HISTORIES)
        return self.numbers.added(entity, then)

    def knows(self, frame: FactFrame, source: str, instance: str) -> bool:
        """Whether the rows of a frame of facts are known for what one CRM holds."""
        streams = {name for s, i, name in self.read if (s, i) == (source, instance)}
        streams = {name for name in streams if self._fills((source, instance, name), frame)}
        return not frame.reads or any(needed <= streams for needed in frame.reads)

    def _fills(self, stream: Stream, frame: FactFrame) -> bool:
        needed = frame.needs.get(stream[2], frozenset())
        return needed <= self.columns.get(stream, needed)

    def rates(self, reporting_currency: str, opportunities: pl.DataFrame | None = None) -> Rates:
        """What turns amounts into the reporting currency. `opportunities`: source, source_instance, currency, if they
        are not among the entities."""
        accounts, rates = self.of(Account), self.of(ExchangeRate)
        deals = self.of(Opportunity) if opportunities is None else opportunities
        homes = home_currencies(deals, accounts, rates, reporting_currency)
        return Rates(homes, rates, reporting_currency, self.given.frames.get("fx_rates"))

    def sources(
        self, grouping: AccountGroups, moment: Cut, reporting_currency: str, rates: Rates | None = None
    ) -> Sources:
        """What the frames of facts are built from."""
        return Sources(
            entities={entity: self.numbers.added(entity, self.of(entity)) for entity in asked()},
            given={name: frame for name, frame in self.given.frames.items() if frame is not None},
            grouping=grouping,
            moment=moment,
            rates=self.rates(reporting_currency) if rates is None else rates,
            registry=REGISTRY,
            numbers=self.numbers,
            forecasts=self.forecasts,
        )

    def fingerprint(self, cut_at: dt.datetime, stamps: Stamps | None = None) -> str:
        """Sixteen hexadecimal digits that change when a row does: rows and their change stamps, files, streams, our
        own forecasts, the cut. `stamps`: those of the entities that are not among `entities`."""
        stamped = {entity.__name__: stamps_of([rows]) for entity, rows in self.entities.items()} | (stamps or {})
        told = self.forecasts.filter(pl.col("as_of") < quarter_of(cut_at.date())[0])
        forecasts = [told.height, str(told["forecast"].cast(pl.Int128).sum())]
        rows = {name: [n, str(total)] for name, (n, total) in stamped.items()}
        return digest([rows, self.given.fingerprint, sorted(self.read), forecasts, cut_at.isoformat()])


Stamps = dict[str, tuple[int, int]]
"""By name of an entity: how many rows, and the sum of when they last changed."""


def stamps_of(pieces: Iterable[pl.DataFrame]) -> tuple[int, int]:
    """How many rows, and the sum of their change stamps in microseconds."""
    n, total = 0, 0
    for rows in pieces:
        n += rows.height
        total += int(rows.select(pl.col(_STAMP).dt.epoch("us").cast(pl.Int128).sum()).item())
    return n, total


def read_inputs(
    store: Store, given: Given = NOTHING_GIVEN, at: dt.datetime | None = None, shard_rows: int | None = SHARD_ROWS
) -> Inputs:
    """The frames of the store. A stream counts as read once a slice of it was closed: its watermark stands.

    The last sync is the newest of the times up to which streams were read and of the stamps of rows: a stream
    that lags behind does not hold back what others brought. `at`: the one cut that is asked for later; without it
    all versions of rows are read, for any. Where there are more rows of LARGE entities than `shard_rows`, these are
    copied to disk; with None they are not read at all.
    """
    with store.transaction() as tx:
        marks = [mark for mark in bookmarks(tx) if mark.watermark is not None]
        versions, forecasts = versions_after(tx, at), stored_forecasts(tx)
    wanted = {one: names for one, names in asked(given.rollups).items() if shard_rows is not None or one not in LARGE}
    rows_n = {entity: store.count(entity) for entity in LARGE if entity in wanted}
    copies = Spill(packed=True) if sum(rows_n.values()) > (shard_rows or 0) else None
    stamps = [until for mark in marks if (until := mark.read_until or mark.watermark) is not None]
    entities, copied, numbers = dict[type[Sourced], pl.DataFrame](), 0, Numbers()
    for entity, columns in wanted.items():
        pieces = []
        for rows in _read(store, entity, columns, rows_n.get(entity, 0)):
            stamps += _newest(rows)
            numbered = numbers.added(entity, rows)
            if entity in rows_n and copies is not None and not rows.is_empty():
                copies.append(entity.__name__, numbered)
                copied += rows.height
            else:
                pieces.append(numbered)
        if pieces:
            entities[entity] = pl.concat(pieces)
    return Inputs(
        entities,
        read=frozenset(map(_stream, marks)),
        synced_at=max(stamps, default=None),
        given=given,
        columns={_stream(mark): frozenset(mark.columns.split(",")) for mark in marks if mark.columns},
        forecasts=forecasts,
        versions=versions,
        copies=copies,
        rows_copied=copied,
        numbers=numbers,
    )


def _read(store: Store, entity: type[Sourced], columns: Sequence[str], rows_n: int) -> Iterator[pl.DataFrame]:
    """The rows of an entity, at least one piece. Few are read at once: that takes no preparation."""
    if rows_n <= _BATCH:
        yield store.read(entity, columns)
    else:
        yield from store.batches(entity, columns, _BATCH)


def _newest(rows: pl.DataFrame) -> list[dt.datetime]:
    stamp = rows[_STAMP].max()
    return [stamp] if isinstance(stamp, dt.datetime) else []


def history(pieces: Iterable[pl.DataFrame], unknown: pl.DataFrame | None, moment: Cut) -> Iterator[pl.DataFrame]:
    """History up to the cut, and at last of the deals that are unknown the first row after it."""
    deal, first = [*KEY[:2], "opportunity_id"], None
    for rows in pieces:
        yield rows.filter(pl.col("changed_at") <= moment.at)
        if unknown is None or unknown.is_empty():
            continue
        later = rows.filter(pl.col("changed_at") > moment.at)
        own = later.join(unknown.select(*KEY[:2], opportunity_id="source_id"), on=deal, how="semi")
        every = own if first is None else pl.concat([first, own])
        first = every.sort("changed_at", "source_id").unique(deal, keep="first", maintain_order=True)
    if first is not None:
        yield first


def _stream(mark: Bookmark) -> Stream:
    return mark.source, mark.source_instance, mark.stream
