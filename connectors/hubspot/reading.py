"""Reads a slice of one kind of record in batches of about a thousand, several at a time, resumable after each.

A full slice lists all records, then the bin. An increment searches the ids changed in its window, reads them
by id, then takes from the bin what was put there since. A thousand rows share one call for their links.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, Literal, TypeVar

import orjson

from connectors.contract import Slice
from connectors.errors import ConnectorError, SliceLost
from connectors.hubspot.client import Client
from connectors.hubspot.crew import Crew, Job
from connectors.hubspot.listing import listed
from connectors.hubspot.ranges import Range, Scan, Seeking
from connectors.hubspot.records import Record, Wish, fetch
from connectors.hubspot.search import PAGE, changed_ids, count_changed, prove

M = TypeVar("M")
ROWS = 2000
SCAN_FROM = 10_000
"""Changed rows from which on it is asked whether listing all of them would be quicker."""
_HOUR = dt.timedelta(hours=1)
Road = Literal["list", "search", "bin"]


@dataclass(frozen=True)
class Place:
    """Where a slice stands: the road, how far it is, and what was counted so far.

    `ranges`: of a list, what is still to be read. `after`: the last id of a search, the cursor of the bin.
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
        if place.road not in {"list", "search", "bin"} or (place.road == "list") is not bool(ranges):
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

    `announced`, at the end: how many rows the slice has, proven against the CRM's own count.
    """

    made: M
    place: Place | None
    announced: int | None = None


def read_batches(
    client: Client,
    wish: Wish,
    span: Slice,
    resume: str | None,
    *,
    make: Callable[[Batch], M],
    seeking: Seeking,
    sleep: Callable[[float], None],
) -> Iterator[Step[M]]:
    """All batches of the slice, from its start or from a place. `make` works in the threads that read."""
    with Crew(client.parallel) as crew:
        yield from _Reading(client, wish, looked_at_again(span), crew, seeking, make, sleep).steps(resume)


def looked_at_again(span: Slice) -> Slice:
    """The window of an increment that reaches over a full hour begins an hour earlier: so each hour is looked at a
    second time at least an hour after its end, for rows that the index had not shown by then.

    It costs what was changed in that hour, once more, and only as calls: rows that we have are not written again.
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

    def steps(self, resume: str | None) -> Iterator[Step[M]]:
        place = Place.parse(resume) if resume is not None else self._start()
        if place.road != "bin":
            for step in self._listed(place) if place.road == "list" else self._searched(place):
                place = step.place or place
                is_full = self.span.since is None
                if place.road == "bin" and (is_full or place.found < (place.first or 0)):
                    prove(self.client, self.wish, self.span, place.found, self.sleep)
                yield step
        yield from self._bin(place)

    def _start(self) -> Place:
        return Place("list", (Range(),)) if self.span.since is None else Place("search")

    def _listed(self, place: Place) -> Iterator[Step[M]]:
        scan = Scan(
            self.client,
            self.wish,
            self.crew,
            self.seeking,
            place.ranges,
            rows=ROWS,
            make=lambda records: self.make(Batch(records)),
            keep=None if self.span.since is None else self._is_changed,
        )
        for portion, ranges in scan.portions():
            road: Road = "list" if ranges else "bin"
            place = replace(place, road=road, ranges=ranges, after=None)
            place = replace(place, found=place.found + portion.rows, rows=place.rows + portion.rows)
            yield Step(portion.made, place)

    def _is_changed(self, record: Record) -> bool:
        """Whether a record is in the window; one whose stamp cannot be read is."""
        at = _instant(record["properties"].get(self.wish.stamp) or record.get("updatedAt"))
        return at is None or self.span.since is None or self.span.since <= at < self.span.until

    def _searched(self, place: Place) -> Iterator[Step[M]]:
        """Batches in the order of their ids, several being read by id at a time while the search goes on."""
        waiting: deque[tuple[Job[tuple[M, int]], Place]] = deque()
        ids: list[str] = []
        try:
            for found in changed_ids(self.client, self.wish, self.span, place.after):
                is_last = len(found.ids) >= found.total
                if place.first is None:
                    place = replace(place, first=found.total)
                    if found.total >= SCAN_FROM and self._is_list_quicker(found.total):
                        yield from self._listed(replace(place, road="list", ranges=(Range(),)))
                        return
                ids += found.ids
                if len(ids) >= ROWS or is_last:
                    road: Road = "bin" if is_last else "search"
                    after = None if is_last else ids[-1]
                    place = replace(place, road=road, after=after, found=place.found + len(ids))
                    waiting.append((self._begin(ids), place))
                    ids = []
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

    def _next(self, waiting: deque[tuple[Job[tuple[M, int]], Place]]) -> Step[M]:
        job, place = waiting[0]
        self.crew.first([job])
        made, rows = job.result()
        waiting.popleft()
        for number, (later, its) in enumerate(waiting):
            waiting[number] = later, replace(its, rows=its.rows + rows)
        return Step(made, replace(place, rows=place.rows + rows))

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
            records += [{**r, "archived": True} for r in page if since is None or _was_archived(r, since)]
            if after is None:
                yield Step(self.make(Batch(records)), None, announced=place.rows + len(records))
            elif len(records) >= ROWS:
                place = replace(place, after=after, rows=place.rows + len(records))
                yield Step(self.make(Batch(records)), place)
                records = []


def _was_archived(record: Record, since: dt.datetime) -> bool:
    """Whether it was put into the bin since then; an unknown time counts as just now, so that the row is read."""
    at = _instant(record.get("archivedAt"))
    return at is None or at >= since


def _instant(text: object) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
