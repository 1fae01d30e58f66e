"""Pulls one CRM into the store, stream by stream: rows and the place to go on from in one transaction."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack

from connectors.contract import Connector, Identity, Notes, Stream
from connectors.errors import QuotaSpent
from flows.pipeline.access import check_access, streams_of
from flows.pipeline.ahead import streams_at_once
from flows.pipeline.leasing import sole_reader
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.streams import StreamReader
from flows.results import PullReceipt, StreamReceipt, resumes
from kammodel.store import Store
from kammodel.store.control import load_bookmark


def pull(
    connector: Connector, store: Store, clock: Clock, *, full: bool = False, progress: Progress = quiet
) -> PullReceipt:
    """Reads what changed in a CRM since the last pull, or all of it, and stores it.

    A stream that was interrupted is first read to the end of its slice, then to now. Raises what the
    connector raises; streams that were closed before stay closed, the interrupted one resumes. Where no calls are
    left the receipt is partial instead. Raises Taken while another run reads the CRM.
    """
    began, calls, at_once = time.perf_counter(), connector.calls.total, streams_at_once(connector)
    noted = _notes(connector)
    identity: Identity | None = None
    unavailable: dict[str, str] = {}
    receipts: list[StreamReceipt] = []
    spent: QuotaSpent | None = None
    try:
        identity = connector.identify()
        with ExitStack() as last:
            lease = last.enter_context(sole_reader(store, identity, clock))
            streams = _oldest_first(streams_of(connector, store, identity), store, identity)
            check_access(connector, store, identity, full=full)
            unavailable = connector.unavailable()
            readers = [
                StreamReader(connector, store, stream, clock=clock, progress=progress, lease=lease)
                for stream in streams
            ]
            for reader in readers:
                last.callback(reader.close)
            # Before the first of them is waited for, all are asked to end.
            for reader in readers:
                last.callback(reader.stop)
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
        notes=dict(sorted((_notes(connector) - noted).items())),
    )


def _notes(connector: Connector) -> Counter[str]:
    return Counter(connector.notes) if isinstance(connector, Notes) else Counter()


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
