"""Codecs: what each reads, what it leaves unread, and that nothing a CRM can send breaks a page."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from connectors import codecs
from connectors.codecs import Codec, boolean, date, identifier, instant, local_date, money, number, one_of, share, whole

BLANKS = (None, "", " ", "\t\n", "\u00a0")
HOSTILE = (
    "abc",
    "1,5",
    "1 000",
    "$5",
    "--5",
    "0x10",
    "1_000",
    "1e",
    "5\x00",
    "nan",
    "-inf",
    "1e400",
    "9" * 28,
    "-" + "9" * 29,
    "1" + "0" * 24,
    "1" + "0" * 99,
    "2026-02-30",
    "0000-01-01",
    "-2026-01-31",
    "10000-01-01",
    "2026-01-31T25:00:00Z",
    "-2026-01-31T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "=cmd|'/c calc'!A0",
    "\x1b[31m",
    "\U0001f600",
)
ALL = (
    codecs.text,
    identifier,
    number,
    whole,
    money,
    boolean,
    instant,
    date,
    local_date("Pacific/Kiritimati"),
    share(100),
    one_of({"a": "b"}),
)


def read(codec: Codec, *texts: str | None) -> list[Any]:
    frame = pl.DataFrame({"x": list(texts)}, schema={"x": pl.String})
    return frame.select(codec.decode(pl.col("x")).alias("x"))["x"].to_list()


@pytest.mark.parametrize("codec", ALL, ids=lambda c: c.name)
def test_blank_text_is_missing(codec: Codec) -> None:
    """A CRM does not tell blank from null, and neither do we."""
    assert read(codec, *BLANKS) == [None] * len(BLANKS)


@pytest.mark.parametrize("codec", ALL, ids=lambda c: c.name)
def test_no_text_breaks_a_page(codec: Codec) -> None:
    """What cannot be read becomes null beside a good value; the column never fails, and Python can hold it."""
    assert len(read(codec, *HOSTILE, None)) == len(HOSTILE) + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("-0.0", 0),
        ("1", 10_000),
        ("+5", 50_000),
        (".5", 5_000),
        (" 12.34 ", 123_400),
        ("0.1", 1_000),
        ("-1234.5678", -12_345_678),
        ("4503599627370497.1", None),
        ("90071992547.4993", 900_719_925_474_993),
        ("1E+5", 1_000_000_000),
        ("1.5e-3", 15),
        ("1e-20", 0),
        ("0.00005", 0),
        ("0.00015", 2),
        ("0.00025", 2),
        ("-0.00005", 0),
        ("-0.00015", -2),
        ("0.0000500001", 1),
        ("0.0001499999", 1),
    ],
)
def test_money_is_exact_and_rounds_half_to_even(text: str, expected: int | None) -> None:
    """Ten-thousandths of a unit, no float on the way, half to even beyond the fourth decimal."""
    assert read(money, text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("922337203685477.5807", 2**63 - 1),
        ("922337203685477.58075", None),
        ("922337203685477.5808", None),
        ("-922337203685477.5808", -(2**63)),
        ("-922337203685477.5809", None),
        ("1000000000000000000", None),
        ("1" + "0" * 19, None),
        ("1" + "0" * 24, None),
        ("9" * 28, None),
        ("9" * 40, None),
        ("1e30", None),
    ],
)
def test_money_beyond_the_column_is_unread_not_wrapped(text: str, expected: int | None) -> None:
    """What no Int64 can hold is null, whatever its size, and does not take the page down with it."""
    assert read(money, text, "1") == [expected, 10_000]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("47.0", 47),
        ("1e3", 1000),
        ("47.5", 48),
        ("46.5", 46),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("1" + "0" * 27, None),
        ("inf", None),
    ],
)
def test_whole_numbers_are_exact(text: str, expected: int | None) -> None:
    """`47.0` is 47, a fraction is rounded half to even, and large ones pass through no float."""
    assert read(whole, text) == [expected]


def test_numbers_are_finite() -> None:
    """NaN and infinity are words for an unknown number."""
    assert read(number, "1.5", "-2e3", "nan", "inf", "-Infinity", "1e309") == [1.5, -2000.0, None, None, None, None]


def test_boolean_knows_six_words() -> None:
    """true, 1, yes and their opposites in any case; no other word is guessed at."""
    assert read(boolean, "true", "TRUE", " Yes ", "1") == [True] * 4
    assert read(boolean, "false", "False", "no", "0") == [False] * 4
    assert read(boolean, "t", "2", "on", "null", "0.0") == [None] * 5


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2026-01-31T10:20:30Z", 0),
        ("2026-01-31T10:20:30.000Z", 0),
        ("2026-01-31T10:20:30.000+0000", 0),
        ("2026-01-31T10:20:30+00:00", 0),
        ("2026-01-31T11:20:30+01:00", 0),
        ("2026-01-31T04:50:30-0530", 0),
        ("2026-02-01T00:20:30+14:00", 0),
        ("2026-01-31T10:20:30.123Z", 123_000),
        ("2026-01-31T10:20:30.1+0000", 100_000),
        ("2026-01-31T10:20:30.123456Z", 123_456),
        (" 2026-01-31T10:20:30Z\n", 0),
    ],
)
def test_instants_of_every_spelling_are_one_moment(text: str, micros: int) -> None:
    """Salesforce's +0000, the Z of HubSpot and Bulk CSV, offsets and fractions down to the microsecond."""
    assert read(instant, text) == [dt.datetime(2026, 1, 31, 10, 20, 30, micros, tzinfo=dt.UTC)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T10:20:30",
        "2026-01-31T10:20Z",
        "2026-01-31 10:20:30Z",
        "2026-02-30T10:20:30Z",
        "1769854830000",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_an_instant_has_a_day_a_time_and_an_offset(text: str) -> None:
    """Without one of them it has no place in time, and beyond the calendar none that Python can hold."""
    assert read(instant, text) == [None]


def test_date_is_a_plain_day() -> None:
    """A vendor's date is never shifted, and a moment is none."""
    assert read(date, "2024-02-29", " 9999-12-31 ") == [dt.date(2024, 2, 29), dt.date(9999, 12, 31)]
    assert read(date, "2026-02-29", "31/01/2026", "2026-01-31T00:00:00Z", "10000-01-01", "0000-01-01") == [None] * 5


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("Europe/Madrid", "2026-03-28T22:59:59Z", "2026-03-28"),
        ("Europe/Madrid", "2026-03-28T23:00:00Z", "2026-03-29"),
        ("Europe/Madrid", "2026-03-29T21:59:59Z", "2026-03-29"),
        ("Europe/Madrid", "2026-03-29T22:00:00Z", "2026-03-30"),
        ("Europe/Madrid", "2026-10-24T22:00:00Z", "2026-10-25"),
        ("Europe/Madrid", "2026-10-25T22:59:59Z", "2026-10-25"),
        ("Europe/Madrid", "2026-10-25T23:00:00Z", "2026-10-26"),
        ("Europe/Madrid", "2026-12-31T23:00:00Z", "2027-01-01"),
        ("America/New_York", "2027-01-01T04:59:59Z", "2026-12-31"),
        ("America/New_York", "2027-01-01T05:00:00Z", "2027-01-01"),
        ("Pacific/Kiritimati", "2026-12-31T10:00:00Z", "2027-01-01"),
    ],
)
def test_local_date_follows_the_clocks_of_the_zone(zone: str, text: str, expected: str) -> None:
    """The day that people there have at that moment: over both changes of the clocks and the year's end."""
    assert read(local_date(zone), text) == [dt.date.fromisoformat(expected)]


def test_local_date_ends_with_the_calendar() -> None:
    """The first day of year 10000 cannot be stored and is not made."""
    assert read(local_date("Pacific/Kiritimati"), "9999-12-31T23:00:00Z") == [None]


def test_share_is_between_zero_and_one() -> None:
    """Percent becomes a ratio; outside 0..1 it is unknown, at the edges it is known."""
    assert read(share(100), "0", "50", "100", "33.333333333333") == [0.0, 0.5, 1.0, 0.333333333333]
    assert read(share(100), "-0.1", "100.1", "nan", "abc") == [None] * 4
    assert read(share(1), "0.35", "35") == [0.35, None]


def test_one_of_translates_without_case() -> None:
    """A word of theirs becomes ours; others become the stated rest, and blank stays missing."""
    kinds = one_of({"Existing Customer": "customer"}, otherwise="other")
    assert read(kinds, "EXISTING customer", " existing customer ", "nobody", "") == [
        "customer",
        "customer",
        "other",
        None,
    ]
    assert read(one_of({"a": "b"}), "A", "c") == ["b", None]


def test_text_stays_as_it_is() -> None:
    """Nothing is trimmed or escaped on the way in, not even what is hostile."""
    told = [" =1+1 ", "[red]", "<script>", "a\nb", "\x1b[31m", "a\x00b", "\U0001f600"]
    assert read(codecs.text, *told) == told
    assert read(identifier, " 001 ") == ["001"]


def test_names_tell_codecs_apart() -> None:
    """The name goes into the fingerprint: other words, another range or zone are another codec."""
    names = {
        one_of({"a": "b"}).name,
        one_of({"a": "c"}).name,
        one_of({"a": "b"}, otherwise="c").name,
        share(100).name,
        share(1).name,
        local_date("UTC").name,
        local_date("Europe/Madrid").name,
    }
    assert len(names) == 7
    assert one_of({"a": "1", "b": "2"}).name == one_of({"b": "2", "A": "1"}).name
