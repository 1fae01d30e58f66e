"""Looks at once for what increments of a CRM do not show, and reads nothing else: deletions, and links that changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum

from connectors.contract import CallCount, Connector, Identity, Page, Stream
from connectors.contract import SweepsLinks as LooksAtLinks
from connectors.errors import ConnectorError, QuotaSpent
from flows.pipeline.access import check_access, streams_of
from flows.pipeline.ahead import counting
from flows.pipeline.chunks import ChunkWriter
from flows.pipeline.leasing import Held, sole_reader
from flows.pipeline.marks import LiveMarks
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.sweeping import Sweeper
from flows.results import PullReceipt, StreamReceipt
from kammodel.entities import Bookmark
from kammodel.store import Store

NOT_READ = "not looked at: a pull has to read it to its end first"
_RESUMES = "goes on at {stream}, with the next sweep"


class Sweeps(StrEnum):
    """What a sweep looks for."""

    everything = "everything"
    deletions = "deletions"
    associations = "associations"


def sweep(
    connector: Connector, store: Store, clock: Clock, *, of: Sweeps = Sweeps.everything, progress: Progress = quiet
) -> PullReceipt:
    """Compares all ids of each stream, looks at the links of all its records, or both; and stores what that shows.

    No bookmark is moved, so that the next pull reads what changed since the last one. A stream that was never read,
    that a pull has stopped in, or that is mapped otherwise now, is left to the next pull: what it lacks is no deletion.
    Where very much is gone it raises PermissionMissing, as a pull does. With no calls left the receipt is partial;
    it goes on from where it was. Raises Taken while another run reads the CRM.
    """
    began, calls = time.perf_counter(), connector.calls.total
    identity: Identity | None = None
    receipts: list[StreamReceipt] = []
    spent: QuotaSpent | None = None
    try:
        identity = connector.identify()
        with sole_reader(store, identity, clock) as lease:
            streams = [one for one in streams_of(connector, store, identity) if _is_swept(connector, one, of)]
            check_access(connector, store, identity, full=False)
            for place, stream in enumerate(streams):
                progress(f"{identity.source} sweep", place, len(streams))
                if spent is None:
                    done, spent = _swept(connector, store, lease, stream, of)
                else:
                    done = _not_begun(stream)
                receipts += done
            progress(f"{identity.source} sweep", len(streams), len(streams))
    except QuotaSpent as fault:
        spent = fault
    at = next((one.stream for one in receipts if one.state != "closed"), "the beginning")
    return PullReceipt(
        source=connector.name,
        instance=identity.instance if identity else None,
        organisation=identity.organisation if identity else None,
        streams=tuple(receipts),
        unavailable={},
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        stopped=str(spent) if spent else None,
        resumes=_RESUMES.format(stream=at) if spent else None,
    )


def _is_swept(connector: Connector, stream: Stream, of: Sweeps) -> bool:
    has_links = bool(stream.linked or stream.parts) and isinstance(connector.sweeps, LooksAtLinks)
    return {
        Sweeps.everything: stream.swept or has_links,
        Sweeps.deletions: stream.swept,
        Sweeps.associations: has_links,
    }[of]


def _not_begun(stream: Stream) -> list[StreamReceipt]:
    return [StreamReceipt(stream.name, is_full=False, state="not_begun")]


def _swept(
    connector: Connector, store: Store, lease: Held, stream: Stream, of: Sweeps
) -> tuple[list[StreamReceipt], QuotaSpent | None]:
    """Receipts of the stream and of the other entities that its pages fill; and what stopped it."""
    identity, began, count, clock = connector.identify(), time.perf_counter(), CallCount(), lease.clock
    marks = LiveMarks(store, identity, stream, connector.settle, lease)
    if not _is_read(marks.load(), stream):
        return [StreamReceipt(stream.name, is_full=False, note=NOT_READ)], None
    writer = ChunkWriter(store, identity, stream, marks, clock)
    spent: QuotaSpent | None = None
    try:
        with counting(connector, count):
            for page in _pages(Sweeper(connector, store, stream, clock, at_once=True), of):
                mark = marks.load()
                if mark is not None and _is_read(mark, stream):
                    writer.write([replace(page, resume=None)], mark)
    except QuotaSpent as fault:
        spent = fault
    except ConnectorError as fault:
        if stream.name not in str(fault):
            fault.args = (f"{identity.source} {stream.name}: {fault}",)
        raise
    own, *others = writer.receipts(
        is_full=False, note=None, calls=count.total, seconds=round(time.perf_counter() - began, 3)
    )
    return [replace(own, state="stopped" if spent else "closed"), *others], spent


def _pages(sweeper: Sweeper, of: Sweeps) -> Iterator[Page]:
    if of is not Sweeps.associations:
        yield from sweeper.pages(full=False)
    if of is not Sweeps.deletions:
        yield from sweeper.relinked()


def _is_read(mark: Bookmark | None, stream: Stream) -> bool:
    """Whether a pull has read it, by the mapping of today and to the end of its last slice."""
    if mark is None or mark.read_until is None or mark.resume_point is not None:
        return False
    return stream.reads_as(mark.fingerprint)
