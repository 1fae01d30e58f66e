"""Notices rows that a query sends a second time: a page that came twice stands where another one was lost."""

from __future__ import annotations

from collections.abc import Collection

from connectors.errors import ShortAnswer


class Repeats:
    """The ids that one query has sent, for as long as it is read: no query names a record twice.

    A count cannot tell a page that came twice from the one that it stands for. Takes some 70 bytes a row; the rows of a
    query are bounded by how it is cut.
    """

    def __init__(self, of: str) -> None:
        self._of = of
        self._seen: set[int] = set()

    def check(self, ids: Collection[str]) -> None:
        """Raises ShortAnswer where some of these have come before."""
        came = {hash(one) for one in ids}
        again = len(ids) - len(came) + len(came & self._seen)
        if again:
            raise ShortAnswer(f"{self._of} sent {again:,} rows a second time, so that others are missing; run again")
        self._seen |= came
