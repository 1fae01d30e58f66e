"""Touches and contacts, by hand; as of 30 June 2026, so that 90 days begin on 2 April and 180 on 2 January."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kammodel.scoring import known_kpis, score_day
from tests.unit.kam_world import CONFIG, World, figure


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def test_windows_are_calendar_days_with_today_in_them(world: World) -> None:
    """Reading 6."""
    for day in ("2026-06-30", "2026-04-02", "2026-04-01", "2026-01-02", "2026-01-01"):
        world.touch("a", day)
    assert (world.kpi("touches_90d"), world.kpi("touches_180d")) == (2, 4)


def test_meetings_are_told_apart(world: World) -> None:
    world.touch("a", "2026-06-01", kind="meeting")
    world.touch("a", "2026-03-01", kind="meeting")
    world.touch("a", "2026-06-02")
    assert (world.kpi("meetings_90d"), world.kpi("meetings_180d"), world.kpi("touches_90d")) == (1, 2, 2)
    assert (world.kpi("days_since_last_meeting"), world.kpi("days_since_last_touch")) == (29, 28)


def test_touches_without_a_person_are_none_but_shown(world: World) -> None:
    """Reading 20."""
    world.touch("a", "2026-06-01", person_ids=None)
    assert world.kpi("touches_90d") == 0
    assert world.kpi("touches_without_person_90d") == 1
    assert world.kpi("days_since_last_touch") == "never"


def test_never_touched_is_a_reason_and_a_count_of_none(world: World) -> None:
    """Reading 23."""
    assert world.kpi("days_since_last_touch") == "never"
    assert (world.kpi("touches_90d"), world.kpi("meetings_180d"), world.kpi("active_contacts_180d")) == (0, 0, 0)


def test_the_last_touch_is_looked_for_without_a_window(world: World) -> None:
    world.touch("a", "2023-06-30")
    assert world.kpi("days_since_last_touch") == 1096


def test_active_contacts_are_distinct_persons(world: World) -> None:
    world.touch("a", "2026-01-01", person_ids="old")
    world.touch("a", "2026-01-02", person_ids="p;q")
    world.touch("a", "2026-06-01", person_ids="q;r", kind="meeting")
    world.touch("a", "2026-06-01", person_ids="s", kind="email")
    assert world.kpi("active_contacts_180d") == 3


@pytest.mark.parametrize(
    ("streams", "is_known"),
    [
        (("opportunities", "tasks", "events"), True),
        (("opportunities", "tasks"), False),
        (("opportunities",), False),
    ],
)
def test_a_stream_never_read_makes_touches_unknown(world: World, streams: tuple[str, ...], *, is_known: bool) -> None:
    """Reading 23: one that was read in part would show too few."""
    world.touch("a", "2026-06-01")
    day = known_kpis(world.inputs(salesforce=streams), CONFIG)
    assert figure(day, "touches_90d", "a") == (1 if is_known else "not_read")
    assert figure(day, "active_contacts_180d", "a") == (1 if is_known else "not_read")
    assert figure(day, "revenue_ttm", "a") == 0


def test_deals_never_read_make_their_figures_unknown(world: World) -> None:
    day = score_day(world.inputs(salesforce=("tasks", "events")), CONFIG)
    for name in ("revenue_ttm", "open_pipeline", "win_rate_shown", "purchases_24m", "active_quarters_8", "won_n"):
        assert figure(day, name, "a") == "not_read"
    assert day.scores.frame["out_reason"].item() == "purchases_unknown"


def test_a_group_is_known_only_if_all_that_counts_in_it_was_read(world: World) -> None:
    """A HubSpot company under a linked one counts in the group; a linked one itself does not."""
    world.account("7", source="hubspot", cross_reference="a")
    unread = {"hubspot": ("accounts",)}
    assert figure(known_kpis(world.inputs(**unread), CONFIG), "touches_90d", "a") == 0
    world.account("8", source="hubspot", parent_id="7")
    assert figure(known_kpis(world.inputs(**unread), CONFIG), "touches_90d", "a") == "not_read"
    other = replace(CONFIG, system_of_record="hubspot")
    assert figure(known_kpis(world.inputs(**unread), other), "revenue_ttm", "7") == "not_read"
