"""Open and weighted pipeline, by hand; as of 30 June 2026, so that the horizon ends on 30 June 2027."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.kam_world import World, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def opened(world: World, amount: float | None, close: str | None, probability: float | None, **values: Any) -> None:
    expected = None if close is None else on(close)
    world.deal("a", amount, status="open", close_on=expected, probability=probability, **values)


def test_pipeline_is_what_is_expected_within_twelve_months(world: World) -> None:
    """Past due is in, beyond the horizon and omitted are out; null is not omitted."""
    opened(world, 1, "2025-01-01", 0.5)
    opened(world, 2, "2027-06-30", 0.25)
    opened(world, 4, "2027-07-01", 0.5)
    opened(world, 8, "2026-10-01", 0.5, is_omitted=True)
    opened(world, 16, "2026-10-01", 1.0, is_omitted=False)
    assert world.kpi("open_pipeline") == 190_000
    assert world.kpi("weighted_pipeline") == 170_000


def test_no_open_deal_is_a_pipeline_of_nothing(world: World) -> None:
    assert (world.kpi("open_pipeline"), world.kpi("weighted_pipeline")) == (0, 0)


def test_deals_without_a_close_date_are_out_and_counted(world: World) -> None:
    """Reading 15."""
    opened(world, 1, "2026-10-01", 0.5)
    opened(world, 2, None, 0.5)
    assert world.kpi("open_pipeline") == 10_000
    assert world.kpi("open_close_date_missing_n") == 1


def test_without_any_close_date_the_pipeline_is_unknown(world: World) -> None:
    """Reading 15."""
    opened(world, 2, None, 0.5)
    assert world.kpi("open_pipeline") == "no_close_dates"
    assert world.kpi("weighted_pipeline") == "no_close_dates"


@pytest.mark.parametrize("probability", [None, 1.5, -0.1])
def test_deals_without_a_sound_probability_are_left_out_and_counted(world: World, probability: float | None) -> None:
    """Reading 16: never guessed from its size."""
    opened(world, 100, "2026-10-01", probability)
    opened(world, 10, "2026-10-01", 0.1)
    assert world.kpi("open_pipeline") == 1_100_000
    assert world.kpi("weighted_pipeline") == 10_000
    assert world.kpi("open_probability_missing_n") == 1


def test_without_any_probability_the_weighted_pipeline_is_unknown(world: World) -> None:
    opened(world, 100, "2026-10-01", None)
    assert world.kpi("weighted_pipeline") == "probabilities_unknown"
    assert world.kpi("open_pipeline") == 1_000_000


def test_null_amounts_are_counted(world: World) -> None:
    opened(world, None, "2026-10-01", 0.5)
    assert world.kpi("open_pipeline") == "amounts_unknown"
    assert world.kpi("weighted_pipeline") == "amounts_unknown"
    opened(world, 10, "2026-10-01", 0.5)
    assert (world.kpi("open_pipeline"), world.kpi("weighted_pipeline")) == (100_000, 50_000)
    assert world.kpi("open_amount_missing_n") == 1


def test_weighting_rounds_once_half_to_even(world: World) -> None:
    """0.0001 and 0.0002 at 0.5 each: 0.5 + 1 = 1.5 ten-thousandths are 2, not 0 + 1."""
    opened(world, 0.0001, "2026-10-01", 0.5)
    opened(world, 0.0002, "2026-10-01", 0.5)
    assert world.kpi("weighted_pipeline") == 2


def test_a_rate_that_only_an_unweighted_deal_needs_does_not_matter(world: World) -> None:
    """Reading 7: the row enters the open pipeline, not the weighted one."""
    opened(world, 10, "2026-10-01", 0.5)
    opened(world, 10, "2026-10-01", None, currency="GBP")
    assert world.kpi("open_pipeline") == "no rate for GBP"
    assert world.kpi("weighted_pipeline") == 50_000
