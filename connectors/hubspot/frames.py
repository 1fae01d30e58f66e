"""Turns records as HubSpot sends them into the text columns of a mapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from connectors.hubspot.mapping import MERGED
from connectors.hubspot.records import Record
from connectors.mapping import Mapping

GONE = {"source_id": pl.String, "merged_into_id": pl.String}


def records_frame(records: Sequence[Record], asked: Iterable[str]) -> pl.DataFrame:
    """One row a record: the properties asked for and the envelope's `@` columns, all text."""
    columns: dict[str, list[str | None]] = {n: [as_text(r["properties"].get(n)) for r in records] for n in asked}
    columns["@id"] = [r["id"] for r in records]
    columns["@created_at"] = [_created(r) for r in records]
    columns["@updated_at"] = [_updated(r) for r in records]
    columns["@archived"] = ["true" if r.get("archived") is True else "false" for r in records]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def shaped(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The columns of the mapping's raw schema; those the frame lacks are null."""
    missing = [pl.lit(None, pl.String).alias(c) for c in mapping.raw_schema() if c not in frame.columns]
    return frame.with_columns(missing).select(mapping.raw_schema().keys())


def gone_frame(gone: dict[str, str | None], records: Sequence[Record]) -> pl.DataFrame | None:
    """Ids that no longer exist: those not found, and those that a record of the batch swallowed in a merge."""
    merged = {
        former: r["id"]
        for r in records
        for former in str(r["properties"].get(MERGED) or "").split(";")
        if former.strip() and former != r["id"]
    }
    ended = gone | merged
    return pl.DataFrame(list(ended.items()), schema=GONE, orient="row") if ended else None


def primary_of(links: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """One target per origin (columns from, to): the marked one, else the lowest id; and how many origins had
    several targets and none marked."""
    number = pl.col("to").cast(pl.Int64, strict=False)
    ordered = links.sort("from", pl.col("marked").not_(), number, "to", nulls_last=True)
    picked = ordered.group_by("from", maintain_order=True).agg(
        pl.col("to").first(), unclear=(pl.len() > 1) & pl.col("marked").any().not_()
    )
    return picked.select("from", "to"), int(picked["unclear"].sum())


def joined_ids(links: pl.DataFrame) -> pl.DataFrame:
    """All targets of each origin in one text, sorted and separated by `;` (columns from, to)."""
    return links.group_by("from", maintain_order=True).agg(pl.col("to").unique().sort().str.join(";"))


def with_link(frame: pl.DataFrame, links: pl.DataFrame, column: str) -> pl.DataFrame:
    """Adds to each record its target out of `links` (from, to) as `column`."""
    return frame.join(links.select(pl.col("from").alias("@id"), pl.col("to").alias(column)), on="@id", how="left")


def with_stage(frame: pl.DataFrame, stages: pl.DataFrame, pipeline: str, stage: str) -> pl.DataFrame:
    """Adds `@status` and `@probability` of each row's stage, looked up within its pipeline, else by the stage
    alone: an archived or renamed pipeline must not hide that a deal was won."""
    exact = stages.select(
        pl.col("@pipeline_id").alias(pipeline), pl.col("@stage_id").alias(stage), "@status", "@probability"
    ).unique([pipeline, stage], keep="first")
    alone = stages.select(pl.col("@stage_id").alias(stage), status="@status", probability="@probability").unique(
        stage, keep="first"
    )
    wide = frame.join(exact, on=[pipeline, stage], how="left", maintain_order="left")
    wide = wide.join(alone, on=stage, how="left", maintain_order="left")
    found = (pl.coalesce("@status", "status").alias("@status"), pl.coalesce("@probability", "probability"))
    return wide.with_columns(*found).drop("status", "probability")


def as_text(value: Any) -> str | None:
    """HubSpot's values are texts or null; a number or truth value is spelled as HubSpot would."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _created(record: Record) -> str | None:
    properties = record["properties"]
    return as_text(record.get("createdAt") or properties.get("createdate") or properties.get("hs_createdate"))


def _updated(record: Record) -> str | None:
    """The property first: it is what increments are searched by."""
    return as_text(record["properties"].get("hs_lastmodifieddate") or record.get("updatedAt"))
