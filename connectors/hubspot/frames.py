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
    properties = [r["properties"] for r in records]
    columns = {n: texts([p.get(n) for p in properties]) for n in asked}
    columns["@id"] = texts([r["id"] for r in records])
    columns["@created_at"] = texts([r.get("createdAt") or _created(r) for r in records])
    columns["@updated_at"] = texts([_updated(r) for r in records])
    columns["@archived"] = texts(["true" if r.get("archived") is True else "false" for r in records])
    return pl.DataFrame(columns)


def texts(values: list[Any]) -> pl.Series:
    """A column of texts. HubSpot's values are that, so that looking at each of them is left to the odd portal."""
    try:
        return pl.Series(values=values, dtype=pl.String)
    except TypeError:
        return pl.Series(values=[as_text(value) for value in values], dtype=pl.String)


def shaped(frame: pl.DataFrame, mapping: Mapping) -> pl.DataFrame:
    """The columns of the mapping's raw schema; those the frame lacks are null."""
    known, asked = set(frame.columns), mapping.raw_schema()
    return frame.select(pl.col(c) if c in known else pl.lit(None, pl.String).alias(c) for c in asked)


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
    if links["from"].n_unique() == links.height:
        return links[["from", "to"]], 0
    number = pl.col("to").cast(pl.Int64, strict=False)
    ordered = links.sort("from", pl.col("marked").not_(), number, "to", nulls_last=True)
    picked = ordered.group_by("from", maintain_order=True).agg(
        pl.col("to").first(), unclear=(pl.len() > 1) & pl.col("marked").any().not_()
    )
    return picked.select("from", "to"), int(picked["unclear"].sum())


def joined_ids(links: pl.DataFrame) -> pl.DataFrame:
    """All targets of each origin in one text, sorted and separated by `;` (columns from, to)."""
    if links["from"].n_unique() == links.height:
        return links[["from", "to"]]
    return links.group_by("from", maintain_order=True).agg(pl.col("to").unique().sort().str.join(";"))


def with_link(frame: pl.DataFrame, links: pl.DataFrame, column: str) -> pl.DataFrame:
    """Adds to each record its target out of `links` (from, to) as `column`."""
    named = pl.DataFrame([links["from"].alias("@id"), links["to"].alias(column)])
    return frame.join(named, on="@id", how="left")


def with_stage(
    frame: pl.DataFrame,
    stages: pl.DataFrame,
    pipeline: str,
    stage: str,
    told: Sequence[str] = ("@status", "@probability"),
) -> pl.DataFrame:
    """Adds what is `told` of each row's stage, looked up within its pipeline, else by the stage alone: an archived
    or renamed pipeline must not hide that a deal was won."""
    within = {"@pipeline_id": pipeline, "@stage_id": stage}
    exact = stages.select(*(pl.col(c).alias(n) for c, n in within.items()), *told).unique(
        [*within.values()], keep="first"
    )
    alone = stages.select(pl.col("@stage_id").alias(stage), *(pl.col(c).alias(f"{c}?") for c in told))
    alone = alone.unique(stage, keep="first")
    wide = frame.join(exact, on=[pipeline, stage], how="left", maintain_order="left")
    wide = wide.join(alone, on=stage, how="left", maintain_order="left")
    found = (pl.coalesce(name, f"{name}?").alias(name) for name in told)
    return wide.with_columns(*found).drop(f"{name}?" for name in told)


def as_text(value: Any) -> str | None:
    """HubSpot's values are texts or null; a number or truth value is spelled as HubSpot would."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _created(record: Record) -> Any:
    properties = record["properties"]
    return properties.get("createdate") or properties.get("hs_createdate")


def _updated(record: Record) -> Any:
    """The property first: it is what increments are searched by."""
    properties = record["properties"]
    stamped = properties.get("hs_lastmodifieddate") or properties.get("lastmodifieddate")
    return stamped or record.get("updatedAt")
