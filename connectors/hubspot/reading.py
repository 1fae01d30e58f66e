"""Reads a slice of one kind of record in batches of about a thousand, resumable after each.

A full slice lists all records, then the bin. An increment searches the ids changed in its window, reads them
by id, then takes from the bin what was put there since. A thousand rows share one call for their links.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import orjson

from connectors.contract import Slice
from connectors.errors import SliceLost
from connectors.hubspot.client import Client
from connectors.hubspot.listing import listed
from connectors.hubspot.records import Record, Wish, fetch
from connectors.hubspot.search import changed_ids, prove

ROWS = 1000


@dataclass(frozen=True)
class Place:
    """Where a slice stands: the pass, the cursor or last id in it, and what was counted so far.

    `found`: rows of the live pass. `first`: how many of them the CRM announced at the start. `rows`: all rows
    given, the bin's included.
    """

    road: Literal["live", "bin"] = "live"
    after: str | None = None
    found: int = 0
    first: int | None = None
    rows: int = 0

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def parse(cls, text: str | None) -> Place:
        if text is None:
            return cls()
        try:
            place = cls(**orjson.loads(text))
        except (ValueError, TypeError):
            raise SliceLost("the place to resume from is not one that this connector wrote") from None
        if place.road not in {"live", "bin"}:
            raise SliceLost("the place to resume from is not one that this connector wrote")
        return place


@dataclass(frozen=True)
class Batch:
    """Records, ids that are gone (with their survivor, if merged), and the place after them; None at the end.

    `announced`, at the end: how many rows the slice has, proven against the CRM's own count.
    """

    records: list[Record]
    place: Place | None
    gone: dict[str, str | None] = field(default_factory=dict)
    announced: int | None = None


def read_batches(
    client: Client, wish: Wish, span: Slice, resume: str | None, sleep: Callable[[float], None]
) -> Iterator[Batch]:
    """All batches of the slice, from its start or from a place."""
    place = Place.parse(resume)
    if place.road == "live":
        live = _full(client, wish, place) if span.since is None else _changed(client, wish, span, place)
        for batch in live:
            place = batch.place or place
            if place.road == "bin" and (span.since is None or place.found < (place.first or 0)):
                prove(client, wish, span, place.found, sleep)
            yield batch
    yield from _bin(client, replace(wish, history=()), span.since, place)


def _full(client: Client, wish: Wish, place: Place) -> Iterator[Batch]:
    records: list[Record] = []
    for page, after in listed(client, wish, archived=False, after=place.after):
        records += page
        if len(records) >= ROWS or after is None:
            place = _moved(place, len(records), len(records), after)
            yield Batch(records, place)
            records = []


def _changed(client: Client, wish: Wish, span: Slice, place: Place) -> Iterator[Batch]:
    ids: list[str] = []
    for found in changed_ids(client, wish, span, place.after):
        ids += found.ids
        is_last = len(found.ids) >= found.total
        place = replace(place, first=found.total if place.first is None else place.first)
        if len(ids) >= ROWS or is_last:
            fetched = fetch(client, wish, ids)
            place = _moved(place, len(ids), len(fetched.records), None if is_last else ids[-1])
            yield Batch(fetched.records, place, fetched.gone)
            ids = []


def _moved(place: Place, found: int, rows: int, after: str | None) -> Place:
    """The place after a batch of the live pass; without a cursor the bin comes next."""
    road: Literal["live", "bin"] = "live" if after is not None else "bin"
    return replace(place, road=road, after=after, found=place.found + found, rows=place.rows + rows)


def _bin(client: Client, wish: Wish, since: dt.datetime | None, place: Place) -> Iterator[Batch]:
    """Archived records; in an increment those archived since. HubSpot cannot filter its bin, so it is all read."""
    records: list[Record] = []
    for page, after in listed(client, wish, archived=True, after=place.after):
        records += [_archived(r) for r in page if since is None or _archived_at(r) >= since]
        if after is None:
            yield Batch(records, None, announced=place.rows + len(records))
        elif len(records) >= ROWS:
            place = replace(place, after=after, rows=place.rows + len(records))
            yield Batch(records, place)
            records = []


def _archived(record: Record) -> Record:
    return {**record, "archived": True}


def _archived_at(record: Record) -> dt.datetime:
    """When it was put into the bin; an unknown time counts as just now, so that the row is read."""
    try:
        at = dt.datetime.fromisoformat(str(record.get("archivedAt")))
    except ValueError:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
