"""A HubSpot portal in memory: its records, and the write functions people, stories and the API share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot.association_types import PRIMARY
from connectors.sandbox.hubspot.associations import Associations
from connectors.sandbox.hubspot.calculated import calculation_of
from connectors.sandbox.hubspot.catalog import Catalog
from connectors.sandbox.hubspot.checking import checked_values
from connectors.sandbox.hubspot.instants import DAY_MS, iso, ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, DEALS, KINDS, TICKETS, Kind, kind_of
from connectors.sandbox.hubspot.record import BY_USER, SYSTEM_NAMES, Origin, Record, system_value
from connectors.sandbox.hubspot.reference import (
    Account,
    ExchangeRate,
    Owner,
    Pipeline,
    PipelineStage,
    ticket_pipeline,
)
from connectors.sandbox.hubspot.settings import PortalSettings
from connectors.sandbox.hubspot.shelf import SearchIndex, Shelf
from connectors.sandbox.hubspot.troubles import Troubles
from connectors.sandbox.hubspot.writing import closing_values, month_end, ticket_values

# (kind, id) or (kind, id, association type ids); without types HubSpot's default is made.
Link = tuple[str, int | str] | tuple[str, int | str, tuple[int, ...]]


class Portal:
    """One portal. Hold `lock` to see several things at one moment; write functions take it themselves."""

    def __init__(self, account: Account, clock: Clock, settings: PortalSettings | None = None) -> None:
        self.account = account
        self.clock = clock
        self.settings = settings or PortalSettings()
        self.lock = threading.RLock()
        self.catalog = Catalog()
        self.associations = Associations()
        self.owners: list[Owner] = []
        self.pipelines: dict[str, list[Pipeline]] = {DEALS.name: [], TICKETS.name: [ticket_pipeline()]}
        self.rates: list[ExchangeRate] = []
        self.troubles = Troubles()
        self.locks: dict[tuple[str, int], int] = {}
        self.changes = 0
        self._filled = self.now_ms()
        self._writes = 0
        self._shelves = {kind.name: Shelf(kind) for kind in KINDS}
        self._indexes = {kind.name: SearchIndex(self._shelves[kind.name]) for kind in KINDS}

    @classmethod
    def from_book(
        cls,
        book: Book,
        clock: Clock,
        cross_reference: Mapping[int, str] | None = None,
        settings: PortalSettings | None = None,
    ) -> Portal:
        """The portal of a company whose business is `book`.

        `cross_reference` maps ids of the book's companies to ids of Salesforce accounts.
        """
        from connectors.sandbox.hubspot.filling import filled_portal

        return filled_portal(book, clock, cross_reference or {}, settings)

    # What is there.

    def now_ms(self) -> int:
        """The sandbox's clock in epoch milliseconds."""
        return ms_of(self.clock.now())

    def shelf(self, kind: Kind) -> Shelf:
        """The records of a kind."""
        return self._shelves[kind.name]

    def index(self, kind: Kind) -> SearchIndex:
        """What search sees of a kind, now."""
        index = self._indexes[kind.name]
        index.refresh(self.now_ms())
        return index

    def value(self, record: Record, name: str) -> str | None:
        """The value of a property as it is read: stored, of the system, or calculated; None where empty."""
        value = record.values.get(name)
        if value is not None:
            return value or ("" if self.settings.cleared_reads_as_empty else None)
        unstored = self.unstored(record.kind, name)
        return unstored(record) if unstored else None

    def unstored(self, kind: Kind, name: str) -> Callable[[Record], str | None] | None:
        """How a property without a stored value is read: of the system, or calculated; None where it is empty."""
        if name in SYSTEM_NAMES:
            return lambda record: system_value(record, name)
        calculation = calculation_of(kind, name)
        return None if calculation is None else partial(calculation, self)

    def linked(self, record: Record, target: Kind) -> dict[int, tuple[int, ...]]:
        """Live records of a kind that this one is associated with: id -> association type ids."""
        return self.shelf(target).living(self.associations.of(record.kind, record.id, target))

    def stage(self, kind: Kind, stage_id: str) -> PipelineStage | None:
        """A stage of a pipeline of deals or tickets."""
        stages = (stage for pipeline in self.pipelines[kind.name] for stage in pipeline.stages)
        return next((stage for stage in stages if stage.id == stage_id), None)

    # What can be done. Ids may be given as numbers or as text; kinds by any name HubSpot knows.

    def create(
        self,
        type_: str,
        properties: Mapping[str, str],
        associations: Iterable[Link] = (),
        *,
        origin: Origin = BY_USER,
    ) -> Record:
        """Create a record. Raises InvalidProperties, or LookupError for an unknown kind or target."""
        kind = self.known(type_)
        with self.lock:
            kept = self.checked(kind, properties, None)
            now, shelf = self.now_ms(), self.shelf(kind)
            record = Record(kind, shelf.new_id(), now, now, {})
            if kind is DEALS:
                kept.setdefault("pipeline", self.pipelines[DEALS.name][0].id)
                kept.setdefault("closedate", month_end(self.clock.now(), self.account.timezone))
            elif kind is TICKETS:
                kept |= ticket_values(self, record, kept, iso(now))
            for name, value in kept.items():
                if value:
                    record.put(name, value, now, origin)
            shelf.add(record)
            self._written(record, None)
            for to_type, to_id, *types in associations:
                self.associate(type_, record.id, str(to_type), to_id, *(types[0] if types else ()))
            return record

    def update(
        self, type_: str, record_id: int | str, properties: Mapping[str, str], *, origin: Origin = BY_USER
    ) -> Record:
        """Write values; `""` clears. Raises InvalidProperties, or LookupError for no such live record."""
        kind = self.known(type_)
        with self.lock:
            record = self.existing(kind, record_id)
            kept = self.checked(kind, properties, record)
            self.write(record, kept, origin)
            return record

    def archive(self, type_: str, record_id: int | str) -> None:
        """Put a live record into the recycle bin. Raises LookupError."""
        with self.lock:
            record = self.existing(self.known(type_), record_id)
            before = self._before(record)
            self.shelf(record.kind).bin(record, self.now_ms())
            self._written(record, before)

    def restore(self, type_: str, record_id: int | str) -> None:
        """Bring an archived record back. Raises LookupError."""
        kind = self.known(type_)
        with self.lock:
            record = self.shelf(kind).binned(record_id)
            if record is None:
                raise LookupError(f"no archived {kind.singular} {record_id}")
            self.shelf(kind).restore(record)
            if self.settings.restore_bumps_modified:
                record.modified = self.now_ms()
            self._written(record, None)

    def purge(self, type_: str, record_id: int | str) -> None:
        """Forget a live record for good: it stands in no list and in no bin. Raises LookupError."""
        with self.lock:
            record = self.existing(self.known(type_), record_id)
            before = self._before(record)
            self.shelf(record.kind).drop(record)
            self._written(record, before)

    def empty_bin(self, kind: Kind) -> None:
        """Forget what was archived too long ago. What a book had deleted counts from when the portal was filled."""
        oldest = self.now_ms() - self.settings.bin_days * DAY_MS
        if self._filled < oldest:
            self.shelf(kind).empty_bin(oldest)

    def keep_locked(self, type_: str, record_id: int | str, seconds: float) -> None:
        """Lock a live record against the API for so long. Raises LookupError."""
        record = self.existing(self.known(type_), record_id)
        self.locks[record.kind.name, record.id] = self.now_ms() + int(seconds * 1000)

    def merge(self, type_: str, primary_id: int | str, loser_id: int | str) -> Record:
        """Merge two live records, giving the survivor. Raises LookupError."""
        from connectors.sandbox.hubspot.merging import merge_records

        kind = self.known(type_)
        with self.lock:
            return merge_records(self, self.existing(kind, primary_id), self.existing(kind, loser_id))

    def associate(self, from_type: str, from_id: int | str, to_type: str, to_id: int | str, *types: int) -> None:
        """Associate two live records; moves neither's modified date. Raises LookupError.

        Without types the default is made: plain, and primary too where the record has no primary company yet.
        """
        with self.lock:
            source = self.existing(self.known(from_type), from_id)
            target = self.existing(self.known(to_type), to_id)
            primary = PRIMARY.get((source.kind.name, target.kind.name))
            if not types and primary and target.kind is COMPANIES:
                has_one = any(primary.key in have for have in self.linked(source, COMPANIES).values())
                types = () if has_one else (primary.key,)
            self.associations.add(source.kind, source.id, target.kind, target.id, types)
            self.changes += 1

    def dissociate(self, from_type: str, from_id: int | str, to_type: str, to_id: int | str) -> None:
        """Remove all associations between two live records. Raises LookupError."""
        with self.lock:
            source = self.existing(self.known(from_type), from_id)
            target = self.existing(self.known(to_type), to_id)
            self.associations.remove(source.kind, source.id, target.kind, target.id)
            self.changes += 1

    def unlabel(self, from_type: str, from_id: int | str, to_type: str, to_id: int | str, *types: int) -> None:
        """Take labels, by their keys, off two associated live records; they stay associated. Raises LookupError."""
        with self.lock:
            source = self.existing(self.known(from_type), from_id)
            target = self.existing(self.known(to_type), to_id)
            self.associations.unlabel(source.kind, source.id, target.kind, target.id, types)
            self.changes += 1

    # Parts of the above, which batches and merges put together differently.

    def known(self, type_: str) -> Kind:
        """The kind of that name. Raises LookupError."""
        kind = kind_of(type_)
        if kind is None:
            raise LookupError(f"no kind of record is called {type_}")
        return kind

    def existing(self, kind: Kind, record_id: int | str) -> Record:
        """The live record with that id. Raises LookupError."""
        record = self.shelf(kind).live(record_id)
        if record is None:
            raise LookupError(f"no live {kind.singular} {record_id}")
        return record

    def checked(self, kind: Kind, properties: Mapping[str, str], record: Record | None) -> dict[str, str]:
        """Values as they would be kept. Raises InvalidProperties with every problem."""
        return checked_values(self, kind, properties, record)

    def write(self, record: Record, kept: Mapping[str, str], origin: Origin) -> None:
        """Put checked values on a record; moves its modified date unless a knob spares equal values."""
        before = self._before(record)
        now = self.now_ms()
        wanted = dict(kept)
        if record.kind is DEALS:
            wanted |= closing_values(self, record, kept, iso(now))
        elif record.kind is TICKETS:
            wanted |= ticket_values(self, record, kept, iso(now))
        changed = {name: value for name, value in wanted.items() if value != record.values.get(name, "")}
        for name, value in changed.items():
            record.put(name, value, now, origin)
        if changed or self.settings.same_value_bumps_modified:
            record.modified = now
        if self.settings.locked_after_write_s:
            self.locks[record.kind.name, record.id] = now + int(self.settings.locked_after_write_s * 1000)
        self._written(record, before)

    def load(self, kind: Kind, records: Iterable[Record]) -> None:
        """Take many records that were there before the portal was first looked at."""
        self.shelf(kind).load(records)
        self._indexes[kind.name].load()

    def forget(self, record: Record) -> None:
        """Take a record off its shelf: it was merged into another."""
        before = self._before(record)
        self.shelf(record.kind).drop(record)
        self._written(record, before)

    def add(self, record: Record) -> None:
        """Put a new record on its shelf."""
        self.shelf(record.kind).add(record)
        self._written(record, None)

    def _before(self, record: Record) -> Record | None:
        trails = self.settings.index_lag_s or self.settings.index_straggler_every
        return self._indexes[record.kind.name].before(record, is_shown_late=bool(trails))

    def _written(self, record: Record, before: Record | None) -> None:
        self._writes += 1
        lag = int(self.settings.index_lag_s * 1000)
        every = self.settings.index_straggler_every
        if every and self._writes % every == 0:
            lag += int(self.settings.index_straggler_lag_s * 1000)
        self._indexes[record.kind.name].after(record.id, before, self.now_ms() + lag, lag)
        self.changes += 1
