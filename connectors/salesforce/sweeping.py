"""Finds records that were deleted for good: by the list of deletions that Salesforce keeps, and by comparing ids.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm (read 2026-11-28)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from connectors.contract import Deletions, Page, Slice, Stream
from connectors.errors import ConnectorError, RequestRefused, UnexpectedAnswer
from connectors.salesforce import paths, soql
from connectors.salesforce.bulk import reading
from connectors.salesforce.catalogue import Catalogue, Source
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import Record, as_text
from connectors.salesforce.ids import askable
from connectors.salesforce.pages import PageReader
from connectors.salesforce.querying import read_all

_LISTED_FOR = dt.timedelta(days=15)
"""How far back the list goes. An admin may have cut it shorter; the answer says so."""
_MINUTE = dt.timedelta(minutes=1)
_NOT_ALL_LISTED = {"INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"}
"""Too far back, or too many for one answer: the ids themselves have to tell."""
_NOT_DELETED = "IsDeleted = false"


class SalesforceSweeps:
    """The sweeps of one org's streams."""

    def __init__(self, client: Client, catalogue: Catalogue, pages: PageReader) -> None:
        self._client, self._catalogue, self._pages = client, catalogue, pages

    def deletions(self, stream: Stream, since: dt.datetime, until: dt.datetime) -> Deletions | None:
        if until - since >= _LISTED_FOR:
            return None
        kind = self._source(stream).kind
        # Salesforce cuts both ends to the minute, and an end cut to its start is refused.
        window = {"start": _spelled(since), "end": _spelled(until + _MINUTE)}
        try:
            told = self._client.get(paths.deleted(kind), window, asks=f"read access to the object {kind}")
        except RequestRefused as fault:
            if fault.code in _NOT_ALL_LISTED:
                return None
            # There is no list for this object: the comparison of once a week has to do.
            return Deletions(pl.Series([], dtype=pl.String), until)
        earliest, latest = _instant(told, "earliestDateAvailable"), _instant(told, "latestDateCovered")
        if earliest is None or latest is None or earliest > since:
            return None
        return Deletions(_ids(told), min(latest, until))

    def existing(self, stream: Stream, among: pl.Series | None = None) -> Iterator[pl.Series]:
        # Without a stamp: a window of it would miss what moves out of it while it is read.
        source = replace(self._source(stream), fields=("Id",), stamp=None, only=_NOT_DELETED)
        if among is None:
            frames = self._all(source)
        else:
            asked = askable(among, stream.name).to_frame("id")
            frames = (self._existing(source, part) for part in asked.iter_slices(soql.IDS_AT_ONCE) if part.height)
        for frame in frames:
            yield frame.select(widened(pl.col("Id"))).to_series()

    def read_ids(self, stream: Stream, ids: pl.Series) -> Iterator[Page]:
        return self._pages.read_ids(stream, ids)

    def _all(self, source: Source) -> Iterator[pl.DataFrame]:
        """Nobody keeps the place: a comparison that was stopped begins anew, and leaves no jobs behind."""
        resume: str | None = None
        try:
            for portion in self._pages.portions(source, Slice(None, dt.datetime.max.replace(tzinfo=dt.UTC))):
                resume = portion.resume
                yield portion.frame
        except ConnectorError:
            reading.give_up(self._client, resume)
            raise

    def _existing(self, source: Source, ids: pl.DataFrame) -> pl.DataFrame:
        query = soql.select(source.fields, source.kind, source.where(soql.any_of("Id", ids["id"])))
        rows = read_all(self._client, query, path=source.path)
        return pl.DataFrame({"Id": [as_text(row.get("Id")) for row in rows]}, schema={"Id": pl.String})

    def _source(self, stream: Stream) -> Source:
        return self._catalogue.sources[stream.name]


def _ids(told: Record) -> pl.Series:
    rows = told.get("deletedRecords")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedAnswer("Salesforce sent no list of deleted records")
    ids = pl.DataFrame({"id": [as_text(row.get("id")) for row in rows]}, schema={"id": pl.String})
    return ids.select(widened(pl.col("id"))).to_series().drop_nulls().unique()


def _instant(told: Record, key: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(str(told.get(key)), "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return None


def _spelled(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
