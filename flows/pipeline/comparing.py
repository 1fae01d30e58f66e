"""Takes the ids that a CRM lists range by range in parts, each of which is compared before the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import orjson
import polars as pl

from connectors.contract import Existing
from connectors.errors import ConnectorError, SliceLost
from kammodel.store.certifying import Ends

FIRST = 1_000
"""Ids of the first part: to see whether what vanished is gone takes calls, which a part that ends with them lacks."""
_END = 2**63


@dataclass(frozen=True)
class Looked:
    """How far a comparison has come. `place`: where the list of ids goes on, opaque, None at its beginning;
    `is_listed`: it has come to its end; `vanished`: ids that live here and were not on it, none of them marked yet."""

    place: str | None = None
    is_listed: bool = False
    vanished: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))

    def after(self, place: str | None, vanished: pl.Series) -> Looked:
        """Once a further part was compared."""
        return Looked(place, place is None, pl.concat([self.vanished, vanished]))

    def marked(self, number: int) -> Looked:
        """Once the first so many of those that vanished were."""
        return replace(self, vanished=self.vanished.slice(number))

    def text(self) -> str:
        """Opaque text that `parse` takes."""
        return orjson.dumps({"place": self.place, "vanished": self.vanished.to_list()}).decode()

    @staticmethod
    def parse(text: str) -> Looked:
        """Raises SliceLost."""
        try:
            told = orjson.loads(text)
            return Looked(told["place"], told["place"] is None, pl.Series(told["vanished"], dtype=pl.String))
        except (TypeError, ValueError, KeyError) as fault:
            raise SliceLost("the place that a comparison of ids had come to cannot be read") from fault


class Parts:
    """All ids of a list: FIRST of them, then twice as many each time, `most` at most. `place`: where to go on after
    what was given. `fault`: what ended the list before its end; what had come by then is a part like others."""

    def __init__(self, listed: Iterator[Existing], most: int) -> None:
        first = next(listed)
        self._listed, self._most, self._size = listed, most, min(FIRST, most)
        self._before = self._left = first.left
        self.place = first.place
        self.fault: ConnectorError | None = None

    @property
    def is_over(self) -> bool:
        return self.fault is not None or not self._left

    def ids(self) -> Iterator[pl.Series]:
        """Those of the next part. Raises SliceLost, after which the list has to be begun anew."""
        self._before, count = self._left, 0
        try:
            for found in self._listed:
                self._left, self.place = found.left, found.place
                count += found.ids.len()
                yield found.ids
                if count >= self._size:
                    self._size = min(2 * self._size, self._most)
                    return
        except SliceLost:
            raise
        except ConnectorError as fault:
            self.fault = fault

    def looked_at(self) -> Sequence[Ends]:
        """The ranges that the part has all ids of."""
        return less(self._before, self._left)


def less(ranges: Sequence[Ends], others: Sequence[Ends]) -> list[Ends]:
    """What of the ranges is in none of the others, in order. Ranges of either do not overlap."""
    found: list[Ends] = []
    holes = sorted((low or 0, _END if high is None else high) for low, high in others)
    for start, end in sorted((low or 0, _END if high is None else high) for low, high in ranges):
        at = start
        for low, high in holes:
            if low > at and low < end:
                found.append((at, low))
            at = max(at, high) if low < end and high > at else at
        if at < end:
            found.append((at, None if end == _END else end))
    return found
