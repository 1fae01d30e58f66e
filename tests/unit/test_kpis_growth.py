"""Wallets, product families and what peers spend on them: by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import LineItem, Product
from kammodel.scoring import known_kpis
from tests.unit.kam_world import CONFIG, World, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a", industry="Steel", country="ES")
    for family in ("Pumps", "Valves", "Service"):
        made.add(Product, family.lower(), family=family, is_active=True)
    return made


def buy(world: World, account: str, family: str, amount: float | None, day: str = "2026-01-15", **values: Any) -> None:
    """A won deal of one line."""
    number = len(world.deals)
    world.deal(account, amount, source_id=f"d{number}", close_on=on(day), **values)
    money = None if amount is None else round(amount * 10_000)
    world.add(
        LineItem, f"l{number}", opportunity_id=f"d{number}", product_id=family.lower(), amount=money, currency="EUR"
    )


def test_no_estimate_no_share(world: World) -> None:
    assert [world.kpi(name) for name in ("wallet", "share_of_wallet", "wallet_gap")] == ["not_given"] * 3


def test_the_share_is_ours_of_the_estimate_in_force(world: World) -> None:
    world.deal("a", 250, close_on=on("2026-01-01"))
    for since, amount in ((None, 4_000), ("2026-01-01", 1_000), ("2026-07-01", 9_000)):
        world.give("wallet", account="a", valid_from=since and on(since), amount=amount * 10_000)
    assert (world.kpi("wallet"), world.kpi("share_of_wallet"), world.kpi("wallet_gap")) == (10_000_000, 0.25, 7_500_000)
    assert world.kpi("wallet", as_of=on("2025-12-31")) == 40_000_000


def test_estimates_of_members_add_up_in_the_reporting_currency(world: World) -> None:
    world.account("b", parent_id="a")
    world.give("wallet", account="a", amount=1_000_0000)
    world.give("wallet", account="b", amount=1_000_0000, currency="USD")
    assert world.kpi("wallet") == "no rate for USD"
    world.give("fx_rates", currency="USD", valid_from=on("2026-01-01"), rate_numerator=5, rate_denominator=10)
    assert world.kpi("wallet") == 15_000_000


def test_an_estimate_below_what_we_sell_is_wrong(world: World) -> None:
    world.deal("a", 250, close_on=on("2026-01-01"))
    world.give("wallet", account="a", amount=200_0000)
    assert (world.kpi("share_of_wallet"), world.kpi("wallet_gap")) == ("wallet_below_revenue", "wallet_below_revenue")


def test_breadth_counts_families_bought_in_two_years(world: World) -> None:
    buy(world, "a", "Pumps", 10, "2024-07-01")
    buy(world, "a", "Pumps", 10)
    buy(world, "a", "Valves", 10, "2024-06-30")
    buy(world, "a", "Service", 10, status="lost")
    assert (world.kpi("families_owned"), world.kpi("families_eligible"), world.kpi("product_breadth")) == (
        1,
        3,
        0.333333,
    )


def test_products_never_read_are_unknown(world: World) -> None:
    day = known_kpis(world.inputs(salesforce=("opportunities", "products")), CONFIG)
    assert [figure(day, name, "a") for name in ("product_breadth", "whitespace_value")] == ["not_read", "not_read"]


def test_without_families_there_is_no_breadth() -> None:
    world = World()
    world.account("a")
    world.add(Product, "p", is_active=True)
    world.add(Product, "q", family="Old", is_active=False)
    assert [world.kpi(name) for name in ("product_breadth", "whitespace_cells")] == ["no_families", "no_families"]


def test_who_may_buy_what_is_a_file(world: World) -> None:
    """Of two lines that fit, one that says no wins; an account of unknown industry fits lines for any."""
    world.account("b", country="PT")
    world.give("families", family="Pumps")
    world.give("families", family="Valves", industry="steel")
    world.give("families", family="Service", is_eligible=True)
    world.give("families", family="Service", country="PT", is_eligible=False)
    assert (world.kpi("families_eligible", "a"), world.kpi("families_eligible", "b")) == (3, 1)


def test_cells_are_owned_in_the_pipeline_or_gaps(world: World) -> None:
    world.account("b", parent_id="a", industry="Steel", country="ES")
    buy(world, "a", "Pumps", 10)
    buy(world, "b", "Valves", 10, status="open")
    assert world.kpi("whitespace_cells") == 4
    world.give("installed_base", account="b", family="Pumps", starts_on=on("2020-01-01"))
    world.give("installed_base", account="b", family="Service", ends_on=on("2026-06-29"))
    assert (world.kpi("whitespace_cells"), world.kpi("families_owned")) == (3, 1)


def test_a_gap_is_worth_what_peers_spend_by_how_many_of_them_do(world: World) -> None:
    """Ten peers bought pumps, four of them valves too for 100, 200, 300 and 400: 250 x 0.4."""
    for number in range(10):
        world.account(f"p{number}")
        buy(world, f"p{number}", "Pumps", 50)
        if number < 4:
            buy(world, f"p{number}", "Valves", 100 * (number + 1))
    buy(world, "a", "Service", None)
    assert world.kpi("whitespace_value") == round((50 * 10 / 11 + 250 * 4 / 11) * 10_000)
    assert world.kpi("whitespace_unvalued_n") == 0


def test_few_peers_tell_nothing(world: World) -> None:
    buy(world, "a", "Pumps", 50)
    assert (world.kpi("whitespace_value"), world.kpi("whitespace_unvalued_n")) == ("few_peers", 2)


def test_nothing_left_to_sell_is_worth_nothing(world: World) -> None:
    for family in ("Pumps", "Valves", "Service"):
        buy(world, "a", family, 10)
    assert (world.kpi("whitespace_value"), world.kpi("whitespace_cells")) == (0, 0)


def test_deals_of_a_merged_account_stay_with_the_group(world: World) -> None:
    world.account("old", merged_into_id="a", deleted=True)
    buy(world, "old", "Pumps", 10)
    assert (world.kpi("families_owned"), world.kpi("whitespace_cells")) == (1, 2)


def test_deals_of_a_merged_account_are_those_of_its_survivor(world: World) -> None:
    """Of three families the subsidiary has one by the account that it took in, and the parent none."""
    world.account("b", parent_id="a")
    world.account("old", merged_into_id="b", deleted=True)
    buy(world, "b", "Pumps", 10)
    buy(world, "old", "Pumps", 10)
    assert (world.kpi("families_owned"), world.kpi("whitespace_cells")) == (1, 5)
