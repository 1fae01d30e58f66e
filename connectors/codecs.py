"""Codecs: text columns as a CRM sends them, turned into typed columns; what cannot be read becomes null.

A codec takes one or more text columns and gives one typed expression. The mapping notices where text stood
and null came out, and sets that row aside. Blank text counts as missing. No codec guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from kammodel.entities.schema import INSTANT
from kammodel.entities.types import MONEY_SCALE

Decode = Callable[..., pl.Expr]


@dataclass(frozen=True)
class Codec:
    """A named decoder. `total`: it may give null for text that it does not know, and that is no fault. `seals`: what it
    gives stands for the text wherever a row is kept, also where the row is set aside."""

    name: str
    decode: Decode
    total: bool = False
    seals: bool = False


def filled(column: pl.Expr) -> pl.Expr:
    """The column with blank text as null: a CRM does not tell the two apart."""
    return pl.when(column.str.strip_chars() != "").then(column)


text = Codec("text", filled, total=True)
"""Any text, as it is. CRM text is hostile: it is escaped where it leaves us, not here."""

identifier = Codec("identifier", lambda column: filled(column).str.strip_chars())
"""A vendor's id."""


def in_calendar(when: pl.Expr) -> pl.Expr:
    """A date or instant in the years 1 to 9999, else null: Python and the store know no others."""
    return pl.when(when.dt.year().is_between(1, 9999)).then(when)


def _number(column: pl.Expr) -> pl.Expr:
    return filled(column).str.strip_chars().cast(pl.Float64, strict=False)


def _finite(number: pl.Expr) -> pl.Expr:
    return pl.when(number.is_finite()).then(number)


number = Codec("number", lambda column: _finite(_number(column)))
"""A finite number, Float64."""


def _exact(column: pl.Expr) -> pl.Expr:
    # By way of Decimal, because 0.1 has no exact float; ten places are read so that the rounding is
    # ours (half to even) and not a silent cut. What no Int64 could hold is left out here: Polars fails
    # the whole page over one product that does not fit a Decimal.
    exact = filled(column).str.strip_chars().cast(pl.Decimal(38, 10), strict=False)
    return pl.when(exact.is_between(-_LARGEST, _LARGEST)).then(exact)


_LARGEST = 10**19

whole = Codec("whole", lambda column: _exact(column).round(0, mode="half_to_even").cast(pl.Int64, strict=False))
"""A whole number; CRMs send `47.0` for 47. A fraction is rounded, half to even."""


def _money(column: pl.Expr) -> pl.Expr:
    return (_exact(column) * MONEY_SCALE).round(0, mode="half_to_even").cast(pl.Int64, strict=False)


money = Codec("money", _money)
"""An amount as Int64 of 1/10,000 units, half to even beyond the fourth decimal."""

_TRUE, _FALSE = ["true", "1", "yes"], ["false", "0", "no"]


def _boolean(column: pl.Expr) -> pl.Expr:
    word = filled(column).str.strip_chars().str.to_lowercase()
    return pl.when(word.is_in(_TRUE)).then(pl.lit(value=True)).when(word.is_in(_FALSE)).then(pl.lit(value=False))


boolean = Codec("boolean", _boolean)


_TO_THE_FRACTION = "%Y-%m-%dT%H:%M:%S%.f"


def _instant(column: pl.Expr) -> pl.Expr:
    # Step by step on the column itself: as one expression, polars would work out each shared part several times.
    return column.map_batches(_instants, return_dtype=INSTANT)


def _instants(column: pl.Series) -> pl.Series:
    text = column.str.strip_chars()
    # Nearly all are in UTC, as Z or +0000: with no offset to read, the parser is many times as fast.
    bare = text.str.strip_suffix("Z").str.strip_suffix("+0000")
    in_utc = bare.str.to_datetime(_TO_THE_FRACTION, time_unit="us", strict=False).dt.replace_time_zone("UTC")
    known = in_utc.set(bare == text, None)
    if known.null_count() > text.null_count():
        known = pl.select(pl.coalesce(known, _with_offset(pl.lit(text.set(known.is_not_null(), None))))).to_series()
    return pl.select(in_calendar(pl.lit(known))).to_series().alias(column.name)


def _with_offset(text: pl.Expr) -> pl.Expr:
    """An instant with any offset, +0200 or +02:00."""
    spelled = text.str.replace(r"Z$", "+00:00").str.replace(r"([+-]\d{2})(\d{2})$", "${1}:${2}")
    whole_second = spelled.str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="us", strict=False)
    return pl.coalesce(spelled.str.to_datetime(f"{_TO_THE_FRACTION}%:z", time_unit="us", strict=False), whole_second)


instant = Codec("instant", _instant)
"""An ISO 8601 instant with an offset, to UTC."""


def _date(column: pl.Expr) -> pl.Expr:
    return in_calendar(filled(column).str.strip_chars().str.to_date("%Y-%m-%d", strict=False))


date = Codec("date", _date)
"""A vendor's plain date: never shifted by a time zone (kam-readings 2)."""


def local_date(zone: str) -> Codec:
    """The day of an instant in `zone` (an IANA name)."""

    def decode(column: pl.Expr) -> pl.Expr:
        return in_calendar(_instant(column).dt.convert_time_zone(zone).dt.date())

    return Codec(f"local_date({zone})", decode)


def share(of: float) -> Codec:
    """A share of `of`, as 0..1: Salesforce states a probability in percent. Outside the range it is null
    and no fault: such a deal is left out of weighted figures and counted (kam-readings 16)."""

    def decode(column: pl.Expr) -> pl.Expr:
        ratio = _number(column) / of
        return pl.when(ratio.is_between(0, 1)).then(ratio.round(12))

    return Codec(f"share({of:g})", decode, total=True)


def one_of(words: Mapping[str, str], *, otherwise: str | None = None) -> Codec:
    """A word for each of the vendor's words, compared without case; others become `otherwise`."""
    lower = {theirs.lower(): ours for theirs, ours in words.items()}

    def decode(column: pl.Expr) -> pl.Expr:
        given = filled(column).str.strip_chars()
        known = given.str.to_lowercase().replace_strict(lower, default=None, return_dtype=pl.String)
        return pl.when(given.is_not_null()).then(pl.coalesce(known, pl.lit(otherwise, dtype=pl.String)))

    label = ",".join(f"{theirs}={ours}" for theirs, ours in sorted(lower.items()))
    return Codec(f"one_of({label},*={otherwise})", decode, total=True)
