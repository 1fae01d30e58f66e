"""Turns batches of records into pages: joins what other calls know, and names who is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import polars as pl

from connectors.contract import Known, Page, Slice, Stream
from connectors.errors import RequestRefused
from connectors.hubspot import portal
from connectors.hubspot.associations import read_links
from connectors.hubspot.catalogue import Catalogue
from connectors.hubspot.client import Client
from connectors.hubspot.crew import at_once
from connectors.hubspot.frames import gone_frame, shaped
from connectors.hubspot.mapping import OWNERS_NAME, RATES_NAME, STAGES_NAME, Declared, Link
from connectors.hubspot.ranges import Seeking
from connectors.hubspot.reading import ROWS, Batch, read_batches
from connectors.hubspot.records import chunks, fetch
from connectors.hubspot.rows import Links, prefixed, raw_rows, table_name


class PageReader:
    """Reads the streams of a catalogue, and counts in `notes` what was read by a rule that may surprise."""

    def __init__(
        self, client: Client, catalogue: Catalogue, sleep: Callable[[float], None], notes: Counter[str]
    ) -> None:
        self._client, self._catalogue, self._sleep = client, catalogue, sleep
        self._seeking = Seeking()
        self.notes = notes

    def read(self, stream: Stream, span: Slice, resume: str | None, known: Known | None = None) -> Iterator[Page]:
        if stream.name not in self._catalogue.sources:
            yield self._whole(stream)
            return
        source, wish = self._catalogue.sources[stream.name], self._catalogue.wish(stream.name)
        steps = read_batches(
            self._client,
            wish,
            span,
            resume,
            make=lambda batch: self._made(source, batch),
            seeking=self._seeking,
            sleep=self._sleep,
            known=None if known is None else lambda ids: _held(known, source.id_prefix, ids),
            note=lambda text, times: self.notes.update({text: times}),
        )
        for step in steps:
            page = self._noted(step.made)
            yield replace(
                page, resume=step.place.text() if step.place else None, announced=step.announced, known=step.known
            )

    def read_ids(self, stream: Stream, ids: Sequence[str]) -> Iterator[Page]:
        """These records; `ids` as HubSpot has them. Those that are gone are named as gone."""
        source, wish = self._catalogue.sources[stream.name], self._catalogue.wish(stream.name)
        for part in chunks(ids, ROWS):
            fetched = fetch(self._client, wish, part)
            yield self._noted(self._made(source, Batch(fetched.records, fetched.gone)))

    def links(self, source: Declared, ids: list[str]) -> Links:
        """The links of records of a stream, by the link that declares them."""
        works = [partial(self._links, source, link, ids) for link in source.links]
        return dict(zip(source.links, at_once(self._client.parallel, works), strict=True))

    def _links(self, source: Declared, link: Link, ids: list[str]) -> pl.DataFrame:
        labelled = link.part is not None
        silence = self._catalogue.silence
        return read_links(self._client, source.kind, link.kind, ids, mark=link.mark, labelled=labelled, silence=silence)

    def _made(self, source: Declared, batch: Batch) -> tuple[Page, Counter[str]]:
        """A page without its place, and what is to be noted of it. Several are made at a time, each in a thread."""
        ids = list(dict.fromkeys(record["id"] for record in batch.records))
        if source.pipeline:
            in_stages = {stage for record in batch.records if (stage := record["properties"].get(source.pipeline[1]))}
            self._catalogue.seek_stages(self._client, source, {str(stage) for stage in in_stages})
        stages, currency = self._catalogue.stages_ever(source), self._catalogue.portal.currency
        notes: Counter[str] = Counter()
        links = self.links(source, ids)
        raw = raw_rows(source, batch.records, links, stages=stages, currency=currency, notes=notes)
        gone, prefix = gone_frame(batch.gone, batch.records), source.id_prefix
        if gone is not None and prefix:
            gone = gone.with_columns(prefixed(prefix, "source_id"), prefixed(prefix, "merged_into_id"))
        return Page(raw, None, gone=gone, whole=pl.Series(ids, dtype=pl.String)), notes

    def _noted(self, made: tuple[Page, Counter[str]]) -> Page:
        page, notes = made
        self.notes.update(notes)
        return page

    def _whole(self, stream: Stream) -> Page:
        known = self._catalogue.portal
        readers: dict[str, Callable[[], pl.DataFrame]] = {
            OWNERS_NAME: lambda: portal.read_owners(self._client),
            STAGES_NAME: lambda: self._catalogue.stages,
            RATES_NAME: lambda: portal.read_rates(self._client, known.currency, known.zone),
        }
        if stream.name not in readers:
            raise RequestRefused(f"this portal does not serve the stream {stream.name}")
        mapping = stream.mappings[0]
        return Page({table_name(mapping): shaped(readers[stream.name](), mapping)}, None)


def _held(known: Known, prefix: str, ids: pl.Series) -> pl.DataFrame:
    """What is held of records, by their ids in HubSpot."""
    return known(prefix + ids).with_columns(pl.col("source_id").str.strip_prefix(prefix))
