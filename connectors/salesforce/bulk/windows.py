"""Cuts a large object into windows of its change stamp, so that several jobs of a bounded size can run at once."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from connectors.errors import ConnectorError, QuotaSpent
from connectors.salesforce import soql
from connectors.salesforce.client import Client
from connectors.salesforce.frames import as_text
from connectors.salesforce.querying import count_rows, read_all

_SECOND = dt.timedelta(seconds=1)
MOST = 64
"""Windows at most: each cut costs a call."""


@dataclass(frozen=True)
class Window:
    """Stamps in [since, until); None leaves an end open."""

    since: dt.datetime | None
    until: dt.datetime | None

    def where(self, stamp: str | None) -> str:
        """The condition in SOQL."""
        return soql.within(stamp, self.since, self.until) if stamp else ""

    def halves(self) -> tuple[Window, Window] | None:
        """Two windows for one; None where an end is open, or it is too short: whole seconds are all there is."""
        if self.since is None or self.until is None or self.until - self.since < 2 * _SECOND:
            return None
        middle = (self.since + (self.until - self.since) / 2).replace(microsecond=0)
        return Window(self.since, middle), Window(middle, self.until)


def windows_of(
    client: Client, kind: str, stamp: str | None, whole: Window, rows: int | None, *, most_rows: int, path: str
) -> list[Window]:
    """Windows of at most about `most_rows` rows that together are `whole`. Rows of one and the same second stay
    together, however many; so does everything where Salesforce cannot count fast enough."""
    if stamp is None or rows is None or rows <= most_rows:
        return [whole]
    try:
        first = whole.since or _oldest(client, kind, stamp, path=path)
        if first is None or whole.until is None:
            return [whole]
        cut = _cut(client, kind, stamp, Window(first, whole.until), rows, most_rows=most_rows, path=path)
    except QuotaSpent:
        raise
    except ConnectorError:
        return [whole]
    # The oldest window takes what is older still: the row it was found by may have been restored meanwhile.
    return [Window(whole.since, cut[0].until), *cut[1:]]


def _cut(client: Client, kind: str, stamp: str, whole: Window, rows: int, *, most_rows: int, path: str) -> list[Window]:
    found: list[tuple[Window, int]] = []
    left = [(whole, rows)]
    while left:
        window, size = left.pop()
        halves = window.halves() if size > most_rows and len(found) + len(left) < MOST else None
        if halves is None:
            found.append((window, size))
            continue
        older, newer = halves
        in_older = count_rows(client, kind, older.where(stamp), path=path)
        # What is left is worked on from its end: the older half goes first.
        left += [(newer, size - in_older), (older, in_older)]
    return _joined(found, most_rows)


def _joined(found: list[tuple[Window, int]], most_rows: int) -> list[Window]:
    """Neighbours put together again where one job can carry both."""
    joined: list[tuple[Window, int]] = []
    for window, size in found:
        before = joined[-1] if joined else None
        if before is not None and before[1] + size <= most_rows:
            joined[-1] = Window(before[0].since, window.until), before[1] + size
        else:
            joined.append((window, size))
    return [window for window, _ in joined]


def _oldest(client: Client, kind: str, stamp: str, *, path: str) -> dt.datetime | None:
    told = read_all(client, f"SELECT MIN({stamp}) oldest FROM {kind}", path=path)  # noqa: S608
    text = as_text(told[0].get("oldest")) if told else None
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z") if text else None
