"""Rollups as custom fields of an account, beside those that every installation has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from kammodel.entities import KEY
from kammodel.publish.fields import FIELDS, CustomField, Kind, Words
from kammodel.rollups.computing import Rolled
from kammodel.rollups.declaring import Rollup, Unit
from kammodel.snapshot import plain_money

_KINDS: Mapping[Unit, Kind] = {
    "money": "number",
    "number": "number",
    "ratio": "percent",
    "count": "number",
    "flag": "picklist",
    "date": "date",
    "text": "text",
}
_FLAGS = (("yes", Words("Yes", "Sí")), ("no", Words("No", "No")))


def all_fields(rollups: Iterable[Rollup]) -> tuple[CustomField, ...]:
    """FIELDS, then the fields of rollups, in the order in which they are declared."""
    return (*FIELDS, *(field for rollup in rollups if (field := field_of(rollup)) is not None))


def written_fields(rollups: Iterable[Rollup]) -> tuple[CustomField, ...]:
    """Those of all_fields that we write."""
    return tuple(field for field in all_fields(rollups) if field.ours)


def field_of(rollup: Rollup) -> CustomField | None:
    """The custom field that a rollup asks for: its type follows from the unit. A flag is a picklist of yes and no, a
    ratio stands in percent points."""
    told = rollup.field
    if told is None:
        return None
    kind = _KINDS[rollup.unit]
    return CustomField(
        told.key,
        kind,
        told.label,
        told.help,
        scale=told.decimals if rollup.unit in {"money", "number", "ratio"} else 0,
        length=rollup.max_length if rollup.operation == "concat" else 255,
        options=_FLAGS if kind == "picklist" else (),
    )


def column_of(field: CustomField) -> str:
    """Where `field_values` has the values of a field."""
    return f"{field.key}@rollup"


def field_values(rolled: Rolled) -> pl.DataFrame:
    """KEY and, in `column_of` each field, what rollups that have one are: an account's own, or its group's. Money in
    plain units, a ratio in percent points, a flag as its code."""
    told = rolled.accounts.join(rolled.groups, on="group", how="left", maintain_order="left")
    fields = [(rollup, field) for rollup in rolled.rollups if (field := field_of(rollup)) is not None]
    return told.select(*KEY, *(_shown(rollup).alias(column_of(field)) for rollup, field in fields))


def _shown(rollup: Rollup) -> pl.Expr:
    value, unit = pl.col(rollup.name), rollup.unit
    if unit == "money":
        return plain_money(value)
    if unit == "ratio":
        return value * 100
    if unit == "flag":
        return value.replace_strict({1: "yes", 0: "no"}, default=None, return_dtype=pl.String)
    # What does not fit the field would be refused, and the account's other values with it.
    return value.str.slice(0, 255) if unit == "text" else value
