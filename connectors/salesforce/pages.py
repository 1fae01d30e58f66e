"""Reads a slice of a stream in batches of ten thousand rows and more, resumable after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from connectors.contract import Page, Slice, Stream
from connectors.errors import ConnectorError, QuotaSpent, RequestRefused
from connectors.mapping import Mapping
from connectors.salesforce import org, soql
from connectors.salesforce.bulk import reading
from connectors.salesforce.bulk.windows import Window
from connectors.salesforce.catalogue import RATES, STAGES, Catalogue, Source
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import outcome
from connectors.salesforce.frames import Record, shaped, text_frame
from connectors.salesforce.ids import askable
from connectors.salesforce.querying import Place, Rows, read_all, read_rows
from connectors.salesforce.sizes import Sizes
from kammodel.entities.schema import table_of

ROWS = 10_000
TOO_MUCH = {"QUERY_TIMEOUT", "OPERATION_TOO_LARGE"}
"""A query over so much that not even its first page comes."""


@dataclass(frozen=True)
class Portion:
    """Rows as columns of text, the place after them, and how many there are in all."""

    frame: pl.DataFrame
    resume: str | None
    announced: int | None


class PageReader:
    """Reads the streams of a catalogue: small slices by the pages of a query, large ones by bulk jobs."""

    def __init__(self, client: Client, catalogue: Catalogue, sizes: Sizes | None = None) -> None:
        self._client, self._catalogue, self._sizes = client, catalogue, sizes or Sizes()

    def read(self, stream: Stream, span: Slice, resume: str | None) -> Iterator[Page]:
        mapping = stream.mappings[0]
        source = self._catalogue.sources.get(stream.name)
        if source is None:
            yield Page({_table(mapping): shaped(self._whole(stream.name), mapping)}, None)
            return
        for portion in self.portions(source, span, resume):
            yield self._page(mapping, portion.frame, portion.resume, portion.announced)

    def portions(self, source: Source, span: Slice, resume: str | None = None) -> Iterator[Portion]:
        """The rows of a source as columns of text, by the road that suits their number."""
        place = reading.Place.parse(resume) if resume is not None else None
        if place is None:
            yield from self._by_query(source, span, resume)
        else:
            yield from self._by_jobs(source, span, place)

    def read_ids(self, stream: Stream, ids: pl.Series) -> Iterator[Page]:
        """The rows of these ids; what is gone is absent."""
        mapping, source = stream.mappings[0], self._catalogue.sources[stream.name]
        for some in askable(ids, stream.name).to_frame("id").iter_slices(soql.IDS_AT_ONCE):
            query = soql.select(source.fields, source.kind, soql.any_of("Id", some["id"]))
            records = read_all(self._client, query, path=source.path, asks=_asks(source))
            yield self._page(mapping, text_frame(records, source.fields), None, None)

    def _by_query(
        self, source: Source, span: Slice, resume: str | None, *, whatever_size: bool = False
    ) -> Iterator[Portion]:
        """The pages of a query. The first of them says how many rows there are, and so which road to take.

        Where the calls are spent, what was read with them comes before the fault.
        """
        records: list[Record] = []
        place = Place()
        query, is_increment = query_of(source, span), span.since is not None
        pages = read_rows(self._client, query, resume, path=source.path, asks=_asks(source), may_be_empty=is_increment)
        try:
            is_decided = resume is not None or whatever_size
            for rows in pages if is_decided else self._unless_much(pages, source, span):
                if isinstance(rows, reading.Place):
                    yield from self._by_jobs(source, span, rows)
                    return
                records += rows.records
                place = rows.place
                if len(records) >= ROWS or place.link is None:
                    yield _portion(records, source, place)
                    records = []
        except QuotaSpent:
            if records:
                yield _portion(records, source, place)
            raise

    def _by_jobs(self, source: Source, span: Slice, place: reading.Place) -> Iterator[Portion]:
        """The pages of jobs. Where these fail whatever we do, the slice is read by pages of two thousand after all."""
        try:
            for batch in reading.read_jobs(self._client, source, place, self._sizes):
                yield from _portions(batch, place)
                place = batch.place
        except reading.JobsFail:
            reading.give_up(self._client, place.text())
            yield from self._by_query(source, span, None, whatever_size=True)

    def _unless_much(self, pages: Iterator[Rows], source: Source, span: Slice) -> Iterator[Rows | reading.Place]:
        """The pages; instead of all of them the place of jobs, where these are the better road."""
        try:
            first = next(pages)
        except ConnectorError as fault:
            place = self._opened(source, span, None) if fault.code in TOO_MUCH else None
            if place is None:
                raise
            yield place
            return
        place = self._opened(source, span, first.place.announced) if self._is_much(first.place) else None
        if place is not None:
            yield place
            return
        yield first
        yield from pages

    def _opened(self, source: Source, span: Slice, rows: int | None) -> reading.Place | None:
        window = Window(span.since, span.until) if source.stamp else Window(None, None)
        return reading.opened(self._client, source, window, rows, self._sizes)

    def _is_much(self, place: Place) -> bool:
        """Whether jobs are the better road. An answer too large to count says so by counting nothing."""
        return place.link is not None and (place.announced is None or place.announced > self._sizes.bulk_from)

    def _page(self, mapping: Mapping, frame: pl.DataFrame, resume: str | None, announced: int | None) -> Page:
        return Page({_table(mapping): shaped(self._made(frame), mapping)}, resume, announced=announced)

    def _whole(self, name: str) -> pl.DataFrame:
        found = self._catalogue
        if name == STAGES:
            return found.stages
        if name == RATES:
            return org.read_rates(self._client, found.describes, found.org.currency)
        raise RequestRefused(f"this org does not serve the stream {name}")

    def _made(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Adds the columns that are ours to make, whether or not the mapping asks for them."""
        constants = (
            pl.lit(self._catalogue.org.currency, pl.String).alias("@home_currency"),
            pl.lit("planned").alias("@planned"),
            pl.lit("true").alias("@calendar"),
        )
        frame = frame.with_columns(constants)
        return self._with_status(frame) if {"OpportunityId", "StageName"} <= set(frame.columns) else frame

    def _with_status(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Adds `@status`, what a snapshot's stage means today; null where the stage is no longer defined."""
        meaning = self._catalogue.stages.select(
            pl.col("@stage").alias("StageName"), outcome.decode(pl.col("IsClosed"), pl.col("IsWon")).alias("@status")
        ).unique("StageName", keep="first")
        return frame.join(meaning, on="StageName", how="left", maintain_order="left")


def query_of(source: Source, span: Slice) -> str:
    """All rows, or those stamped in the slice. A full load has no upper end: what changes meanwhile comes again.

    No order is asked for: the pages of one query hang together by themselves, and sorting a large table by its
    stamp is what makes queries run out of time.
    """
    window = soql.within(source.stamp, span.since, span.until) if source.stamp and span.since else ""
    return soql.select(source.fields, source.kind, source.where(window))


def _portions(batch: reading.Batch, before: reading.Place) -> Iterator[Portion]:
    """A page of a job in smaller portions, because making rows of it takes many times its own room. The place is the
    one before the page until the last of them."""
    is_last = not batch.place.parts and batch.place.ended is None
    announced = batch.place.done if is_last else batch.place.announced
    last = max(0, batch.frame.height - 1) // ROWS * ROWS
    for start in range(0, last, ROWS):
        yield Portion(batch.frame[start : start + ROWS], before.text(), announced)
    yield Portion(batch.frame[last:], None if is_last else batch.place.text(), announced)


def _portion(records: list[Record], source: Source, place: Place) -> Portion:
    return Portion(text_frame(records, source.fields), place.text() if place.link else None, place.announced)


def _asks(source: Source) -> str:
    return f"read access to the object {source.kind}"


def _table(mapping: Mapping) -> str:
    return table_of(mapping.entity).name
