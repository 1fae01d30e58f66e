"""Open and weighted pipeline, by hand; as of 30 June 2026, so that the horizon ends on 30 June 2027."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.kam_world import World, at, on


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


def test_past_due_deals_are_listed(world: World) -> None:
    opened(world, 1, "2026-06-29", 0.5)
    opened(world, 2, "2026-06-30", 0.5)
    opened(world, 4, "2026-06-01", 0.5, is_omitted=True)
    assert world.kpi("open_past_due_n") == 1


def test_the_calibrated_pipeline_weighs_by_what_became_of_the_stage(world: World) -> None:
    """Closed in twelve months: 1 of 2 out of `late`, 1 of 4 of all visits. late: (1 + 2.5) / 12; one in `new`, which
    nothing closed out of, by the rate of all, 0.25."""
    for name, stage, status in (
        ("1", "late", "won"),
        ("2", "late", "lost"),
        ("3", "early", "lost"),
        ("4", "early", "lost"),
    ):
        world.deal("a", 1, source_id=name, status=status, close_on=on("2026-02-01"))
        world.event(name, "2026-01-01T10:00", "open", 1, stage_id=stage)
    opened(world, 120, "2026-10-01", 0.9, stage_id="late")
    opened(world, 100, "2026-10-01", None, stage_id="new")
    opened(world, 900, "2026-10-01", 0.9)
    assert world.kpi("weighted_pipeline_calibrated") == round((120 * 0.291667 + 25) * 10_000)


def test_without_a_closed_history_nothing_is_calibrated(world: World) -> None:
    assert world.kpi("weighted_pipeline_calibrated") == 0
    opened(world, 100, "2026-10-01", 0.5, stage_id="late")
    assert world.kpi("weighted_pipeline_calibrated") == "no_stage_history"


def test_deals_created_in_ninety_days(world: World) -> None:
    """From 2 April, whatever became of them."""
    for amount, day, status, kind in (
        (1, "2026-04-01", "open", "expansion"),
        (2, "2026-04-02", "open", "expansion"),
        (4, "2026-06-30", "lost", "new"),
        (8, "2026-05-01", "won", None),
    ):
        close = on("2026-06-30")
        world.deal("a", amount, status=status, kind=kind, close_on=close, created_at=at(f"{day}T10:00"))
    assert (world.kpi("pipeline_created_90d"), world.kpi("pipeline_created_n_90d")) == (140_000, 3)
    assert world.kpi("pipeline_created_expansion_share") == 0.5
    assert world.kpi("days_since_new_opp") == 0


def test_who_has_no_deal_has_no_new_one(world: World) -> None:
    assert world.kpi("days_since_new_opp") == "no_deals"
    assert world.kpi("pipeline_created_expansion_share") == "nothing_created"
    world.deal("a", 1, created_at=at("2026-06-01T10:00"), close_on=on("2026-06-01"))
    assert world.kpi("pipeline_created_expansion_share") == "no_kinds"


def staged(world: World, deal: str, *moves: tuple[str, str], **values: Any) -> None:
    """An open deal of January with its stages by day."""
    told = {"source_id": deal, "stage_id": moves[-1][0] if moves else "s", "created_at": at("2026-01-01T10:00")}
    opened(world, 1, "2026-10-01", 0.5, **{**told, **values})
    for stage, day in moves:
        world.event(deal, f"{day}T10:00", "open", 1, stage_id=stage)


def test_the_age_in_a_stage_begins_with_the_first_entry(world: World) -> None:
    """20 and 60 days; days since creation are not it."""
    staged(world, "1", ("s", "2026-06-10"))
    staged(world, "2", ("s", "2026-05-01"), ("x", "2026-05-10"), ("s", "2026-06-20"))
    staged(world, "3")
    assert world.kpi("stage_age_days") == 40.0


def test_without_history_the_age_is_unknown(world: World) -> None:
    assert world.kpi("stage_age_days") == "no_open_deals"
    staged(world, "1")
    assert world.kpi("stage_age_days") == "no_stage_history"


@pytest.mark.parametrize(
    ("since", "touched", "stalled"),
    [
        ("2026-05-30", None, 1),
        ("2026-05-31", None, 0),
        ("2026-01-02", "2026-05-31", 0),
        ("2026-01-02", "2026-05-30", 1),
    ],
)
def test_a_deal_stands_still_after_thirty_days(world: World, since: str, touched: str | None, stalled: int) -> None:
    """More than 30 days without a new stage and without an activity about it."""
    staged(world, "1", ("s", since))
    if touched:
        world.touch("a", touched, opportunity_id="1", kind="note", person_ids=None)
    assert world.kpi("stalled_opps") == stalled


@pytest.mark.parametrize(("since", "stalled"), [("2026-05-01", 0), ("2026-04-30", 1)])
def test_slow_stages_are_given_twice_their_usual_time(world: World, since: str, stalled: int) -> None:
    """Deals of any group leave this stage after 30 days: 60 are allowed."""
    world.account("b")
    world.deal("b", 1, source_id="d", status="won", close_on=on("2026-03-01"))
    world.event("d", "2026-01-30T10:00", "open", 1, stage_id="s")
    world.event("d", "2026-03-01T10:00", "won", 1, stage_id="won")
    staged(world, "1", ("s", since))
    assert world.kpi("stalled_opps") == stalled


def test_what_was_planned_or_is_omitted_does_not_move_a_deal(world: World) -> None:
    staged(world, "1", ("s", "2026-01-02"))
    staged(world, "2", ("s", "2026-01-02"), is_omitted=True)
    world.touch("a", "2026-06-20", opportunity_id="1", status="planned")
    assert world.kpi("stalled_opps") == 1


def expected(world: World, deal: str, *closes: tuple[str, str | None], status: str = "open") -> None:
    """A deal with what was expected of its close, by day."""
    opened(world, 1, closes[-1][1], 0.5, source_id=deal)
    for day, close in closes:
        close_on = None if close is None else on(close)
        world.event(deal, f"{day}T10:00", status, 1, close_on=close_on, stage_id="s")


def test_a_push_moves_the_close_past_the_end_of_a_quarter(world: World) -> None:
    """Within the quarter, forward again, or to nothing is none; 1 July 2025 is in the twelve months, 30 June not."""
    expected(world, "1", ("2025-06-01", "2025-06-30"), ("2025-06-30", "2025-09-30"), ("2025-07-01", "2025-10-01"))
    expected(world, "2", ("2026-01-01", "2026-03-01"), ("2026-02-01", "2026-03-31"), ("2026-03-01", "2026-01-01"))
    expected(world, "3", ("2026-01-01", "2026-03-01"), ("2026-02-01", "2026-04-01"), ("2026-03-01", "2026-12-31"))
    expected(world, "4", ("2026-01-01", "2026-03-01"), ("2026-02-01", None), ("2026-03-01", "2026-12-31"))
    assert (world.kpi("push_count"), world.kpi("slipped_opps")) == (3, 2)


def test_the_close_of_a_deal_is_no_push(world: World) -> None:
    """Its date is no expectation any more."""
    world.deal("a", 1, source_id="d", close_on=on("2026-05-01"))
    world.event("d", "2026-01-01T10:00", "open", 1, close_on=on("2026-03-01"))
    world.event("d", "2026-05-01T10:00", "won", 1, close_on=on("2026-05-01"))
    assert world.kpi("push_count") == 0


def test_what_the_crm_says_it_was_before_counts_where_no_row_does(world: World) -> None:
    """Salesforce states it since Winter '21."""
    opened(world, 1, "2026-07-01", 0.5, source_id="d")
    told = {"close_on": on("2026-07-01"), "prev_close_on": on("2026-06-30")}
    world.event("d", "2026-06-01T10:00", "open", 1, stage_id="s", **told)
    assert world.kpi("push_count") == 1


def test_velocity_is_money_per_day(world: World) -> None:
    """5 open x 20 x 0.8 / 40 days = 2 a day; renewals are in none of the four."""
    for n, status in enumerate(("won",) * 8 + ("lost",) * 2):
        day = at("2026-01-20T12:00") if n % 2 else at("2025-12-31T12:00")
        world.deal("a", 20, status=status, close_on=on("2026-03-01" if n % 2 else "2026-02-09"), created_at=day)
    for kind in ("new", "new", "expansion", None, None, "renewal"):
        opened(world, 7, "2026-10-01", 0.5, kind=kind)
    world.deal("a", 9_000, kind="renewal", close_on=on("2026-03-01"), created_at=at("2026-02-01T12:00"))
    assert world.kpi("sales_velocity") == 20_000


def test_velocity_needs_enough_of_a_funnel(world: World) -> None:
    """kam.md §4: five open, ten closed."""
    for _ in range(4):
        opened(world, 7, "2026-10-01", 0.5)
    assert world.kpi("sales_velocity") == "few_open"
    opened(world, 7, "2026-10-01", 0.5)
    assert world.kpi("sales_velocity") == "few_closed"
    for _ in range(10):
        world.deal("a", 1, status="lost", close_on=on("2026-03-01"))
    assert world.kpi("sales_velocity") == "no_won"
