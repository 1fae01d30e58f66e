"""Turns the property history of deals into one row per change: what the deal looked like from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from connectors.hubspot.codecs import as_moment
from connectors.hubspot.frames import texts, with_stage
from connectors.hubspot.mapping import HISTORY
from connectors.hubspot.records import Record

_SHOWN = ("dealstage", "amount", "closedate")
"""A change of one of these makes a row; the pipeline only tells which stage is meant."""


def history_frame(records: Sequence[Record], stages: pl.DataFrame) -> pl.DataFrame:
    """Raw rows of stage events (columns `@id`, `@opportunity_id`, `@changed_at`, `@dealstage`, `@amount`,
    `@closedate`, `@status`, `@probability`): one per deal and millisecond in which something changed.

    A value holds until the next one of its property; before the first it is null. Of two values of one
    property in one millisecond the newer stands. Times that cannot be read make no row.
    """
    timed = _long(records).with_columns(ms=as_moment(pl.col("at")).dt.epoch("ms")).drop_nulls("ms")
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


def _long(records: Sequence[Record]) -> pl.DataFrame:
    """One row for each value that a property had. `age`: 0 is the newest."""
    histories = [(r["id"], told) for r in records if isinstance(told := r.get("propertiesWithHistory"), dict)]
    entries = [
        (deal, name, age, entry)
        for deal, told in histories
        for name in HISTORY
        for age, entry in enumerate(_listed(told.get(name)))
    ]
    return pl.DataFrame(
        {
            "deal": texts([deal for deal, *_ in entries]),
            "at": texts([entry.get("timestamp") for *_, entry in entries]),
            "name": texts([name for _, name, *_ in entries]),
            "value": texts([entry.get("value") for *_, entry in entries]).fill_null(""),
            "age": pl.Series(values=[age for _, _, age, _ in entries], dtype=pl.Int64),
        }
    )


def _listed(entries: Any) -> list[dict[str, Any]]:
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
