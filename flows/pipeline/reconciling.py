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
    windows: list[WindowProof] = []
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
                made = _proved(one)
                one.save(made)
                windows += [_shown(c) for c in made]
                progress(f"{identity.source} reconcile", place + 1, len(streams))
        except QuotaSpent as fault:
            stopped = str(fault)
    return ReconcileReceipt(
        source=identity.source,
        instance=identity.instance,
        organisation=identity.organisation,
        windows=tuple(windows),
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        counted_at=clock(),
        repaired=sum(one.repaired for one in proofs),
        stopped=stopped,
    )


def _proved(one: StreamProof) -> list[Certificate]:
    """The certificates of a stream, once what differs was repaired where that may be."""
    made = one.proved()
    for _ in range(_REPAIRS if one.lease is not None else 0):
        if not any(c.verdict == "differs" for c in made):
            break
        one.repair()
        made = one.proved()
    return made


def check_certified(store: Store, crms: Iterable[str]) -> None:
    """Raises KamError where the newest certificate of a CRM says that the store does not hold what it has."""
    for crm in crms:
        with store.transaction() as tx:
            failed = failed_certificates(tx, crm)
        if failed:
            first, more = failed[0], len(failed) - 1
            others = f" (and {more} more)" if more else ""
            raise KamError(
                f"{crm} {first.stream}, {spelled(_shown(first))}: the CRM has {first.crm_rows:,} records and the store "
                f"{first.our_rows:,}, {first.wrong_rows:,} of them wrong{others}; nothing is scored or written from "
                f"that. Run: kam reconcile --crm {crm} --repair"
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
    """The proof of one stream. `lease`: the right to read again what differs."""

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
        self.lease, self.repaired = lease, 0
        self._wrong: list[Counted] = []

    def proved(self) -> list[Certificate]:
        """A certificate for each window; one that says why where there is nothing to prove by."""
        mark, why_not = self._marks.load(), self._counting.uncountable(self._stream)
        if why_not is not None:
            return [self._certificate(0, verdict="unproven", reason=why_not)]
        if mark is None or mark.watermark is None:
            return [self._certificate(0, verdict="unproven", reason=NEVER_READ)]
        before = int(mark.watermark.timestamp())
        counter = Counter(self._connector, self._counting, self._store, self._stream, before)
        try:
            windows = counter.windows()
        except QuotaSpent:
            raise
        except PermissionMissing as fault:
            return [self._certificate(0, verdict="unproven", reason=str(fault))]
        except ConnectorError as fault:
            fault.args = (f"{self._identity.source} {self._stream.name}: {fault}",)
            raise
        self._wrong = [one for one in windows if one.wrong]
        vanished = sum(one.extra.len() for one in windows)
        hidden = vanished >= LEAST_GONE and vanished > MOST_GONE * counter.live()
        return [self._certified(place, one, before, hidden=hidden) for place, one in enumerate(windows)]

    def save(self, made: list[Certificate]) -> None:
        with self._store.transaction() as tx:
            save_certificates(tx, self._identity.source, self._identity.instance, self._stream.name, made)

    def repair(self) -> None:
        """Reads again what differs: by id what is missing or altered; what is not there any more is marked gone.
        `repaired` counts these records."""
        mark = self._marks.load()
        if mark is None:
            return
        if mark.resume_point is not None:
            raise KamError(f"{self._identity.source} {self._stream.name}: {UNDER_WAY}")
        writer = ChunkWriter(self._store, self._identity, self._stream, self._marks, self._clock)
        for page in self._pages():
            writer.write([page], self._marks.load() or mark)
            rows = page.raw[table_of(self._stream.mappings[0].entity).name].height
            self.repaired += rows + (page.gone.height if page.gone is not None else 0)

    def _pages(self) -> Iterator[Page]:
        sweeps = self._connector.sweeps
        if sweeps is None:
            return
        for one in self._wrong:
            again = pl.concat([one.missing, one.altered])
            if again.len():
                yield from (replace(page, resume=None) for page in sweeps.read_ids(self._stream, again))
            if one.extra.len():
                there = pl.concat([one.extra.clear(), *sweeps.existing(self._stream, one.extra)])
                gone = one.extra.filter(~one.extra.is_in(there.implode()))
                nothing = {table_of(m.entity).name: pl.DataFrame(schema=m.raw_schema()) for m in self._stream.mappings}
                nobody = pl.lit(None, pl.String).alias("merged_into_id")
                yield Page(nothing, None, gone=gone.alias("source_id").to_frame().with_columns(nobody))

    def _certified(self, place: int, one: Counted, before: int, *, hidden: bool) -> Certificate:
        verdict, reason = self._verdict(one, hidden=hidden)
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

    def _verdict(self, one: Counted, *, hidden: bool) -> tuple[Verdict, str | None]:
        if one.theirs is None:
            return "unproven", TOO_LARGE
        if hidden and one.extra.len():
            return "unproven", (
                "so many records are not there any more that it looks like access lost (sharing, View All Data) and "
                f"not like deletion; to accept it: kam pull --crm {self._identity.source} --full"
            )
        return ("differs", None) if one.wrong else ("ok", None)

    def _certificate(self, place: int, *, verdict: Verdict, reason: str | None, **more: Any) -> Certificate:
        return Certificate(
            source=self._identity.source,
            source_instance=self._identity.instance,
            stream=self._stream.name,
            place=place,
            cut_by=self._counting.key,
            verdict=verdict,
            reason=reason,
            counted_at=self._clock(),
            **more,
        )


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
    )


def _key(cut_by: str, key: int | None) -> str | None:
    if key is None:
        return None
    return str(key) if cut_by == "id" else f"{dt.datetime.fromtimestamp(key, dt.UTC):%Y-%m-%d %H:%M:%S}"
