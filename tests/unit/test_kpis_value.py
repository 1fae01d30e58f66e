"""Revenue, growth, share and deal size, by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.facts.windows import months_before
from tests.unit.kam_world import World, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2026-06-30", 12, "2025-06-30"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-01-15", 13, "2024-12-15"),
        ("2024-02-29", 24, "2022-02-28"),
        ("2026-11-30", -3, "2027-02-28"),
    ],
)
def test_months_keep_the_day_number_clamped_to_a_shorter_month(day: str, n: int, expected: str) -> None:
    """Reading 6."""
    assert months_before(on(day), n) == on(expected)


def test_revenue_counts_won_deals_closed_in_twelve_months(world: World) -> None:
    """(30 June 2025, 30 June 2026]; credits are in, lost deals and later ones out."""
    for amount, day in ((1, "2025-06-30"), (2, "2025-07-01"), (4, "2026-06-30"), (-1, "2026-01-01"), (8, "2026-07-01")):
        world.deal("a", amount, close_on=on(day))
    world.deal("a", 16, status="lost", close_on=on("2026-01-01"))
    assert world.kpi("revenue_ttm") == 5 * 10_000
    assert world.kpi("revenue_prior_ttm") == 1 * 10_000
    assert world.kpi("revenue_24m") == 6 * 10_000


def test_revenue_is_the_groups(world: World) -> None:
    world.account("b", parent_id="a")
    world.deal("a", 1, close_on=on("2026-01-01"))
    world.deal("b", 2, close_on=on("2026-01-01"))
    assert world.kpi("revenue_ttm") == 30_000


@pytest.mark.parametrize(
    ("amounts", "revenue", "missing"),
    [((), 0, 0), ((None,), "amounts_unknown", 1), ((None, 7), 70_000, 1), ((None, 0), 0, 1), ((0,), 0, 0)],
)
def test_null_amounts_among_won_deals(
    world: World, amounts: tuple[float | None, ...], revenue: Any, missing: int
) -> None:
    """Reading 9."""
    for amount in amounts:
        world.deal("a", amount, close_on=on("2026-01-01"))
    assert world.kpi("revenue_ttm") == revenue
    assert world.kpi("amount_missing_n") == missing


@pytest.mark.parametrize(
    ("deals", "growth", "delta"),
    [
        (((100, "2024-06-30"), (50, "2025-01-01"), (60, "2026-01-01")), 0.2, 100_000),
        (((100, "2024-07-01"), (60, "2026-01-01")), "short_history", -400_000),
        (((100, "2024-06-30"), (60, "2026-01-01")), "new", 600_000),
        (((100, "2024-06-30"), (-5, "2025-01-01")), "new", 50_000),
        (((100, "2024-06-30"), (3, "2025-01-01")), -1.0, -30_000),
        ((), "new", 0),
        (((100, "2024-06-30"), (None, "2025-01-01")), "amounts_unknown", "amounts_unknown"),
    ],
)
def test_growth_on_last_year(world: World, deals: tuple[tuple[float, str], ...], growth: Any, delta: Any) -> None:
    """Reading 11: prior of 0 or less is new; the group's first revenue less than 24 months ago is short history."""
    for amount, day in deals:
        world.deal("a", amount, close_on=on(day))
    assert world.kpi("revenue_yoy_growth") == growth
    assert world.kpi("revenue_yoy_delta") == delta


def test_share_is_of_all_groups_with_positive_revenue() -> None:
    """Reading 12: partners count in the base, groups at or below 0 do not; orphans are in none."""
    world = World()
    for account, amount in (("a", 30), ("b", 10), ("c", -40), ("d", None)):
        world.account(account, type="partner" if account == "b" else "customer")
        if amount:
            world.deal(account, amount, close_on=on("2026-01-01"))
    world.deal(None, 1000, close_on=on("2026-01-01"))
    day = world.known()
    assert [figure(day, "revenue_share", a) for a in "abcd"] == [0.75, 0.25, "no_revenue", "no_revenue"]


def test_a_missing_rate_anywhere_leaves_all_shares_unknown() -> None:
    """Reading 7: the row enters the base of every share."""
    world = World()
    world.account("a")
    world.account("b")
    world.deal("a", 30, close_on=on("2026-01-01"))
    world.deal("b", 30, close_on=on("2026-01-01"), currency="GBP")
    assert figure(world.known(), "revenue_share", "a") == "no rate for GBP"


def test_deal_sizes_leave_out_renewals_and_nothing(world: World) -> None:
    """Reading 13: renewals by kind are out, unknown kind stays in; 10, 20, 60 and 11: mean 25.25, median 15.5."""
    for amount, kind in ((10, "new"), (20, None), (60, "expansion"), (11, None), (900, "renewal"), (0, None)):
        world.deal("a", amount, kind=kind, close_on=on("2026-01-01"))
    world.deal("a", None, close_on=on("2026-01-01"))
    assert world.kpi("avg_deal_size") == 252_500
    assert world.kpi("median_deal_size") == 155_000


def test_a_mean_rounds_half_to_even(world: World) -> None:
    """0.0001 and 0.0002: 1.5 ten-thousandths are 2; 0.0001 and 0.0004: 2.5 are 2."""
    world.account("b")
    for account, ten_thousandths in (("a", 1), ("a", 2), ("b", 1), ("b", 4)):
        world.deal(account, ten_thousandths / 10_000, close_on=on("2026-01-01"))
    day = world.known()
    assert (figure(day, "avg_deal_size", "a"), figure(day, "avg_deal_size", "b")) == (2, 2)


@pytest.mark.parametrize(("amount", "why"), [(None, "amounts_unknown"), (0, "no_won")])
def test_without_a_sized_deal_there_is_no_size(world: World, amount: float | None, why: str) -> None:
    world.deal("a", amount, close_on=on("2026-01-01"))
    assert world.kpi("avg_deal_size") == why
    assert world.kpi("median_deal_size") == why


@pytest.mark.parametrize(
    ("first", "is_short", "annualised"),
    [
        ("2025-06-30", 0, "full_year"),
        ("2025-07-01", 1, 365 * 730 // 365),
        ("2026-06-21", 1, 730 * 365 // 10),
        ("2026-06-30", 1, 730 * 365),
    ],
)
def test_a_short_history_is_flagged_and_scaled_beside_the_figure(
    world: World, first: str, is_short: int, annualised: Any
) -> None:
    """kam.md §4: never in revenue_ttm itself; ten days of history are a tenth of 365 / 10."""
    world.deal("a", 730, close_on=on(first))
    assert world.kpi("revenue_history_short") == is_short
    found = world.kpi("revenue_annualised")
    assert found == (annualised if isinstance(annualised, str) else annualised * 10_000)


def test_without_revenue_there_is_nothing_to_scale(world: World) -> None:
    assert world.kpi("revenue_history_short") == "no_revenue"
    assert world.kpi("revenue_annualised") == "no_revenue"


def test_sizes_of_all_are_of_all_deals(world: World) -> None:
    """The median of 1, 2 and 30, and not that of two medians."""
    world.account("b")
    for account, amount in (("a", 1), ("a", 2), ("b", 30)):
        world.deal(account, amount, close_on=on("2026-01-01"))
    assert (world.of_all("median_deal_size"), world.of_all("avg_deal_size")) == (20_000, 110_000)
