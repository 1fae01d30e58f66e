"""How many records a CRM has, and which: what the store is proven by, without reading the records themselves."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import polars as pl

from connectors.contract.reading import Stream

Key = Literal["created", "id"]
"""What windows are cut by, which never changes of a record: when it was created, or its id."""

STATES = {"source_id": pl.String(), "stamp": pl.Datetime("us", "UTC"), "deleted": pl.Boolean()}


@dataclass(frozen=True)
class Window:
    """Records with a key in [low, high); None leaves an end open. In whole seconds since 1970 by the time of creation,
    or as the number that the CRM's id is. `before`: and that were created before, in seconds since 1970."""

    low: int | None
    high: int | None
    before: int


@dataclass(frozen=True)
class Tally:
    """How many records a window holds that are not deleted. `sums`: of their amounts in 1/10,000 units, by currency;
    None where the CRM does not add them up to the unit."""

    rows: int
    sums: Map[str | None, int] | None = None


class Counting(Protocol):
    """The counts of one CRM."""

    key: Key
    ids_at_once: int
    """Ids that one call gives: a window that holds no more is not cut any further."""

    def uncountable(self, stream: Stream) -> str | None:
        """Why records of a stream cannot be counted; None where they can."""
        ...

    def sums(self, stream: Stream) -> bool:
        """Whether tallies of the stream have sums."""
        ...

    def count(self, stream: Stream, window: Window) -> Tally | None:
        """One call. None where the window holds too much to be counted in the time that the CRM allows."""
        ...

    def ids(self, stream: Stream, window: Window) -> pl.Series:
        """The records of a window, as the store names them."""
        ...

    def states(self, stream: Stream, ids: Sequence[str]) -> pl.DataFrame:
        """STATES of records: when they were last changed, or deleted. Those that left no trace are absent."""
        ...


@runtime_checkable
class Countable(Protocol):
    """A connector of a CRM that can be asked how many records it has."""

    @property
    def tallies(self) -> Counting: ...
