"""Says what reading a CRM will take, by counts of the CRM and the arithmetic of its connector; reads no rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from connectors.contract import Connector, Identity, Slice, Stream
from connectors.contract.estimating import Estimates, Foresees, Load
from flows.pipeline.access import check_access
from flows.pipeline.progress import Clock, quiet
from flows.pipeline.slicing import Start
from flows.pipeline.streams import StreamReader
from flows.pipeline.windows import Span, Window, chosen, due_windows
from flows.results import EstimateReceipt, RunKind, ScoresEstimate, StreamEstimate
from kammodel.entities import Account
from kammodel.errors import KamError
from kammodel.store import Store, health
from kammodel.store.backfills import Speed, measured_speed
from kammodel.store.control import load_bookmark

ROWS_A_SECOND = 1_500
"""Rows that are normalized and stored in a second on two cores, where no run was measured yet."""
_AS_LAST = "as fast as the last backfill"
_BY_DEFAULT = f"{ROWS_A_SECOND:,} rows a second by default, or the pace of calls"


@dataclass(frozen=True)
class Counted:
    """A stream and what it takes. `note`: why it is read in full, or that it goes on where it stopped."""

    stream: str
    load: Load
    note: str | None = None


def estimate_pull(
    connector: Connector, store: Store, clock: Clock, *, full: bool = False, streams: Sequence[str] = ()
) -> EstimateReceipt:
    """What the next pull will take, from its bookmarks to now, or in full. `streams`: these alone, or all."""
    identity = connector.identify()
    check_access(connector, store, identity, full=False)
    found, setup = estimates_of(connector), _signed_in(connector)
    counted = [
        _pulled(connector, store, found, stream, clock, full=full) for stream in chosen(connector.streams(), streams)
    ]
    return receipt(connector, store, identity, "full" if full else "increment", counted, setup=setup)


def estimate_past(connector: Connector, store: Store, clock: Clock, span: Span) -> EstimateReceipt:
    """What a backfill will take, less what was closed before."""
    identity = connector.identify()
    check_access(connector, store, identity, full=False)
    _, due, _ = due_windows(connector, store, clock, span)
    return estimate_windows(connector, store, identity, due)


def estimate_windows(
    connector: Connector, store: Store, identity: Identity, due: Mapping[str, Sequence[Window]]
) -> EstimateReceipt:
    """What reading windows will take: `due`, by stream, those that are not closed, the newest first."""
    found, setup = estimates_of(connector), _signed_in(connector)
    streams = {stream.name: stream for stream in connector.streams()}
    counted = [
        Counted(name, sum((found.reading(streams[name], run) for run in _runs(windows)), Load()))
        for name, windows in due.items()
        if windows
    ]
    left = sum(len(windows) for windows in due.values())
    return receipt(connector, store, identity, "backfill", counted, setup=setup, windows=left)


def counting_takes(due: Mapping[str, Sequence[Window]]) -> int:
    """Calls, about, of counting what windows hold: two for each run of them that has no gap."""
    return sum(2 * len(_runs(windows)) for windows in due.values())


def _signed_in(connector: Connector) -> Load:
    """The calls that were made until now, which every run makes. Their pace is theirs alone: they are of other pools
    than those of counting."""
    calls = connector.calls.total
    return Load(0, calls, estimates_of(connector).alone(calls))


def estimates_of(connector: Connector) -> Estimates:
    if not isinstance(connector, Foresees):
        raise KamError(f"{connector.name} cannot say beforehand what reading it takes")
    return connector.estimates


def receipt(
    connector: Connector,
    store: Store,
    identity: Identity,
    kind: RunKind,
    counted: Sequence[Counted],
    *,
    setup: Load,
    windows: int | None = None,
) -> EstimateReceipt:
    """The estimates of streams together. Counting is a part of a backfill, and of no pull."""
    asked = connector.calls.total - setup.calls
    load, quota = sum((one.load for one in counted), Load()), estimates_of(connector).quota()
    rows = sum(one.load.rows or 0 for one in counted)
    with store.transaction() as tx:
        speed = measured_speed(tx, identity.source)
    around = setup
    if kind == "backfill":
        made = connector.calls.total
        around = Load(0, made, estimates_of(connector).alone(made))
    calls, paced = around.calls + load.calls, around.seconds + load.seconds
    seconds, basis = _seconds(rows, calls, paced, speed)
    return EstimateReceipt(
        source=identity.source,
        instance=identity.instance,
        organisation=identity.organisation,
        kind=kind,
        streams=tuple(StreamEstimate(one.stream, one.load.rows, one.load.calls, one.note) for one in counted),
        rows=rows,
        calls=calls,
        setup=setup.calls,
        asked=asked,
        minutes=round(seconds / 60, 2),
        basis=basis,
        paced_s=round(paced, 3),
        pace=speed.pace or 1.0 if speed is not None else 1.0,
        day_limit=quota.limit if quota else None,
        left=quota.left if quota else None,
        day_share=round(calls / quota.limit, 4) if quota else None,
        is_enough=quota is None or calls <= quota.left,
        windows=windows,
    )


def _seconds(rows: int, calls: int, paced: float, speed: Speed | None) -> tuple[float, str]:
    """What a run takes, and by what. Calls are no measure by themselves: those of one pool wait longer than those of
    another, and few rows take as many of some as many do."""
    if speed is None:
        return max(rows / ROWS_A_SECOND, paced), _BY_DEFAULT
    if speed.pace is None or speed.seconds_a_row is None:
        return max(rows / speed.rows_a_second, calls * speed.seconds_a_call), _AS_LAST
    return rows * speed.seconds_a_row + paced * speed.pace, _AS_LAST


def _pulled(
    connector: Connector, store: Store, found: Estimates, stream: Stream, clock: Clock, *, full: bool
) -> Counted:
    reader = StreamReader(connector, store, stream, clock=clock, progress=quiet)
    start = reader.start(full=full)
    load = Load() if start.is_empty else _left(store, connector, stream, start, found.reading(stream, [start.span]))
    look, relinks = reader.ahead(start, full=full)
    if look == "listed":
        load += found.listing(stream)
    elif look == "compared":
        load += found.comparing(stream, load.rows or 0 if start.span.since is None else _held(store, connector, stream))
    if relinks:
        load += found.relinking(stream, _held(store, connector, stream))
    return Counted(stream.name, load, start.note)


def _left(store: Store, connector: Connector, stream: Stream, start: Start, load: Load) -> Load:
    """Of a slice that an earlier run stopped in, what is still to be read."""
    if start.resume is None or not load.rows:
        return load
    identity = connector.identify()
    with store.transaction() as tx:
        mark = load_bookmark(tx, identity.source, identity.instance, stream.name)
        done = mark.rows_read if mark is not None else 0
    share = max(0.0, 1 - done / load.rows)
    return Load(max(0, load.rows - done), max(1, round(load.calls * share)), load.seconds * share)


def estimate_days(store: Store, days: Sequence[dt.date]) -> ScoresEstimate:
    """What scoring past days will take, by what the last past day took, or the last scoring; it makes no calls."""
    past = minutes_of_last(store, "backfill")
    each = minutes_of_last(store, "score") if past is None else past
    accounts = store.read(Account, ["deleted"])["deleted"].not_().sum()
    minutes = None if each is None else round(len(days) * each, 2)
    return ScoresEstimate(len(days), int(accounts), minutes, "scoring" if past is None else "past day")


def minutes_of_last(store: Store, kind: Literal["score", "backfill"]) -> float | None:
    """How long the last scoring took, or the last one of a past day; None before there was one."""
    with store.transaction() as tx:
        last = health.newest_run(tx, [kind], None, [health.DONE])
    if last is None or last.ended_at is None:
        return None
    return (last.ended_at - last.started_at).total_seconds() / 60


def _held(store: Store, connector: Connector, stream: Stream) -> int:
    identity = connector.identify()
    with store.transaction() as tx:
        entity, where = stream.mappings[0].entity, {"source": identity.source, "instance": identity.instance}
        ids = tx.live_ids(entity, **where)
    return int(ids.str.starts_with(stream.id_prefix).sum()) if stream.id_prefix else ids.len()


def _runs(windows: Sequence[Window]) -> list[list[Slice]]:
    """Slices of windows, the oldest first, in runs without a gap."""
    ordered = sorted(windows, key=lambda w: w.since)
    runs: list[list[Slice]] = []
    for _, group in groupby(enumerate(ordered), key=lambda pair: _begins_run(ordered, pair[0])):
        runs.append([Slice(w.since, w.read_until) for _, w in group])
    return runs


def _begins_run(ordered: Sequence[Window], place: int) -> int:
    """The place of the window with which the run of this one begins."""
    while place and ordered[place - 1].until == ordered[place].since:
        place -= 1
    return place
