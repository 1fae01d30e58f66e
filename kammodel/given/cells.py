"""Reads cells of a file: a column of text becomes typed columns, and what cannot be read is told apart from what is
empty.

Numbers are written `1234.56`. In a file with semicolons, which is what a Spanish Excel saves, also `1234,56` and
`1.234,56`; `1.234` alone could be either there, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from kammodel.given.declaring import Column, Kind

Separator = Literal[",", ";"]

_YES = ("yes", "true", "1", "si", "sí", "verdadero")
_NO = ("no", "false", "0", "falso")
_PERIOD = r"^(\d{4})(?:-(?:H([12])|Q([1-4])|(0[1-9]|1[0-2])))?$"
_PLAIN = r"^[+-]?\d+(\.\d+)?$"
_COMMA = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+$"
_AMBIGUOUS = r"^[+-]?\d{1,3}(\.\d{3})+$"
_RATE_DIGITS = 9
"""Decimals of a rate that fit beside nine digits before the point."""


@dataclass(frozen=True)
class Cells:
    """`typed`: the columns made. `bad`: true where the text is neither empty nor readable. `wanted`: what is."""

    typed: dict[str, pl.Expr]
    bad: pl.Expr
    wanted: str


def read_cells(column: Column, separator: Separator) -> Cells:
    """How a column of trimmed text, null where empty, is read."""
    text = pl.col(column.name)
    number = _number_text(text, separator)
    readers: dict[Kind, Callable[[], Cells]] = {
        "text": lambda: Cells({column.name: text}, pl.lit(value=False), ""),
        "choice": lambda: _choice(column, text.str.to_lowercase()),
        "flag": lambda: _flag(column, text.str.to_lowercase()),
        "currency": lambda: _currency(column, text.str.to_uppercase()),
        "date": lambda: _date(column, text),
        "period": lambda: _period(text),
        "rate": lambda: _rate(column, number),
    }
    return readers[column.kind]() if column.kind in readers else _number(column, number, separator)


def _currency(column: Column, code: pl.Expr) -> Cells:
    return Cells({column.name: code}, ~code.str.contains(r"^[A-Z]{3}$"), "a currency code like EUR")


def _date(column: Column, text: pl.Expr) -> Cells:
    day = text.str.to_date("%Y-%m-%d", strict=False)
    well = text.str.contains(r"^\d{4}-\d{2}-\d{2}$") & day.is_not_null()
    return Cells({column.name: day}, ~well, "a date like 2026-06-30")


def _choice(column: Column, word: pl.Expr) -> Cells:
    listed = f"one of {', '.join(column.choices)}"
    return Cells({column.name: word}, ~word.is_in(column.choices), listed)


def _flag(column: Column, word: pl.Expr) -> Cells:
    value = pl.when(word.is_in(_YES)).then(statement=True).when(word.is_in(_NO)).then(statement=False)
    return Cells({column.name: value}, ~word.is_in((*_YES, *_NO)), "yes or no")


def _number_text(text: pl.Expr, separator: Separator) -> pl.Expr:
    """The number with a point and no marks between thousands; null where it is none, or could be two."""
    plain = pl.when(text.str.contains(_PLAIN)).then(text)
    if separator == ",":
        return plain
    comma = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    certain = pl.when(text.str.contains(_COMMA)).then(comma)
    return pl.when(text.str.contains(_AMBIGUOUS)).then(None).otherwise(pl.coalesce(plain, certain))


def _number(column: Column, number: pl.Expr, separator: Separator) -> Cells:
    value = number.cast(pl.Float64, strict=False)
    typed, wanted = value, "a number like 1234.56" + (" or 1234,56" if separator == ";" else "")
    readable = number.is_not_null()
    if column.kind == "whole":
        typed, wanted = number.cast(pl.Int64, strict=False), "a whole number like 12"
        readable = typed.is_not_null()
    if column.kind == "money":
        typed, wanted = _money(number), wanted + ", of at most four decimals"
        readable = typed.is_not_null()
    within = pl.lit(value=True)
    if column.low is not None:
        within &= value >= column.low
    if column.high is not None:
        within &= value <= column.high
    return Cells({column.name: typed}, ~(readable & within.fill_null(value=False)), wanted + _range(column))


def _range(column: Column) -> str:
    if column.kind == "money" and column.low is not None:
        return ", above 0"
    ends = (column.low, column.high)
    words = [f"{word} {end:g}" for word, end in zip(("from", "up to"), ends, strict=True) if end is not None]
    return f", {' '.join(words)}" if words else ""


def _money(number: pl.Expr) -> pl.Expr:
    """Int64 of 1/10,000 units, exact; null for more decimals, or more than it holds."""
    parts = number.str.extract_groups(r"^([+-]?\d+)(?:\.(\d{1,4})0*)?$")
    fraction = parts.struct.field("2").fill_null("").str.pad_end(4, "0")
    return (parts.struct.field("1") + fraction).str.strip_prefix("+").cast(pl.Int64, strict=False)


def _rate(column: Column, number: pl.Expr) -> Cells:
    parts = number.str.extract_groups(r"^\+?(\d+)(?:\.(\d{1,9})0*)?$")
    fraction = parts.struct.field("2").fill_null("").str.pad_end(_RATE_DIGITS, "0")
    numerator = (parts.struct.field("1") + fraction).cast(pl.Int64, strict=False)
    typed = {
        f"{column.name}_numerator": numerator,
        f"{column.name}_denominator": pl.when(numerator.is_not_null()).then(pl.lit(10**_RATE_DIGITS, pl.Int64)),
    }
    return Cells(typed, ~(numerator > 0).fill_null(value=False), "a rate like 0.915, above 0, of at most nine decimals")


def _period(text: pl.Expr) -> Cells:
    parts = text.str.to_uppercase().str.extract_groups(_PERIOD)
    year, half, quarter, month = (parts.struct.field(str(n)).cast(pl.Int32, strict=False) for n in range(1, 5))
    first = pl.coalesce(half * 6 - 5, quarter * 3 - 2, month, 1)
    length = pl.when(half > 0).then(6).when(quarter > 0).then(3).when(month > 0).then(1).otherwise(12)
    starts_on = pl.when(year > 0).then(pl.date(year, first, 1))
    ends_on = starts_on.dt.offset_by(pl.concat_str([length.cast(pl.String), pl.lit("mo")])).dt.offset_by("-1d")
    return Cells({"starts_on": starts_on, "ends_on": ends_on}, starts_on.is_null(), "2026, 2026-H1, 2026-Q2 or 2026-06")
