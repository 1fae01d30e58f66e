"""Pulls one CRM into the store, stream by stream: rows and the place to go on from in one transaction."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import chain

import polars as pl

from connectors.contract import CallCount, Connector, Identity, Page, Slice, Stream
from connectors.errors import ConnectorError, QuotaSpent, ShortAnswer, SliceLost, UnexpectedAnswer
from flows.pipeline.access import check_access
from flows.pipeline.ahead import Ahead, counting, streams_at_once
from flows.pipeline.chunks import ChunkWriter, chunks
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.sweeping import Sweeper
from flows.results import FIRST_LOAD, PullReceipt, StreamReceipt, resumes
from kammodel.entities import Bookmark
from kammodel.store import Store
from kammodel.store.control import load_bookmark, save_bookmark

MOST_REJECTED = 0.05
LEAST_REJECTED = 20
"""A slice with more than 5 % of its rows set aside, and at least 20, is not closed: then the mapping is wrong."""


@dataclass(frozen=True)
class _Start:
    """Where a slice begins: its bounds, the place to go on from, and why it is read in full or resumed."""

    span: Slice
    resume: str | None
    note: str | None


def pull(
    connector: Connector, store: Store, clock: Clock, *, full: bool = False, progress: Progress = quiet
) -> PullReceipt:
    """Reads what changed in a CRM since the last pull, or all of it, and stores it.

    A stream that was interrupted is first read to the end of its slice, then to now. Raises what the
    connector raises; streams that were closed before stay closed, the interrupted one resumes. Where no calls are
    left the receipt is partial instead.
    """
    began, calls, at_once = time.perf_counter(), connector.calls.total, streams_at_once(connector)
    identity: Identity | None = None
    unavailable: dict[str, str] = {}
    receipts: list[StreamReceipt] = []
    spent: QuotaSpent | None = None
    try:
        identity = connector.identify()
        streams = _oldest_first(connector.streams(), store, identity)
        check_access(connector, store, identity, full=full)
        unavailable = connector.unavailable()
        readers = [_StreamReader(connector, store, stream, clock=clock, progress=progress) for stream in streams]
        with ExitStack() as last:
            for reader in readers:
                last.callback(reader.close)
            for place, reader in enumerate(readers):
                for one in readers[place : place + at_once] if at_once > 1 and spent is None else ():
                    one.begin(full=full)
                # What was read ahead before the calls were spent is stored.
                goes_on = spent is None or reader.has_begun
                receipts += reader.read(full=full) if goes_on else reader.put_off(full=full)
                spent = spent or reader.spent
    except QuotaSpent as fault:
        spent = fault
    return PullReceipt(
        source=connector.name,
        instance=identity.instance if identity else None,
        organisation=identity.organisation if identity else None,
        streams=tuple(receipts),
        unavailable=unavailable,
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        stopped=str(spent) if spent else None,
        resumes=resumes(receipts, full=full) if spent else None,
    )


def _is_empty(span: Slice) -> bool:
    return span.since is not None and span.until <= span.since


def _oldest_first(streams: Iterable[Stream], store: Store, identity: Identity) -> list[Stream]:
    """The streams in their own order, but for those that an earlier run stopped in or did not come to: they go first,
    or, with few calls a run, the others would take them all again and again."""
    with store.transaction() as tx:
        known = {s.name: load_bookmark(tx, identity.source, identity.instance, s.name) for s in streams}
        read = {
            name: mark.read_until for name, mark in known.items() if mark is not None and mark.read_until is not None
        }
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(streams, key=lambda s: read.get(s.name, never))


class _StreamReader:
    """One stream of one CRM, from its bookmark to now."""

    def __init__(self, connector: Connector, store: Store, stream: Stream, *, clock: Clock, progress: Progress) -> None:
        self._connector, self._store, self._identity = connector, store, connector.identify()
        self._stream, self._clock, self._progress = stream, clock, progress
        self._sweeper = Sweeper(connector, store, stream, clock)
        self._calls = CallCount()
        self._begun: _Start | None = None
        self._ahead: Ahead | None = None
        self.spent: QuotaSpent | None = None
        """What stopped `read` before the end of the stream."""

    def begin(self, *, full: bool) -> None:
        """Begins to read, while other streams are read and stored. `read` then goes on with it, or `close` ends it."""
        if self.has_begun:
            return
        start = self._begun = self._start(full=full)
        if not _is_empty(start.span):
            with counting(self._connector, self._calls):
                self._ahead = Ahead(lambda: self._asked(start))

    @property
    def has_begun(self) -> bool:
        return self._begun is not None

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.close()

    def read(self, *, full: bool) -> list[StreamReceipt]:
        """Receipts of the stream and of the other entities that its pages fill."""
        with counting(self._connector, self._calls):
            return self._to_the_end(full=full)

    def _to_the_end(self, *, full: bool) -> list[StreamReceipt]:
        began, start = time.perf_counter(), self._begun or self._start(full=full)
        writer = ChunkWriter(self._store, self._identity, self._stream, self._clock)
        writer.retry_rejects()
        is_open = True
        try:
            self._slice(start, writer)
            is_open = False
            if start.resume is not None and self._stream.incremental:
                self._slice(self._start(full=False), writer)
            self._sweep(writer, full=full)
        except QuotaSpent as fault:
            self.spent = fault
        except ConnectorError as fault:
            if self._name not in str(fault):
                fault.args = (f"{self._name}: {fault}",)
            raise
        seconds = round(time.perf_counter() - began, 3)
        is_full = start.span.since is None
        done = writer.receipts(is_full=is_full, note=start.note, calls=self._calls.total, seconds=seconds)
        return self._stopped(done, full=full and is_open, is_open=is_open) if self.spent else done

    def put_off(self, *, full: bool) -> list[StreamReceipt]:
        """The receipt of a stream that this run does not come to. That it was to be read in full is remembered."""
        mark = self._bookmark()
        if full and mark is not None and not (mark.resume_point and mark.slice_since is None):
            self._save(mark, watermark=None, slice_since=None, slice_until=None, resume_point=None)
        return [StreamReceipt(self._stream.name, is_full=False, state="not_begun")]

    def _stopped(self, done: list[StreamReceipt], *, full: bool, is_open: bool) -> list[StreamReceipt]:
        self.put_off(full=full)
        mark, row = self._bookmark(), 1 if is_open else None
        if mark is not None and mark.resume_point is not None:
            row = mark.rows_read + 1
        return [replace(done[0], state="stopped", next_row=row), *(replace(one, state="stopped") for one in done[1:])]

    def _start(self, *, full: bool) -> _Start:
        mark = self._bookmark()
        until = self._clock()
        everything = Slice(None, until)
        if mark is None:
            return _Start(everything, None, FIRST_LOAD if self._stream.incremental else None)
        if mark.fingerprint != self._stream.fingerprint:
            return _Start(everything, None, "loaded in full: the mapping of fields or stages has changed")
        if mark.slice_until is not None and mark.resume_point is not None and not (full and mark.slice_since):
            return _Start(Slice(mark.slice_since, mark.slice_until), mark.resume_point, "resumed where it stopped")
        if not full and not self._stream.incremental:
            return _Start(everything, None, None)
        why = self._why_full(mark, full=full)
        if why is not None or mark.watermark is None:
            return _Start(everything, None, why)
        return _Start(Slice(mark.watermark - self._connector.overlap, until), None, None)

    def _why_full(self, mark: Bookmark, *, full: bool) -> str | None:
        if full or mark.watermark is None:
            return "loaded in full, as asked" if full else FIRST_LOAD
        if mark.watermark > self._clock():
            # What changed meanwhile lies before the watermark: no increment would ever show it.
            return "loaded in full: the clock of this machine was ahead when it was last read"
        stale = self._sweeper.stale_since
        if stale is None:
            return None
        return f"loaded in full: {', '.join(self._stream.drifting)} as of {stale:%Y-%m-%d %H:%M} UTC"

    def _slice(self, start: _Start, writer: ChunkWriter) -> None:
        """Reads a slice to its end and closes it. A place that the CRM forgot is answered by starting once more."""
        if _is_empty(start.span):
            return
        try:
            self._read(start, writer)
        except SliceLost:
            if start.resume is None:
                raise
            self._read(_Start(start.span, None, start.note), writer)

    def _read(self, start: _Start, writer: ChunkWriter) -> None:
        is_first = (known := self._bookmark()) is None or known.read_until is None
        mark = self._opened(start)
        try:
            for pages in chunks(self._pages(start), self._stream):
                writer.write(pages, mark)
                announced = pages[-1].announced
                self._progress(f"{self._identity.source} {self._stream.name}", mark.rows_read, announced)
            self._prove(mark, pages[-1].announced)
        except (ShortAnswer, UnexpectedAnswer):
            # What is missing lies before the place reached: going on from there would never find it.
            self._save(mark, slice_since=None, slice_until=None, resume_point=None)
            raise
        # What became visible late in the last minutes is looked for again: the watermark stays behind.
        settled, until = start.span.until - self._connector.settle, start.span.until
        self._save(mark, watermark=settled, read_until=until, slice_since=None, slice_until=None, resume_point=None)
        if start.span.since is None and self._stream.incremental:
            self._sweeper.was_loaded(settled, is_first=is_first)

    def _sweep(self, writer: ChunkWriter, *, full: bool) -> None:
        """Stores what increments do not show, under the bookmark of the slice that was closed."""
        for page in chain(self._sweeper.pages(full=full), self._sweeper.relinked()):
            mark = self._bookmark()
            if mark is not None:
                writer.write([page], mark)

    def _asked(self, start: _Start) -> Generator[Page]:
        yield from self._connector.read(self._stream, start.span, start.resume, self._known)

    def _pages(self, start: _Start) -> Iterator[Page]:
        pages = 0
        ahead = self._ahead if start is self._begun else None
        for page in ahead or self._asked(start):
            pages += 1
            yield page
            if page.resume is None:
                return
        raise ShortAnswer(f"{self._name}: the pages ended without a last one after {pages}; run again")

    def _known(self, ids: pl.Series) -> pl.DataFrame:
        entity, where = self._stream.mappings[0].entity, {"source": self._identity.source}
        with self._store.transaction() as tx:
            return tx.live_stamps(entity, ids, **where, instance=self._identity.instance)

    def _opened(self, start: _Start) -> Bookmark:
        """The bookmark of a slice under way. It is saved with the first rows."""
        mark = self._bookmark()
        if mark is None or start.resume is None:
            mark = Bookmark(
                source=self._identity.source,
                source_instance=self._identity.instance,
                stream=self._stream.name,
                fingerprint=self._stream.fingerprint,
                columns=",".join(sorted(self._stream.columns)),
                watermark=mark.watermark if mark is not None else None,
                read_until=mark.read_until if mark is not None else None,
            )
        mark.slice_since, mark.slice_until = start.span.since, start.span.until
        return mark

    def _prove(self, mark: Bookmark, announced: int | None) -> None:
        """The slice has the rows the CRM announced, and could be read; else it is not closed."""
        if announced is not None and mark.rows_read < announced:
            raise ShortAnswer(
                f"{self._name}: the CRM announced {announced} rows and sent {mark.rows_read}; "
                "nothing was closed, run again"
            )
        if mark.rows_rejected >= LEAST_REJECTED and mark.rows_rejected > MOST_REJECTED * mark.rows_read:
            raise UnexpectedAnswer(
                f"{self._name}: {mark.rows_rejected} of {mark.rows_read} rows could not be read; the slice is not "
                "closed. The rows and reasons stand in the store, table rejected_record"
            )

    def _bookmark(self) -> Bookmark | None:
        with self._store.transaction() as tx:
            found = load_bookmark(tx, self._identity.source, self._identity.instance, self._stream.name)
            return None if found is None else Bookmark(**found.model_dump())

    def _save(self, mark: Bookmark, **changes: dt.datetime | str | None) -> None:
        for name, value in changes.items():
            setattr(mark, name, value)
        with self._store.transaction() as tx:
            save_bookmark(tx, Bookmark(**mark.model_dump()))

    @property
    def _name(self) -> str:
        return f"{self._identity.source} {self._stream.name}"
