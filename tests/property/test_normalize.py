"""What holds of every page, whatever a CRM sends: no row is lost, none is made up, and good ones are exact."""

from __future__ import annotations

import datetime as dt
import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.codecs import (
    Codec,
    boolean,
    date,
    identifier,
    instant,
    local_date,
    money,
    number,
    one_of,
    share,
    text,
    whole,
)
from connectors.mapping import Line, Mapping, normalize
from kammodel.entities import Account, Activity, Opportunity, polars_schema
from kammodel.publish.fields import CustomField, Words, canonical

SEEN = settings(max_examples=max(10, settings.default.max_examples // 2), deadline=None)  # type: ignore[union-attr]
"""A sample of the profile's examples: a page costs ten times what a number does."""
MAPPING = Mapping(
    Opportunity,
    (
        Line("source_id", "Id", identifier),
        Line("created_at", "CreatedDate", instant),
        Line("deleted", "IsDeleted", boolean),
        Line("name", "Name", text),
        Line("amount", "Amount", money),
        Line("probability", "Probability", share(100)),
        Line("close_on", "CloseDate", date),
        Line("kind", "Type", one_of({"new": "new"})),
        Line("currency", ("Own", "Home"), Codec("first", pl.coalesce, total=True)),
    ),
)
COLUMNS = tuple(MAPPING.raw_schema())
STORES_OWN = {"source", "source_instance", "synced_at", "content_changed_at"}

NUMBERLIKE = (
    "",
    " ",
    "1",
    "-0.5",
    "12.34567",
    "1E+5",
    "9" * 30,
    "nan",
    "true",
    "False",
    "=1+1",
    "\x00",
    "{}",
    "\U0001f600",
)
MOMENTLIKE = (
    "2026-01-31",
    "0000-01-01",
    "2026-01-31T10:20:30Z",
    "2026-01-31T10:20:30.123+0200",
    "-2026-01-31T00:00:00Z",
)
WORDS = st.sampled_from((*NUMBERLIKE, *MOMENTLIKE, "new"))
TEXT = st.one_of(st.none(), WORDS, WORDS, st.text(max_size=12))
IDS = st.one_of(st.sampled_from(("1", "2", "3", " 1", "", None)), TEXT)
ROW = st.fixed_dictionaries({c: IDS if c == "Id" else TEXT for c in COLUMNS})
PAGES = st.lists(ROW, max_size=6)


def page(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=MAPPING.raw_schema(), orient="row")


def id_of(row: dict[str, Any]) -> str | None:
    # Rust's and Python's notions of a blank differ in a few control characters; the codec's is asked.
    return page([row]).select(identifier.decode(pl.col("Id")).alias("Id")).item()


@SEEN
@given(PAGES)
def test_every_row_ends_in_rows_or_in_rejects(rows: list[dict[str, Any]]) -> None:
    """Each id of the page stands in one of the two, once; a row without an id is set aside."""
    found = normalize(page(rows), MAPPING)
    ids = [id_of(row) for row in rows]
    named = set(ids) - {None}
    good = found.rows["source_id"].to_list()
    bad = [i for told in found.rejects["raw"] if (i := id_of(json.loads(told))) is not None]
    assert sorted(good + bad) == sorted(named)
    assert found.rows.height + found.rejects.height == len(named) + ids.count(None)


@SEEN
@given(PAGES)
def test_rows_have_the_entitys_schema_and_rejects_their_reason(rows: list[dict[str, Any]]) -> None:
    """Also for a page of no rows, or of nothing but rejects. The raw row stands in the reject as JSON, whole."""
    found = normalize(page(rows), MAPPING)
    expected = {n: t for n, t in polars_schema(Opportunity).items() if n not in STORES_OWN}
    assert found.rows.schema == expected
    assert found.rows["deleted"].null_count() == 0
    assert found.rejects.schema == dict.fromkeys(("source_id", "field", "reason", "raw"), pl.String)
    assert sum(found.rejects.null_count().row(0)) == 0
    assert set(found.rejects["field"]) <= {"id", "CreatedDate", "IsDeleted", "Amount", "CloseDate"}
    for told in found.rejects["raw"]:
        assert json.loads(told) in rows


@SEEN
@given(PAGES)
def test_a_row_does_not_depend_on_its_neighbours(rows: list[dict[str, Any]]) -> None:
    """Alone or in a page, a row is read alike."""
    last = {i: row for row in rows if (i := id_of(row)) is not None}
    together = normalize(page(rows), MAPPING)
    alone = [normalize(page([row]), MAPPING) for row in last.values()]
    assert together.rows.sort("source_id").equals(
        pl.concat([together.rows.clear(), *(n.rows for n in alone)]).sort("source_id")
    )


@SEEN
@given(PAGES)
def test_a_page_read_twice_is_the_same(rows: list[dict[str, Any]]) -> None:
    """Also what stands in for a missing id: a reject is kept once however often it comes."""
    first, second = normalize(page(rows), MAPPING), normalize(page(rows), MAPPING)
    assert first.rows.equals(second.rows)
    assert first.rejects.equals(second.rejects)


AMOUNTS = st.decimals(min_value=Decimal("-1e17"), max_value=Decimal("1e17"), places=10, allow_nan=False)


def decode(codec: Codec, told: list[str]) -> list[Any]:
    return (
        pl.DataFrame({"x": told}, schema={"x": pl.String}).select(codec.decode(pl.col("x")).alias("x"))["x"].to_list()
    )


@SEEN
@given(st.lists(AMOUNTS, min_size=1, max_size=20), st.sampled_from(["f", "E"]))
def test_money_is_what_decimal_arithmetic_says(amounts: list[Decimal], spelling: str) -> None:
    """To ten places, plain or with an exponent: the exact ten-thousandths, or null where Int64 ends."""
    told = [format(a, spelling) if spelling == "f" else f"{a:.30E}" for a in amounts]
    exact = [int((a * 10_000).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)) for a in amounts]
    assert decode(money, told) == [e if -(2**63) <= e < 2**63 else None for e in exact]


# Python goes on with the last rule for ever, the zones inside Polars end with the year 2099.
MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2099, 1, 1))  # noqa: DTZ001  hypothesis wants them naive
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: dt.timezone(dt.timedelta(minutes=m)))


@SEEN
@given(st.lists(st.tuples(MOMENTS, OFFSETS), min_size=1, max_size=10))
def test_instants_are_what_the_calendar_says(moments: list[tuple[dt.datetime, dt.timezone]]) -> None:
    """In every offset and with a fraction or none; and their day follows the zone as Python's does."""
    aware = [m.replace(tzinfo=offset) for m, offset in moments]
    told = [a.isoformat() for a in aware]
    assert decode(instant, told) == [a.astimezone(dt.UTC) for a in aware]
    compact = [a.strftime("%Y-%m-%dT%H:%M:%S.%f%z") for a in aware]
    assert decode(instant, compact) == decode(instant, told)
    madrid = ZoneInfo("Europe/Madrid")
    assert decode(local_date("Europe/Madrid"), told) == [a.astimezone(madrid).date() for a in aware]


@SEEN
@given(st.lists(st.text(max_size=20), max_size=10))
def test_no_codec_fails_on_any_text(told: list[str]) -> None:
    """One value each, of a kind that Python can hold."""
    for codec in (text, identifier, number, whole, money, boolean, instant, date, local_date("Asia/Tokyo"), share(1)):
        assert len(decode(codec, told)) == len(told)


NUMBERS = st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=6, allow_nan=False)
_FIELD = CustomField("k", "number", Words("x", "x"), Words("x", "x"), scale=2)


@SEEN
@given(NUMBERS)
def test_a_number_is_spelled_once(value: Decimal) -> None:
    """The spelling is the rounded number, is its own spelling, and does not depend on zeros or exponents."""
    told = [format(value, "f"), f"{value:.30E}", format(value, "f") + "000", f" {value:f} "]
    spell = pl.DataFrame({"x": told}).select(canonical(_FIELD, pl.col("x")).alias("x"))["x"]
    assert spell.n_unique() == 1
    assert Decimal(spell[0]) == value.quantize(Decimal("0.01"), rounding=ROUND_HALF_EVEN)
    again = pl.DataFrame({"x": spell}).select(canonical(_FIELD, pl.col("x")).alias("x"))["x"]
    assert again.to_list() == spell.to_list()
    assert not spell[0].endswith(".")
    assert spell[0] != "-0"


@pytest.mark.parametrize("entity", [Account, Activity])
def test_a_mapping_of_one_line_fills_the_rest_with_nothing(entity: Any) -> None:
    """Columns that are not mapped are null, but for the three that have a rule."""
    found = normalize(pl.DataFrame({"Id": ["1"]}), Mapping(entity, (Line("source_id", "Id", identifier),)))
    row = found.rows.row(0, named=True)
    assert {name: value for name, value in row.items() if value is not None} == (
        {"source_id": "1", "deleted": False}
        | ({"is_counted": True, "is_calendar": False} if entity is Activity else {})
    )
