"""Win rate and cycle, by hand; as of 30 June 2026."""

from __future__ import annotations

import pytest

from tests.unit.kam_world import World, at, figure, on

DAY = on("2026-03-15")


def closed(world: World, account: str, won: int, lost: int) -> None:
    for status, n in (("won", won), ("lost", lost)):
        for _ in range(n):
            world.deal(account, 1, status=status, close_on=DAY)


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    made.account("b")
    return made


def test_a_raw_win_rate_needs_ten_closed_deals(world: World) -> None:
    closed(world, "a", 6, 4)
    closed(world, "b", 6, 3)
    day = world.known()
    assert figure(day, "win_rate_count", "a") == 0.6
    assert figure(day, "win_rate_count", "b") == "few_closed"


def test_below_ten_the_shown_rate_is_pulled_towards_the_peers(world: World) -> None:
    """Reading 18: peers 8 of 15; b (2 + 10 * 8/15) / (5 + 10) = 22/45; a shows its own 6 of 10."""
    closed(world, "a", 6, 4)
    closed(world, "b", 2, 3)
    day = world.known()
    assert figure(day, "win_rate_shown", "a") == 0.6
    assert figure(day, "win_rate_shown", "b") == 0.488889


def test_nothing_closed_is_no_rate(world: World) -> None:
    closed(world, "a", 6, 4)
    day = world.known()
    for name in ("win_rate_count", "win_rate_shown", "win_rate_low", "win_rate_high"):
        assert figure(day, name, "b") == "nothing_closed"


def test_the_interval_stands_beside_the_rate(world: World) -> None:
    """kam.md §3d step 6: 2 of 3 won gives 0.21 to 0.94."""
    closed(world, "a", 2, 1)
    day = world.known()
    assert round(figure(day, "win_rate_low", "a"), 2) == 0.21
    assert round(figure(day, "win_rate_high", "a"), 2) == 0.94


def test_the_rate_looks_at_twelve_months(world: World) -> None:
    """Renewals are in (reading 13); open deals and those closed on an unknown day are in no window (19)."""
    closed(world, "a", 9, 0)
    world.deal("a", 1, status="lost", close_on=on("2025-07-01"), kind="renewal")
    world.deal("a", 1, status="lost", close_on=on("2025-06-30"))
    world.deal("a", 1, status="lost", close_on=None)
    world.deal("a", 1, status="open", close_on=DAY)
    assert world.kpi("win_rate_count") == 0.9


def test_the_cycle_is_the_median_of_whole_days(world: World) -> None:
    """Reading 13: 10 and 15 days, 12.5; 0 or less are left out and counted, lost ones are not asked."""
    for created, status in (
        ("2026-03-05", "won"),
        ("2026-02-28", "won"),
        ("2026-03-15", "won"),
        ("2026-03-20", "won"),
        ("2026-01-01", "lost"),
    ):
        world.deal("a", 1, status=status, close_on=DAY, created_at=at(f"{created}T12:00"))
    assert world.kpi("sales_cycle_days") == 12.5
    assert world.kpi("cycle_left_out_n") == 2


def test_without_a_cycle_there_is_a_reason(world: World) -> None:
    world.deal("a", 1, close_on=DAY, created_at=at("2026-03-15T12:00"))
    day = world.known()
    assert figure(day, "sales_cycle_days", "a") == "no_cycles"
    assert figure(day, "sales_cycle_days", "b") == "no_won"
