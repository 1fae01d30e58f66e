"""Contracts that end, by hand; as of 30 June 2026, so that 90 days end on 28 September and 180 on 27 December."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import Contract, Order
from tests.unit.kam_world import World, at, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def agreed(world: World, ends: str | None, amount: float | None = 100, **values: Any) -> str:
    """A contract of a year, in force, unless said otherwise; its id."""
    name = f"contract-{len(world.others.get(Contract, []))}"
    told = {
        "account_id": "a",
        "status": "Activated",
        "starts_on": None if ends is None else on(ends).replace(year=on(ends).year - 1),
        "ends_on": None if ends is None else on(ends),
        "amount": None if amount is None else round(amount * 10_000),
        "currency": "EUR",
    }
    world.add(Contract, name, **{**told, **values})
    return name


def test_what_ends_soon_is_due(world: World) -> None:
    """(t, t + n days]: what ends today is no longer ahead."""
    for amount, ends in (
        (1, "2026-06-30"),
        (2, "2026-07-01"),
        (4, "2026-09-28"),
        (8, "2026-09-29"),
        (16, "2026-12-27"),
    ):
        agreed(world, ends, amount)
    agreed(world, "2026-12-28", 32)
    assert (world.kpi("renewals_due_90d"), world.kpi("renewals_due_180d")) == (60_000, 300_000)
    assert (world.kpi("renewals_due_n_90d"), world.kpi("renewals_due_n_180d")) == (2, 4)
    assert world.kpi("days_to_renewal") == 0


@pytest.mark.parametrize(
    "values",
    [
        {"status": "Draft"},
        {"status": "Terminated"},
        {"deleted": True},
        {"activated_at": at("2026-07-02T00:00")},
        {"created_at": at("2026-07-02T00:00")},
        {"starts_on": on("2026-07-01")},
        {"ends_on": None},
    ],
)
def test_a_contract_that_is_none_or_has_no_end_is_not_due(world: World, values: dict[str, Any]) -> None:
    agreed(world, "2026-08-01", **values)
    assert (world.kpi("renewals_due_n_90d"), world.kpi("renewals_due_90d")) == (0, 0)
    assert world.kpi("days_to_renewal") == "no_contract"


def test_one_that_renews_itself_is_decided_on_its_last_day_of_notice(world: World) -> None:
    """kam.md §4: ends on 31 October, three months' notice: 2 August."""
    agreed(world, "2026-10-31", is_auto_renewed=True, notice_days=90)
    assert (world.kpi("days_to_renewal"), world.kpi("renewals_due_n_90d")) == (33, 1)


def test_notice_means_nothing_where_it_does_not_renew_itself(world: World) -> None:
    agreed(world, "2026-10-31", is_auto_renewed=False, notice_days=90)
    assert (world.kpi("days_to_renewal"), world.kpi("renewals_due_n_90d")) == (123, 0)


def test_a_contract_without_a_value_is_worth_its_orders(world: World) -> None:
    contract = agreed(world, "2026-08-01", None)
    for amount in (30, 12):
        told: dict[str, Any] = {
            "account_id": "a",
            "status_code": "Activated",
            "effective_on": on("2026-01-01"),
            "currency": "EUR",
        }
        world.add(Order, f"order-{amount}", contract_id=contract, amount=amount * 10_000, **told)
    assert world.kpi("renewals_due_90d") == 420_000


def test_values_that_are_not_known_are_left_out(world: World) -> None:
    """Reading 9: all of them, and the figure is unknown."""
    agreed(world, "2026-08-01", None)
    assert (world.kpi("renewals_due_90d"), world.kpi("renewals_due_n_90d")) == ("amounts_unknown", 1)
    agreed(world, "2026-08-02", 5)
    assert world.kpi("renewals_due_90d") == 50_000


def test_one_that_is_renewed_already_is_not_due(world: World) -> None:
    agreed(world, "2026-08-01")
    agreed(world, "2027-06-01", starts_on=on("2026-06-01"))
    assert (world.kpi("renewals_due_n_90d"), world.kpi("days_to_renewal")) == (0, 336)


@pytest.mark.parametrize(
    ("starts", "values", "rate"),
    [
        ("2026-01-01", {}, 1.0),
        ("2025-10-02", {}, 1.0),
        ("2025-10-01", {}, 0.0),
        ("2026-03-31", {}, 1.0),
        ("2026-04-01", {}, 0.0),
        ("2026-01-01", {"account_id": "b"}, 0.0),
        ("2026-01-01", {"status": "Draft"}, 0.0),
    ],
)
def test_renewed_is_what_another_follows_within_ninety_days(
    world: World, starts: str, values: dict[str, Any], rate: float
) -> None:
    """Early or late: of the same account, for one that ended on 31 December 2025."""
    world.account("b")
    agreed(world, "2025-12-31")
    agreed(world, "2027-12-31", starts_on=on(starts), **values)
    assert world.kpi("renewal_rate_count") == rate


def test_a_named_successor_renews_whenever_it_begins(world: World) -> None:
    agreed(world, "2025-12-31", renewed_by_id="contract-1")
    agreed(world, "2027-12-31", starts_on=on("2026-05-31"))
    assert world.kpi("renewal_rate_count") == 1.0


def test_a_named_successor_may_be_of_another_account(world: World) -> None:
    world.account("b")
    agreed(world, "2025-12-31", renewed_by_id="contract-1")
    agreed(world, "2026-12-31", account_id="b")
    assert world.kpi("renewal_rate_count", "a") == 1.0


@pytest.mark.parametrize(("signed", "due"), [("2026-06-20T10:00", 0), ("2026-07-01T10:00", 1), (None, 1)])
def test_a_successor_that_is_signed_and_begins_later_renews(world: World, signed: str | None, due: int) -> None:
    """Nobody need be sent for what is agreed already; one without a signature may still be a draft."""
    agreed(world, "2026-08-01")
    agreed(world, "2027-08-01", starts_on=on("2026-08-02"), activated_at=signed and at(signed))
    assert world.kpi("renewals_due_n_90d") == due


def test_what_ended_just_now_is_undecided(world: World) -> None:
    """One that ended on 2 April may be renewed until 1 July; on 1 April it is lost."""
    agreed(world, "2026-04-02")
    assert world.kpi("renewal_rate_count") == "nothing_to_renew"
    agreed(world, "2026-04-01")
    assert world.kpi("renewal_rate_count") == 0.0


def test_the_rate_by_value(world: World) -> None:
    agreed(world, "2025-12-31", 300)
    agreed(world, "2027-12-31", 1, starts_on=on("2026-01-01"))
    agreed(world, "2026-02-28", 100, account_id="b")
    world.account("b")
    assert [world.kpi("renewal_rate_value", a) for a in "ab"] == [1.0, 0.0]
    assert (world.of_all("renewal_rate_value"), world.of_all("renewal_rate_count")) == (0.75, 0.5)
    agreed(world, "2026-03-01", None)
    assert world.kpi("renewal_rate_value") == "amounts_unknown"


def test_contracts_never_read_are_unknown_not_none(world: World) -> None:
    found = world.known_of(salesforce=("opportunities", "tasks", "events"))
    for name in ("renewals_due_90d", "renewals_due_n_90d", "days_to_renewal", "renewal_rate_count"):
        assert figure(found, name, "a") == "not_read"


def test_a_contract_is_in_force_until_the_end_of_its_last_day(world: World) -> None:
    """One without an end is too; one of the future, a draft and one that ended are not."""
    assert world.kpi("active_contracts_n") == 0
    agreed(world, "2026-06-29")
    agreed(world, "2026-12-31", status="Draft")
    agreed(world, "2027-12-31", starts_on=on("2026-07-01"))
    assert world.kpi("active_contracts_n") == 0
    agreed(world, "2026-06-30")
    agreed(world, None, starts_on=on("2026-01-01"))
    assert world.kpi("active_contracts_n") == 2
    assert world.kpi("renewals_up_n_12m") == 0
