"""Revenue events: each sale once, out of the best record that tells of it; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import Order
from tests.unit.kam_world import World, at, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def ordered(world: World, amount: float, day: str, deal: str | None = None, **values: Any) -> None:
    told = {
        "account_id": "a",
        "opportunity_id": deal,
        "status_code": "Activated",
        "effective_on": on(day),
        "amount": round(amount * 10_000),
        "currency": "EUR",
    }
    world.add(Order, f"order-{len(world.others.get(Order, []))}", **{**told, **values})


def invoiced(world: World, amount: float, day: str, kind: str = "invoice", **values: Any) -> None:
    number = f"no-{len(world.files.get('revenue', []))}"
    told = {"event_id": number, "account": "a", "booked_on": on(day), "kind": kind, "amount": round(amount * 10_000)}
    world.give("revenue", **{**told, **values})


def revenue(world: World) -> Any:
    found = world.kpi("revenue_ttm")
    return found if isinstance(found, str) else found / 10_000


def test_an_order_takes_the_place_of_the_deal_that_it_names(world: World) -> None:
    """Its amount and its day: the deal of June 2025 was ordered within the twelve months."""
    world.deal("a", 100, source_id="d", close_on=on("2025-06-30"))
    world.deal("a", 7, close_on=on("2026-01-01"))
    ordered(world, 90, "2025-07-15", deal="d")
    assert revenue(world) == 97


def test_where_orders_name_their_deals_one_that_does_not_is_a_sale_of_its_own(world: World) -> None:
    world.deal("a", 100, source_id="d", close_on=on("2026-01-01"))
    ordered(world, 90, "2026-01-02", deal="d")
    ordered(world, 5, "2026-02-01")
    assert revenue(world) == 95


def test_orders_that_never_name_a_deal_count_alone_from_the_first_on(world: World) -> None:
    """Both would tell of the same sale, and nothing says of which."""
    for day in ("2025-09-01", "2026-02-01", "2026-03-01"):
        world.deal("a", 100, close_on=on(day))
    ordered(world, 40, "2026-01-15")
    ordered(world, 50, "2026-03-15")
    assert revenue(world) == 190


@pytest.mark.parametrize(
    "values",
    [
        {"status_code": "Draft"},
        {"status_code": "Canceled"},
        {"status_code": None},
        {"effective_on": on("2026-07-01")},
        {"activated_at": at("2026-07-01T00:00")},
        {"created_at": at("2026-07-01T00:00")},
        {"deleted": True},
        {"account_id": "nobody"},
    ],
)
def test_an_order_that_is_none_yet_changes_nothing(world: World, values: dict[str, Any]) -> None:
    world.deal("a", 100, source_id="d", close_on=on("2026-01-01"))
    ordered(world, 90, "2026-01-02", **{"deal": "d", **values})
    assert revenue(world) == 100


def test_invoices_come_before_all_else_from_the_first_on(world: World) -> None:
    """kam.md §2b: invoice > order > recurring schedule > won opportunity; credits are in."""
    world.deal("a", 1, close_on=on("2025-08-01"))
    world.deal("a", 2, close_on=on("2025-12-01"))
    ordered(world, 4, "2025-09-01")
    ordered(world, 8, "2025-12-01")
    invoiced(world, 16, "2025-11-01")
    invoiced(world, -3, "2025-11-15", kind="credit")
    assert revenue(world) == 1 + 4 + 16 - 3


def test_a_schedule_comes_before_deals_and_after_orders(world: World) -> None:
    world.deal("a", 1, close_on=on("2025-08-01"))
    world.deal("a", 2, close_on=on("2025-10-01"))
    invoiced(world, 10, "2025-09-01", kind="recurring")
    invoiced(world, 10, "2026-02-01", kind="recurring")
    assert revenue(world) == 21
    invoiced(world, 50, "2026-01-01", kind="order")
    assert revenue(world) == 1 + 10 + 50


def test_an_invoice_dated_ahead_is_none_yet(world: World) -> None:
    world.deal("a", 1, close_on=on("2025-08-01"))
    invoiced(world, 16, "2026-07-01")
    assert revenue(world) == 1


def test_an_invoice_converts_at_its_day(world: World) -> None:
    """In the reporting currency unless it says otherwise; rates are those of fx_rates.csv."""
    world.give("fx_rates", currency="USD", valid_from=on("2026-01-01"), rate_numerator=9, rate_denominator=10)
    invoiced(world, 100, "2026-02-01", currency="USD")
    invoiced(world, 5, "2026-02-01")
    assert revenue(world) == 95
    invoiced(world, 100, "2025-12-31", currency="USD")
    assert revenue(world) == "no rate for USD"


def test_purchases_are_revenue_events_above_nothing(world: World) -> None:
    """Reading 10; an account that is invoiced without deals is a customer too."""
    invoiced(world, 10, "2026-02-01")
    invoiced(world, 10, "2026-03-01")
    invoiced(world, -5, "2026-03-15", kind="credit")
    assert (world.kpi("purchases_24m"), world.kpi("days_since_last_purchase")) == (2, 121)


def test_other_groups_keep_their_deals(world: World) -> None:
    world.account("b")
    world.deal("b", 3, close_on=on("2026-01-01"))
    invoiced(world, 16, "2025-11-01")
    assert world.kpi("revenue_ttm", "b") == 30_000
