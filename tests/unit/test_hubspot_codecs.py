"""HubSpot's spellings: moments, days, ids declared as numbers, words with a default."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from connectors.codecs import Codec
from connectors.hubspot.codecs import (
    end_of_call,
    exact_whole,
    first_text,
    moment,
    plain_date,
    portal_date,
    record_id,
    word_or,
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
