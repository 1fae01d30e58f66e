"""Finds what moves no change stamp: records that were purged or never seen, and links that changed alone.

HubSpot keeps no list of what was purged. All ids are compared now and then, for a call per 100 records; all links are
looked at again, for a call per 1,000 records and kind of link, out of a pool of calls of their own.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide (read 2026-11-28)
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import orjson
import polars as pl

from connectors.contract import Deletions, Existing, LinksNow, Page, Stream
from connectors.contract.reading import Ends
from connectors.errors import SliceLost
from connectors.hubspot.catalogue import Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.crew import Crew
from connectors.hubspot.ids import askable
from connectors.hubspot.mapping import Declared
from connectors.hubspot.pages import PageReader
from connectors.hubspot.ranges import Portion, Range, Scan, Seeking
from connectors.hubspot.records import Record, Wish, chunks, fetch
from connectors.hubspot.rows import linked, part_rows, with_prefix
from connectors.mapping import Mapping, normalize

_BINNED_FOR = dt.timedelta(days=90)
"""How long the recycle bin keeps a record; increments read what is in it."""
_ROWS = 500
"""Ids of a portion: what is lost of it where the calls end is read again."""


@dataclass(frozen=True)
class _Left:
    """What is left of a list of all ids: ranges, each with the number that its ids begin with."""

    ranges: tuple[Range, ...] = (Range(),)
    lows: tuple[int, ...] = (0,)

    def after(self, portion: Portion[list[str]], ranges: tuple[Range, ...], shift: int) -> _Left:
        """Once that portion was read. A range begins where a portion ended, or where one was cut."""
        known = dict(zip(self.ranges, self.lows, strict=True))
        begun = {portion.left.after: portion.high + 1} if portion.left is not None and portion.listed else {}
        lows = (known[one] if one in known else begun.get(one.after, _low(one, shift)) for one in ranges)
        return _Left(ranges, tuple(lows))

    def ends(self) -> tuple[Ends, ...]:
        return tuple((low, one.before) for one, low in zip(self.ranges, self.lows, strict=True))

    def text(self) -> str | None:
        """Opaque text that `parse` takes; None where nothing is left."""
        told = [[one.after, one.before, low] for one, low in zip(self.ranges, self.lows, strict=True)]
        return orjson.dumps(told).decode() if told else None

    @staticmethod
    def parse(text: str) -> _Left:
        """Raises SliceLost."""
        try:
            told = [(Range(after, before), int(low)) for after, before, low in orjson.loads(text)]
        except (TypeError, ValueError) as fault:
            raise SliceLost("the place that a comparison of ids had come to cannot be read") from fault
        return _Left(tuple(one for one, _ in told), tuple(low for _, low in told))


def _low(one: Range, shift: int) -> int:
    """The number that a range begins with which was cut at a cursor of ours."""
    return int(one.after) - shift if one.after is not None and one.after.isdecimal() else 0


class HubSpotSweeps:
    """The sweeps of one portal's streams."""

    def __init__(self, client: Client, catalogue: Catalogue, pages: PageReader, *, relink_every: dt.timedelta) -> None:
        self._client, self._catalogue, self._pages = client, catalogue, pages
        self.relink_every = relink_every
        self._seeking = Seeking()

    def deletions(self, stream: Stream, since: dt.datetime, until: dt.datetime) -> Deletions | None:
        """Nothing beside what increments find in the bin, as long as it goes back that far: a purged record shows only
        when all ids are compared."""
        del stream
        nothing = pl.Series([], dtype=pl.String)
        return Deletions(nothing, until) if until - since < _BINNED_FOR else None

    def existing(self, stream: Stream, among: pl.Series | None = None) -> Iterator[pl.Series]:
        source, wish = self._source(stream), self._of_ids(stream)
        if among is None:
            yield from (one.ids for one in self.existing_from(stream, None))
            return
        for part in chunks(askable(_theirs(source, among), stream.name), _ROWS):
            found = fetch(self._client, wish, part).records
            yield _ours(source, [r["id"] for r in found if r.get("archived") is not True])

    def existing_from(self, stream: Stream, place: str | None) -> Iterator[Existing]:
        source, wish = self._source(stream), self._of_ids(stream)
        left = _Left.parse(place) if place is not None else _Left()
        yield Existing(_ours(source, []), left.ends(), left.text())
        with Crew(self._client.parallel, self._client.room) as crew:
            scan = Scan(self._client, wish, crew, self._seeking, left.ranges, rows=_ROWS, make=_ids)
            for portion, ranges in scan.portions():
                left = left.after(portion, ranges, self._seeking.shift)
                yield Existing(_ours(source, portion.made), left.ends(), left.text())

    def read_ids(self, stream: Stream, ids: pl.Series) -> Iterator[Page]:
        return self._pages.read_ids(stream, _theirs(self._source(stream), ids))

    def links(self, stream: Stream, ids: pl.Series) -> LinksNow:
        source = self._source(stream)
        records = pl.DataFrame({"@id": _theirs(source, ids)}, schema={"@id": pl.String})
        links = self._pages.links(source, records["@id"].to_list())
        told = with_prefix(linked(records, links, Counter()), source)
        lines = [line for line in source.mapping.lines if line.ours in {"source_id", *stream.linked}]
        mapping = Mapping(source.mapping.entity, tuple(lines))
        columns = normalize(told, mapping).rows.select("source_id", *stream.linked)
        return LinksNow(columns, part_rows(links))

    def _of_ids(self, stream: Stream) -> Wish:
        return replace(self._catalogue.wish(stream.name), properties=("hs_object_id",), history=())

    def _source(self, stream: Stream) -> Declared:
        return self._catalogue.sources[stream.name]


def _ids(records: list[Record]) -> list[str]:
    return [record["id"] for record in records]


def _ours(source: Declared, ids: list[str]) -> pl.Series:
    return pl.Series([source.id_prefix + one for one in ids], dtype=pl.String)


def _theirs(source: Declared, ids: pl.Series) -> list[str]:
    return [one.removeprefix(source.id_prefix) for one in ids.to_list()]
