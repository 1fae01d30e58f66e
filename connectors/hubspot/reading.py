"""Reads a slice of one kind of record in batches of about a thousand, several at a time, resumable after each.

A full slice lists all records, then the bin. An increment searches the ids changed in its window, reads them
by id, then takes from the bin what was put there since. A thousand rows share one call for their links.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

import orjson
import polars as pl

from connectors.contract import Known, Slice
from connectors.errors import ConnectorError, ShortAnswer, SliceLost
from connectors.hubspot.client import Client
from connectors.hubspot.codecs import as_moment
from connectors.hubspot.crew import Crew, Job
from connectors.hubspot.listing import listed
from connectors.hubspot.ranges import Range, Scan, Seeking
from connectors.hubspot.records import BATCH, Record, Wish, changed_at, fetch, was_archived
from connectors.hubspot.search import PAGE, Found, changed_ids, count_among, count_changed, missing

M = TypeVar("M")
ROWS = 2000
SCAN_FROM = 10_000
"""Changed rows from which on it is asked whether listing all of them would be quicker."""
_HOUR = dt.timedelta(hours=1)
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
Road = Literal["list", "search", "proof", "bin"]
_SHOWN = {"source_id": pl.String, "stamp": pl.String}


@dataclass(frozen=True)
class Place:
    """Where a slice stands: the road, how far it is, and what was counted so far.

    `ranges`: of a list, what is still to be read. `after`: the last id of a search or a proof, the cursor of the bin.
    `found`: rows of the roads before the bin. `first`: how many of them the CRM announced at the start. `rows`: all
    rows given, the bin's included.
    """

    road: Road
    ranges: tuple[Range, ...] = ()
    after: str | None = None
    found: int = 0
    first: int | None = None
    rows: int = 0

    def text(self) -> str:
        """Opaque text that `parse` takes."""
        ranges = [[r.after, r.before] for r in self.ranges]
        told = {name: getattr(self, name) for name in ("road", "after", "found", "first", "rows")}
        return orjson.dumps(told | {"ranges": ranges}).decode()

    @classmethod
    def parse(cls, text: str) -> Place:
        try:
            told = orjson.loads(text)
            ranges = tuple(Range(after, before) for after, before in told.pop("ranges"))
            place = cls(**told, ranges=ranges)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SliceLost("the place to resume from is not one that this connector wrote") from None
        if place.road not in {"list", "search", "proof", "bin"} or (place.road == "list") is not bool(ranges):
            raise SliceLost("the place to resume from is not one that this connector wrote")
        return place


@dataclass(frozen=True)
class Batch:
    """Records, and ids that are gone (with their survivor, if merged)."""

    records: list[Record]
    gone: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Step(Generic[M]):
    """What was made of a batch, and the place after it; None at the end.

    `announced`, at the end: how many rows the slice has, proven against the CRM's own count. `known`: how many were
    not read, because they are held as they are.
    """

    made: M
    place: Place | None
    announced: int | None = None
    known: int = 0


def read_batches(
    client: Client,
    wish: Wish,
    span: Slice,
    resume: str | None,
    *,
    make: Callable[[Batch], M],
    seeking: Seeking,
    sleep: Callable[[float], None],
    known: Known | None = None,
) -> Iterator[Step[M]]:
    """All batches of the slice, from its start or from a place. `make` works in the threads that read."""
    with Crew(client.parallel, client.room) as crew:
        again = looked_at_again(span)
        yield from _Reading(client, wish, again, crew, seeking, make, sleep, known, span.since).steps(resume)


def looked_at_again(span: Slice) -> Slice:
    """The window of an increment that reaches over a full hour begins an hour earlier: so each hour is looked at a
    second time at least an hour after its end, for rows that the index had not shown by then.

    It costs a search of what was changed in that hour: rows that we have as they are are not read again.
    """
    if span.since is None:
        return span
    since = span.since.replace(minute=0, second=0, microsecond=0)
    return Slice(since - _HOUR, span.until) if span.until - since >= _HOUR else span


@dataclass(frozen=True)
class _Reading(Generic[M]):
    client: Client
    wish: Wish
    span: Slice
    crew: Crew
    seeking: Seeking
    make: Callable[[Batch], M]
    sleep: Callable[[float], None]
    known: Known | None = None
    first_since: dt.datetime | None = None
    """Where the slice began before an hour was added to it."""
    seen: array[int] = field(default_factory=lambda: array("q"))
    """Ids that this process has seen in the slice."""
    late: list[str] = field(default_factory=list)
    """Those that were edited after its end, before they were listed: no count of the slice has them."""

    def steps(self, resume: str | None) -> Iterator[Step[M]]:
        place = Place.parse(resume) if resume is not None else self._start()
        if place.road in {"list", "search"}:
            for step in self._listed(place) if place.road == "list" else self._searched(place):
                place = step.place or place
                yield step
        if place.road == "proof":
            yield from self._proof(place)
            return
        yield from self._bin(place)

    def _proof(self, place: Place) -> Iterator[Step[M]]:
        """Reads by id what the index counts and the road before did not show, then goes on to the bin.

        The index is no proof: it shows for a while what was deleted. But whatever is there comes back by its id.
        """
        if place.after or self.span.since is None or place.found < (place.first or 0):
            for step in self._sought(place) if place.after or self._is_short(place.found) else ():
                place = step.place or place
                yield step
        yield from self._bin(replace(place, road="bin", after=None))

    def _is_short(self, found: int) -> bool:
        """Whether the index counts more than was found; where it trails behind late edits it counts those still."""
        lacking = missing(self.client, self.wish, self.span, found - len(self.late), self.sleep)
        return lacking > 0 and lacking > count_among(self.client, self.wish, self.span, self.late)

    def _sought(self, place: Place) -> Iterator[Step[M]]:
        """All ids of the slice by the index, of which those are read that were not seen. Raises ShortAnswer if it
        counts more than it shows."""
        seen, gone = set(self.seen), 0
        for found in changed_ids(self.client, self.wish, self.span, place.after):
            fetched = fetch(self.client, self.wish, [i for i in found.ids if int(i) not in seen])
            is_last = len(found.ids) >= found.total
            read, gone = len(fetched.records), gone + len(fetched.gone)
            place = replace(place, found=place.found + read, rows=place.rows + read)
            if is_last and (lacking := missing(self.client, self.wish, self.span, place.found + gone, self.sleep)):
                counted = place.found + gone + lacking
                text = f"HubSpot counts {counted} {self.wish.kind} in this slice and gave {counted - lacking}"
                raise ShortAnswer(f"{text}; nothing was closed, run again")
            road: Road = "bin" if is_last else "proof"
            place = replace(place, road=road, after=None if is_last else found.ids[-1])
            yield Step(self.make(Batch(fetched.records, fetched.gone)), place)

    def _is_seen(self, record: Record) -> bool:
        if self._seen_at(record) >= self.span.until:
            self.late.append(record["id"])
        return True

    def _seen_at(self, record: Record) -> dt.datetime:
        """When a record that is seen was changed; long ago, where that cannot be read."""
        if record["id"].isdecimal():
            self.seen.append(int(record["id"]))
        return changed_at(record, self.wish) or _LONG_AGO

    def _start(self) -> Place:
        return Place("list", (Range(),)) if self.span.since is None else Place("search")

    def _listed(self, place: Place) -> Iterator[Step[M]]:
        scan = Scan(
            self.client,
            self.wish,
            self.crew,
            self.seeking,
            place.ranges,
            # As many pages of each: a record with its history takes several times the memory of one without.
            rows=ROWS * self.wish.size // BATCH,
            make=lambda records: self.make(Batch(records)),
            keep=self._is_seen if self.span.since is None else self._is_changed,
        )
        for portion, ranges in scan.portions():
            road: Road = "list" if ranges else "proof"
            place = replace(place, road=road, ranges=ranges, after=None)
            place = replace(place, found=place.found + portion.rows, rows=place.rows + portion.rows)
            yield Step(portion.made, place)

    def _is_changed(self, record: Record) -> bool:
        """Whether a record is in the window; one whose stamp cannot be read is."""
        at = self._seen_at(record)
        return at == _LONG_AGO or self.span.since is None or self.span.since <= at < self.span.until

    def _searched(self, place: Place) -> Iterator[Step[M]]:
        """Batches in the order of their ids, several being read by id at a time while the search goes on."""
        waiting: deque[tuple[Job[tuple[M, int]], Place, int]] = deque()
        ids: list[str] = []
        seen = 0
        try:
            for found in changed_ids(self.client, self.wish, self.span, place.after):
                is_last = len(found.ids) >= found.total
                if place.first is None:
                    place = replace(place, first=found.total)
                    if found.total >= SCAN_FROM and self._is_list_quicker(found.total):
                        yield from self._listed(replace(place, road="list", ranges=(Range(),)))
                        return
                ids += self._to_read(found)
                self.seen.extend(map(int, found.ids))
                seen += len(found.ids)
                if len(ids) >= ROWS or is_last:
                    road: Road = "proof" if is_last else "search"
                    after = None if is_last else found.ids[-1]
                    place = replace(place, road=road, after=after, found=place.found + seen)
                    waiting.append((self._begin(ids), place, seen - len(ids)))
                    ids, seen = [], 0
                while len(waiting) >= self.crew.size:
                    yield self._next(waiting)
        except ConnectorError:
            yield from (self._next(waiting) for _ in range(len(waiting)))
            raise
        yield from (self._next(waiting) for _ in range(len(waiting)))

    def _begin(self, ids: list[str]) -> Job[tuple[M, int]]:
        def work() -> tuple[M, int]:
            fetched = fetch(self.client, self.wish, ids)
            return self.make(Batch(fetched.records, fetched.gone)), len(fetched.records)

        return self.crew.begin(work)

    def _to_read(self, found: Found) -> list[str]:
        """The ids of an answer, less those of the hour that is looked at again which are held as they are.

        Not in the slice itself: what links a record has may have changed since it was read a moment ago, which moves
        no stamp.
        """
        if self.known is None or self.first_since is None or self.first_since == self.span.since:
            return found.ids
        shown = pl.DataFrame({"source_id": found.ids, "stamp": found.stamps.values()}, schema=_SHOWN)
        shown = shown.with_columns(stamp=as_moment(pl.col("stamp")))
        held = shown.join(self.known(shown["source_id"]), on="source_id")
        same = held.filter(pl.col("stamp") == pl.col("updated_at"), pl.col("stamp") < self.first_since)["source_id"]
        return shown.filter(~pl.col("source_id").is_in(same.implode()))["source_id"].to_list()

    def _next(self, waiting: deque[tuple[Job[tuple[M, int]], Place, int]]) -> Step[M]:
        job, place, known = waiting[0]
        self.crew.first([job])
        made, read = job.result()
        waiting.popleft()
        for number, (later, its, more) in enumerate(waiting):
            waiting[number] = later, replace(its, rows=its.rows + read + known), more
        return Step(made, replace(place, rows=place.rows + read + known), known=known)

    def _is_list_quicker(self, changed: int) -> bool:
        """Whether listing every record takes less time, at the pace allowed, than searching those that changed."""
        every = count_changed(self.client, self.wish, Slice(None, self.span.until))
        reads, searches = self.client.rate("general"), self.client.rate("search")
        by_search = max(changed / PAGE / searches, changed / self.wish.size / reads)
        return every / self.wish.size / reads < by_search

    def _bin(self, place: Place) -> Iterator[Step[M]]:
        """Archived records; in an increment those archived since. HubSpot cannot filter its bin, so it is all read."""
        since, records = self.span.since, list[Record]()
        for page, after in listed(self.client, replace(self.wish, history=()), archived=True, after=place.after):
            records += [{**r, "archived": True} for r in page if since is None or was_archived(r, since)]
            if after is None:
                yield Step(self.make(Batch(records)), None, announced=place.rows + len(records))
            elif len(records) >= ROWS:
                place = replace(place, after=after, rows=place.rows + len(records))
                yield Step(self.make(Batch(records)), place)
                records = []
