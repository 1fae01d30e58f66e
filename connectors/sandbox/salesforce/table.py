"""The rows of one object, in the order of their ids and of their change stamps."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.salesforce.fields import Field, SObject

Row = list[Any]
"""Values in the order of `Table.fields`. A row that is in a table is never changed, only replaced."""

Formula = Callable[[Mapping[str, Any]], Any]
"""What a column is worked out from: the stored record."""

AFTER_ALL = "~"


@dataclass(frozen=True)
class Span:
    """Rows to look at: `low <= value <= high` for the id and for the change stamp; None leaves it open."""

    ids: tuple[str | None, str | None] = (None, None)
    stamps: tuple[str | None, str | None] = (None, None)


class Table:
    """All rows of an object, soft-deleted ones too. Field names are found without regard to case.

    Columns in `formulas` (by lower-case name) are worked out when they are read; what rows hold of them is not shown.
    """

    def __init__(self, sobject: SObject, more_fields: Iterable[Field] = ()) -> None:
        self.sobject = sobject
        self.name = sobject.name
        self.fields: list[Field] = []
        self.position: dict[str, int] = {}
        self.rows: dict[str, Row] = {}
        self.formulas: dict[str, Formula] = {}
        self.version = 0
        self.late: dict[str, tuple[str, Row | None]] = {}
        self.journal: list[tuple[Table, str, Row | None]] | None = None
        self._ids: list[str] = []
        self._stamps: list[tuple[str, str]] = []
        for one in (*sobject.fields, *more_fields):
            self.add_field(one)
        # Field history has no change stamp: its rows never change.
        self.stamp_at = self.position["systemmodstamp" if "systemmodstamp" in self.position else "createddate"]
        self._deleted_at = self.position.get("isdeleted")

    def __len__(self) -> int:
        return len(self.rows)

    # Columns.

    def field(self, name: str) -> Field | None:
        """The field of this name."""
        place = self.position.get(name.lower())
        return None if place is None else self.fields[place]

    def add_field(self, new: Field) -> None:
        """A new column: empty in all rows, whose stamps do not move."""
        self.position[new.name.lower()] = len(self.fields)
        self.fields.append(new)
        for row in (*self.rows.values(), *(before for _, before in self.late.values() if before is not None)):
            row.append(new.default)
        self.version += 1

    def replace_field(self, changed: Field) -> None:
        """The same column, defined anew."""
        self.fields[self.position[changed.name.lower()]] = changed
        self.version += 1

    def rename_field(self, name: str, changed: Field) -> None:
        """The same column, with its values, under another name."""
        place = self.position[name.lower()]
        self.fields[place] = changed
        self.position = {one.name.lower(): at for at, one in enumerate(self.fields)}
        if (formula := self.formulas.pop(name.lower(), None)) is not None:
            self.formulas[changed.name.lower()] = formula
        self.version += 1

    def drop_field(self, name: str) -> None:
        """A column goes, with its values; the stamps of the rows do not move. `position` is another object after it."""
        place = self.position[name.lower()]
        del self.fields[place]
        self.position = {one.name.lower(): at for at, one in enumerate(self.fields)}
        for row in (*self.rows.values(), *(before for _, before in self.late.values() if before is not None)):
            del row[place]
        self.formulas.pop(name.lower(), None)
        self.stamp_at = self.position["systemmodstamp"]
        self._deleted_at = self.position.get("isdeleted")
        self.version += 1

    # Rows.

    def row_of(self, record: Mapping[str, Any]) -> Row:
        """A row from a full record."""
        return [record.get(one.name) for one in self.fields]

    def record_of(self, row: Row) -> dict[str, Any]:
        """A row by field name."""
        record = {one.name: value for one, value in zip(self.fields, row, strict=True)}
        if not self.formulas:
            return record
        worked_out = {self.fields[self.position[name]].name: get(record) for name, get in self.formulas.items()}
        return record | worked_out

    def value(self, row: Row, name: str) -> Any:
        """One value of a row; None where the object has no such field."""
        place = self.position.get(name.lower())
        return None if place is None else self.getter(name)(row) if self.formulas else row[place]

    def getter(self, name: str) -> Callable[[Row], Any]:
        """How to get the value of a field from a row."""
        place, formula = self.position[name.lower()], self.formulas.get(name.lower())
        if formula is None:
            return lambda row: row[place]
        return lambda row: formula({one.name: value for one, value in zip(self.fields, row, strict=True)})

    def deleted(self, row: Row) -> bool:
        """Whether a row is in the recycle bin."""
        return self._deleted_at is not None and bool(row[self._deleted_at])

    def put(self, row: Row) -> None:
        """A new row, or a newer version of one."""
        record_id, stamp = row[0], row[self.stamp_at]
        old = self.rows.get(record_id)
        if self.journal is not None:
            self.journal.append((self, record_id, old))
        if old is None:
            insort(self._ids, record_id)
            insort(self._stamps, (stamp, record_id))
        elif old[self.stamp_at] != stamp:
            del self._stamps[bisect_left(self._stamps, (old[self.stamp_at], record_id))]
            insort(self._stamps, (stamp, record_id))
        self.rows[record_id] = row
        self.version += 1

    def load(self, rows: Iterable[Row]) -> None:
        """Many rows at once."""
        for row in rows:
            self.rows[row[0]] = row
        self._ids = sorted(self.rows)
        self._stamps = sorted((row[self.stamp_at], row[0]) for row in self.rows.values())
        self.version += 1

    def drop(self, record_id: str) -> None:
        """Forget a row for good."""
        row = self.rows.pop(record_id)
        if self.journal is not None:
            self.journal.append((self, record_id, row))
        del self._ids[bisect_left(self._ids, record_id)]
        del self._stamps[bisect_left(self._stamps, (row[self.stamp_at], record_id))]
        self.late.pop(record_id, None)
        self.version += 1

    def where(self, name: str, value: Any) -> list[Row]:
        """Rows, deleted ones too, with this value in a field."""
        place = self.position[name.lower()]
        return [row for row in self.rows.values() if row[place] == value]

    # What a reader sees.

    def seen(self, record_id: str, now: str) -> Row | None:
        """The row as others see it now: a late write shows its version from before."""
        if record_id in self.late:
            until, before = self.late[record_id]
            if until > now:
                return before
            del self.late[record_id]
        return self.rows.get(record_id)

    def span(self, span: Span, now: str) -> tuple[Iterator[Row], bool]:
        """Rows that may lie in a span, and whether they come in the order of ids; else in that of stamps.

        Every row of the span is among them; versions from before a late write may lie outside of it.
        """
        late = {record_id: until for record_id, (until, _) in list(self.late.items()) if until > now}
        self.late = {record_id: self.late[record_id] for record_id in late}
        first, last = _range(self._ids, *span.ids)
        low, high = span.stamps
        pairs = _range(self._stamps, low and (low, ""), high and (high, AFTER_ALL))
        by_id = last - first <= pairs[1] - pairs[0] or bool(late)
        if by_id and not late:
            ids: Iterable[str] = self._ids[first:last]
        elif by_id:
            ids = sorted({*self._ids[first:last], *late})
        else:
            ids = [record_id for _, record_id in self._stamps[pairs[0] : pairs[1]]]
        if not late:
            return map(self.rows.__getitem__, ids), by_id
        return (row for row in (self.seen(record_id, now) for record_id in ids) if row is not None), by_id


def tables_at(tables: Mapping[str, Table], version: int) -> Mapping[str, Table]:
    """The objects that a version of the API knows."""
    return {name: table for name, table in tables.items() if table.sobject.since <= version}


def _range(index: list[Any], low: Any, high: Any) -> tuple[int, int]:
    first = 0 if low is None else bisect_left(index, low)
    last = len(index)
    if high is not None:
        last = bisect_left(index, high)
        while last < len(index) and index[last] == high:
            last += 1
    return first, max(first, last)
