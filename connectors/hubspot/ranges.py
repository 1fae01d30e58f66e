"""Lists all records of a kind by several ranges of ids at once: where each range stands can be resumed.

A list is in ascending order of ids, and its cursor is the id of the next record. So a list can be taken up at any id,
and be split among threads. Where a portal takes no cursor but those it gave itself, one thread reads all of it.
https://developers.hubspot.com/docs/api-reference/latest/crm/using-object-apis (read 2026-11-28; that a cursor may be
an id that does not exist is not documented, and is tried out first)
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from connectors.errors import ConnectorError, PermissionMissing, RequestRefused, SliceLost, TryAgainLater
from connectors.hubspot import paths
from connectors.hubspot.answers import has_rows
from connectors.hubspot.client import Client
from connectors.hubspot.crew import Crew, Job
from connectors.hubspot.listing import Disordered, listed
from connectors.hubspot.records import Record, Wish
from connectors.hubspot.search import ShowsNone, extent

M = TypeVar("M")
Counts = Callable[[Sequence[Record]], int]
LEAST_PAGES = 100
"""Pages of a range, at least: the last page of each range is rarely full, nor are the calls for its records' links, and
they cost all the same. With a hundred that is 68 of 4,554 calls for 297,000 records (with ten 180), and little more in
a larger portal; with 100 ms a call eight threads still take a fifth of the time of one."""
_MOST_PAGES = 100
"""Pages of a portion, at most, where few of their records are kept."""


@dataclass(frozen=True)
class Range:
    """Ids from a cursor on (None: from the first), below `before` (None: to the last)."""

    after: str | None = None
    before: int | None = None


@dataclass
class Seeking:
    """Whether the portal takes a cursor that we made up; None until it was tried. `shift`: what is added to an id to
    make the cursor of a list that begins with it: none where the cursor is the next record's id, one less where it is
    the last record's."""

    can: bool | None = None
    shift: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Portion(Generic[M]):
    """What a thread has read of a range: what was made of the records, how many were kept, and what is left.

    `low`, `high`: the lowest and the highest id of it, `listed` of them, of which `counted` count.
    """

    made: M
    rows: int
    left: Range | None
    listed: int
    low: int
    high: int
    counted: int = 0


class _Tally:
    """What was listed so far of a portion."""

    def __init__(self, counts: Counts | None, records: Sequence[Record]) -> None:
        self._counts = counts
        self.listed = self.counted = self.low = self.high = 0
        self.add(records)

    def add(self, records: Sequence[Record]) -> None:
        low, high = _ends(records)
        self.counted += self._counts(records) if self._counts else 0
        self.low, self.high = min(self.low or low, low or self.low), max(self.high, high)
        self.listed += len(records)


class Scan(Generic[M]):
    """All records of `ranges`, by as many threads as the crew has. `keep`: which of them are wanted, if not all.

    `make` turns the records of a portion, about `rows` of them, into what is wanted: in the thread that read them.
    `counts`: how many of the next records of a portion count, kept or not. `extent`: the highest id and how many are
    left, if that is known. A portal that does not list in the order of ids is not split any more, and what is left of a
    list that was split is worth nothing: SliceLost.
    """

    def __init__(
        self,
        client: Client,
        wish: Wish,
        crew: Crew,
        seeking: Seeking,
        ranges: Sequence[Range],
        *,
        rows: int,
        make: Callable[[list[Record]], M],
        keep: Callable[[Record], bool] | None = None,
        counts: Counts | None = None,
        extent: tuple[int, int] | None = None,
    ) -> None:
        self._client, self._wish, self._crew, self._seeking = client, wish, crew, seeking
        self._rows, self._make, self._keep, self._counts = rows, make, keep, counts
        self._waiting = deque(ranges)
        self._running: dict[Job[Portion[M]], Range] = {}
        self._top: int | None = extent[0] if extent else None
        self._rest = extent[1] if extent else 0

    def portions(self) -> Iterator[tuple[Portion[M], tuple[Range, ...]]]:
        """Portions as they come in, each with the ranges that are still to be read after it.

        Before a fault is raised, what other threads had read by then is given.
        """
        if self._crew.size > 1 and list(self._waiting) == [Range()]:
            self._open()
        while self._running or self._waiting:
            while self._waiting and len(self._running) < self._crew.size:
                self._begin(self._waiting.popleft())
            job = self._crew.first(list(self._running))
            try:
                yield self._took(job, job.result())
            except ConnectorError:
                yield from self._rescued()
                raise

    def _took(self, job: Job[Portion[M]], portion: Portion[M]) -> tuple[Portion[M], tuple[Range, ...]]:
        del self._running[job]
        self._rest -= portion.listed
        if portion.left is not None:
            self._waiting.extendleft(reversed(self._divided(portion.left, portion.low, portion.high, portion.listed)))
        return portion, (*self._running.values(), *self._waiting)

    def _rescued(self) -> Iterator[tuple[Portion[M], tuple[Range, ...]]]:
        self._crew.stop()
        failed = [job for job in self._running if _failed(job)]
        lost = [self._running.pop(job) for job in failed]
        self._waiting.extend(lost)
        while self._running and self._crew.size > 1:
            job = self._crew.first(list(self._running))
            if _failed(job):
                self._waiting.append(self._running.pop(job))
            else:
                yield self._took(job, job.result())

    def _begin(self, span: Range, seen: Sequence[Record] = (), after: str | None = None) -> None:
        """Gives a range to a thread. `seen`: its first records, that were read already, up to the cursor `after`."""
        self._running[self._crew.begin(lambda: self._read(span, list(seen), after or span.after))] = span

    def _open(self) -> None:
        """Reads the first page alone: it shows how dense the ids are, and so where to split."""
        page, after = next(listed(self._client, self._wish, archived=False, after=None))
        self._waiting.clear()
        if after is None:
            self._begin_with(Range(), page, None)
            return
        low, high = _ends(page)
        first, *others = self._divided(Range(after), low, high, len(page))
        self._waiting.extend(others)
        self._begin_with(Range(None, first.before), page, after)

    def _begin_with(self, span: Range, page: list[Record], after: str | None) -> None:
        if after is not None:
            self._begin(span, page, after)
            return
        made = self._crew.begin(lambda: self._portion(self._kept(page), None, _Tally(self._counts, page)))
        self._running[made] = span

    def _read(self, span: Range, records: list[Record], after: str | None) -> Portion[M]:
        """Runs in a thread: pages of the range until there are enough records, or it ends."""
        tally = _Tally(self._counts, records)
        kept = self._kept(records)
        left: Range | None = None
        for page, following in self._pages(span, after):
            inside = page if span.before is None else [r for r in page if _number(r["id"]) < span.before]
            kept += self._kept(inside)
            tally.add(inside)
            is_over = following is None or len(inside) < len(page)
            if is_over or (span.before is not None and following is not None and _number(following) >= span.before):
                break
            is_enough = len(kept) >= self._rows or tally.listed >= _MOST_PAGES * self._wish.size
            if is_enough or self._crew.is_stopped:
                left = Range(following, span.before)
                break
        return self._portion(kept, left, tally)

    def _pages(self, span: Range, after: str | None) -> Iterator[tuple[list[Record], str | None]]:
        """Pages of the range, and more; in the order of their ids, where it has an end."""
        try:
            in_order = span.before is not None
            yield from listed(self._client, self._wish, archived=False, after=after, in_order=in_order)
        except Disordered as fault:
            self._seeking.can = False
            raise SliceLost(f"{fault}: they are all listed once more, by one thread") from fault

    def _portion(self, kept: list[Record], left: Range | None, tally: _Tally) -> Portion[M]:
        return Portion(self._make(kept), len(kept), left, tally.listed, tally.low, tally.high, tally.counted)

    def _kept(self, records: list[Record]) -> list[Record]:
        return records if self._keep is None else [r for r in records if self._keep(r)]

    def _divided(self, left: Range, low: int, high: int, count: int) -> list[Range]:
        """What is left of a range, in as many parts as there are free threads and pages enough for.

        How many rows are left is guessed from how dense the ids were of late, and by the portal's count.
        """
        free = self._crew.size - len(self._running) - len(self._waiting)
        if free < 2 or self._seeking.can is False or left.after is None or _number(left.after) < high or not count:
            return [left]
        if self._top is None:
            self._top, self._rest = self._extent(left.after)
        start, end = int(left.after), self._top + 1 if left.before is None else left.before
        spread = (high - low + 1) / count
        rows = min(self._rest, (end - start) / spread)
        parts = min(free, int(rows // (LEAST_PAGES * self._wish.size)))
        if parts < 2 or end - start < parts:
            return [left]
        # Where ids are dense here and sparse further on, equal parts of them would leave all rows to the first.
        step = max(1, min((end - start) // parts, round(rows / parts * spread)))
        cuts = [start + step * n for n in range(1, parts)]
        if not self._can_seek(high, cuts[0]):
            return [left]
        edges = [left.after, *(str(cut + self._seeking.shift) for cut in cuts)]
        return [Range(edge, before) for edge, before in zip(edges, [*cuts, left.before], strict=True)]

    def _extent(self, after: str) -> tuple[int, int]:
        try:
            return extent(self._client, self._wish, after)
        except (RequestRefused, PermissionMissing, ShowsNone):
            return 0, 0

    def _can_seek(self, known: int, cut: int) -> bool:
        """`known`: the id of a record. `cut`: an id that is most likely none."""
        with self._seeking.lock:
            if self._seeking.can is None:
                first = _first_from(self._client, self._wish, known)
                if first > known and _first_from(self._client, self._wish, known - 1) != known:
                    # That record is gone meanwhile, and tells nothing: a later one will.
                    return False
                # That a cursor is the next record's id is what portals do; that it may be the last one's, who knows.
                self._seeking.shift = 0 if first == known else -1
                shifted = cut + self._seeking.shift
                self._seeking.can = first >= known and _first_from(self._client, self._wish, shifted) >= cut
            return self._seeking.can


def _failed(job: Job[Portion[M]]) -> bool:
    """Whether it ended without a portion; a job that was never begun has no fault either."""
    return job.is_done and (job.future.cancelled() or job.future.exception() is not None)


def _first_from(client: Client, wish: Wish, cursor: int) -> int:
    """The id that a list begins with from a cursor on; -1 where it is not taken, with whichever status, or there is
    none."""
    try:
        query = [("limit", 1), ("after", cursor)]
        rows = client.get(paths.objects(wish.kind), query, scope=wish.scope, check=has_rows).results
    except (RequestRefused, SliceLost):
        return -1
    except TryAgainLater as fault:
        if (fault.status or 0) < 500:
            raise
        return -1
    return _number(str(rows[0].get("id"))) if rows else -1


def _ends(records: Sequence[Record]) -> tuple[int, int]:
    ids = [i for r in records if (i := _number(r["id"])) > 0]
    return (min(ids), max(ids)) if ids else (0, 0)


def _number(text: str) -> int:
    """An id as a number; -1 for what is none."""
    return int(text) if text.isdecimal() else -1
