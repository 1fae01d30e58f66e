"""All records of one kind, in the order of their ids: live ones, binned ones, and where merged ids lead."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping
from typing import TypeVar

from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.record import Record

Entry = TypeVar("Entry", int, tuple[int, int])
Value = TypeVar("Value")


class Shelf:
    """The records of a kind. Ids are numbers here and text on the wire."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.records: dict[int, Record] = {}
        self.aliases: dict[int, int] = {}
        self._live: list[int] = []
        self._binned: list[int] = []
        self._next_id = kind.first_id + 1

    def new_id(self) -> int:
        """An id above all others ever given."""
        self._next_id += 1
        return self._next_id - 1

    def load(self, records: Iterable[Record]) -> None:
        """Take many records at once."""
        self.records.update((record.id, record) for record in records)
        self._live = sorted(id_ for id_, record in self.records.items() if record.archived_at is None)
        self._binned = sorted(id_ for id_, record in self.records.items() if record.archived_at is not None)
        self._next_id = max((self._next_id, *(id_ + 1 for id_ in self.records), *(a + 1 for a in self.aliases)))

    def add(self, record: Record) -> None:
        """Take one new live record."""
        self.records[record.id] = record
        insort(self._live, record.id)
        self._next_id = max(self._next_id, record.id + 1)

    def bin(self, record: Record, at: int) -> None:
        """Archive a live record."""
        record.archived_at = at
        _take_out(self._live, record.id)
        insort(self._binned, record.id)

    def restore(self, record: Record) -> None:
        """Bring an archived record back under its id."""
        record.archived_at = None
        _take_out(self._binned, record.id)
        insort(self._live, record.id)

    def drop(self, record: Record) -> None:
        """Forget a record: purged, or merged away."""
        del self.records[record.id]
        _take_out(self._live, record.id)
        _take_out(self._binned, record.id)

    def empty_bin(self, oldest: int) -> None:
        """Forget archived records that were archived before an instant."""
        for record in [self.records[id_] for id_ in self._binned]:
            if record.archived_at is not None and record.archived_at < oldest:
                self.drop(record)

    def live(self, record_id: int | str) -> Record | None:
        """The live record with exactly this id."""
        record = self.records.get(_number(record_id))
        return record if record is not None and record.archived_at is None else None

    def living(self, links: Mapping[int, Value]) -> dict[int, Value]:
        """What of a mapping belongs to live records: written out, as associations by the thousand pass here."""
        records = self.records
        return {i: v for i, v in links.items() if (r := records.get(i)) is not None and r.archived_at is None}

    def binned(self, record_id: int | str) -> Record | None:
        """The archived record with this id."""
        record = self.records.get(_number(record_id))
        return record if record is not None and record.archived_at is not None else None

    def resolved(self, record_id: int | str) -> Record | None:
        """The live record with this id, or the survivor of the merges it went through."""
        number = _number(record_id)
        while number in self.aliases:
            number = self.aliases[number]
        return self.live(number)

    def page(
        self, after: int, limit: int, *, archived: bool, cursor_is_last_id: bool = False
    ) -> tuple[list[Record], int | None]:
        """Records with an id of at least the cursor `after`, and the next cursor: the id the next page begins with. Or
        those above it, and the last id of the page."""
        ids = self._binned if archived else self._live
        start = bisect_right(ids, after) if cursor_is_last_id else bisect_left(ids, after)
        wanted = ids[start : start + limit + 1]
        following = wanted[limit - cursor_is_last_id] if len(wanted) > limit else None
        return [self.records[id_] for id_ in wanted[:limit]], following

    def live_ids(self) -> list[int]:
        """Ids of all live records, ascending. Not to be changed."""
        return self._live


def _take_out(ids: list[int], wanted: int) -> None:
    at = bisect_left(ids, wanted)
    if at < len(ids) and ids[at] == wanted:
        del ids[at]


def _number(record_id: int | str) -> int:
    """An id as a number; -1, which is nobody's, where it is not one."""
    if isinstance(record_id, int):
        return record_id
    return int(record_id) if record_id.isascii() and record_id.isdigit() else -1


class SearchIndex:
    """What search sees of one kind: the live records, each as it was before writes younger than the lag."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        # Entries go stale when a record is modified again: a reader compares with the record.
        self._stamps: list[tuple[int, int]] = []
        self._ids: list[int] = []
        self._frozen: dict[int, Record | None] = {}
        self._pending: list[tuple[int, int, Record | None]] = []
        self.generation = 0

    def load(self) -> None:
        """Index everything on the shelf at once."""
        self._ids = list(self._shelf.live_ids())
        self._stamps = sorted((self._shelf.records[id_].modified, id_) for id_ in self._ids)
        self.generation += 1

    def before(self, record: Record, *, is_shown_late: bool) -> Record | None:
        """Keep what search sees of a record that is about to change. Call `after` when it has."""
        if is_shown_late and record.id not in self._frozen:
            return record.copy()
        return None

    def after(self, record_id: int, before: Record | None, due: int, lag_ms: int) -> None:
        """Show the record's new state (or absence) from `due` on."""
        if not lag_ms and record_id not in self._frozen:
            self._show(record_id)
            return
        now = self._shelf.live(record_id)
        self._frozen.setdefault(record_id, before)
        self._pending.append((due, record_id, None if now is None else now.copy()))

    def refresh(self, now: int) -> None:
        """Let in what has become due by `now`."""
        due = [entry for entry in self._pending if entry[0] <= now]
        if not due:
            return
        self._pending = [entry for entry in self._pending if entry[0] > now]
        waiting = {record_id for _, record_id, _ in self._pending}
        for _, record_id, state in due:
            if record_id in waiting:
                self._frozen[record_id] = state
            else:
                self._frozen.pop(record_id, None)
            self._show(record_id)

    def seen(self, record_id: int) -> Record | None:
        """The record as search sees it."""
        if record_id in self._frozen:
            return self._frozen[record_id]
        return self._shelf.live(record_id)

    def ids_between(self, low: int, high: int) -> list[int]:
        """Ids seen with low <= id <= high, ascending."""
        return self._ids[bisect_left(self._ids, low) : bisect_right(self._ids, high)]

    def ids_modified_between(self, low: int, high: int) -> list[int]:
        """Ids of records modified at low <= instant <= high, ascending."""
        first = bisect_left(self._stamps, (low, -1))
        last = bisect_left(self._stamps, (high + 1, -1))
        found = []
        for modified, record_id in self._stamps[first:last]:
            record = self.seen(record_id)
            if record is not None and record.modified == modified:
                found.append(record_id)
        return sorted(found)

    def _show(self, record_id: int) -> None:
        self.generation += 1
        record = self.seen(record_id)
        if record is None:
            _take_out(self._ids, record_id)
            return
        _put_in(self._ids, record_id)
        _put_in(self._stamps, (record.modified, record_id))


def _put_in(entries: list[Entry], entry: Entry) -> None:
    at = bisect_left(entries, entry)
    if at == len(entries) or entries[at] != entry:
        entries.insert(at, entry)
