"""What reading and writing will take, before it is done: each connector states the arithmetic of its own roads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from connectors.contract.reading import Slice, Stream


@dataclass(frozen=True)
class Load:
    """`rows` null where the CRM could not count them; then `calls` are those of a first page. `seconds`: at least, by
    the pace that the CRM's limits allow, or by what one call after the other takes."""

    rows: int | None = 0
    calls: int = 0
    seconds: float = 0.0

    def __add__(self, other: Load) -> Load:
        rows = None if self.rows is None or other.rows is None else self.rows + other.rows
        return Load(rows, self.calls + other.calls, self.seconds + other.seconds)


@dataclass(frozen=True)
class Quota:
    """`limit`: calls of a day that all clients have together. `left`: those of them that this run may make."""

    limit: int
    left: int


class Estimates(Protocol):
    """Counts, and reads nothing: a call or two for each stream that is asked about."""

    def reading(self, stream: Stream, spans: Sequence[Slice]) -> Load:
        """Reading these slices, which follow one another without a gap. They are counted together, and taken to hold
        as many rows each."""
        ...

    def listing(self, stream: Stream) -> Load:
        """Asking what was deleted of late; see Sweeps."""
        ...

    def comparing(self, stream: Stream, rows: int) -> Load:
        """Reading the ids of all records, of which there are so many."""
        ...

    def relinking(self, stream: Stream, rows: int) -> Load:
        """Looking at the links of so many records."""
        ...

    def looking(self, accounts: int) -> Load:
        """Reading our fields of so many accounts, as a plan does."""
        ...

    def writing(self, accounts: int) -> Load:
        """Writing so many accounts, with the look at each batch before it and after."""
        ...

    def alone(self, calls: int) -> float:
        """Seconds that so many calls take, of the pools that were called until now: those of signing in, when nothing
        else was done yet, or those of signing in and of counting."""
        ...

    def quota(self) -> Quota | None:
        """None where no answer has stated it yet, or there is none."""
        ...


@runtime_checkable
class Foresees(Protocol):
    """A connector that can say what reading will take."""

    @property
    def estimates(self) -> Estimates: ...
