"""Proves the store by the CRM's own counts: a certificate per window of each stream, and what differs read again."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import polars as pl

from connectors.contract import Connector, Countable, Counting, Page, Stream
from connectors.errors import ConnectorError, PermissionMissing, QuotaSpent
from flows.pipeline.access import check_access
from flows.pipeline.chunks import ChunkWriter
from flows.pipeline.counting import Counted, Counter
from flows.pipeline.leasing import Held, sole_reader
from flows.pipeline.marks import LiveMarks
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.sweeping import LEAST_GONE, MOST_GONE
from flows.results import ReconcileReceipt, Verdict, WindowProof
from kammodel.entities import Certificate
from kammodel.entities.schema import table_of
from kammodel.errors import KamError
from kammodel.store import Store
from kammodel.store.certifying import failed_certificates, save_certificates

NEVER_READ = "it has not been read to its end yet: kam pull"
TOO_LARGE = "the CRM could not count a window in time"
LEFT_NO_TRACE = "{rows:,} no longer there: kam sweep --of deletions --crm {crm}"
_REPAIRS = 2
"""An amount that differs shows once the records are as many."""
UNDER_WAY = "a slice of it is under way: run kam pull first, then repair"


def reconcile(
    connector: Connector, store: Store, clock: Clock, *, repair: bool = False, progress: Progress = quiet
) -> ReconcileReceipt:
    """Counts each stream of a CRM and of the store, and keeps a certificate for each window.

    `repair`: reads again what differs, as a pull would, and counts once more. A record is wrong only where nothing else
    explains it; see WindowProof. Where no calls are left, the streams that were not come to keep their certificates.
    Raises Taken where it is to repair while another run reads the CRM; counting alone goes on beside it.
    """
    began, calls, identity = time.perf_counter(), connector.calls.total, connector.identify()
    if not isinstance(connector, Countable):
        raise KamError(f"{identity.source} does not say how many records it has")
    proofs: list[StreamProof] = []
    stopped: str | None = None
    with sole_reader(store, identity, clock) if repair else nullcontext() as lease:
        if repair:
            # What a pull would not read is not read by a repair either.
            check_access(connector, store, identity, full=False)
        streams = [stream for stream in connector.streams() if stream.swept]
        try:
            for place, stream in enumerate(streams):
                one = StreamProof(connector, connector.tallies, store, stream, clock=clock, lease=lease)
                proofs.append(one)
                _prove(one)
                progress(f"{identity.source} reconcile", place + 1, len(streams))
        except QuotaSpent as fault:
            stopped = str(fault)
    return ReconcileReceipt(
        source=identity.source,
        instance=identity.instance,
        organisation=identity.organisation,
        windows=tuple(shown for one in proofs for shown in one.shown()),
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        counted_at=clock(),
        repaired=sum(one.repaired for one in proofs),
        stopped=stopped,
    )


def _prove(one: StreamProof) -> None:
    """Counts a stream, repairs what differs where that may be, and counts again. Each count is kept at once: a repair
    that stops half way leaves the store accused."""
    one.save(one.proved())
    for _ in range(_REPAIRS if one.lease is not None else 0):
        if not one.repairable:
            break
        one.repair()
        one.save(one.proved())


def check_certified(store: Store, crms: Iterable[str]) -> None:
    """Raises KamError where the newest certificate of a CRM says that the store does not hold what it has."""
    for crm in crms:
        with store.transaction() as tx:
            failed = failed_certificates(tx, crm)
        if failed:
            first, more = failed[0], len(failed) - 1
            others = f" (and {more} more)" if more else ""
            what = first.reason or f"{first.wrong_rows:,} of them wrong"
            raise KamError(
                f"{crm} {first.stream}, {spelled(_shown(first))}: the CRM has {first.crm_rows or 0:,} records and the "
                f"store {first.our_rows or 0:,}, {what}{others}; nothing is scored or written from that. "
                f"Run: kam reconcile --crm {crm} --repair"
            )


def spelled(window: WindowProof) -> str:
    """A window in words."""
    what = "created" if window.cut_by == "created" else "ids"
    if window.low is None and window.high is None:
        return "all records"
    if window.low is None or window.high is None:
        side = f"before {window.high}" if window.low is None else f"from {window.low} on"
        return f"{what} {side}"
    return f"{what} {window.low} to {window.high}"


class StoreDiffers(KamError):
    """What was counted shows that the store does not hold what a CRM has."""

    def __init__(self, receipts: Sequence[ReconcileReceipt]) -> None:
        named = [f"kam reconcile --crm {one.source} --repair" for one in receipts if one.verdict == "differs"]
        super().__init__(f"the store does not hold what the CRM has; read again what differs: {', '.join(named)}")
        self.receipts = tuple(receipts)


class StreamProof:
    """The proof of one stream. `lease`: the right to read again what differs. `kept`: the certificates that hold now;
    `repairable`: windows in which records can be read again, or marked gone."""

    def __init__(
        self,
        connector: Connector,
        counting: Counting,
        store: Store,
        stream: Stream,
        *,
        clock: Clock,
        lease: Held | None = None,
    ) -> None:
        self._connector, self._counting, self._store, self._stream = connector, counting, store, stream
        self._identity, self._clock = connector.identify(), clock
        self._marks = LiveMarks(store, self._identity, stream, connector.settle, lease)
        self.lease, self.repaired, self._hidden = lease, 0, False
        self.kept: list[Certificate] = []
        self.repairable: list[Counted] = []
        self._counted_at = clock()
        self._windows: list[Counted] = []

    def proved(self) -> list[Certificate]:
        """A certificate for each window; one that says why where there is nothing to prove by."""
        mark, why_not = self._marks.load(), self._counting.uncountable(self._stream)
        self.repairable, self._counted_at, self._windows = [], self._clock(), []
        if why_not is not None:
            return [self._certificate(0, verdict="unproven", reason=why_not)]
        if mark is None or mark.watermark is None:
            return [self._certificate(0, verdict="unproven", reason=NEVER_READ)]
        before = int(mark.watermark.timestamp())
        counter = Counter(self._connector, self._counting, self._store, self._stream, before)
        try:
            windows = counter.windows()
        except PermissionMissing as fault:
            return [self._certificate(0, verdict="unproven", reason=str(fault))]
        except ConnectorError as fault:
            self._name(fault)
            raise
        vanished = sum(one.extra.len() for one in windows)
        self._hidden = vanished >= LEAST_GONE and vanished > MOST_GONE * counter.live()
        is_whole = mark.resume_point is None and not self._hidden
        self._windows = windows
        self.repairable = [one for one in windows if one.wrong or (one.absent and is_whole)]
        return [self._certified(place, one, before) for place, one in enumerate(windows)]

    def _name(self, fault: ConnectorError) -> None:
        """Lets a fault say in which stream. No calls left is no fault of a stream."""
        if not isinstance(fault, QuotaSpent):
            fault.args = (f"{self._identity.source} {self._stream.name}: {fault}",)

    def save(self, made: list[Certificate]) -> None:
        """Keeps the certificates; failed ones that there were stay until their windows are counted."""
        with self._store.transaction() as tx:
            of = self._identity.source, self._identity.instance, self._stream.name
            self.kept = save_certificates(tx, *of, made)

    def shown(self) -> Iterator[WindowProof]:
        """The certificates that hold now. Those of the newest count, which stand last, tell what their windows lack."""
        earlier = len(self.kept) - len(self._windows)
        for place, one in enumerate(self.kept):
            counted = self._windows[place - earlier] if place >= earlier else None
            yield _shown(one) if counted is None else _apart(_shown(one), counted)

    def repair(self) -> None:
        """Reads again what differs: by id what is missing or altered; what is not there any more is marked gone.
        `repaired` counts these records."""
        mark = self._marks.load()
        if mark is None:
            return
        if mark.resume_point is not None:
            raise KamError(f"{self._identity.source} {self._stream.name}: {UNDER_WAY}")
        writer = ChunkWriter(self._store, self._identity, self._stream, self._marks, self._clock)
        try:
            for page in self._pages():
                writer.write([page], self._marks.load() or mark)
                rows = page.raw[table_of(self._stream.mappings[0].entity).name].height
                self.repaired += rows + (page.gone.height if page.gone is not None else 0)
        except ConnectorError as fault:
            self._name(fault)
            raise

    def _pages(self) -> Iterator[Page]:
        sweeps = self._connector.sweeps
        if sweeps is None:
            return
        for one in self.repairable:
            again = pl.concat([one.missing, one.altered])
            if again.len():
                yield from (replace(page, resume=None) for page in sweeps.read_ids(self._stream, again))
            if one.extra.len() and not self._hidden:
                there = pl.concat([one.extra.clear(), *sweeps.existing(self._stream, one.extra)])
                gone = one.extra.filter(~one.extra.is_in(there.implode()))
                nothing = {table_of(m.entity).name: pl.DataFrame(schema=m.raw_schema()) for m in self._stream.mappings}
                nobody = pl.lit(None, pl.String).alias("merged_into_id")
                yield Page(nothing, None, gone=gone.alias("source_id").to_frame().with_columns(nobody))

    def _certified(self, place: int, one: Counted, before: int) -> Certificate:
        verdict, reason = self._verdict(one)
        given, own = (one.theirs.sums if one.theirs else None) or {}, one.ours.sums or {}
        sums = {str(c or ""): [given.get(c, 0), own.get(c, 0)] for c in given}
        return self._certificate(
            place,
            verdict=verdict,
            reason=reason,
            window_low=one.ends[0],
            window_high=one.ends[1],
            before=dt.datetime.fromtimestamp(before, dt.UTC),
            crm_rows=one.theirs.rows if one.theirs else None,
            our_rows=one.ours.rows,
            wrong_rows=one.wrong,
            explained=one.explained,
            sums=sums,
        )

    def _verdict(self, one: Counted) -> tuple[Verdict, str | None]:
        if one.theirs is None:
            return "unproven", TOO_LARGE
        if self._hidden and one.extra.len():
            return "unproven", (
                "so many records are not there any more that it looks like access lost (sharing, View All Data) and "
                f"not like deletion; to accept it: kam pull --crm {self._identity.source} --full"
            )
        absent = LEFT_NO_TRACE.format(rows=one.absent, crm=self._identity.source) if one.absent else None
        kinds = {"missing": one.lost, "extra": one.stale, "altered": one.altered.len(), "no longer there": one.absent}
        apart = ", ".join(f"{rows:,} {kind}" for kind, rows in kinds.items() if rows)
        return ("differs", apart) if one.wrong else ("ok", absent)

    def _certificate(self, place: int, *, verdict: Verdict, reason: str | None, **more: Any) -> Certificate:
        return Certificate(
            source=self._identity.source,
            source_instance=self._identity.instance,
            stream=self._stream.name,
            place=place,
            cut_by=self._counting.key,
            verdict=verdict,
            reason=reason,
            counted_at=self._counted_at,
            **more,
        )


def _apart(shown: WindowProof, one: Counted) -> WindowProof:
    """With how many records differ, by how; null where that could not be looked at."""
    if one.theirs is None:
        return shown
    altered = None if one.theirs.sums is None else one.altered.len()
    return replace(shown, missing=one.lost, extra=one.stale, altered=altered, absent=one.absent)


def _shown(one: Certificate) -> WindowProof:
    verdict: Verdict = "differs" if one.verdict == "differs" else "unproven" if one.verdict == "unproven" else "ok"
    return WindowProof(
        stream=one.stream,
        cut_by=one.cut_by,
        low=_key(one.cut_by, one.window_low),
        high=_key(one.cut_by, one.window_high),
        crm=one.crm_rows,
        ours=one.our_rows,
        wrong=one.wrong_rows,
        explained=one.explained,
        sums={currency: tuple(both) for currency, both in (one.sums or {}).items()},
        verdict=verdict,
        reason=one.reason,
        before=one.before,
        counted_at=one.counted_at,
    )


def _key(cut_by: str, key: int | None) -> str | None:
    if key is None:
        return None
    return str(key) if cut_by == "id" else f"{dt.datetime.fromtimestamp(key, dt.UTC):%Y-%m-%d %H:%M:%S}"
