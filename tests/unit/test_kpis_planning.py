"""Account plans, by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import AccountPlan, PlanMeasure, PlanObjective
from tests.unit.kam_world import World, at, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def plan(world: World, plan_id: str = "p", first: str = "2026-01-01", last: str = "2026-12-31", **values: Any) -> None:
    row = {"plan_id": plan_id, "account": "a", "starts_on": on(first), "ends_on": on(last)}
    world.give("plans", **{**row, **values})


def objective(world: World, current: float | None, target: float | None = 100.0, **values: Any) -> None:
    number = len(world.files.get("objectives", []))
    row = {"objective_id": f"o{number}", "plan_id": "p", "target": target, "current": current, "unit": "EUR"}
    world.give("objectives", **{**row, **values})


def test_without_any_plan_nothing_is_known(world: World) -> None:
    names = (
        "plan_current",
        "objectives_on_track_pct",
        "target_attainment",
        "actions_overdue",
        "action_completion_rate",
    )
    assert [world.kpi(name) for name in names] == [
        "no_plan",
        "no_objectives",
        "no_objectives",
        "no_actions",
        "no_actions",
    ]
    assert world.kpi("objectives_n") == 0


@pytest.mark.parametrize(
    ("first", "last", "status", "expected"),
    [
        ("2026-06-30", "2026-06-30", None, 1),
        ("2026-01-01", "2026-12-31", "active", 1),
        ("2026-01-01", "2026-06-29", None, 0),
        ("2026-07-01", "2026-12-31", None, 0),
        ("2026-01-01", "2026-12-31", "draft", 0),
        ("2026-01-01", "2026-12-31", "cancelled", 0),
    ],
)
def test_a_plan_is_current_while_it_covers_the_day(
    world: World, first: str, last: str, status: str | None, expected: int
) -> None:
    plan(world, first=first, last=last, status=status)
    assert world.kpi("plan_current") == expected


def test_where_plans_are_kept_in_a_file_those_without_are_known(world: World) -> None:
    world.account("b")
    plan(world)
    assert (world.kpi("plan_current", "a"), world.kpi("plan_current", "b")) == (1, 0)
    assert world.known().portfolio["plan_coverage"].item() == 0.5


def crm_plan(world: World, **values: Any) -> None:
    row = {"account_id": "a", "starts_on": on("2026-01-01"), "ends_on": on("2026-12-31"), "status": "In Progress"}
    world.add(AccountPlan, "sf", **{**row, **values})


def test_a_plan_of_the_crm_with_its_measures(world: World) -> None:
    crm_plan(world)
    world.add(PlanObjective, "one", plan_id="sf")
    world.add(PlanObjective, "two", plan_id="sf")
    world.add(
        PlanMeasure, "m", objective_id="one", target_value=200.0, current_value=150.0, unit="money", currency="EUR"
    )
    assert (world.kpi("plan_current"), world.kpi("target_attainment")) == (1, 0.75)
    assert [world.kpi(n) for n in ("objectives_n", "objectives_qualitative_n", "objectives_on_track_pct")] == [
        1,
        1,
        1.0,
    ]


@pytest.mark.parametrize("values", [{"deleted": True}, {"created_at": at("2026-07-01T10:00")}, {"account_id": "gone"}])
def test_plans_of_the_crm_that_do_not_count(world: World, values: dict[str, Any]) -> None:
    crm_plan(world, **values)
    assert world.kpi("plan_current") == "no_plan"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"current": 45.0}, 1.0),
        ({"current": 44.0}, 0.0),
        ({"current": 12.0, "target": 10.0, "baseline": 20.0}, 1.0),
        ({"current": 16.0, "target": 10.0, "baseline": 20.0}, 0.0),
        ({"current": 0.0, "starts_on": on("2026-07-01")}, 1.0),
        ({"current": 90.0, "due_on": on("2026-05-01")}, 1.0),
        ({"current": 89.0, "due_on": on("2026-05-01")}, 0.0),
        ({"current": 5.0, "target": 5.0, "baseline": 5.0}, 1.0),
        ({"current": None}, "no_objectives"),
        ({"current": 99.0, "status": "cancelled"}, "no_objectives"),
    ],
)
def test_on_track_is_nine_tenths_of_the_straight_path(world: World, values: dict[str, Any], expected: Any) -> None:
    """181 of 365 days are over: 0.4463 of the way is asked for, upwards as downwards."""
    plan(world)
    objective(world, **values)
    assert world.kpi("objectives_on_track_pct") == expected


def test_a_reading_says_where_an_objective_was(world: World) -> None:
    plan(world)
    objective(world, 10.0)
    for day, value in (("2026-03-01", 20.0), ("2026-06-30", 60.0), ("2026-07-01", 90.0)):
        world.give("readings", objective_id="o0", measured_on=on(day), value=value)
    assert world.kpi("target_attainment") == 0.6
    assert world.kpi("target_attainment", as_of=on("2026-04-01")) == 0.2


def test_sums_stay_within_a_unit(world: World) -> None:
    plan(world)
    objective(world, 50.0)
    objective(world, 100.0, 200.0)
    objective(world, 9.0, 10.0, unit="meetings")
    objective(world, None, 1_000.0)
    objective(world, None, None)
    assert world.kpi("target_attainment") == 0.7
    assert [world.kpi(f"objectives_{n}") for n in ("n", "unreported_n", "qualitative_n")] == [4, 1, 1]


def test_actions_are_overdue_after_their_day(world: World) -> None:
    plan(world)
    objective(world, 1.0)
    for due, done, status in (
        ("2026-06-29", None, None),
        ("2026-06-30", None, None),
        (None, None, None),
        ("2026-01-01", "2026-03-01", "done"),
        ("2026-01-01", "2026-07-01", "done"),
        ("2026-01-01", None, "cancelled"),
    ):
        number = len(world.files.get("actions", []))
        place = {"plan_id": "p"} if number % 2 else {"objective_id": "o0"}
        days = {"due_on": due and on(due), "done_on": done and on(done)}
        world.give("actions", action_id=str(number), status=status, **place, **days)
    assert (world.kpi("actions_overdue"), world.kpi("action_completion_rate")) == (2, 0.25)


def test_what_an_old_plan_promised_is_past(world: World) -> None:
    plan(world, last="2026-06-01")
    objective(world, 1.0)
    world.give("actions", action_id="x", plan_id="p", due_on=on("2026-05-01"))
    assert (world.kpi("actions_overdue"), world.kpi("objectives_n")) == ("no_actions", 0)
