"""Reads the past of one CRM into the store, month by month, the newest first, beside the live schedule."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.allowing import Allowance, allowing
from connectors.contract import CallCount, Connector, Identity, Slice, Stream
from connectors.contract.estimating import Foresees
from connectors.errors import ConnectorError, QuotaSpent
from flows.pipeline.access import check_access
from flows.pipeline.ahead import counting
from flows.pipeline.chunks import ChunkWriter
from flows.pipeline.estimating import counting_takes, estimate_windows
from flows.pipeline.marks import WindowMarks
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.slicing import SliceReader, Start
from flows.pipeline.standing import Standing
from flows.pipeline.windows import Due, Span, Window, due_windows
from flows.results import EstimateReceipt, FillReceipt, NotCounted, WindowReceipt
from kammodel.entities import Run
from kammodel.errors import KamError
from kammodel.store import Store
from kammodel.store.backfills import KIND, closed_windows, reopen_window
from kammodel.store.control import end_run, start_run

Announce = Callable[[EstimateReceipt | NotCounted], None]
Completed = Callable[[EstimateReceipt], EstimateReceipt]


def fill(
    connector: Connector,
    store: Store,
    clock: Clock,
    span: Span,
    *,
    progress: Progress = quiet,
    standing: Standing | None = None,
    announce: Announce = lambda _: None,
    completed: Completed = lambda estimate: estimate,
) -> FillReceipt:
    """Reads the rows that were changed in the span, into the store.

    A window is closed once its count is proven; what was stopped goes on where it was, by the same call. No bookmark of
    a pull is looked at or moved, and rows that a pull has stored meanwhile are left alone. Where no calls are left
    the receipt is partial. `announce` is told the estimate before the first row is read, or why there is none;
    `completed` adds to it what comes after reading. Neither counts as time of the run: no call waits for a CRM in them.

    Raises KamError where the calls that it was given are made and nothing could be kept of what they brought: the same
    command would end there again and again.
    """
    at, spent, allowed = clock(), None, Allowance(span.calls)
    filling = _Filling(connector, store, clock, span, progress, standing or Standing(), announce, completed, allowed)
    with allowing(allowed):
        try:
            filling.run()
        except QuotaSpent as fault:
            filling.require_progress(fault)
            spent = fault
    seconds = round((clock() - at).total_seconds() - filling.foreseeing_s, 3)
    done = filling.receipt(spent, calls=allowed.made, seconds=seconds)
    _keep_run(store, done, at, clock, storing=round(filling.storing_s, 3))
    return done


@dataclass
class _Filling:
    connector: Connector
    store: Store
    clock: Clock
    span: Span
    progress: Progress
    standing: Standing
    announce: Announce
    completed: Completed
    allowed: Allowance
    identity: Identity | None = None
    estimate: EstimateReceipt | NotCounted | None = None
    before_reading: int | None = None
    has_moved: bool = False
    done: list[WindowReceipt] = field(default_factory=list)
    kept: int = 0
    left: list[tuple[Window, Stream]] = field(default_factory=list)
    next_row: int = 1
    storing_s: float = 0.0
    foreseeing_s: float = 0.0

    def run(self) -> None:
        identity = self.identity = self.connector.identify()
        check_access(self.connector, self.store, identity, full=False)
        streams, due, windows = due_windows(self.connector, self.store, self.clock, self.span)
        self.left = [(w, s) for w in windows for s in streams if w in due[s.name]]
        self.kept = len(streams) * len(windows) - len(self.left)
        if self.left and isinstance(self.connector, Foresees):
            counted = self._not_counted(due) or estimate_windows(self.connector, self.store, identity, due)
            self.estimate = self._told(counted)
        self.standing.begin(self.estimate if isinstance(self.estimate, EstimateReceipt) else None)
        self.before_reading = self.allowed.made
        if self.span.again:
            self._reopen(identity)
        while self.left:
            window, stream = self.left[0]
            self.done.append(self._window(window, stream, identity))
            self.left.pop(0)

    def _told(self, counted: EstimateReceipt | NotCounted) -> EstimateReceipt | NotCounted:
        began = self.clock()
        whole = self.completed(counted) if isinstance(counted, EstimateReceipt) else counted
        self.announce(whole)
        self.foreseeing_s = (self.clock() - began).total_seconds()
        return whole

    def _reopen(self, identity: Identity) -> None:
        """What is to be read once more counts as not read, so that a run that is stopped goes on without `again`."""
        with self.store.transaction() as tx:
            for stream in {stream.name: stream for _, stream in self.left}.values():
                for closed in closed_windows(tx, identity.source, identity.instance, stream.name, stream.reads_as):
                    if any(window.is_in([closed]) for window, its in self.left if its.name == stream.name):
                        reopen_window(tx, closed)

    def _not_counted(self, due: Due) -> NotCounted | None:
        """Of few calls, half at least of what signing in leaves is for reading: each run gets on."""
        calls, spent, asks = self.span.calls, self.allowed.made, counting_takes(due)
        if calls is None or 2 * asks <= calls - spent:
            return None
        return NotCounted(self.connector.name, calls, spent, asks)

    def require_progress(self, fault: QuotaSpent) -> None:
        """Some window is closed, or further on than it was, unless it is the CRM's own limit that has ended this."""
        calls, name = self.span.calls, self.connector.name
        if calls is None or self.allowed.made < calls or self.has_moved:
            return
        if self.before_reading is None or not self.left:
            told = "signing in and looking at what there is take more"
        else:
            (window, stream), before = self.left[0], f"{self.before_reading:,} went before the first row"
            told = f"{before}, and {stream.name} {window.first:%Y-%m} takes more than the rest"
        raise KamError(
            f"{name}: {calls:,} calls are too few, nothing could be kept: {told}; give it more (kam estimate says "
            "how many the whole takes), or leave the number out"
        ) from fault

    def receipt(self, spent: QuotaSpent | None, *, calls: int, seconds: float) -> FillReceipt:
        identity = self.identity
        return FillReceipt(
            source=self.connector.name,
            instance=identity.instance if identity else None,
            organisation=identity.organisation if identity else None,
            first=self.span.first,
            last=self.span.last,
            windows=tuple(self.done),
            kept=self.kept,
            left=len(self.left),
            calls=calls,
            seconds=seconds,
            estimate=self.estimate,
            stopped=str(spent) if spent else None,
            resumes=self._resumes() if spent else None,
        )

    def _window(self, window: Window, stream: Stream, identity: Identity) -> WindowReceipt:
        """Reads one window from its place, or its start, to its end."""
        began, calls = time.perf_counter(), CallCount()
        at = {"since": window.since, "until": window.until, "began": self.clock()}
        marks = WindowMarks(self.store, identity, stream, clock=self.clock, **at)
        start = self._start(marks, window)
        writer = ChunkWriter(self.store, identity, stream, marks, self.clock)
        writer.retry_rejects()
        told = f"{identity.source} {stream.name} {window.first:%Y-%m}"
        self.standing.enter(told)
        reader = SliceReader(self.connector, self.store, stream, marks, progress=self._progress, step=told)
        # Nothing has to come for the first word: whoever cancels is heard between two windows.
        self._progress(told, 0, None)
        try:
            with counting(self.connector, calls):
                reader.read(start, writer)
        except QuotaSpent:
            mark = marks.load()
            self.next_row = mark.rows_read + 1 if mark is not None and mark.resume_point else 1
            self.has_moved |= mark is not None and mark.resume_point not in {None, start.resume}
            self.done.append(_counted(window, writer, start, calls.total, began, stopped=True))
            raise
        except ConnectorError as fault:
            if reader.name not in str(fault):
                fault.args = (f"{told}: {fault}",)
            raise
        finally:
            self.storing_s += writer.storing_s
        self.has_moved = True
        return _counted(window, writer, start, calls.total, began, stopped=False)

    def _start(self, marks: WindowMarks, window: Window) -> Start:
        mark = marks.load()
        if mark is not None and mark.resume_point is not None and mark.slice_until is not None:
            return Start(Slice(window.since, mark.slice_until), mark.resume_point, "resumed where it stopped")
        return Start(Slice(window.since, window.read_until), None, None)

    def _progress(self, step: str, done: int, total: int | None) -> None:
        del total  # That of one window.
        self.standing.tell(step, done, self.connector.calls.total)
        self.progress(f"{self.connector.name} backfill", self.standing.rows, self.standing.total)

    def _resumes(self) -> str:
        how = "with the same command" + (", less --again" if self.span.again and self.done else "")
        if not self.left:
            return f"resumes at the beginning, {how}"
        window, stream = self.left[0]
        return f"resumes at {stream.name} {window.first:%Y-%m}, row {self.next_row:,}, {how}"


def _counted(
    window: Window, writer: ChunkWriter, start: Start, calls: int, began: float, *, stopped: bool
) -> WindowReceipt:
    own, *others = writer.receipts(is_full=False, note=start.note, calls=calls, seconds=0.0)
    return WindowReceipt(
        stream=own.stream,
        first=window.first,
        last=window.last,
        state="stopped" if stopped else "closed",
        read=own.read,
        inserted=own.inserted,
        changed=own.changed,
        unchanged=own.unchanged,
        rejected=own.rejected + sum(other.rejected for other in others),
        suppressed=own.suppressed,
        gone=own.gone,
        calls=calls,
        seconds=round(time.perf_counter() - began, 3),
        resumed=start.resume is not None,
    )


def _keep_run(store: Store, done: FillReceipt, at: dt.datetime, clock: Clock, *, storing: float) -> None:
    """Remembers how fast it was; estimates ask for it."""
    run_id, foreseen = f"backfill-{uuid.uuid4().hex[:12]}", done.estimate
    told = {"source": done.source, "rows": done.rows, "calls": done.calls, "seconds": done.seconds, "left": done.left}
    if isinstance(foreseen, EstimateReceipt) and foreseen.calls:
        # Of a run that was stopped, for as many of the calls as it has made.
        told |= {"storing": storing, "paced": round(foreseen.paced_s * done.calls / foreseen.calls, 3)}
    with store.transaction() as tx:
        start_run(tx, Run(run_id=run_id, kind=KIND, started_at=at))
        end_run(tx, run_id, "partial" if done.is_partial else "done", told, clock())
