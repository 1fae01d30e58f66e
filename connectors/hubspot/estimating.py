"""What a portal will take: lists and batches of 100 records or 50, searches of 200, links of 1,000, the bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil

from connectors.contract import Slice, Stream
from connectors.contract.estimating import Load, Quota
from connectors.hubspot import paths
from connectors.hubspot.associations import AT_ONCE
from connectors.hubspot.catalogue import Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.listing import next_after
from connectors.hubspot.mapping import OWNERS_NAME, RATES_NAME, Declared
from connectors.hubspot.pools import Pool
from connectors.hubspot.ranges import LEAST_PAGES
from connectors.hubspot.reading import ROWS, SCAN_FROM, looked_at_again
from connectors.hubspot.records import BATCH, Wish, was_archived
from connectors.hubspot.search import PAGE, count_changed

_PARALLEL_LATENCY_S = 0.25
"""A call and its answer, of which several are under way at a time."""


@dataclass(frozen=True)
class _Bin:
    """What its first page shows: all of it, but where it is large. `since`: those put there in a slice."""

    pages: int
    since: int


class HubSpotEstimates:
    """The estimates of one portal. `write_calls`: what reading and writing so many companies costs."""

    def __init__(self, client: Client, catalogue: Catalogue, write_calls: Callable[[int], int]) -> None:
        self._client, self._catalogue, self._write_calls = client, catalogue, write_calls

    def reading(self, stream: Stream, spans: Sequence[Slice]) -> Load:
        source = self._catalogue.sources.get(stream.name)
        if source is None:
            # Stages are read with the catalogue; owners in two passes.
            return self._load(None, general={OWNERS_NAME: 2, RATES_NAME: 1}.get(stream.name, 0))
        wish, whole = self._catalogue.wish(stream.name), Slice(spans[0].since, spans[-1].until)
        rows, binned = count_changed(self._client, wish, whole), self._bin(wish, whole)
        if whole.since is None:
            return self._listing(source, wish, rows, binned)
        looked = rows if len(spans) > 1 else self._with_the_hour_before(wish, whole, rows)
        each = ceil(rows / len(spans)) if rows else 0
        if looked >= SCAN_FROM * len(spans) and self._is_list_quicker(wish, each, whole):
            every = count_changed(self._client, wish, Slice(None, whole.until))
            return self._times(len(spans), self._listing(source, wish, every, binned), rows + binned.since)
        found = self._searching(source, wish, each, ceil(looked / len(spans)), binned)
        return self._times(len(spans), found, rows + binned.since)

    def listing(self, stream: Stream) -> Load:
        """There is no list of deletions to ask for."""
        del stream
        return Load()

    def comparing(self, stream: Stream, rows: int) -> Load:
        del stream
        return self._load(0, general=max(1, ceil(rows / BATCH)))

    def relinking(self, stream: Stream, rows: int) -> Load:
        links = len(self._catalogue.sources[stream.name].links)
        return self._load(0, associations=links * ceil(rows / AT_ONCE))

    def looking(self, accounts: int) -> Load:
        return self._load(0, general=ceil(accounts / BATCH))

    def writing(self, accounts: int) -> Load:
        return self._load(0, general=self._write_calls(accounts))

    def alone(self, calls: int) -> float:
        # Of each pool as many as among those that were made until now, which were of this kind.
        paced = (calls * share / self._client.rate(pool) for pool, share in self._client.shares().items())
        return max(*paced, calls * _PARALLEL_LATENCY_S / self._client.parallel)

    def quota(self) -> Quota | None:
        left = self._client.budget.left()
        return None if left is None else Quota(limit=left[1], left=left[0])

    def _listing(self, source: Declared, wish: Wish, rows: int, binned: _Bin) -> Load:
        """Pages of all records by several ranges, each of which has a last page; their links; one proof; the bin."""
        pages, portion = max(1, ceil(rows / wish.size)), ROWS * wish.size // BATCH
        parts = min(self._client.parallel, rows // (LEAST_PAGES * wish.size)) if self._client.parallel > 1 else 1
        portions = max(ceil(rows / portion), parts, 1)
        # Where there is more than a page, the highest id is searched for: it tells where to split.
        searches = 1 + (pages > 1 and self._client.parallel > 1)
        half_empty = parts // 2 if parts > 1 else 0
        links = max(portions, ceil(rows / AT_ONCE)) if rows else 0
        return self._load(
            rows + binned.since,
            general=pages + half_empty + binned.pages,
            search=searches,
            associations=len(source.links) * (links + (binned.since > 0)),
        )

    def _searching(self, source: Declared, wish: Wish, rows: int, looked: int, binned: _Bin) -> Load:
        """Ids two hundred at a time, the records by their ids, their links, the whole bin."""
        links = ceil(rows / AT_ONCE)
        return self._load(
            rows,
            general=ceil(rows / wish.size) + binned.pages,
            search=max(1, ceil(looked / PAGE)),
            associations=len(source.links) * (links + (binned.since > 0)),
        )

    def _bin(self, wish: Wish, span: Slice) -> _Bin:
        """HubSpot counts no bin. A page shows whether it is larger than that, which it is seldom."""
        asked = replace(wish, history=())
        query = [("limit", BATCH), *asked.query(), ("archived", "true")]
        answer = self._client.get(paths.objects(wish.kind), query, scope=wish.scope)
        late = [r for r in answer.results if span.since is None or was_archived(r, span.since)]
        return _Bin(1 if next_after(answer) is None else 2, len(late))

    def _with_the_hour_before(self, wish: Wish, span: Slice, rows: int) -> int:
        """Changed rows of a slice as it is searched: an hour of it is looked at again."""
        again = looked_at_again(span)
        return rows if again == span else count_changed(self._client, wish, again)

    def _is_list_quicker(self, wish: Wish, changed: int, span: Slice) -> bool:
        every = count_changed(self._client, wish, Slice(None, span.until))
        reads, searches = self._client.rate("general"), self._client.rate("search")
        return every / wish.size / reads < max(changed / PAGE / searches, changed / wish.size / reads)

    def _times(self, spans: int, one: Load, rows: int) -> Load:
        return Load(rows, one.calls * spans, one.seconds * spans)

    def _load(self, rows: int | None, *, general: int = 0, search: int = 0, associations: int = 0) -> Load:
        """Pools have paces of their own, and are called side by side."""
        by_pool: dict[Pool, int] = {"general": general, "search": search, "associations": associations}
        paced = max(calls / self._client.rate(pool) for pool, calls in by_pool.items())
        calls = sum(by_pool.values())
        return Load(rows, calls, max(paced, calls * _PARALLEL_LATENCY_S / self._client.parallel))
