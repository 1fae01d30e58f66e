"""The windows that a backfill reads and closes one by one: months, as instants, less those that are closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from connectors.contract import Connector, Stream
from flows.pipeline.progress import Clock
from kammodel.entities import BackfillWindow
from kammodel.errors import KamError
from kammodel.store import Store
from kammodel.store.backfills import closed_windows

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Days `first` to `last`, both included: instants in [since, until). `read_until`: where reading it ends now, which
    is before `until` where the last day is not over."""

    first: dt.date
    last: dt.date
    since: dt.datetime
    until: dt.datetime
    read_until: dt.datetime

    def is_in(self, closed: Iterable[BackfillWindow]) -> bool:
        """Whether one of the windows that were read to their end covers it."""
        return any(one.since <= self.since and self.until <= one.until for one in closed)


@dataclass(frozen=True)
class Span:
    """What is to be read: days `first` to `last` in a time zone. `streams`: these alone, or all that are read by what
    changed. `again`: windows that are closed too. `calls`: how many the run may make, beside the CRM's own limits."""

    first: dt.date
    last: dt.date
    timezone: str
    streams: tuple[str, ...] = ()
    again: bool = False
    calls: int | None = None


Due = dict[str, list[Window]]
"""By stream, the windows that are to be read, the newest first."""


def due_windows(connector: Connector, store: Store, clock: Clock, span: Span) -> tuple[list[Stream], Due, list[Window]]:
    """The streams of a span, those of its windows that are to be read, and all of them.

    Raises KamError for a stream that the CRM does not serve, or that every pull reads whole.
    """
    there, identity = chosen(connector.streams(), span.streams), connector.identify()
    whole = [stream.name for stream in there if not stream.incremental]
    if whole and span.streams:
        raise KamError(f"{', '.join(whole)}: read whole by every pull, so that there is no past to read")
    streams = [stream for stream in there if stream.incremental]
    windows = months(span.first, span.last, span.timezone, clock() - connector.settle)
    due: Due = {}
    with store.transaction() as tx:
        for one in streams:
            closed = closed_windows(tx, identity.source, identity.instance, one.name, one.reads_as)
            due[one.name] = [w for w in windows if span.again or not w.is_in(closed)]
    return streams, due, windows


def chosen(streams: Iterable[Stream], names: Sequence[str]) -> list[Stream]:
    """Those that are named, or all. Raises KamError for a name that the CRM does not serve."""
    there = {stream.name: stream for stream in streams}
    for name in names:
        if name not in there:
            raise KamError(f"there is no stream named {name}; this CRM serves {', '.join(sorted(there))}")
    return [stream for name, stream in there.items() if name in names or not names]


def months(first: dt.date, last: dt.date, timezone: str, visible_until: dt.datetime) -> list[Window]:
    """The months of the days `first` to `last`, the newest first; those at both ends may be parts of one. A day begins
    at midnight in the time zone. `visible_until`: the CRM shows what changed before that instant.

    Raises KamError where there is no day between them, or where the first has not come yet.
    """
    if last < first:
        raise KamError(f"there is no day from {first.isoformat()} to {last.isoformat()}")
    if _midnight(first, timezone) >= visible_until:
        raise KamError(f"{first.isoformat()} has not come yet, or has only just begun: there is nothing to read")
    begins = [first, *(day for n in range((last - first).days) if (day := first + (n + 1) * _DAY).day == 1)]
    edges = [*begins, last + _DAY]
    found = [_window(start, end - _DAY, timezone, visible_until) for start, end in pairwise(edges)]
    return [window for window in reversed(found) if window.since < window.read_until]


def _window(first: dt.date, last: dt.date, timezone: str, visible_until: dt.datetime) -> Window:
    since, until = _midnight(first, timezone), _midnight(last + _DAY, timezone)
    return Window(first, last, since, until, min(until, visible_until))


def _midnight(day: dt.date, timezone: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(timezone)).astimezone(dt.UTC)
