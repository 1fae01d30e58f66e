"""Proves that a list came whole, whatever people do to its records meanwhile.

The witness is the search index, which knows nothing of lists. Before the first page it is asked how many records there
are that were created before the slice ends, and what their highest id is: neither an edit nor a new record moves that.
Each record of those that comes is taken off; each that was put into the bin, or merged, before it could come as well.
What is left over was lost, or purged meanwhile: then the index is walked, and what had not come is read by its id.

Which came is known to the process that read them. Of what an earlier one read before it stopped the store tells, unless
it held them already: then what was put into the bin counts as not come, and can hide as many that were lost.

Where something was seen to move, the same is asked once more at the end: it has what was restored, which must not stand
in for what was lost. An index that trails behind may still have what is gone: that is asked for, and waited for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from connectors.contract import Known, Slice
from connectors.hubspot.client import Client
from connectors.hubspot.places import Place
from connectors.hubspot.ranges import Portion
from connectors.hubspot.records import Record, Wish, changed_at, was_archived
from connectors.hubspot.search import RECHECKS, count_among, created_before, merged_since
from connectors.hubspot.seen import Seen


@dataclass
class Proof:
    """The proof of one slice. `moved`: set once a record was changed after the slice ends."""

    client: Client
    wish: Wish
    span: Slice
    sleep: Callable[[float], None]
    known: Known | None = None
    seen: Seen = field(default_factory=Seen)
    moved: threading.Event = field(default_factory=threading.Event)
    _absent: list[str] = field(default_factory=list)
    """Ids that left before they could come, as far as this process has found out."""

    def begun(self, place: Place) -> Place:
        """The place of a list that begins, with what the index has now."""
        top, total = created_before(self.client, self.wish, self.span.until)
        return replace(place, top=top, lacking=total)

    def held(self, ids: Sequence[str]) -> list[str]:
        """Those that are held and live here."""
        return [] if self.known is None or not ids else self.known(pl.Series(ids))["source_id"].to_list()

    def look(self, record: Record) -> dt.datetime | None:
        """Takes note of a record that is listed; when it was changed, None where that cannot be read."""
        self.seen.add(record["id"])
        at = changed_at(record, self.wish)
        if at is not None and at >= self.span.until:
            self.moved.set()
        return at

    def counts(self, record: Record, top: int) -> bool:
        """Whether the index counts it among those created before the slice ends."""
        is_below = record["id"].isdecimal() and int(record["id"]) <= top
        return is_below and _is_before(record.get("createdAt"), self.span.until)

    def took(self, place: Place, portion: Portion[Any]) -> Place:
        """The place after a portion of the list has come."""
        came, moved = place.came + portion.counted, place.moved or self.moved.is_set()
        is_first = place.came == 0 and portion.listed > 0
        again = place.again or (is_first and bool(self.held([str(portion.low), str(portion.high)])))
        return replace(place, lacking=(place.lacking or 0) - portion.counted, came=came, moved=moved, again=again)

    def binned(self, place: Place, page: list[Record]) -> Place:
        """The place after a page of the bin: what was put there since the slice ended need not have come."""
        if place.top is None:
            return place
        lately = [r for r in page if was_archived(r, self.span.until) and self.counts(r, place.top)]
        absent = self._unseen([r["id"] for r in lately], place)
        return replace(place, lacking=(place.lacking or 0) - len(absent), moved=place.moved or bool(lately))

    def is_short(self, place: Place) -> bool:
        """Whether more is to be sought. One search that came whole needs no call for it, nor a list at rest."""
        lacking = place.lacking or 0
        if place.top is None or (lacking == 0 and not place.moved):
            return lacking > 0
        if lacking > 0:
            lacking -= self._merged(place, place.top)
        return lacking > 0 or self._counts_more(place.top, place.came)

    def _unseen(self, ids: Sequence[str], place: Place) -> list[str]:
        unseen = self.seen.unseen(ids)
        if not place.again:
            came = set(self.held(unseen))
            unseen = [i for i in unseen if i not in came]
        self._absent += unseen
        return unseen

    def _merged(self, place: Place, top: int) -> int:
        """How many were merged into others and so never came. Those of former years are among them, where a survivor
        was edited: what that hides the last count shows."""
        losers = {i for i in merged_since(self.client, self.wish, self.span.until) if int(i) <= top}
        return len(self._unseen(sorted(losers.difference(self._absent), key=int), place))

    def _counts_more(self, top: int, came: int) -> bool:
        for wait in RECHECKS:
            if wait:
                self.sleep(wait)
            _, total = created_before(self.client, self.wish, self.span.until, top)
            if total <= came or total - count_among(self.client, self.wish, self._absent) <= came:
                return False
        return True


def _is_before(text: object, until: dt.datetime) -> bool:
    """Whether it was created before; where that cannot be read it was, as most were."""
    try:
        at = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return True
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) < until
