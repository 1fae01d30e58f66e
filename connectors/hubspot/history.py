"""Turns what HubSpot keeps of the past of deals into stage events: the history of their properties, one row per change,
or, where a portal gives none, the dates on which they last entered each stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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


ENTERED = ("hs_v2_date_entered_", "hs_date_entered_")
"""What the properties that hold when a stage was last entered begin with, now and formerly; then comes the stage, and
in some pipelines something more.
https://knowledge.hubspot.com/properties/hubspots-default-deal-properties (read 2026-11-29)"""
_OF_ANY_STAGE = "current_stage"
_NOT_IN_NAMES = re.compile(r"[^a-z0-9_]")


def stage_dates(names: Iterable[str], stages: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The properties among `names` that tell when a stage was entered, each with its stage; one of each stage. What
    begins like several stages is that of the longest.

    How ids that are no names are spelled in one is not documented: HubSpot refuses capitals
    (https://github.com/HubSpot/hubspot-php/issues/295, read 2026-11-29), and hyphens are met both as they are and as
    underscores.
    """
    there, spelled = list(names), {_spelled(stage): stage for stage in stages}
    found: dict[str, list[tuple[bool, int, str]]] = {}
    for kind, prefix in enumerate(ENTERED):
        for name in there:
            told = _spelled(name.removeprefix(prefix))
            if not name.startswith(prefix) or told == _OF_ANY_STAGE:
                continue
            fits = [one for one in spelled if f"{told}_".startswith(f"{one}_")]
            if fits:
                own = max(fits, key=len)
                # The name itself before one with more to it, the newer kind before the older one.
                found.setdefault(spelled[own], []).append((told != own, kind, name))
    return tuple((min(found[stage])[-1], stage) for stage in dict.fromkeys(stages) if stage in found)


def _spelled(stage: str) -> str:
    return _NOT_IN_NAMES.sub("_", stage.lower())


def entries_frame(records: pl.DataFrame, dates: Sequence[tuple[str, str]], stages: pl.DataFrame) -> pl.DataFrame:
    """Raw rows of stage events (columns `@id`, `@opportunity_id`, `@entered_at`, `@dealstage`, `@status`,
    `@probability`, and the properties of the deal as they are now): one per deal and millisecond in which it entered
    a stage, for each stage the last time. Times that cannot be read make no row.

    `records`: columns `@id`, `pipeline`, and the properties of `dates`, all text.
    """
    names = [name for name, _ in dates]
    rest = [c for c in records.columns if c not in names]
    # A property may have any name, but none with an @.
    long = records.unpivot(names, index=rest, variable_name="@name", value_name="@value")
    places = {name: place for place, name in enumerate(names)}
    entered = long.with_columns(
        as_moment(pl.col("@value")).dt.epoch("ms").alias("@ms"),
        pl.col("@name").replace_strict(places, return_dtype=pl.Int64).alias("@order"),
        pl.col("@name").replace_strict(dict(dates), return_dtype=pl.String).alias("@dealstage"),
    ).drop_nulls("@ms")
    # Of two stages entered in one millisecond the later one of the pipeline stands.
    last = entered.sort("@id", "@ms", "@order").unique(["@id", "@ms"], keep="last", maintain_order=True)
    told = last.with_columns(
        pl.format("{}:{}", "@id", "@ms").alias("@id"),
        pl.col("@id").alias("@opportunity_id"),
        pl.col("@ms").cast(pl.String).alias("@entered_at"),
    )
    return with_stage(told.drop("@status", "@probability", strict=False), stages, "pipeline", "@dealstage")


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
