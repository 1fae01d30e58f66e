"""Reads one slice of a stream to its end: rows and the place to go on from in one transaction, then its proof."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from connectors.contract import Connector, Page, Slice, Stream
from connectors.errors import ShortAnswer, SliceLost, UnexpectedAnswer
from flows.pipeline.chunks import ChunkWriter, chunks
from flows.pipeline.marks import Marks
from flows.pipeline.progress import Progress
from kammodel.entities import Bookmark
from kammodel.store import Store

MOST_REJECTED = 0.05
LEAST_REJECTED = 20
"""A slice with more than 5 % of its rows set aside, and at least 20, is not closed: then the mapping is wrong."""


class _MappingWrong(UnexpectedAnswer):
    """More rows than a few could not be read."""


@dataclass(frozen=True)
class Start:
    """Where a slice begins: its bounds, the place to go on from, and why it is read in full or resumed."""

    span: Slice
    resume: str | None
    note: str | None

    @property
    def is_empty(self) -> bool:
        return self.span.since is not None and self.span.until <= self.span.since


class SliceReader:
    """One stream of one CRM; `marks` is where the bookmark lives that its slices move."""

    def __init__(
        self, connector: Connector, store: Store, stream: Stream, marks: Marks, *, progress: Progress, step: str = ""
    ) -> None:
        self._connector, self._store, self._identity = connector, store, connector.identify()
        self._stream, self._marks, self._progress = stream, marks, progress
        self.name = f"{self._identity.source} {stream.name}"
        self._step = step or self.name

    def read(self, start: Start, writer: ChunkWriter, ahead: Iterable[Page] | None = None) -> None:
        """Reads a slice to its end and closes it. A place that the CRM forgot is answered by starting once more.

        `ahead`: its pages, where they are being read already.
        """
        if start.is_empty:
            return
        try:
            self._read(start, writer, ahead)
        except SliceLost:
            if start.resume is None:
                raise
            self._read(Start(start.span, None, start.note), writer, None)

    def asked(self, start: Start) -> Generator[Page]:
        """The pages of a slice, from its place on."""
        yield from self._connector.read(self._stream, start.span, start.resume, self._known)

    def _read(self, start: Start, writer: ChunkWriter, ahead: Iterable[Page] | None) -> None:
        mark = self._opened(start)
        try:
            for pages in chunks(self._pages(start, ahead), self._stream):
                writer.write(pages, mark)
                announced = pages[-1].announced
                self._progress(self._step, mark.rows_read, announced)
            self._prove(mark, pages[-1].announced)
        except (ShortAnswer, _MappingWrong):
            # What is missing lies before the place reached: going on from there would never find it. A single odd
            # answer is another matter: what came before it stands.
            self._marks.forsake(mark)
            raise
        self._marks.close(mark, start.span)

    def _pages(self, start: Start, ahead: Iterable[Page] | None) -> Iterator[Page]:
        pages = 0
        for page in ahead or self.asked(start):
            pages += 1
            yield page
            if page.resume is None:
                return
        raise ShortAnswer(f"{self.name}: the pages ended without a last one after {pages}; run again")

    def _known(self, ids: pl.Series) -> pl.DataFrame:
        entity, where = self._stream.mappings[0].entity, {"source": self._identity.source}
        with self._store.transaction() as tx:
            return tx.live_stamps(entity, ids, **where, instance=self._identity.instance)

    def _opened(self, start: Start) -> Bookmark:
        """The bookmark of a slice under way. It is saved with the first rows."""
        mark = self._marks.load()
        if mark is None or start.resume is None:
            mark = Bookmark(
                source=self._identity.source,
                source_instance=self._identity.instance,
                stream=self._stream.name,
                fingerprint=self._stream.fingerprint,
                columns=",".join(sorted(self._stream.columns)),
                types={one.field: one.type for one in self._stream.types},
                watermark=mark.watermark if mark is not None else None,
                read_until=mark.read_until if mark is not None else None,
            )
        mark.slice_since, mark.slice_until = start.span.since, start.span.until
        return mark

    def _prove(self, mark: Bookmark, announced: int | None) -> None:
        """The slice has the rows the CRM announced, and could be read; else it is not closed."""
        if announced is not None and mark.rows_read < announced:
            raise ShortAnswer(
                f"{self.name}: the CRM announced {announced} rows and sent {mark.rows_read}; "
                "nothing was closed, run again"
            )
        if mark.rows_rejected >= LEAST_REJECTED and mark.rows_rejected > MOST_REJECTED * mark.rows_read:
            raise _MappingWrong(
                f"{self.name}: {mark.rows_rejected} of {mark.rows_read} rows could not be read; the slice is not "
                "closed. The rows and reasons stand in the store, table rejected_record"
            )
