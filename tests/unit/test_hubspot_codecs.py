"""HubSpot's spellings: moments, days, ids declared as numbers, words with a default."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from connectors.codecs import Codec
from connectors.hubspot.codecs import (
    discount_share,
    end_of_call,
    exact_whole,
    first_day,
    first_text,
    first_word,
    is_active,
    last_day,
    moment,
    plain_date,
    portal_date,
    price_less_discount,
    record_id,
    word_or,
    word_set,
)

NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
HUGE = ("99999999999999999", "9223372036854775807", "-9223372036854775808", "-62135596800001", "253402300800000")


def read(codec: Codec, *rows: tuple[str | None, ...] | str | None) -> list[Any]:
    cells = [row if isinstance(row, tuple) else (row,) for row in rows]
    names = [f"c{n}" for n in range(len(cells[0]))]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row")
    return frame.select(codec.decode(*(pl.col(n) for n in names)).alias("x"))["x"].to_list()


def test_moments_come_in_two_spellings() -> None:
    """ISO 8601 and milliseconds, before 1970 too."""
    assert read(moment, "2026-01-31T12:00:00Z", "1769860800000", "2026-01-31T12:00:00.000Z") == [NOON] * 3
    assert read(moment, "-1") == [dt.datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=dt.UTC)]
    assert read(moment, "2026-01-31", "1e12", "soon", "", None) == [None] * 5


@pytest.mark.parametrize("codec", [moment, plain_date, portal_date("Asia/Tokyo")], ids=lambda c: c.name)
def test_numbers_beyond_the_calendar_are_unread_not_wrapped(codec: Codec) -> None:
    """A number too large for a moment must not come out as one in another year."""
    assert read(codec, *HUGE) == [None] * len(HUGE)


def test_the_first_readable_moment_counts() -> None:
    """A meeting's own start, else the time of the record."""
    rows = [("2026-01-31T12:00:00Z", "0"), (None, "1769860800000"), ("x", "1769860800000"), (None, None)]
    assert read(moment, *rows) == [NOON, NOON, NOON, None]


def test_a_call_ends_after_its_length() -> None:
    """In milliseconds; without a length, or with one that no call has, the end is unknown."""
    start = "2026-01-31T12:00:00Z"
    rows = [(start, "90500"), (start, "0"), (start, None), (start, "-1"), (start, "x"), (start, "1e30"), (None, "5")]
    end = NOON + dt.timedelta(seconds=90.5)
    assert read(end_of_call, *rows) == [end, NOON, None, None, None, None, None]


def test_a_close_date_is_the_portals_day() -> None:
    """Late in the evening in Madrid it is tomorrow already; a plain date is not shifted."""
    told = ("2026-01-31T22:59:59Z", "2026-01-31T23:00:00Z", "1769900400000", "2026-01-31", "soon")
    days = [dt.date(2026, 1, 31), dt.date(2026, 2, 1), dt.date(2026, 2, 1), dt.date(2026, 1, 31), None]
    assert read(portal_date("Europe/Madrid"), *told) == days


def test_a_property_of_type_date_is_a_day_in_utc() -> None:
    """HubSpot sends the day, or its midnight UTC as a moment."""
    told = ("2026-01-31", "1769817600000", "2026-01-31T00:00:00Z")
    assert read(plain_date, *told) == [dt.date(2026, 1, 31)] * 3


def test_an_id_that_is_a_number_keeps_its_digits() -> None:
    """Without the `.0` that HubSpot adds, and never by way of a float."""
    assert read(record_id, "123", "123.0", "123.00", "12345678901234567890", "1.5", " ") == [
        "123",
        "123",
        "123",
        "12345678901234567890",
        "1.5",
        None,
    ]
    assert read(exact_whole, "9007199254740993", "1.0", "x", str(2**63)) == [9_007_199_254_740_993, None, None, None]


def test_words_have_a_default_for_unknown_and_for_blank() -> None:
    """Two different ones, since nothing said is not something unknown said."""
    codec = word_or({"COMPLETED": "done"}, otherwise="planned", blank="none")
    assert read(codec, "completed", "OTHER", "", None) == ["done", "planned", "none", "none"]
    other = word_or({"COMPLETED": "done"}, otherwise="planned", blank="planned")
    assert codec.name != other.name


def test_the_first_text_that_says_something() -> None:
    """Blank says nothing."""
    assert read(first_text, ("USD", "EUR"), (" ", "EUR"), (None, "EUR"), (None, "")) == ["USD", "EUR", "EUR", None]


def test_a_set_of_words_has_one_spelling() -> None:
    """Sorted, each once; blank is nothing."""
    assert read(word_set, "B;A", "A; B;A", "A", ";", "", None) == ["A;B", "A;B", "A", None, None, None]


def test_the_first_word_that_is_known_counts() -> None:
    """A property may hold several; none that is known is another word, blank is unknown."""
    codec = first_word({"PRODUCT_ISSUE": "problem", "GENERAL_INQUIRY": "question"}, otherwise="other")
    words = ("X;product_issue;GENERAL_INQUIRY", "GENERAL_INQUIRY", "X", "", None)
    assert read(codec, *words) == ["problem", "question", "other", None, None]


def test_what_a_unit_costs_after_its_discount() -> None:
    """An amount goes before a percentage; half a ten-thousandth goes to the even one; without a price it is unknown."""
    rows = [("100", "25", None), ("100", None, "10"), ("100", "25", "10"), ("0.00025", None, "50"), ("100", None, None)]
    assert read(price_less_discount, *rows) == [750_000, 900_000, 750_000, 1, 1_000_000]
    assert read(price_less_discount, (None, "5", None), ("x", None, "5")) == [None, None]


def test_a_discount_is_a_share_of_the_price() -> None:
    """0..1; none stated, or one beyond that, is unknown."""
    rows = [("100", "25", None), ("100", None, "12.5"), ("0", "5", None), ("100", "101", None), ("100", None, None)]
    assert read(discount_share, *rows) == [0.25, 0.125, None, None, None]


def test_a_product_is_sold_or_not() -> None:
    """Other words are unknown."""
    assert read(is_active, "active", "INACTIVE", "retired", "", None) == [True, False, None, None, None]


def test_a_period_is_stated_by_midnights_of_utc_or_of_the_portal() -> None:
    """Its days are the same, west and east of Greenwich."""
    new_york, madrid = "2025-12-01T05:00:00Z", "2025-11-30T23:00:00Z"
    assert read(first_day, "2025-12-01T00:00:00Z", new_york, madrid) == [dt.date(2025, 12, 1)] * 3
    ends = ("2025-12-31T23:59:59.999Z", "2026-01-01T04:59:59.999Z", "2025-12-31T22:59:59.999Z", "2026-01-01T00:00:00Z")
    assert read(last_day, *ends) == [dt.date(2025, 12, 31)] * 4
