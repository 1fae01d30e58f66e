"""Entities: the types that the tables imply, and exact money and instants."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from sqlalchemy.dialects import sqlite

from kammodel.entities import ENTITIES, KEY, OURS, Account, ScoreSnapshot, Sourced, content_columns, polars_schema
from kammodel.entities.schema import table_of
from kammodel.entities.types import Instant, Money, from_micros, to_decimal, to_micros, to_money

INSTANT = pl.Datetime("us", "UTC")


def test_polars_types_follow_the_tables() -> None:
    """Instants are microseconds in UTC, money and counts Int64, days are days, ratios Float64, the rest text."""
    assert polars_schema(Account) == {
        "source": pl.String,
        "source_instance": pl.String,
        "source_id": pl.String,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        "deleted": pl.Boolean,
        "synced_at": INSTANT,
        "content_changed_at": INSTANT,
        "name": pl.String,
        "domain": pl.String,
        "type": pl.String,
        "industry": pl.String,
        "country": pl.String,
        "region": pl.String,
        "currency": pl.String,
        "employees": pl.Int64,
        "annual_revenue": pl.Int64,
        "lifecycle_stage": pl.String,
        "is_target": pl.Boolean,
        "icp_tier": pl.String,
        "owner_id": pl.String,
        "parent_id": pl.String,
        "merged_into_id": pl.String,
        "cross_reference": pl.String,
        "strategic_value": pl.Float64,
        "tier_override": pl.String,
        "tier_override_reason": pl.String,
        "tier_override_until": pl.Date,
    }
    assert polars_schema(ScoreSnapshot)["snapshot_id"] == pl.Int64
    assert polars_schema(ScoreSnapshot)["as_of"] == pl.Date


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.__name__)
def test_every_entity_carries_the_envelope(entity: type[Sourced]) -> None:
    """The key is the CRM's, the store's own stamps are never null, and no column points at another table."""
    table = table_of(entity)
    assert tuple(c.name for c in table.primary_key) == KEY
    assert all(not table.c[name].nullable for name in (*KEY, *OURS, "deleted"))
    assert not table.foreign_keys


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.__name__)
def test_stamps_are_no_content(entity: type[Sourced]) -> None:
    """A CRM that re-stamps a row has told no news; anything else is news."""
    stamps = {*KEY, "synced_at", "content_changed_at", "updated_at"}
    assert set(content_columns(entity)) == set(polars_schema(entity)) - stamps


@pytest.mark.parametrize(
    ("amount", "money"),
    [
        ("0", 0),
        ("-1234.5678", -12_345_678),
        ("0.00005", 0),
        ("0.00015", 2),
        ("-0.00025", -2),
        ("0.000050000000001", 1),
        ("1E+5", 1_000_000_000),
        ("922337203685477.5807", 2**63 - 1),
        ("-922337203685477.5808", -(2**63)),
    ],
)
def test_decimals_become_money_half_to_even(amount: str, money: int) -> None:
    """Ten-thousandths, exactly; beyond the fourth place half to even."""
    assert to_money(Decimal(amount)) == money


@pytest.mark.parametrize("money", [0, 1, -1, 10_000, 2**63 - 1, -(2**63), 9_007_199_254_740_993])
def test_money_survives_the_way_to_decimal_and_back(money: int) -> None:
    """Every value of the column, with its four places."""
    assert to_money(to_decimal(money)) == money
    assert to_decimal(money).as_tuple().exponent == -4


def test_instants_are_whole_microseconds() -> None:
    """Exact on both sides of 1970 and at the ends of the calendar, whatever the offset."""
    at = dt.datetime(2026, 3, 29, 3, 0, 0, 1, tzinfo=ZoneInfo("Europe/Madrid"))
    assert to_micros(at) == 1_774_746_000_000_001
    assert from_micros(1_774_746_000_000_001) == dt.datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=dt.UTC)
    assert to_micros(dt.datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=dt.UTC)) == -1
    for at in (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)):
        assert from_micros(to_micros(at)) == at


def test_a_naive_instant_is_refused() -> None:
    """It has no place in time."""
    with pytest.raises(ValueError, match="time zone"):
        to_micros(dt.datetime(2026, 1, 1))  # noqa: DTZ001  naive on purpose


def test_columns_bind_and_read_back() -> None:
    """The column type stores microseconds and gives an aware UTC moment; null stays null."""
    column, dialect = Instant(), sqlite.dialect()
    at = dt.datetime(2026, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    stored = column.process_bind_param(at, dialect)
    assert stored == 1_767_261_600_000_000
    assert column.process_result_value(stored, dialect) == dt.datetime(2026, 1, 1, 10, tzinfo=dt.UTC)
    assert column.process_bind_param(None, dialect) is column.process_result_value(None, dialect) is None
    assert str(Money().compile(dialect)) == "BIGINT"
