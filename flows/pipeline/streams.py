"""Reads one stream of a CRM from its bookmark to now, then what its increments do not show."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import chain

from connectors.contract import CallCount, Connector, Slice, Stream
from connectors.errors import ConnectorError, QuotaSpent
from flows.pipeline.ahead import Ahead, counting
from flows.pipeline.chunks import ChunkWriter
from flows.pipeline.leasing import Held
from flows.pipeline.marks import LiveMarks
from flows.pipeline.progress import Clock, Progress
from flows.pipeline.slicing import SliceReader, Start
from flows.pipeline.sweeping import Look, Sweeper
from flows.results import FIRST_LOAD, StreamReceipt
from kammodel.entities import Bookmark
from kammodel.store import Store


class StreamReader:
    """One stream of one CRM, from the bookmark of the live schedule to now. Without `lease` it can only be looked at
    what would be read."""

    def __init__(
        self,
        connector: Connector,
        store: Store,
        stream: Stream,
        *,
        clock: Clock,
        progress: Progress,
        lease: Held | None = None,
    ) -> None:
        self._connector, self._store, self._identity = connector, store, connector.identify()
        self._stream, self._clock = stream, clock
        self._marks = LiveMarks(store, self._identity, stream, connector.settle, lease)
        self._slices = SliceReader(connector, store, stream, self._marks, progress=progress)
        self._sweeper = Sweeper(connector, store, stream, clock)
        self._calls = CallCount()
        self._begun: Start | None = None
        self._ahead: Ahead | None = None
        self.spent: QuotaSpent | None = None
        """What stopped `read` before the end of the stream."""

    def begin(self, *, full: bool) -> None:
        """Begins to read, while other streams are read and stored. `read` then goes on with it, or `close` ends it."""
        if self.has_begun:
            return
        start = self._begun = self.start(full=full)
        if not start.is_empty:
            with counting(self._connector, self._calls):
                self._ahead = Ahead(lambda: self._slices.asked(start))

    @property
    def has_begun(self) -> bool:
        return self._begun is not None

    def stop(self) -> None:
        """Asks what was begun to end; `close` waits for it."""
        if self._ahead is not None:
            self._ahead.stop()

    def close(self) -> None:
        if self._ahead is not None:
            self._ahead.close()

    def read(self, *, full: bool) -> list[StreamReceipt]:
        """Receipts of the stream and of the other entities that its pages fill."""
        with counting(self._connector, self._calls):
            own, *others = self._to_the_end(full=full)
        # Of a connector that reads one stream after another it is counted when the stream is done.
        return [replace(own, calls=self._calls.total), *others]

    def _to_the_end(self, *, full: bool) -> list[StreamReceipt]:
        began, start = time.perf_counter(), self._begun or self.start(full=full)
        writer = ChunkWriter(self._store, self._identity, self._stream, self._marks, self._clock)
        writer.retry_rejects()
        is_open = True
        try:
            self._slice(start, writer)
            is_open = False
            if start.resume is not None and self._stream.incremental:
                self._slice(self.start(full=False), writer)
            self._sweep(writer, full=full)
        except QuotaSpent as fault:
            self.spent = fault
        except ConnectorError as fault:
            if self._slices.name not in str(fault):
                fault.args = (f"{self._slices.name}: {fault}",)
            raise
        seconds = round(time.perf_counter() - began, 3)
        is_full = start.span.since is None
        done = writer.receipts(is_full=is_full, note=start.note, calls=0, seconds=seconds)
        return self._stopped(done, full=full and is_open, is_open=is_open) if self.spent else done

    def put_off(self, *, full: bool) -> list[StreamReceipt]:
        """The receipt of a stream that this run does not come to. That it was to be read in full is remembered."""
        mark = self._marks.load()
        if full and mark is not None and not (mark.resume_point and mark.slice_since is None):
            self._marks.change(mark, watermark=None, slice_since=None, slice_until=None, resume_point=None)
        return [StreamReceipt(self._stream.name, is_full=False, state="not_begun")]

    def _stopped(self, done: list[StreamReceipt], *, full: bool, is_open: bool) -> list[StreamReceipt]:
        self.put_off(full=full)
        mark, row = self._marks.load(), 1 if is_open else None
        if mark is not None and mark.resume_point is not None:
            row = mark.rows_read + 1
        return [replace(done[0], state="stopped", next_row=row), *(replace(one, state="stopped") for one in done[1:])]

    def start(self, *, full: bool) -> Start:
        """The slice that is to be read first."""
        mark = self._marks.load()
        until = self._clock()
        everything = Slice(None, until)
        if mark is None:
            return Start(everything, None, FIRST_LOAD if self._stream.incremental else None)
        why = self._why_other(mark)
        if why is not None:
            return Start(everything, None, why)
        if mark.slice_until is not None and mark.resume_point is not None and not (full and mark.slice_since):
            return Start(Slice(mark.slice_since, mark.slice_until), mark.resume_point, "resumed where it stopped")
        if not full and not self._stream.incremental:
            return Start(everything, None, None)
        why = self._why_full(mark, full=full)
        if why is not None or mark.watermark is None:
            return Start(everything, None, why)
        return Start(Slice(mark.watermark - self._connector.overlap, until), None, None)

    def ahead(self, start: Start, *, full: bool) -> tuple[Look, bool]:
        """How deletions will be looked for after a slice, and whether links will; see Sweeper."""
        loads = start.span.since is None and self._stream.incremental
        known = self._marks.load()
        return self._sweeper.ahead(full=full, loads=loads, is_first=known is None or known.read_until is None)

    def _why_other(self, mark: Bookmark) -> str | None:
        """Why what was read so far is not what the fields hold now."""
        if not self._stream.reads_as(mark.fingerprint):
            return "loaded in full: the mapping of fields or stages has changed"
        retyped = self._stream.retyped(mark.types)
        if retyped:
            # A CRM converts the values that are there, and need not move the change stamp of their rows.
            turned = ", ".join(f"{one.field} was {mark.types[one.field]}, is {one.type} now" for one in retyped)
            return f"loaded in full: a field has another type: {turned}"
        back = [one.field for one in self._stream.types if mark.types and one.field not in mark.types]
        return f"loaded in full: shown again: {', '.join(back)}" if back else None

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

    def _slice(self, start: Start, writer: ChunkWriter) -> None:
        self._slices.read(start, writer, self._ahead if start is self._begun else None)

    def _sweep(self, writer: ChunkWriter, *, full: bool) -> None:
        """Stores what increments do not show, under the bookmark of the slice that was closed."""
        for page in chain(self._sweeper.pages(full=full), self._sweeper.relinked()):
            mark = self._marks.load()
            if mark is not None:
                writer.write([page], mark)
