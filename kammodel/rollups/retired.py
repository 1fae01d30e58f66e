"""Fields of rollups that were taken out of rollups.toml: what we wrote there is taken back."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from kammodel.publish.fields import CustomField, Kind, Words, canonical

_WIDE = 10
"""Decimals within which any number of ours is told exactly."""


def retired_fields(ledger: pl.DataFrame, declared: Iterable[CustomField]) -> tuple[CustomField, ...]:
    """The fields that the ledger (source_id, field, value) says we wrote to, that hold a value of ours, and that
    nothing declares any more. In order of key.

    Nobody knows their types any more but by what stands in them: all numbers, all days, or texts.
    """
    known = [field.key for field in declared]
    left = ledger.drop_nulls("value").filter(~pl.col("field").is_in(known))
    keys = left["field"].unique().sort()
    return tuple(_guessed(key, left.filter(field=key)["value"]) for key in keys)


def _guessed(key: str, values: pl.Series) -> CustomField:
    for kind in ("number", "date", "text"):
        field = _field(key, kind)
        if kind == "text" or _are_all(field, values):
            break
    return field


def _are_all(field: CustomField, values: pl.Series) -> bool:
    """Whether each is spelled as values of the field are, and is one."""
    told = pl.DataFrame({"value": values}).select(
        spelled=canonical(field, pl.col("value")) == pl.col("value"),
        fits=pl.col("value").cast(pl.Decimal(38, _WIDE), strict=False).is_not_null()
        if field.kind == "number"
        else pl.col("value").str.to_date("%Y-%m-%d", strict=False).is_not_null(),
    )
    return bool((told["spelled"] & told["fits"]).all())


def _field(key: str, kind: Kind) -> CustomField:
    label = Words(key, key)
    return CustomField(key, kind, label, label, scale=_WIDE if kind == "number" else 0)
