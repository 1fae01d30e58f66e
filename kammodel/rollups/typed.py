"""Columns of rows as figures need them: money in the reporting currency, numbers as exact whole ones."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from kammodel.conversion import OUT_OF_RANGE
from kammodel.entities import KEY
from kammodel.facts.frames import ORG, Sources
from kammodel.numbering import WORD
from kammodel.rollups.columns import Column

MILLIONTHS = 1_000_000
PLACE = ("group", "company", *KEY)
RECORD = "@record"
"""The number of a record that may belong to several accounts."""


def why_of(name: str) -> str:
    """The column that says why a row's amount or number is not known though there is one."""
    return f"{name}__why"


def typed_columns(rows: pl.DataFrame, columns: Iterable[Column], sources: Sources) -> pl.DataFrame:
    """PLACE and each column: money as Int64 of the reporting currency, converted at the day `on` of its row (readings
    7 and 8); numbers and ratios as Int64 of millionths, half to even, so that sums do not hang on an order; of both,
    `why_of` says why one is null that was not."""
    made = rows.select(*PLACE, *({RECORD} & set(rows.columns)))
    for column in columns:
        if column.kind == "money":
            made = made.hstack(_money(rows, column.name, sources))
        elif column.kind in {"number", "ratio"}:
            made = made.hstack(_number(rows, column.name))
        elif column.name not in PLACE:
            own = rows[column.name]
            made = made.with_columns(own.cast(pl.String) if own.dtype == WORD else own)
    return made


def _money(rows: pl.DataFrame, name: str, sources: Sources) -> pl.DataFrame:
    names = {"amount": name, "amount_why": why_of(name)}
    if f"{name}_why" in rows.columns:
        return rows.select(pl.col(name), pl.col(f"{name}_why").alias(why_of(name)))
    prefix = name[: name.rfind(".") + 1]
    amounts = rows.select(*ORG, "on", own_amount=name, currency=f"{prefix}currency")
    return sources.converted(amounts).select(pl.col(old).alias(new) for old, new in names.items())


def _number(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    shifted = (pl.col(name) * MILLIONTHS).round(0, mode="half_to_even").cast(pl.Int64, strict=False)
    lost = pl.col(name).is_not_null() & shifted.is_null()
    return rows.select(shifted.alias(name), pl.when(lost).then(pl.lit(OUT_OF_RANGE)).alias(why_of(name)))
