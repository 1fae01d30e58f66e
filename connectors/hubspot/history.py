"""Turns the property history of deals into one row per change: what the deal looked like from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from connectors.hubspot.codecs import as_moment
from connectors.hubspot.frames import as_text, with_stage
from connectors.hubspot.mapping import HISTORY
from connectors.hubspot.records import Record

_SHOWN = ("dealstage", "amount", "closedate")
"""A change of one of these makes a row; the pipeline only tells which stage is meant."""
_LONG = {"deal": pl.String, "at": pl.String, "name": pl.String, "value": pl.String, "age": pl.Int64}


def history_frame(records: Sequence[Record], stages: pl.DataFrame) -> pl.DataFrame:
    """Raw rows of stage events (columns `@id`, `@opportunity_id`, `@changed_at`, `@dealstage`, `@amount`,
    `@closedate`, `@status`, `@probability`): one per deal and millisecond in which something changed.

    A value holds until the next one of its property; before the first it is null. Of two values of one
    property in one millisecond the newer stands. Times that cannot be read make no row.
    """
    long = pl.DataFrame([row for r in records for row in _entries(r)], schema=_LONG, orient="row")
    timed = long.with_columns(ms=as_moment(pl.col("at")).dt.epoch("ms")).drop_nulls("ms")
    if timed.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String))
    # HubSpot lists the newest first: age counts back in time, so that the last row wins within a millisecond.
    ordered = timed.sort("deal", "ms", "age", descending=[False, False, True]).unique(
        ["deal", "ms", "name"], keep="last", maintain_order=True
    )
    return with_stage(_states(ordered), stages, "@pipeline", "@dealstage").select(_COLUMNS)


_COLUMNS = (
    "@id",
    "@opportunity_id",
    "@changed_at",
    "@dealstage",
    "@amount",
    "@closedate",
    "@status",
    "@probability",
)


def _states(changes: pl.DataFrame) -> pl.DataFrame:
    """Wide rows, one per deal and millisecond, each value carried on from its last change."""
    grouped = changes.group_by("deal", "ms", maintain_order=True)
    # A value that was cleared is "" here and stays so while it is carried on: null means not yet set.
    values = [pl.col("value").filter(pl.col("name") == n).last().alias(f"@{n}") for n in HISTORY]
    shows = pl.col("name").is_in(_SHOWN).any().alias("shows")
    carried = pl.col(f"^@({'|'.join(HISTORY)})$").forward_fill().over("deal")
    wide = grouped.agg(*values, shows).with_columns(carried).filter(pl.col("shows"))
    return wide.with_columns(
        pl.format("{}:{}", "deal", "ms").alias("@id"),
        pl.col("deal").alias("@opportunity_id"),
        pl.col("ms").cast(pl.String).alias("@changed_at"),
    )


def _entries(record: Record) -> list[tuple[str, str | None, str, str, int]]:
    history = record.get("propertiesWithHistory")
    if not isinstance(history, dict):
        return []
    return [
        (record["id"], as_text(entry.get("timestamp")), name, as_text(entry.get("value")) or "", age)
        for name in HISTORY
        for age, entry in enumerate(_listed(history.get(name)))
    ]


def _listed(entries: Any) -> list[dict[str, Any]]:
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
