"""Tier confidence under other weights."""

from __future__ import annotations

import polars as pl

from kammodel.tiering import score
from kammodel.tiering.robustness import tier_confidence
from tests.unit.test_explanation import DAY, World, two
from tests.unit.test_tiers import policy_with

ONE_CRITERION = dict.fromkeys(("potential", "strategic", "loyalty", "relationship", "service_need"), 0.0)


def confidence(world: World, **sections: dict[str, object]) -> list[float]:
    found = score(world.kpis, world.groups, policy_with(**sections), DAY)
    return tier_confidence(found)["tier_confidence"].to_list()


def opposed() -> World:
    """Volume says 75 and 25, strategic 20 and 80; all else is equal."""
    return World(({"revenue_ttm": 2_000_0000}, {"strategic_value": 2.0}), ({}, {"strategic_value": 8.0}))


def test_a_tier_far_from_its_borders_is_certain() -> None:
    assert confidence(two()) == [1.0, 1.0]


def test_a_single_criterion_is_certain_whatever_its_weight() -> None:
    assert confidence(opposed(), weights=ONE_CRITERION) == [1.0, 1.0]


def test_a_tier_on_its_border_holds_about_half_of_the_draws() -> None:
    """Two criteria of equal weight, 75 and 20: 47.5 points; the border drawn there parts the draws."""
    weights = {**ONE_CRITERION, "strategic": 30.0}
    first, _ = confidence(opposed(), weights=weights, small_population={"growth": 47.5})
    assert 0.3 < first < 0.7


def test_the_same_policy_draws_the_same_and_another_seed_others() -> None:
    weights = {**ONE_CRITERION, "strategic": 30.0}
    near = {"growth": 47.5}
    once, again = (confidence(opposed(), weights=weights, small_population=near) for _ in range(2))
    other = confidence(opposed(), weights=weights, small_population=near, robustness={"seed": 7})
    assert once == again
    assert once != other


def test_who_is_not_ranked_has_no_confidence() -> None:
    world = two(group={"type": "partner"})
    found = tier_confidence(score(world.kpis, world.groups, policy_with(), DAY))
    assert found["group"].to_list() == [1]
    assert found.schema["group"] == pl.UInt32
