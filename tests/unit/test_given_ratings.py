"""Ratings, assignments and hours that people keep in files, where they meet what the CRMs hold."""

from __future__ import annotations

import polars as pl
import pytest

from kammodel.entities import User
from kammodel.scoring import known_kpis
from tests.unit.kam_world import CONFIG, World


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a", strategic_value=3.0, owner_id="ana")
    made.account("b", owner_id="luis")
    made.account("c", parent_id="b")
    for user in ("ana", "luis"):
        made.add(User, user)
    return made


def strategic_values(world: World) -> list[float | None]:
    return world.known().grouping.groups["strategic_value"].to_list()


def test_a_field_of_the_crm_wins_and_the_file_fills(world: World) -> None:
    world.give("ratings", account="a", strategic_value=9.0)
    world.give("ratings", account="b", strategic_value=7.0)
    assert strategic_values(world) == [3.0, 7.0]


def test_of_lines_for_members_the_roots_counts(world: World) -> None:
    world.give("ratings", account="c", strategic_value=1.0, esg_score=40.0)
    world.give("ratings", account="b", strategic_value=7.0, relationship_stage="cooperative")
    assert strategic_values(world) == [3.0, 7.0]
    assert (world.kpi("esg_score", "b"), world.kpi("relationship_level", "b")) == (40.0, 3)
    assert (world.kpi("esg_score", "a"), world.kpi("relationship_level", "a")) == ("not_given", "not_given")


def test_nominations_and_exclusions_reach_the_groups(world: World) -> None:
    world.give("ratings", account="a", is_nominated=True)
    world.give("ratings", account="b", do_not_score=True)
    groups = world.known().grouping.groups
    assert groups.select("is_nominated", "do_not_score").rows() == [(True, False), (False, True)]


def test_accounts_that_nobody_knows_are_counted(world: World) -> None:
    world.give("ratings", account="zzz", strategic_value=9.0)
    world.give("wallet", account="zzz", amount=1)
    assert world.known().counts["accounts_unknown_in_files"] == 2


def test_load_follows_the_tiers_in_force_before(world: World) -> None:
    first = world.day()
    assert world.known().by_kam["kam_load_hours__why"].to_list() == ["no_tiers", "no_tiers"]
    before = first.groups.select("group_id", tier_effective=pl.Series(["strategic", "key"]))
    world.give("team", user="luis", hours_per_month=4.0)
    world.give("assignments", account="a", user="luis", role="kam")
    known = known_kpis(world.inputs(), CONFIG, before)
    assert known.by_kam.select("kam", "kam_load_hours", "capacity_hours", "capacity_use").rows() == [
        ("salesforce:org:luis", 36.0, 4.0, 9.0)
    ]
    assert known.portfolio["kam_load_hours"].item() == 36.0
