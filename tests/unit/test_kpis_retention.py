"""Retention and the bridge of revenue, by hand; as of 30 June 2026, so that the year before ends on 30 June 2025."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.kam_world import World, on

BEFORE, NOW, LONG_AGO = on("2025-01-15"), on("2026-01-15"), on("2024-01-15")
BRIDGE = {
    "cohort_revenue": 250,
    "expansion_revenue": 30,
    "contraction_revenue": 40,
    "churned_revenue": 65,
    "new_revenue": 75,
    "bridge_revenue": 250,
}


@pytest.fixture
def world() -> World:
    """Grown 100 -> 130, shrunk 90 -> 50, gone 60 -> -5, and new 0 -> 75; three are Ana's, the new one is nobody's."""
    made = World()
    revenues = {"grown": (100, 130), "shrunk": (90, 50), "gone": (60, -5), "new": (None, 75)}
    for account, (before, now) in revenues.items():
        made.account(account, owner_id=None if account == "new" else "ana")
        for amount, day in ((before, BEFORE), (now, NOW), (1, LONG_AGO)):
            if amount is not None:
                made.deal(account, amount, close_on=day)
    return made


def of_all(world: World, name: str) -> Any:
    found = world.of_all(name)
    return found / 10_000 if isinstance(found, int) else found


@pytest.mark.parametrize(("name", "value"), BRIDGE.items())
def test_the_bridge_leads_from_last_year_to_this_one(world: World, name: str, value: int) -> None:
    assert of_all(world, name) == value


def test_the_bridge_closes() -> None:
    start, more, less, lost, new, end = BRIDGE.values()
    assert start + more - less - lost + new == end


def test_retention_is_of_last_years_customers(world: World) -> None:
    """kam.md §4: NRR (130 + 50 - 5) / 250; GRR (100 + 50 - 5) / 250; two of three logos."""
    assert world.of_all("nrr_ttm") == 0.7
    assert world.of_all("grr_ttm") == 0.58
    assert world.of_all("logo_retention_ttm") == 0.666667


def test_a_manager_has_a_bridge_of_their_own(world: World) -> None:
    assert world.of_kam("new_revenue", "ana") == 0
    assert world.of_kam("nrr_ttm", "ana") == 0.7


def test_of_one_group_it_is_the_ratio_alone(world: World) -> None:
    assert [world.kpi("nrr_ttm", a) for a in ("grown", "shrunk", "new")] == [1.3, 0.555556, "no_cohort"]
    assert world.kpi("grr_ttm", "grown") == 1.0
    assert world.kpi("expansion_revenue", "grown") == 300_000


def test_a_year_that_was_not_whole_says_nothing() -> None:
    """Reading 11: while the first revenue event of all is younger than 24 months."""
    world = World()
    world.account("a")
    world.deal("a", 100, close_on=on("2024-07-01"))
    world.deal("a", 100, close_on=NOW)
    assert world.of_all("nrr_ttm") == "short_history"
    world.account("b")
    world.deal("b", 1, close_on=on("2024-06-30"))
    assert world.of_all("nrr_ttm") == 1.0


def test_a_missing_rate_leaves_all_of_it_unknown(world: World) -> None:
    """Reading 7."""
    world.deal("new", 5, currency="GBP", close_on=NOW)
    assert world.of_all("grr_ttm") == "no rate for GBP"
    assert world.of_all("bridge_revenue") == "no rate for GBP"


def test_a_group_of_unknown_revenue_is_left_out_and_counted(world: World) -> None:
    """Reading 9: nothing known of it is no reason to know nothing of the others."""
    world.account("unknown")
    world.deal("unknown", None, close_on=NOW)
    world.deal("unknown", 900, close_on=BEFORE)
    assert of_all(world, "cohort_revenue") == 250
    assert world.of_all("bridge_left_out_n") == 1
    assert world.kpi("cohort_revenue", "unknown") == "amounts_unknown"


def test_a_crm_that_was_not_read_leaves_the_portfolio_unknown(world: World) -> None:
    """Not that of those whose groups were read."""
    world.account("7", source="hubspot")
    found = world.known_of(hubspot=("accounts",))
    assert found.portfolio["nrr_ttm__why"].item() == "not_read"
    assert found.by_kam["nrr_ttm"].to_list() == [0.7]
