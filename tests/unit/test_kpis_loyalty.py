"""Purchases, tenure and cadence, by hand; as of 30 June 2026."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.unit.kam_world import AS_OF, World, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def bought(world: World, *days: str, account: str = "a") -> None:
    for day in days:
        world.deal(account, 5, close_on=on(day))


def test_a_purchase_is_a_won_deal_above_nothing(world: World) -> None:
    """Reading 10; windows are (t - 24 months, t] and all up to t."""
    bought(world, "2024-06-30", "2024-07-01", "2026-06-30", "2026-07-01")
    world.deal("a", 0, close_on=on("2026-01-01"))
    world.deal("a", -5, close_on=on("2026-01-01"))
    world.deal("a", 5, status="lost", close_on=on("2026-01-01"))
    assert world.kpi("purchases_24m") == 2
    assert world.kpi("purchases_ever") == 3
    assert world.kpi("days_since_first_purchase") == 730
    assert world.kpi("days_since_last_purchase") == 0


def test_purchases_of_unknown_amount_are_unknown_not_none(world: World) -> None:
    world.deal("a", None, close_on=on("2026-01-01"))
    assert world.kpi("purchases_24m") == "amounts_unknown"
    assert world.kpi("purchases_ever") == "amounts_unknown"
    assert world.day().scores.frame["out_reason"].item() == "purchases_unknown"


def test_a_currency_without_rate_is_a_purchase_all_the_same(world: World) -> None:
    """Whether it is above 0 needs no rate."""
    world.deal("a", 5, currency="GBP", close_on=on("2026-01-01"))
    assert world.kpi("purchases_24m") == 1


def test_who_never_bought_has_no_purchase(world: World) -> None:
    assert world.kpi("purchases_ever") == 0
    for name in ("days_since_first_purchase", "days_since_last_purchase", "customer_tenure_months", "cadence_recency"):
        assert world.kpi(name) == "no_purchase"
    assert world.kpi("active_quarters_8") == 0


@pytest.mark.parametrize(
    ("first", "as_of", "months"),
    [
        ("2026-05-30", "2026-06-30", 1),
        ("2026-05-31", "2026-06-30", 0),
        ("2016-06-30", "2026-06-30", 120),
        ("2016-07-01", "2026-06-30", 119),
        ("2026-06-30", "2026-06-30", 0),
        ("2025-12-15", "2026-01-20", 1),
    ],
)
def test_tenure_is_in_completed_calendar_months(world: World, first: str, as_of: str, months: int) -> None:
    """Reading 6."""
    bought(world, first)
    assert world.kpi("customer_tenure_months", as_of=on(as_of)) == months


@pytest.mark.parametrize(("sharing", "others", "is_migration"), [(5, 19, True), (5, 20, False), (4, 0, False)])
def test_a_day_of_many_first_purchases_is_a_migration(sharing: int, others: int, *, is_migration: bool) -> None:
    """Reading 14: more than 20 % of the first purchases on one day, at least five groups."""
    world = World()
    for k in range(sharing + others):
        world.account(f"g{k:02}")
        day = on("2020-01-01") if k < sharing else on("2021-01-01") + dt.timedelta(days=k)
        world.deal(f"g{k:02}", 5, close_on=day)
    day = world.known()
    assert figure(day, "customer_tenure_months", "g00") == ("migration_date" if is_migration else 77)
    assert isinstance(figure(day, "customer_tenure_months", f"g{sharing - 1:02}"), str) == is_migration
    assert day.counts["tenure_by_migration_date"] == (sharing if is_migration else 0)


def test_active_quarters_are_rolling_three_month_windows(world: World) -> None:
    """Reading 35: (30 March, 30 June] is the last; two purchases in one count once; 24 months back is out."""
    bought(world, "2026-06-30", "2026-03-31", "2026-03-30", "2024-07-01", "2024-06-30")
    assert world.kpi("active_quarters_8") == 3


def test_cadence_is_the_median_gap_of_distinct_days(world: World) -> None:
    """Days 0, 10, 10, 40: gaps 10 and 30, median 20; last purchase 40 days ago, so 2."""
    start = AS_OF - dt.timedelta(days=80)
    for offset in (0, 10, 10, 40):
        world.deal("a", 5, close_on=start + dt.timedelta(days=offset))
    assert world.kpi("purchase_gap_days") == 20.0
    assert world.kpi("cadence_recency") == 2.0


def test_cadence_needs_three_distinct_days(world: World) -> None:
    """Reading 35."""
    bought(world, "2026-01-01", "2026-02-01", "2026-02-01")
    assert world.kpi("cadence_recency") == "few_purchase_days"


def test_cadence_knows_nothing_of_later_purchases(world: World) -> None:
    bought(world, "2026-01-01", "2026-02-01", "2026-03-01", "2026-08-01")
    assert world.kpi("purchase_gap_days", as_of=on("2026-02-15")) == "few_purchase_days"
