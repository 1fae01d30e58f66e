"""Reads a slice of one kind of record in batches of about a thousand, several at a time, resumable after each.

A full slice lists all records, then the bin. An increment searches the ids changed in its window, reads them
by id, then takes from the bin what was put there since. A thousand rows share one call for their links. What the index
counts and none of these showed is sought by its id in the end.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Generic, TypeVar

from connectors.contract import Known, Slice
from connectors.errors import ConnectorError, SliceLost
from connectors.hubspot.client import Client
from connectors.hubspot.crew import Crew, Job
from connectors.hubspot.listing import listed
from connectors.hubspot.places import Place, Road
from connectors.hubspot.proof import Proof
from connectors.hubspot.ranges import Range, Scan, Seeking
from connectors.hubspot.records import BATCH, Record, Wish, fetch, was_archived
from connectors.hubspot.search import PAGE, Found, changed_ids

M = TypeVar("M")
Asked = tuple[list[str], Place, int]
"""Ids to be read, the place after them, and how many beside them need not be."""
ROWS = 2000
SCAN_FROM = 10_000
"""Changed rows from which on it is asked whether listing all of them would be quicker."""
_HOUR = dt.timedelta(hours=1)


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
    note: Callable[[str, int], None] = lambda _, __: None,
) -> Iterator[Step[M]]:
    """All batches of the slice, from its start or from a place. `make` works in the threads that read. A list that was
    split and that cannot be is begun once more: SliceLost where it was resumed.

    `note` takes what was read by a rule that may surprise, and how often.
    """
    again, could = looked_at_again(span), seeking.can

    def steps(place: str | None) -> Iterator[Step[M]]:
        with Crew(client.parallel, client.room) as crew:
            proof = Proof(client, wish, again, sleep, known, place is not None, note)
            yield from _Reading(client, wish, again, crew, seeking, make, proof, span.since).steps(place)

    try:
        yield from steps(resume)
    except SliceLost:
        if resume is not None or could is False or seeking.can is not False:
            raise
        yield from steps(None)


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
    proof: Proof
    first_since: dt.datetime | None = None
    """Where the slice began before an hour was added to it."""

    def steps(self, resume: str | None) -> Iterator[Step[M]]:
        place: Place | None = Place.parse(resume) if resume is not None else self._start()
        roads = {"list": self._listed, "search": self._searched, "bin": self._bin, "proof": self._sought}
        while place is not None:
            for step in roads[place.road](place):
                yield step
                place = step.place

    def _sought(self, place: Place) -> Iterator[Step[M]]:
        """What the index has and did not come."""
        for step in self._read_by_id(self._missed(place)):
            place = step.place or place
            yield step
        yield Step(self.make(Batch([])), None, announced=place.rows)

    def _missed(self, place: Place) -> Iterator[Asked]:
        ids: list[str] = []
        for some, last in self.proof.sought(place):
            ids += some
            place = replace(place, after=last)
            if len(ids) >= ROWS:
                yield ids, place, 0
                ids = []
        if ids:
            yield ids, place, 0

    def _start(self) -> Place:
        return Place("list", (Range(),)) if self.span.since is None else Place("search")

    def _listed(self, place: Place) -> Iterator[Step[M]]:
        if place.top is None:
            place = self.proof.begun(place)
        top = place.top or 0
        scan = Scan(
            self.client,
            self.wish,
            self.crew,
            self.seeking,
            place.ranges,
            # As many pages of each: a record with its history takes several times the memory of one without.
            rows=ROWS * self.wish.size // BATCH,
            make=lambda records: self.make(Batch(records)),
            keep=self._is_changed,
            counts=lambda records: self.proof.counted(records, top),
            extent=None if place.top is None else (top, place.lacking or 0),
        )
        for portion, ranges in scan.portions():
            road: Road = "list" if ranges else "bin"
            place = replace(place, road=road, ranges=ranges, after=None, rows=place.rows + portion.rows)
            place = self.proof.took(place, portion)
            yield Step(portion.made, place)

    def _is_changed(self, record: Record) -> bool:
        """Whether a record is in the slice; one whose stamp cannot be read is. In a full one all are."""
        at = self.proof.look(record)
        return at is None or self.span.since is None or self.span.since <= at < self.span.until

    def _searched(self, place: Place) -> Iterator[Step[M]]:
        """What changed in the slice, or a list of everything."""
        answers = changed_ids(self.client, self.wish, self.span, place.after, self.proof.sleep)
        first = next(answers)
        if place.lacking is None:
            place = replace(place, lacking=first.total)
            if first.total >= SCAN_FROM and (whole := self._unless_slower(first.total)):
                yield from self._listed(whole)
                return
        yield from self._read_by_id(self._changed(chain([first], answers), place))

    def _changed(self, answers: Iterable[Found], place: Place) -> Iterator[Asked]:
        ids: list[str] = []
        seen = 0
        for found in answers:
            is_last = len(found.ids) >= found.total
            ids += self._to_read(found)
            self.proof.saw(found.ids)
            seen += len(found.ids)
            if len(ids) >= ROWS or is_last:
                road: Road = "bin" if is_last else "search"
                after = None if is_last else found.ids[-1]
                place = replace(place, road=road, after=after, lacking=(place.lacking or 0) - seen)
                yield ids, place, seen - len(ids)
                ids, seen = [], 0

    def _read_by_id(self, asked: Iterable[Asked]) -> Iterator[Step[M]]:
        """Batches in the order of their ids, several being read at a time while the search goes on."""
        waiting: deque[tuple[Job[tuple[M, int]], Place, int]] = deque()
        try:
            for ids, place, known in asked:
                waiting.append((self._begin(ids), place, known))
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
        if self.first_since is None or self.first_since == self.span.since:
            return found.ids
        held = self.proof.held_as_shown(found)
        same = set(held.filter(held["stamp"] < self.first_since)["source_id"].to_list())
        return [i for i in found.ids if i not in same]

    def _next(self, waiting: deque[tuple[Job[tuple[M, int]], Place, int]]) -> Step[M]:
        job, place, known = waiting[0]
        self.crew.first([job])
        made, read = job.result()
        waiting.popleft()
        for number, (later, its, more) in enumerate(waiting):
            waiting[number] = later, replace(its, rows=its.rows + read + known), more
        return Step(made, replace(place, rows=place.rows + read + known), known=known)

    def _unless_slower(self, changed: int) -> Place | None:
        """A list of every record, if that takes less time, at the pace allowed, than searching those that changed."""
        place = self.proof.begun(Place("list", (Range(),)))
        if place.top is None:
            return None
        reads, searches = self.client.rate("general"), self.client.rate("search")
        by_search = max(changed / PAGE / searches, changed / self.wish.size / reads)
        return place if (place.lacking or 0) / self.wish.size / reads < by_search else None

    def _bin(self, place: Place) -> Iterator[Step[M]]:
        """Archived records; in an increment those archived since, and those that live on here. HubSpot cannot filter
        its bin, so it is all read."""
        records = list[Record]()
        for page, after in listed(self.client, replace(self.wish, history=()), archived=True, after=place.after):
            place = self.proof.binned(place, page)
            records += [{**r, "archived": True} for r in self._newly_binned(page)]
            if after is None:
                place = replace(place, road="proof", after=None, rows=place.rows + len(records))
                left = self.proof.left(place)
                yield Step(self.make(Batch(records)), left, announced=place.rows if left is None else None)
            elif len(records) >= ROWS:
                place = replace(place, after=after, rows=place.rows + len(records))
                yield Step(self.make(Batch(records)), place)
                records = []

    def _newly_binned(self, page: list[Record]) -> list[Record]:
        """What was put there in this slice, and what lives on here: a bin that once came empty is made up for."""
        since = self.span.since
        if since is None:
            return page
        live = set(self.proof.held([r["id"] for r in page if not was_archived(r, since)]))
        return [r for r in page if was_archived(r, since) or r["id"] in live]
