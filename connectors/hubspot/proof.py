"""Proves that a list came whole, whatever people do to its records meanwhile.

The list is the source, the search index its witness. Before the first page the index is asked how many records there
are that were created before the slice ends, and what their highest id is: neither an edit nor a new record moves that.
Each record of those that comes is taken off, and each that was put into the bin, or merged, before it could come. What
is left over was lost, or purged meanwhile, or the witness is wrong: then the index is asked what came there is of each
range of ids, and where it has more, or where all is soon looked through, which they are; what did not come is read by
its id. An index that counts what it does not show, or refuses the question, proves nothing and stops nothing. In a
portal too large to be looked through, a purge of what had come can hide that something else of its range was lost: one
of 256.

Which came is known to the process that read them. Of what an earlier one read before it stopped the store tells, unless
it held them already: then all of it counts as come, and where something lacks is read once more.

Where something was seen to move, the same is asked once more at the end: it has what was restored, which must not stand
in for what was lost. An index that trails behind may still have what is gone: that is asked for, and waited for.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl
from pyroaring import BitMap64

from connectors.contract import Known, Slice
from connectors.errors import PermissionMissing, RequestRefused
from connectors.hubspot import tallies
from connectors.hubspot.client import Client
from connectors.hubspot.codecs import as_moment
from connectors.hubspot.places import Place
from connectors.hubspot.ranges import Portion
from connectors.hubspot.records import Record, Wish, changed_at, was_archived
from connectors.hubspot.search import (
    PAGE,
    RECHECKS,
    Found,
    ShowsNone,
    changed_ids,
    count_among,
    count_created,
    created_before,
    created_ids,
    created_property,
    merged_since,
)

LOOKED_THROUGH = tallies.MOST * PAGE
"""Records up to which the index is looked through, id by id, for what lacks: that costs no more searches than to count
those of each range, and shows as well what was lost while another was purged that had come."""
UNPROVEN = "lists that were not proven to be whole, as HubSpot's search refused the question"
HIDDEN = "records that HubSpot's search counts and does not show: lists came whole without them"
_TOO_LARGE = 1 << 64
_REFUSED = (RequestRefused, PermissionMissing, ShowsNone)
_SHOWN = {"source_id": pl.String, "stamp": pl.String}


@dataclass
class Proof:
    """The proof of one slice. `resumed`: an earlier process read some of it. `note`: takes what may surprise, and how
    often. `moved`: set once a record was changed after the slice ends."""

    client: Client
    wish: Wish
    span: Slice
    sleep: Callable[[float], None]
    known: Known | None = None
    resumed: bool = False
    note: Callable[[str, int], None] = lambda _, __: None
    seen: BitMap64 = field(default_factory=BitMap64)
    """The ids that came, as numbers: a byte each where they are near to each other, sixteen where the next is 10,000
    further on."""
    moved: threading.Event = field(default_factory=threading.Event)
    _gone: list[str] = field(default_factory=list)
    """Ids that left since the slice ended, as far as this process has found out."""
    _counting: threading.Lock = field(default_factory=threading.Lock)

    def begun(self, place: Place) -> Place:
        """The place of a list that begins, with what the index has now, if it tells."""
        with self._unless_refused():
            top, total = created_before(self.client, self.wish, self.span.until)
            return replace(place, top=top, lacking=total)
        return place

    def held(self, ids: Sequence[str]) -> list[str]:
        """Those that are held and live here."""
        return [] if self.known is None or not ids else self.known(pl.Series(ids))["source_id"].to_list()

    def held_as_shown(self, found: Found) -> pl.DataFrame:
        """Those that are held as the index shows them, `source_id` and `stamp`."""
        shown = pl.DataFrame({"source_id": found.ids, "stamp": found.stamps.values()}, schema=_SHOWN)
        shown = shown.with_columns(stamp=as_moment(pl.col("stamp")))
        if self.known is None:
            return shown.clear()
        held = shown.join(self.known(shown["source_id"]), on="source_id")
        return held.filter(pl.col("stamp") == pl.col("updated_at")).select("source_id", "stamp")

    def look(self, record: Record) -> dt.datetime | None:
        """Takes note of when a record that is listed was changed; None where that cannot be read."""
        at = changed_at(record, self.wish)
        if at is not None and at >= self.span.until:
            self.moved.set()
        return at

    def saw(self, ids: Sequence[str]) -> None:
        """Takes note that these have come."""
        self.seen.update(map(_number, ids))

    def counted(self, records: Sequence[Record], top: int) -> int:
        """How many of the next records of a list count, each once: a page that came twice, or before its turn, stands
        for one that did not."""
        new: list[Record] = []
        with self._counting:
            for record in records:
                number = _number(record["id"])
                if number not in self.seen:
                    self.seen.add(number)
                    new.append(record)
        return sum(self._is_counted(record, top) for record in new)

    def took(self, place: Place, portion: Portion[Any]) -> Place:
        """The place after a portion of the list has come; of its ranges `place` has what is left."""
        place = replace(place, moved=place.moved or self.moved.is_set())
        if place.top is None or not portion.listed:
            return place
        again = place.again or (not place.came and bool(self.held([str(portion.low), str(portion.high)])))
        unread = [int(one.after) for one in place.ranges if one.after is not None and one.after.isdecimal()]
        came = tallies.added(place.came, portion.low, portion.counted, unread)
        return replace(place, lacking=(place.lacking or 0) - portion.counted, came=came, again=again)

    def binned(self, place: Place, page: list[Record]) -> Place:
        """The place after a page of the bin: what was put there since the slice ended need not have come."""
        top, until = place.top, self.span.until
        if top is None:
            return place
        lately = [r["id"] for r in page if was_archived(r, until) and self._is_counted(r, top)]
        return replace(self._without(place, lately), moved=place.moved or bool(lately))

    def left(self, place: Place) -> Place | None:
        """The place to seek from what lacks; None where nothing does. One search that came whole needs no call for it,
        nor a list at rest."""
        top, lacking = place.top, place.lacking or 0
        if top is None or (lacking == 0 and not place.moved):
            return place if lacking > 0 else None
        if lacking > 0:
            place = self._merged(place, top)
        return place if (place.lacking or 0) > 0 or self._counts_more(place, top) else None

    def sought(self, place: Place) -> Iterator[tuple[list[str], str]]:
        """Ids that the index has, and that did not come; with each portion the id up to which it was looked through.

        The index shows for a while what was deleted. But whatever is there comes back by its id.
        """
        if place.top is None:
            for found in changed_ids(self.client, self.wish, self.span, place.after, self.sleep):
                if found.ids:
                    yield self._unseen(found.ids), found.ids[-1]
            return
        with self._unless_refused():
            for span in self._suspects(place, place.top):
                shown = total = 0
                for found in created_ids(self.client, self.wish, self.span.until, span, self.sleep):
                    total = max(total, shown + found.total)
                    shown += len(found.ids)
                    yield self._missed(found, place), found.ids[-1] if found.ids else str(span[1])
                if total > shown:
                    self.note(HIDDEN, total - shown)

    def _unseen(self, ids: Sequence[str]) -> list[str]:
        return [i for i in ids if _number(i) not in self.seen]

    def _missed(self, found: Found, place: Place) -> list[str]:
        """Those that did not come. Where this process cannot tell it, what is held as it is shown has come, in a load
        whose records were not held before."""
        ids = self._unseen(found.ids)
        if place.again or not self.resumed:
            return ids
        came = set(self.held_as_shown(found)["source_id"].to_list())
        return [i for i in ids if i not in came]

    def _suspects(self, place: Place, top: int) -> Iterator[tuple[int, int]]:
        """Ranges of ids in which some may lack."""
        after = int(place.after or 0)
        if tallies.came(place.came) <= LOOKED_THROUGH:
            yield after + 1, top
            return
        for low, high, came in tallies.parts(place.came, top):
            if high > after and count_created(self.client, self.wish, self.span.until, (low, high)) > came:
                yield max(low, after + 1), high

    def _without(self, place: Place, gone: Sequence[str]) -> Place:
        """The place once it is known that these have gone: such as had not come do not lack, of what came the others
        are no more."""
        came = self._came(gone, place)
        self._gone += gone
        lacking = (place.lacking or 0) - (len(gone) - len(came))
        return replace(place, lacking=lacking, came=tallies.less(place.came, list(map(int, came))))

    def _came(self, ids: Sequence[str], place: Place) -> list[str]:
        """Those that came, or may have: what is taken for absent hides as many that were lost."""
        absent = set(self._unseen(ids))
        if self.resumed:
            absent -= absent if place.again else set(self.held(sorted(absent)))
        return [i for i in ids if i not in absent]

    def _merged(self, place: Place, top: int) -> Place:
        """The place without those that were merged into others, if that is told. Those of former years are among them,
        where a survivor was edited: what that hides the last count shows."""
        losers = set[str]()
        with suppress(*_REFUSED):
            losers = {i for i in merged_since(self.client, self.wish, self.span.until) if int(i) <= top}
        return self._without(place, sorted(losers.difference(self._gone), key=int))

    def _counts_more(self, place: Place, top: int) -> bool:
        came = tallies.came(place.came)
        with self._unless_refused():
            for wait in RECHECKS:
                if wait:
                    self.sleep(wait)
                _, total = created_before(self.client, self.wish, self.span.until, top)
                # Only what is gone can explain it, and only as much as is gone.
                is_explained = total <= came + len(self._gone)
                if total <= came or (is_explained and total - count_among(self.client, self.wish, self._gone) <= came):
                    return False
            return True
        return False

    def _is_counted(self, record: Record, top: int) -> bool:
        """Whether the index counts it among those created before the slice ends. It looks at the property, which can be
        entered by hand or be empty, and not at what the list says beside the properties."""
        at = record["properties"].get(self._created, record.get("createdAt"))
        return 0 < _number(record["id"]) <= top and bool(at) and _is_before(at, self._until)

    @cached_property
    def _created(self) -> str:
        return created_property(self.wish.kind)

    @cached_property
    def _until(self) -> dt.datetime:
        """The end of the slice in whole milliseconds, as the index is asked for it."""
        until = self.span.until
        return until.replace(microsecond=until.microsecond // 1000 * 1000)

    @contextmanager
    def _unless_refused(self) -> Iterator[None]:
        """What may be asked of a search is documented in part: a load does not end for it."""
        try:
            yield
        except _REFUSED:
            self.note(UNPROVEN, 1)


def _number(text: str) -> int:
    """An id as a number; 0 for one that is none of 64 bits, and of no use to any proof."""
    number = int(text) if text.isdecimal() else 0
    return number if number < _TOO_LARGE else 0


def _is_before(text: object, until: dt.datetime) -> bool:
    """Whether it was created before; where that cannot be read it was, as most were."""
    try:
        at = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return True
    return (at if at.tzinfo else at.replace(tzinfo=dt.UTC)) < until
