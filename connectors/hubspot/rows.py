"""Makes the raw rows of a stream out of its records and their links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Map
from collections.abc import Sequence

import polars as pl

from connectors.hubspot.frames import joined_ids, primary_of, records_frame, shaped, with_link, with_stage
from connectors.hubspot.history import entries_frame, history_frame
from connectors.hubspot.mapping import DEALS, Declared, Link
from connectors.hubspot.portal import STAGE_FACTS
from connectors.hubspot.records import Record
from connectors.mapping import Mapping
from kammodel.entities.schema import table_of

Raw = dict[str, pl.DataFrame]
Links = Map[Link, pl.DataFrame]
UNCLEAR = "deals with several companies and none primary: the lowest id was taken"


def raw_rows(
    source: Declared,
    records: Sequence[Record],
    links: Links,
    *,
    stages: pl.DataFrame,
    currency: str | None,
    notes: Counter[str],
) -> Raw:
    """Raw rows by table. `stages`: of the pipelines of this kind. `currency`: the home one. Surprises are counted."""
    frame = records_frame(records, source.properties)
    fixed = {"@home_currency": currency, **dict(source.fixed)}
    frame = frame.with_columns(pl.lit(text, pl.String).alias(name) for name, text in fixed.items())
    frame = linked(frame, links, notes if source.name == DEALS else Counter())
    asked = frame
    if source.pipeline:
        frame = with_stage(frame, stages, *source.pipeline, told=STAGE_FACTS)
    raw = {table_name(source.mapping): shaped(with_prefix(frame, source), source.mapping)}
    if source.events:
        dates = source.stage_dates
        past = entries_frame(asked, dates, stages) if dates else history_frame(records, stages)
        raw[table_name(source.events)] = shaped(past, source.events)
    return raw | part_rows(links)


def linked(frame: pl.DataFrame, links: Links, notes: Counter[str]) -> pl.DataFrame:
    """The records (`@id`) with the columns that their links make."""
    for link, found in links.items():
        if link.column is None:
            continue
        counted = found.filter("marked") if link.only_marked else found
        if link.many:
            frame = with_link(frame, joined_ids(counted), link.column)
            continue
        one, unclear = primary_of(counted)
        if unclear and link.mark is not None:
            notes[UNCLEAR] += unclear
        frame = with_link(frame, one, link.column)
    return frame


def part_rows(links: Links) -> Raw:
    """The links that are rows of their own."""
    made = {}
    for link, found in links.items():
        if link.part is not None:
            pair = pl.format("{}:{}", "from", "to").alias("@id")
            marked = pl.col("marked").cast(pl.String).alias("@marked")
            names = [pl.col(name).alias(f"@{name}") for name in ("from", "to", "labels")]
            made[table_name(link.part)] = shaped(found.select(pair, marked, *names), link.part)
    return made


def with_prefix(frame: pl.DataFrame, source: Declared) -> pl.DataFrame:
    """The records with ids that are unique among all streams of their entity."""
    return frame.with_columns(prefixed(source.id_prefix, "@id")) if source.id_prefix else frame


def prefixed(prefix: str, column: str) -> pl.Expr:
    return (pl.lit(prefix) + pl.col(column)).alias(column)


def table_name(mapping: Mapping) -> str:
    return table_of(mapping.entity).name
