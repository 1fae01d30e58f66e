"""How HubSpot spells values: moments in two spellings, ids that are declared as numbers, words with a default.

https://developers.hubspot.com/docs/api-reference/latest/crm/properties (read 2026-11-23)
"""

from __future__ import annotations

import polars as pl

from connectors import codecs
from connectors.codecs import Codec, filled, in_calendar


def as_moment(column: pl.Expr) -> pl.Expr:
    """ISO 8601, or milliseconds since 1970 as histories and older writers have them."""
    millis = filled(column).str.strip_chars().cast(pl.Int64, strict=False)
    # A number beyond the calendar would wrap into it on its way to microseconds.
    sane = pl.when(millis.is_between(*_CALENDAR)).then(millis)
    epoch = pl.from_epoch(sane, time_unit="ms").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.coalesce(codecs.instant.decode(column), epoch)


_CALENDAR = (-62_135_596_800_000, 253_402_300_799_999)
"""Milliseconds since 1970 of the first moment of year 1 and the last of year 9999."""


def _first_moment(*columns: pl.Expr) -> pl.Expr:
    return pl.coalesce(*(as_moment(column) for column in columns))


moment = Codec("hubspot_moment", _first_moment)
"""The first readable moment of one or more columns, UTC."""


def _end(start: pl.Expr, millis: pl.Expr) -> pl.Expr:
    length = filled(millis).str.strip_chars().cast(pl.Float64, strict=False)
    sane = pl.when(length.is_between(0, 7 * 86_400_000)).then(length)
    return as_moment(start) + pl.duration(milliseconds=sane.cast(pl.Int64, strict=False))


end_of_call = Codec("hubspot_end_of_call", _end, total=True)
"""Start and length in milliseconds; null without a length."""


def portal_date(zone: str) -> Codec:
    """The day of a moment in the portal's time zone; a plain date stays what it is (kam-readings 2)."""

    def decode(column: pl.Expr) -> pl.Expr:
        day = in_calendar(as_moment(column).dt.convert_time_zone(zone).dt.date())
        return pl.coalesce(codecs.date.decode(column), day)

    return Codec(f"hubspot_portal_date({zone})", decode)


plain_date = Codec(
    "hubspot_plain_date", lambda column: pl.coalesce(codecs.date.decode(column), as_moment(column).dt.date())
)
"""A property of type date: a day, or its midnight UTC."""


def _record_id(column: pl.Expr) -> pl.Expr:
    return codecs.identifier.decode(column).str.replace(r"\.0+$", "")


record_id = Codec("hubspot_record_id", _record_id)
"""An id in a property that HubSpot declares as a number: never by way of a float."""

first_text = Codec("hubspot_first_text", lambda *columns: pl.coalesce(*(filled(c) for c in columns)), total=True)
"""The first column that says something."""


def word_or(words: dict[str, str], *, otherwise: str, blank: str) -> Codec:
    """A word of ours for each of theirs; `otherwise` for words unknown, `blank` where nothing stands."""
    known = codecs.one_of(words, otherwise=otherwise)

    def decode(column: pl.Expr) -> pl.Expr:
        return known.decode(column).fill_null(blank)

    return Codec(f"{known.name},blank={blank}", decode, total=True)


def _word_set(column: pl.Expr) -> pl.Expr:
    words = column.str.split(";").list.eval(filled(pl.element()).str.strip_chars().drop_nulls()).list.unique()
    return filled(words.list.sort().list.join(";"))


word_set = Codec("hubspot_word_set", _word_set, total=True)
"""The values of a property that holds several, sorted, so that equal sets are equal texts."""


def first_word(words: dict[str, str], *, otherwise: str) -> Codec:
    """A word of ours for a property that holds several of theirs: that of the first which we know one for."""
    known = codecs.one_of(words)

    def decode(column: pl.Expr) -> pl.Expr:
        found = column.str.split(";").list.eval(known.decode(pl.element()).drop_nulls()).list.first()
        return pl.coalesce(found, pl.when(filled(column).is_not_null()).then(pl.lit(otherwise)))

    return Codec(f"hubspot_first_word({known.name},*={otherwise})", decode, total=True)


def _less_discount(price: pl.Expr, discount: pl.Expr, percentage: pl.Expr) -> pl.Expr:
    whole_price, given = codecs.money.decode(price), codecs.money.decode(discount)
    share = _discount(price, discount, percentage)
    by_share = (whole_price * (1 - share)).round(0, mode="half_to_even").cast(pl.Int64, strict=False)
    by_amount = whole_price - given
    return pl.when(filled(discount).is_not_null()).then(by_amount).when(share.is_not_null()).then(by_share)


price_less_discount = Codec(
    "hubspot_price_less_discount",
    lambda price, discount, percentage: pl.coalesce(
        _less_discount(price, discount, percentage), codecs.money.decode(price)
    ),
    total=True,
)
"""What one unit costs: the price less its discount, an amount or else a percentage."""


def _discount(price: pl.Expr, discount: pl.Expr, percentage: pl.Expr) -> pl.Expr:
    whole_price, given = codecs.number.decode(price), codecs.number.decode(discount)
    by_amount = pl.when(whole_price > 0).then(given / whole_price)
    stated = codecs.number.decode(percentage) / 100
    share = pl.coalesce(by_amount, stated)
    return pl.when(share.is_between(0, 1)).then(share.round(12))


discount_share = Codec("hubspot_discount_share", _discount, total=True)
"""The share of the price that is taken off, 0..1; null where none is stated."""

_ACTIVE = {"active": True, "inactive": False}
is_active = Codec(
    "hubspot_is_active",
    lambda column: column.str.to_lowercase().replace_strict(_ACTIVE, default=None, return_dtype=pl.Boolean),
    total=True,
)
"""Whether a product is sold; unknown for words other than active and inactive."""

exact_whole = Codec("hubspot_exact_whole", lambda column: filled(column).str.strip_chars().cast(pl.Int64, strict=False))
"""A whole number that is no count: it must not pass through a float."""


def _day_in(column: pl.Expr, *, hours: int) -> pl.Expr:
    return in_calendar((as_moment(column) + pl.duration(hours=hours)).dt.date())


first_day = Codec("hubspot_first_day", lambda column: _day_in(column, hours=12))
last_day = Codec("hubspot_last_day", lambda column: _day_in(column, hours=-12))
"""The first and the last day of a period that is stated by the moments in which it begins and ends. Whether these are
midnights of UTC or of the portal is not documented: half a day further in, both are the same day."""
