"""Finds what moves no change stamp: records that were purged or never seen, and links that changed alone.

HubSpot keeps no list of what was purged. All ids are compared now and then, for a call per 100 records; all links are
looked at again, for a call per 1,000 records and kind of link, out of a pool of calls of their own.
https://developers.hubspot.com/docs/api-reference/latest/crm/associations/associate-records/guide (read 2026-11-28)
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from connectors.contract import Deletions, LinksNow, Page, Stream
from connectors.hubspot.catalogue import Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.listing import listed
from connectors.hubspot.mapping import Declared
from connectors.hubspot.pages import PageReader
from connectors.hubspot.records import Wish, chunks, fetch
from connectors.hubspot.rows import linked, part_rows, with_prefix
from connectors.mapping import Mapping, normalize

_BINNED_FOR = dt.timedelta(days=90)
"""How long the recycle bin keeps a record; increments read what is in it."""
_ROWS = 10_000


class HubSpotSweeps:
    """The sweeps of one portal's streams."""

    def __init__(self, client: Client, catalogue: Catalogue, pages: PageReader, *, relink_every: dt.timedelta) -> None:
        self._client, self._catalogue, self._pages = client, catalogue, pages
        self.relink_every = relink_every

    def deletions(self, stream: Stream, since: dt.datetime, until: dt.datetime) -> Deletions | None:
        """Nothing beside what increments find in the bin, as long as it goes back that far: a purged record shows only
        when all ids are compared."""
        del stream
        nothing = pl.Series([], dtype=pl.String)
        return Deletions(nothing, until) if until - since < _BINNED_FOR else None

    def existing(self, stream: Stream, among: pl.Series | None = None) -> Iterator[pl.Series]:
        source = self._source(stream)
        wish = replace(self._catalogue.wish(stream.name), properties=("hs_object_id",), history=())
        if among is None:
            yield from self._all(source, wish)
            return
        for part in chunks(_theirs(source, among), _ROWS):
            found = fetch(self._client, wish, part).records
            yield _ours(source, [r["id"] for r in found if r.get("archived") is not True])

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

    def _all(self, source: Declared, wish: Wish) -> Iterator[pl.Series]:
        gathered: list[str] = []
        for page, after in listed(self._client, wish, archived=False, after=None):
            gathered += [record["id"] for record in page]
            if len(gathered) >= _ROWS or after is None:
                yield _ours(source, gathered)
                gathered = []

    def _source(self, stream: Stream) -> Declared:
        return self._catalogue.sources[stream.name]


def _ours(source: Declared, ids: list[str]) -> pl.Series:
    return pl.Series([source.id_prefix + one for one in ids], dtype=pl.String)


def _theirs(source: Declared, ids: pl.Series) -> list[str]:
    return [one.removeprefix(source.id_prefix) for one in ids.to_list()]
