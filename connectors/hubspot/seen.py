"""Which ids a process has seen, in eight bytes each: a portal may have twenty million."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import polars as pl


class Seen:
    """Ids by their numbers. Several threads may add at a time; `unseen` is for when they are done."""

    def __init__(self) -> None:
        self._added = array("q")
        self._ordered = pl.Series([], dtype=pl.Int64)

    def add(self, record_id: str) -> None:
        """An id that is no number is of no use to any proof, and is left out."""
        if record_id.isdecimal():
            self._added.append(int(record_id))

    def unseen(self, ids: Sequence[str]) -> list[str]:
        """Those that were not seen, in their order."""
        if self._added:
            self._ordered = pl.concat([self._ordered, pl.Series(self._added, dtype=pl.Int64)]).sort()
            self._added = array("q")
        if self._ordered.is_empty() or not ids:
            return list(ids)
        asked = pl.Series(ids, dtype=pl.String)
        numbers = asked.cast(pl.Int64, strict=False)
        places = self._ordered.search_sorted(numbers.fill_null(-1)).clip(upper_bound=len(self._ordered) - 1)
        return asked.filter(~self._ordered.gather(places).eq_missing(numbers)).to_list()
