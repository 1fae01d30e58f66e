"""The plan: cell by cell, what we want against what we last wrote and what the CRM holds now.

| the CRM holds now             | decision                                         |
|-------------------------------|--------------------------------------------------|
| what we want                  | equal: nothing to do, the cell counts as ours    |
| nothing                       | write                                            |
| what we last wrote            | write                                            |
| anything else                 | held: a person's value wins until they clear it  |

A *passenger* field (days since touch, scored on) does not cause a write by itself: it is written along when
another field of the account is, so that an account is not written to every day just because a day passed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kammodel.publish.fields import CustomField, canonical

PASSENGERS = ("days_since_touch", "scored_on")
_KEY = ["source_id", "field"]
_LONGEST_CHAIN = 8
"""Merges in a row, between two comparisons."""


@dataclass(frozen=True)
class Comparison:
    """`cells`: source_id, field, before, after, decision (write or held). `equal`: source_id, field, value.

    `confirmed` (source_id, field, value): values of ours that the CRM holds though we want others, those of idle
    passengers too, and the days of ours on accounts that nothing is written to. The plan that wrote one may never
    have learned that it did, and ends with the next plan.
    """

    cells: pl.DataFrame
    equal: pl.DataFrame
    confirmed: pl.DataFrame

    @property
    def to_write(self) -> pl.DataFrame:
        return self.cells.filter(pl.col("decision") == "write")

    @property
    def held(self) -> pl.DataFrame:
        return self.cells.filter(pl.col("decision") == "held")


def compare(
    wanted: pl.DataFrame,
    now: pl.DataFrame,
    ours: pl.DataFrame,
    fields: Sequence[CustomField],
    *,
    as_of: dt.date,
    cadence_days: Mapping[str, int],
) -> Comparison:
    """Decides each cell of the accounts that stand in both `wanted` and `now`.

    `wanted`, `now`: source_id and a canonical text column per field key (`scored_on` is not in `wanted`).
    `ours`: source_id, field, value: values that we wrote, or may have written. `cadence_days`: tier to the
    days after which no touch is a change worth writing.
    """
    keys = [f.key for f in fields if f.key != "scored_on"]
    cells = _long(wanted, keys, "after").join(_long(now, keys, "before"), on=_KEY, how="inner")
    decided = _decide(cells, ours)
    driven = _without_idle_passengers(decided, wanted, cadence_days)
    stamps = _stamps(driven, now, ours, as_of) if _has(fields, "scored_on") else driven.clear()
    stamped = pl.concat([driven, stamps])
    equal, is_ours = pl.col("decision") == "equal", (pl.col("decision") == "write") & pl.col("before").is_not_null()
    return Comparison(
        cells=stamped.filter(~equal).sort(_KEY),
        equal=stamped.filter(equal).select(*_KEY, value="after"),
        confirmed=pl.concat(
            [
                pl.concat([decided, stamps]).filter(is_ours).select(*_KEY, value="before"),
                _idle_stamps(stamps, now, ours),
            ]
        ).sort(_KEY),
    )


def with_inherited(ours: pl.DataFrame, merges: pl.DataFrame) -> pl.DataFrame:
    """`ours`, and what we wrote to accounts that were merged away as values that their survivor may hold.

    A CRM's merge may give the survivor a value of the one merged into it: that is no person's. `merges`:
    source_id, merged_into_id (null where not merged); chains are followed, a ring of them ends.
    """
    steps = merges.drop_nulls("merged_into_id").select("source_id", "merged_into_id")
    found = [ours]
    for _ in range(_LONGEST_CHAIN):
        heirs = found[-1].join(steps, on="source_id").select("field", "value", source_id="merged_into_id")
        if heirs.is_empty():
            break
        found.append(heirs.select(ours.columns))
    return pl.concat(found).unique(maintain_order=True)


def canonical_frame(frame: pl.DataFrame, fields: Sequence[CustomField]) -> pl.DataFrame:
    """source_id and the canonical text of each field whose key is a column of the frame."""
    present = [f for f in fields if f.key in frame.columns]
    return frame.select("source_id", *(canonical(f, pl.col(f.key)).alias(f.key) for f in present))


def _has(fields: Sequence[CustomField], key: str) -> bool:
    return any(f.key == key for f in fields)


def _long(frame: pl.DataFrame, keys: Sequence[str], value: str) -> pl.DataFrame:
    texts = frame.select("source_id", *(pl.col(k).cast(pl.String) for k in keys if k in frame.columns))
    return texts.unpivot(index="source_id", variable_name="field", value_name=value)


def _decide(cells: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    known = ours.select(*_KEY, before="value", is_ours=pl.lit(value=True)).unique()
    judged = cells.join(known, on=[*_KEY, "before"], how="left", nulls_equal=True)
    decision = (
        pl.when(pl.col("before").eq_missing(pl.col("after")))
        .then(pl.lit("equal"))
        .when(pl.col("before").is_null() | pl.col("is_ours"))
        .then(pl.lit("write"))
        .otherwise(pl.lit("held"))
    )
    return judged.select(*_KEY, "before", "after", decision=decision)


def _without_idle_passengers(
    cells: pl.DataFrame, wanted: pl.DataFrame, cadence_days: Mapping[str, int]
) -> pl.DataFrame:
    """Drops the passenger cells of accounts for which nothing worth a write has changed."""
    tier = pl.col("tier").replace_strict(dict(cadence_days), default=None, return_dtype=pl.Float64)
    limits = wanted.select("source_id", limit=tier if "tier" in wanted.columns else pl.lit(None, pl.Float64))
    before, after = (pl.col(c).cast(pl.Float64, strict=False) for c in ("before", "after"))
    crossed = ((before > pl.col("limit")) != (after > pl.col("limit"))).fill_null(value=False)
    appeared = pl.col("before").is_null() != pl.col("after").is_null()
    touch = (pl.col("field") == "days_since_touch") & (crossed | appeared)
    writes, passenger = pl.col("decision") == "write", pl.col("field").is_in(PASSENGERS)
    drives = writes & (~passenger | touch)
    judged = cells.join(limits, on="source_id", how="left").with_columns(driven=drives.any().over("source_id"))
    return judged.filter(~(passenger & writes & ~pl.col("driven"))).select(cells.columns)


def _stamps(cells: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame, as_of: dt.date) -> pl.DataFrame:
    """The `scored_on` cells: the as-of day where another cell is written, else what stands there."""
    if "scored_on" not in now.columns:
        return cells.clear()
    written = cells.filter(pl.col("decision") == "write").select("source_id").unique()
    stamp = now.select("source_id", field=pl.lit("scored_on"), before=pl.col("scored_on").cast(pl.String))
    stamp = stamp.join(written, on="source_id", how="semi").with_columns(after=pl.lit(as_of.isoformat()))
    return _decide(stamp.select(*_KEY, "before", "after"), ours).select(cells.columns)


def _idle_stamps(stamps: pl.DataFrame, now: pl.DataFrame, ours: pl.DataFrame) -> pl.DataFrame:
    """The days of ours that stand where nothing is written: source_id, field, value."""
    if "scored_on" not in now.columns:
        return stamps.select(*_KEY, value="before").clear()
    held = now.select("source_id", field=pl.lit("scored_on"), value=pl.col("scored_on").cast(pl.String))
    idle = held.drop_nulls("value").join(stamps, on="source_id", how="anti")
    return idle.join(ours.select(*_KEY, "value").unique(), on=[*_KEY, "value"], how="semi")
