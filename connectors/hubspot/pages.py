"""Turns batches of records into pages: joins what other calls know, and names who is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import polars as pl

from connectors.contract import Page, Slice, Stream
from connectors.errors import PermissionMissing, RequestRefused
from connectors.hubspot import portal
from connectors.hubspot.associations import LINKS, PARENT_COMPANY, PRIMARY_COMPANY, read_links
from connectors.hubspot.catalogue import COMPANIES, DEALS, Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.frames import gone_frame, joined_ids, primary_of, records_frame, shaped, with_link, with_stage
from connectors.hubspot.history import history_frame
from connectors.hubspot.mapping import ENGAGEMENTS, properties
from connectors.hubspot.reading import Batch, read_batches
from connectors.mapping import Mapping
from kammodel.entities.schema import table_of

_Raw = dict[str, pl.DataFrame]


class PageReader:
    """Reads the streams of a catalogue. `notes` counts what was read by a rule that may surprise."""

    def __init__(self, client: Client, catalogue: Catalogue, sleep: Callable[[float], None]) -> None:
        self._client, self._catalogue, self._sleep = client, catalogue, sleep
        self.notes: Counter[str] = Counter()

    def read(self, stream: Stream, span: Slice, resume: str | None) -> Iterator[Page]:
        if stream.name not in self._catalogue.wishes:
            yield self._whole(stream)
            return
        make = self._accounts if stream.name == COMPANIES else self._deals
        make = self._activities if stream.name in ENGAGEMENTS else make
        wish = self._catalogue.wishes[stream.name]
        for batch in read_batches(self._client, wish, span, resume, self._sleep):
            raw, prefix = make(stream, batch), _prefix(stream.name)
            place = batch.place.text() if batch.place else None
            gone = gone_frame(batch.gone, batch.records)
            if gone is not None and prefix:
                gone = gone.with_columns(_prefixed(prefix, "source_id"), _prefixed(prefix, "merged_into_id"))
            yield Page(raw, place, announced=batch.announced, gone=gone)

    def _whole(self, stream: Stream) -> Page:
        portal_ = self._catalogue.portal
        readers: dict[str, Callable[[], pl.DataFrame]] = {
            "owners": lambda: portal.read_owners(self._client),
            "pipeline_stages": lambda: self._catalogue.stages,
            "exchange_rates": lambda: portal.read_rates(self._client, portal_.currency, portal_.zone),
        }
        if stream.name not in readers:
            raise RequestRefused(f"this portal does not serve the stream {stream.name}")
        mapping = stream.mappings[0]
        return Page({_table(mapping): shaped(readers[stream.name](), mapping)}, None)

    def _accounts(self, stream: Stream, batch: Batch) -> _Raw:
        mapping = stream.mappings[0]
        frame = records_frame(batch.records, properties(mapping)).with_columns(self._home())
        if "@parent_id" in mapping.raw_schema():
            links = read_links(self._client, "companies", "companies", _ids(frame), mark=PARENT_COMPANY)
            parents, _ = primary_of(links.filter("marked"))
            frame = with_link(frame, parents, "@parent_id")
        return {_table(mapping): shaped(frame, mapping)}

    def _deals(self, stream: Stream, batch: Batch) -> _Raw:
        mapping = stream.mappings[0]
        frame = records_frame(batch.records, properties(mapping)).with_columns(self._home())
        links = read_links(self._client, "deals", "companies", _ids(frame), mark=PRIMARY_COMPANY)
        primaries, unclear = primary_of(links)
        if unclear:
            self.notes["deals with several companies and none primary: the lowest id was taken"] += unclear
        frame = with_link(frame, primaries, "@account_id")
        frame = with_stage(frame, self._catalogue.stages, "pipeline", "dealstage")
        raw = {_table(mapping): shaped(frame, mapping)}
        for events in stream.mappings[1:]:
            raw[_table(events)] = shaped(history_frame(batch.records, self._catalogue.stages), events)
        return raw

    def _activities(self, stream: Stream, batch: Batch) -> _Raw:
        kind, mapping = stream.name, stream.mappings[0]
        frame = records_frame(batch.records, properties(mapping))
        ids = _ids(frame)
        frame = with_link(frame, joined_ids(read_links(self._client, kind, "companies", ids)), "@account_ids")
        frame = with_link(frame, joined_ids(self._people(kind, ids)), "@person_ids")
        if self._catalogue.has(DEALS):
            deals, _ = primary_of(read_links(self._client, kind, "deals", ids))
            frame = with_link(frame, deals, "@opportunity_id")
        made = (
            pl.lit(ENGAGEMENTS[kind].word).alias("@kind"),
            pl.lit("done").alias("@done"),
            pl.lit("true").alias("@calendar"),
            _prefixed(_prefix(kind), "@id"),
        )
        return {_table(mapping): shaped(frame.with_columns(made), mapping)}

    def _people(self, kind: str, ids: list[str]) -> pl.DataFrame:
        """Links to contacts; none where HubSpot does not let us see contacts: the companies are what counts."""
        try:
            return read_links(self._client, kind, "contacts", ids)
        except (PermissionMissing, RequestRefused):
            self.notes["activities whose people HubSpot does not show"] += len(ids)
            return pl.DataFrame(schema=LINKS)

    def _home(self) -> pl.Expr:
        return pl.lit(self._catalogue.portal.currency, pl.String).alias("@home_currency")


def _prefix(stream: str) -> str:
    """Engagements of all kinds share one table, and HubSpot promises unique ids within a kind only."""
    return f"{ENGAGEMENTS[stream].word}:" if stream in ENGAGEMENTS else ""


def _prefixed(prefix: str, column: str) -> pl.Expr:
    return (pl.lit(prefix) + pl.col(column)).alias(column)


def _ids(frame: pl.DataFrame) -> list[str]:
    return frame["@id"].unique(maintain_order=True).to_list()


def _table(mapping: Mapping) -> str:
    return table_of(mapping.entity).name
