"""Late tasks and the quality of data, by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import User
from kammodel.scoring import known_kpis
from tests.unit.kam_world import CONFIG, World, at, figure, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def task(world: World, due: str | None, **values: Any) -> None:
    row = {"kind": "task", "status": "planned", "occurred_on": None, "due_on": due and on(due), "person_ids": None}
    world.touch("a", "2026-01-01", **{**row, **values})


def test_overdue_is_due_before_today_and_open(world: World) -> None:
    """Reading 24."""
    for due in ("2026-06-29", "2026-06-30", "2026-07-15", None):
        task(world, due)
    task(world, "2026-06-01", status="done", completed_at=at("2026-06-30T21:00"))
    task(world, "2026-06-01", status="cancelled")
    task(world, "2026-06-01", deleted=True)
    task(world, "2026-06-01", created_at=at("2026-07-01T10:00"))
    assert (world.kpi("open_tasks"), world.kpi("overdue_tasks")) == (4, 1)


def test_done_later_was_open_then(world: World) -> None:
    task(world, "2026-06-01", status="done", completed_at=at("2026-06-30T22:00"))
    assert world.kpi("overdue_tasks") == 1
    assert world.kpi("overdue_tasks", as_of=on("2026-07-01")) == 0


def test_a_task_to_call_is_a_task_and_a_meeting_in_a_calendar_is_none(world: World) -> None:
    task(world, "2026-06-01", kind="call")
    task(world, None, kind="email", starts_at=at("2026-06-01T10:00"))
    task(world, "2026-06-01", kind="meeting", is_calendar=True)
    assert (world.kpi("open_tasks"), world.kpi("overdue_tasks")) == (2, 2)


def test_tasks_never_read_are_unknown(world: World) -> None:
    day = known_kpis(world.inputs(salesforce=("opportunities", "events")), CONFIG)
    assert figure(day, "overdue_tasks", "a") == "not_read"


def test_quality_is_the_mean_of_what_can_be_told(world: World) -> None:
    assert (world.kpi("account_fields_filled"), world.kpi("accounts_with_owner")) == (0.2, 0.0)
    assert (world.kpi("deals_with_amount"), world.kpi("open_deals_on_time")) == ("no_deals", "no_deals")
    assert world.kpi("data_quality_score") == 0.1


def test_quality_of_a_group_is_that_of_all_its_accounts(world: World) -> None:
    full = {"type": "customer", "industry": "Steel", "country": "ES"}
    world.add(User, "ana")
    world.add(User, "gone", is_active=False)
    world.account("b", parent_id="a", owner_id="ana", **full)
    world.account("c", parent_id="a", owner_id="gone", **full)
    assert (world.kpi("account_fields_filled"), world.kpi("accounts_with_owner")) == (0.733333, 0.333333)


def test_deals_without_amount_or_past_their_day(world: World) -> None:
    world.deal("a", 10, close_on=on("2026-01-01"))
    world.deal("a", None, close_on=on("2025-06-30"))
    for amount, close in ((10, "2026-06-30"), (None, "2026-06-29"), (10, None)):
        world.deal("a", amount, status="open", close_on=close and on(close))
    assert (world.kpi("deals_with_amount"), world.kpi("open_deals_on_time")) == (0.75, 0.333333)
    assert world.known().portfolio["data_quality_score"].item() == world.kpi("data_quality_score")
