"""Reads a slice of a stream in batches of about ten thousand rows, resumable after each."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from connectors.contract import Page, Slice, Stream
from connectors.errors import RequestRefused
from connectors.mapping import Mapping
from connectors.salesforce import org, soql
from connectors.salesforce.catalogue import RATES, STAGES, Catalogue, Source
from connectors.salesforce.client import Client
from connectors.salesforce.codecs import outcome
from connectors.salesforce.frames import Record, shaped, text_frame
from connectors.salesforce.querying import read_rows
from kammodel.entities.schema import table_of

ROWS = 10_000


class PageReader:
    """Reads the streams of a catalogue."""

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client, self._catalogue = client, catalogue

    def read(self, stream: Stream, span: Slice, resume: str | None) -> Iterator[Page]:
        mapping = stream.mappings[0]
        source = self._catalogue.sources.get(stream.name)
        if source is None:
            yield Page({_table(mapping): shaped(self._whole(stream.name), mapping)}, None)
            return
        asks = f"read access to the object {source.kind}"
        records: list[Record] = []
        query, is_increment = query_of(source, span), span.since is not None
        for rows in read_rows(self._client, query, resume, path=source.path, asks=asks, may_be_empty=is_increment):
            records += rows.records
            is_last = rows.place.link is None
            if len(records) >= ROWS or is_last:
                frame = self._made(text_frame(records, source.fields))
                place = None if is_last else rows.place.text()
                yield Page({_table(mapping): shaped(frame, mapping)}, place, announced=rows.place.announced)
                records = []

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
        return self._with_status(frame) if "OpportunityId" in frame.columns else frame

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
    where = soql.between(source.stamp, span.since, span.until) if source.stamp and span.since else ""
    return soql.select(source.fields, source.kind, where)


def _table(mapping: Mapping) -> str:
    return table_of(mapping.entity).name
