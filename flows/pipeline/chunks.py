"""Gathers pages into chunks and stores them: rows, rejects, deletions and bookmark, all together or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
import polars as pl

from connectors.contract import Identity, Page, Stream
from connectors.errors import QuotaSpent
from connectors.mapping import Mapping, normalize
from flows.pipeline.kept_out import KeptOut
from flows.pipeline.marks import Marks
from flows.pipeline.progress import Clock
from flows.results import Outcome, StreamReceipt
from kammodel.entities import Account, Bookmark, Sourced
from kammodel.entities.schema import table_of
from kammodel.store import Store, Transaction, UpsertCount
from kammodel.store.control import open_rejects, resolve_rejects, save_rejects
from kammodel.store.plans import add_to_compare, written_since

_GONE = {"source_id": pl.String, "merged_into_id": pl.String}
ROWS = 10_000
"""Rows to a chunk, at least: each chunk is one transaction, and a page alone would be a small one."""
_ACCOUNT = table_of(Account).name


def chunks(pages: Iterable[Page], stream: Stream) -> Iterator[list[Page]]:
    """Pages in runs of 10,000 rows or more of the stream's own entity, and the rest. A page without rows ends a run:
    it is there for the place that it tells.

    Where the CRM's calls are spent, what was read with them comes before the fault.
    """
    own = table_of(stream.mappings[0].entity).name
    gathered: list[Page] = []
    rows = 0
    try:
        for page in pages:
            gathered.append(page)
            rows += page.raw[own].height
            if rows >= ROWS or page.resume is None or page.raw[own].is_empty():
                yield gathered
                gathered, rows = [], 0
    except QuotaSpent:
        if gathered:
            yield gathered
        raise


class ChunkWriter:
    """Stores the chunks of one stream and counts what became of each row."""

    def __init__(self, store: Store, identity: Identity, stream: Stream, marks: Marks, clock: Clock) -> None:
        self._store, self._stream, self._marks, self._clock = store, stream, marks, clock
        self._identity = identity
        self._from: dict[str, Any] = {"source": identity.source, "instance": identity.instance}
        self._counts: dict[str, Counter[str]] = {_table(m): Counter() for m in stream.mappings}
        self._set_aside: dict[str, set[str]] = {}
        self.storing_s = 0.0
        """Seconds that the chunks so far took from page to store."""

    def retry_rejects(self) -> None:
        """Tries the rows that were set aside in earlier runs with the mapping of today."""
        with self._store.transaction() as tx:
            guard = KeptOut(tx, self._identity, self._clock())
            waiting = open_rejects(tx, self._from["source"], self._from["instance"], self._stream.name)
            for mapping in self._stream.mappings:
                ours = waiting.filter(pl.col("entity") == _table(mapping))
                self._set_aside[_table(mapping)] = set(ours["source_id"])
                # Of one that was kept too long there is no raw row any more.
                raw = ours.filter(pl.col("raw") != "")["raw"]
                if not raw.is_empty():
                    good = guard.rows(mapping.entity, normalize(_as_raw(raw, mapping), mapping).rows)
                    tx.upsert(mapping.entity, good, **self._from, at=self._clock())
                    if _table(mapping) == _ACCOUNT:
                        add_to_compare(tx, good["source_id"], **self._from)
                    self._heal(tx, mapping, good["source_id"])

    def write(self, pages: list[Page], mark: Bookmark) -> None:
        """Stores a chunk and moves the bookmark to the place after it, in one transaction."""
        began = self._clock()
        with self._store.transaction() as tx:
            guard = KeptOut(tx, self._identity, self._clock())
            for mapping in self._stream.mappings:
                raw = pl.concat([page.raw[_table(mapping)] for page in pages])
                self._store_rows(tx, guard, mapping, raw, mark)
            own = self._stream.mappings[0].entity
            gone = [self._current(tx, own, page.gone) for page in pages if page.gone is not None]
            self._end(tx, [guard.rows(own, frame) for frame in gone])
            self._end_parts(tx, pages)
            self._count_known(sum(page.known for page in pages), mark)
            if self._is_whole(pages, mark):
                self._end(tx, [self._vanished(tx, pages)])
            mark.resume_point = pages[-1].resume
            self._marks.save(tx, mark)
        self.storing_s += (self._clock() - began).total_seconds()

    def receipts(self, *, is_full: bool, note: str | None, calls: int, seconds: float) -> list[StreamReceipt]:
        """One receipt for the stream, and one for each further entity of its pages."""
        names = [self._stream.name, *(f"{self._stream.name} > {_table(m)}" for m in self._stream.mappings[1:])]
        own = {"note": note, "calls": calls, "seconds": seconds}
        return [
            StreamReceipt(name, is_full, **self._counts[_table(mapping)], **(own if place == 0 else {}))  # type: ignore[arg-type]
            for place, (name, mapping) in enumerate(zip(names, self._stream.mappings, strict=True))
        ]

    def _store_rows(self, tx: Transaction, guard: KeptOut, mapping: Mapping, raw: pl.DataFrame, mark: Bookmark) -> None:
        if raw.is_empty():
            return
        table, at = _table(mapping), self._clock()
        came = normalize(raw, mapping)
        sorted_out = guard.let_in(mapping.entity, came)
        # Of a stream that is read in full again, what differs without a new stamp was mapped otherwise before.
        corrects = self._stream.incremental and mark.slice_until is not None and mark.slice_since is None
        rows = self._current(tx, mapping.entity, sorted_out.rows)
        done = tx.upsert(mapping.entity, rows, **self._from, at=at, corrects=corrects)
        if not sorted_out.rejects.is_empty():
            save_rejects(tx, sorted_out.rejects, **self._from, stream=self._stream.name, entity=table, at=at)
        self._heal(tx, mapping, sorted_out.rows["source_id"])
        if table == _ACCOUNT:
            # One that cannot be read may have been edited all the same.
            add_to_compare(tx, _moved(sorted_out.rows["source_id"], done), **self._from)
            add_to_compare(tx, sorted_out.rejects["source_id"], **self._from)
        count = self._counts[table]
        count["read"] += raw.height
        count["inserted"] += done.inserted
        count["changed"] += done.changed
        count["rejected"] += sorted_out.rejects.height
        count.update(self._unchanged(tx, table, done, mark))
        # A row that came twice in one chunk was kept once; one that is known better is left alone.
        count["overlap"] += raw.height - came.height + sorted_out.rows.height - rows.height
        count["suppressed"] += came.height - sorted_out.height
        if mapping is self._stream.mappings[0]:
            mark.rows_read += raw.height
            mark.rows_rejected += sorted_out.rejects.height

    def _current(self, tx: Transaction, entity: type[Sourced], rows: pl.DataFrame) -> pl.DataFrame:
        """Less what somebody else has stored since these rows were asked for."""
        ids = self._marks.outdated(tx, entity, rows["source_id"])
        return rows.filter(~pl.col("source_id").is_in(ids.implode())) if ids.len() else rows

    def _count_known(self, rows: int, mark: Bookmark) -> None:
        own = self._counts[_table(self._stream.mappings[0])]
        own["read"] += rows
        own["overlap"] += rows
        mark.rows_read += rows

    def _unchanged(self, tx: Transaction, table: str, done: UpsertCount, mark: Bookmark) -> dict[Outcome, int]:
        """Why rows came that we had: our own writes, a moved change stamp, or because we read a little twice."""
        rows = done.unchanged_rows
        if mark.slice_since is None or mark.read_until is None:
            return {"overlap": rows.height}
        ids = rows["source_id"]
        ours = written_since(tx, ids, **self._from, at=mark.slice_since) if table == _ACCOUNT else ids.clear()
        is_ours = pl.col("source_id").is_in(ours.implode())
        is_same = (pl.col("updated_at") < mark.read_until) | pl.col("updated_at").eq_missing(pl.col("known_at"))
        own, old = rows.filter(is_ours), rows.filter(~is_ours & is_same)
        return {
            "own_writes": own.height,
            "overlap": old.height,
            "restamped": rows.height - own.height - old.height,
        }

    def _heal(self, tx: Transaction, mapping: Mapping, ids: pl.Series) -> None:
        table = _table(mapping)
        healed = [id_ for id_ in ids if id_ in self._set_aside[table]] if self._set_aside.get(table) else []
        if healed:
            where = {**self._from, "stream": self._stream.name, "entity": table, "at": self._clock()}
            self._counts[table]["healed"] += resolve_rejects(tx, pl.Series(healed), **where)
            self._set_aside[table].difference_update(healed)

    def _is_whole(self, pages: list[Page], mark: Bookmark) -> bool:
        """Whether the chunk is all there is of a list that is read whole: of a longer one it has but the end, and what
        was swept belongs to no slice."""
        rows = sum(page.raw[_table(self._stream.mappings[0])].height for page in pages)
        is_slice = mark.slice_until is not None and mark.rows_read == rows
        return not self._stream.incremental and is_slice and pages[-1].resume is None

    def _vanished(self, tx: Transaction, pages: list[Page]) -> pl.DataFrame:
        """Ids that a list which is read whole no longer has. An empty list proves nothing."""
        mapping = self._stream.mappings[0]
        listed = normalize(pl.concat([page.raw[_table(mapping)] for page in pages]), mapping)
        seen = pl.concat([listed.rows["source_id"], listed.rejects["source_id"]])
        known = tx.live_ids(mapping.entity, **self._from)
        gone = known.filter(~known.is_in(seen.implode())) if seen.len() else known.clear()
        return pl.DataFrame({"source_id": gone, "merged_into_id": None}, schema=_GONE)

    def _end_parts(self, tx: Transaction, pages: list[Page]) -> None:
        """What belongs to a record of which the pages have all parts, and is not among them, is gone; so is what
        belonged to a record that is gone."""
        told = [page.whole for page in pages] + [page.gone["source_id"] for page in pages if page.gone is not None]
        owners = pl.concat([pl.Series([], dtype=pl.String), *(ids for ids in told if ids is not None)])
        for entity, owner in self._stream.parts if owners.len() else ():
            mapping = next(m for m in self._stream.mappings if m.entity is entity)
            read = normalize(pl.concat([page.raw[_table(mapping)] for page in pages]), mapping)
            there = pl.concat([read.rows["source_id"], read.rejects["source_id"]])
            known = tx.live_parts(entity, owner, owners, **self._from)
            ended = pl.DataFrame({"source_id": known.filter(~known.is_in(there.implode())), "merged_into_id": None})
            ended = self._current(tx, entity, ended.cast(pl.Schema(_GONE)))
            tx.mark_gone(entity, ended, **self._from, at=self._clock())

    def _end(self, tx: Transaction, gone: list[pl.DataFrame]) -> None:
        mapping = self._stream.mappings[0]
        for frame in gone:
            ended = tx.mark_gone(mapping.entity, frame, **self._from, at=self._clock())
            self._counts[_table(mapping)]["gone"] += ended


def _table(mapping: Mapping) -> str:
    return table_of(mapping.entity).name


def _moved(ids: pl.Series, done: UpsertCount) -> pl.Series:
    """Less the rows that are just as they were, change stamp and all: our fields were not touched either."""
    same = done.unchanged_rows.filter(pl.col("updated_at").eq_missing(pl.col("known_at")))["source_id"]
    return ids.filter(~ids.is_in(same.implode()))


def _as_raw(texts: pl.Series, mapping: Mapping) -> pl.DataFrame:
    """Raw rows as they were set aside, in the columns that the mapping asks for today."""
    rows = [orjson.loads(text) for text in texts]
    schema = mapping.raw_schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema, orient="row")
