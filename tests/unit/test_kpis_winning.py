"""Win rate and cycle, by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import LineItem, PipelineStage
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


def valued(world: World, amount: float | None, status: str, n: int = 1, **values: Any) -> None:
    for _ in range(n):
        world.deal("a", amount, status=status, close_on=DAY, **values)


def test_the_rate_by_value(world: World) -> None:
    """60 won of 60 + 40; renewals are in."""
    valued(world, 10, "won", 6, kind="renewal")
    valued(world, 10, "lost", 4)
    assert world.kpi("win_rate_value") == 0.6


def test_a_lost_deal_is_worth_its_last_open_amount(world: World) -> None:
    """Reading 17: not what it was set to when it was lost, nor the 0 before that."""
    valued(world, 10, "won", 9)
    valued(world, 0, "lost", source_id="d")
    world.event("d", "2026-01-01T09:00", "open", 5)
    world.event("d", "2026-02-01T09:00", "open", 30)
    world.event("d", "2026-03-01T09:00", "open", 0)
    world.event("d", "2026-03-15T09:00", "lost", 0)
    assert world.kpi("win_rate_value") == 0.75


def test_else_its_own_amount_else_its_list_price(world: World) -> None:
    """Reading 17: two of 7.50 and one of 15, the line that is deleted left out: 30."""
    valued(world, 10, "won", 8)
    valued(world, 10, "lost")
    valued(world, None, "lost", source_id="d")
    for name, price, quantity, deleted in (("1", 7.5, 2.0, False), ("2", 15, None, False), ("3", 900, 1.0, True)):
        line = {"list_price": round(price * 10_000), "quantity": quantity, "deleted": deleted}
        world.add(LineItem, name, opportunity_id="d", **line)
    assert world.kpi("win_rate_value") == 0.666667


@pytest.mark.parametrize(("won", "lost"), [(None, 10), (10, None)])
def test_a_value_that_is_not_known_leaves_the_rate_unknown(world: World, won: float | None, lost: float | None) -> None:
    """Reading 17."""
    valued(world, 10, "won", 10)
    valued(world, won, "won")
    valued(world, lost, "lost")
    assert world.kpi("win_rate_value") == "amounts_unknown"


def test_few_closed_deals_have_no_rate_by_value(world: World) -> None:
    valued(world, 10, "won", 9)
    assert world.kpi("win_rate_value") == "few_closed"
    valued(world, 5, "lost", currency="GBP")
    assert world.kpi("win_rate_value") == "no rate for GBP"


def created(world: World, day: str, status: str, n: int = 1, close: str | None = None) -> None:
    for _ in range(n):
        close_on = None if close is None else on(close)
        world.deal("a", 1, status=status, created_at=at(f"{day}T12:00"), close_on=close_on)


def test_the_rate_of_a_cohort_counts_what_stays_open(world: World) -> None:
    """Created in (30 June 2024, 30 June 2025]: 4 won, 3 lost, 3 open; the rate by close date would be 4 of 7."""
    created(world, "2024-07-01", "won", 2, "2024-09-01")
    created(world, "2025-06-30", "won", 2, "2026-06-01")
    created(world, "2024-09-01", "lost", 3, "2024-12-01")
    created(world, "2024-09-01", "open", 3, "2027-01-01")
    created(world, "2024-06-30", "won", 5, "2024-09-01")
    created(world, "2025-07-01", "won", 5, "2025-09-01")
    assert (world.kpi("created_n"), world.kpi("win_rate_created")) == (10, 0.4)


def test_a_cohort_that_is_too_small_or_too_young_has_no_rate(world: World) -> None:
    """Where nineteen in twenty deals ever won took longer than a year, its open ones may be won yet."""
    assert world.kpi("win_rate_created") == "nothing_created"
    created(world, "2025-01-01", "lost", 9, "2025-03-01")
    assert world.kpi("win_rate_created") == "few_created"
    created(world, "2025-01-01", "lost", 1, "2025-03-01")
    assert world.kpi("win_rate_created") == 0.0
    created(world, "2020-01-01", "won", 1, "2021-06-01")
    assert world.kpi("win_rate_created") == "long_cycle"


@pytest.mark.parametrize(("won_soon", "rate"), [(11, "long_cycle"), (18, "long_cycle"), (19, 0.0)])
def test_nineteen_in_twenty_are_told_by_rank(world: World, won_soon: int, rate: Any) -> None:
    """The nearest rank of 12 and of 19 deals is the longest, of 20 the last but one."""
    created(world, "2025-01-01", "lost", 10, "2025-03-01")
    created(world, "2020-01-01", "won", won_soon, "2020-02-01")
    created(world, "2020-01-01", "won", 1, "2021-06-01")
    assert world.kpi("win_rate_created") == rate


STAGES = {"first": 1, "second": 2, "third": 3}


def went(world: World, deal: str, status: str, *moves: tuple[str, str], close: str | None = None) -> None:
    """A deal with its stages by day; the last one is its present one."""
    for name, position in STAGES.items():
        if len(world.others.get(PipelineStage, [])) < len(STAGES):
            world.add(PipelineStage, name, stage_id=name, position=position, status="open")
    close_on = None if close is None else on(close)
    world.deal("a", 10, source_id=deal, status=status, stage_id=moves[-1][0], close_on=close_on)
    for stage, day in moves:
        world.event(deal, f"{day}T10:00", "open" if stage in STAGES else stage, 10, stage_id=stage)


def test_a_stage_is_passed_by_coming_further(world: World) -> None:
    """Won: first, second. Lost out of second: first. The open one has passed its first: 4 of 5; the rest is
    undecided."""
    went(
        world, "w", "won", ("first", "2026-01-01"), ("second", "2026-01-11"), ("won", "2026-01-31"), close="2026-01-31"
    )
    went(
        world,
        "l",
        "lost",
        ("first", "2026-01-01"),
        ("second", "2026-01-05"),
        ("lost", "2026-02-05"),
        close="2026-02-05",
    )
    went(world, "o", "open", ("first", "2026-03-01"), ("third", "2026-03-03"))
    assert world.kpi("stage_conversion") == 0.8


def test_a_move_back_is_no_new_entry_and_passes_nothing(world: World) -> None:
    """First again after second, then lost: the second stage was not passed, the first one was."""
    moves = (("first", "2026-01-01"), ("second", "2026-01-05"), ("first", "2026-01-09"), ("lost", "2026-02-05"))
    went(world, "d", "lost", *moves, close="2026-02-05")
    assert world.kpi("stage_conversion") == 0.5


def test_velocity_is_the_median_of_days_in_a_stage(world: World) -> None:
    """10, 20 and 2 days, those of stages that were left; what was left before the twelve months is out."""
    went(
        world, "w", "won", ("first", "2026-01-01"), ("second", "2026-01-11"), ("won", "2026-01-31"), close="2026-01-31"
    )
    went(world, "o", "open", ("first", "2026-03-01"), ("third", "2026-03-03"))
    went(world, "x", "open", ("first", "2025-01-01"), ("third", "2025-06-30"))
    assert world.kpi("stage_velocity_days") == 10.0


def test_without_a_history_nothing_is_known_of_stages(world: World) -> None:
    valued(world, 10, "won")
    assert world.kpi("stage_conversion") == "no_stage_history"
    assert world.kpi("stage_velocity_days") == "no_stage_history"


def test_rates_of_a_manager_and_of_all(world: World) -> None:
    """By the owner of the root account: the same rule over more deals."""
    world.account("c", owner_id="ana")
    world.account("d", owner_id="ana")
    for account, won, lost in (("c", 4, 1), ("d", 4, 1), ("a", 0, 10)):
        closed(world, account, won, lost)
    assert world.kpi("win_rate_count", "c") == "few_closed"
    assert world.of_kam("win_rate_count", "ana") == 0.8
    assert world.of_all("win_rate_count") == 0.4
