"""Answers to surveys, by hand; as of 30 June 2026."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.kam_world import World, on


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def answer(world: World, kind: str, score: float | None, day: str = "2026-06-01", **values: Any) -> None:
    came = None if score is None else on(day)
    row = {"survey_id": str(len(world.files.get("surveys", []))), "account": "a", "kind": kind, "score": score}
    world.give("surveys", **{**row, "asked_on": on(day), "answered_on": came, **values})


def test_nobody_asked_nobody_answered(world: World) -> None:
    names = ("csat", "nps", "survey_response_rate_12m", "days_since_last_answer", "nps_answers_12m")
    assert [world.kpi(name) for name in names] == ["no_answers", "no_answers", "not_asked", "never", 0]


def test_csat_is_the_two_highest_answers_of_the_scale(world: World) -> None:
    for score in (5, 4, 3, 1):
        answer(world, "csat", score)
    assert world.kpi("csat") == "few_answers"
    answer(world, "csat", 9, scale=10)
    answer(world, "csat", 8, scale=10)
    assert (world.kpi("csat"), world.kpi("csat_answers_12m")) == (0.5, 6)


def test_nps_is_promoters_less_detractors(world: World) -> None:
    for score in (10, 9, 8, 7, 6, 0):
        answer(world, "nps", score)
    answer(world, "nps", 10, "2025-06-30")
    assert world.kpi("nps") == 0.0
    answer(world, "nps", 9, "2025-07-01")
    counts = ("nps_answers_12m", "nps_promoters_12m", "nps_detractors_12m")
    assert (world.kpi("nps"), [world.kpi(name) for name in counts]) == (14.3, [7, 3, 2])


def test_three_answers_are_shown_as_answers(world: World) -> None:
    answer(world, "nps", 3, role="Economic Buyer")
    answer(world, "nps", 4, role="Receptionist")
    answer(world, "nps", 10, role="champion")
    assert (world.kpi("nps"), world.kpi("nps_detractors_12m"), world.kpi("nps_detractors_key_12m")) == (
        "few_answers",
        2,
        1,
    )


def test_an_answer_that_came_later_had_not_come(world: World) -> None:
    answer(world, "nps", 10, answered_on=on("2026-07-01"))
    answer(world, "ces", 7, asked_on=None)
    answer(world, "nps", 10, "2026-07-01")
    assert (world.kpi("survey_response_rate_12m"), world.kpi("nps_answers_12m")) == (0.5, 0)
    assert world.kpi("days_since_last_answer") == 29


def test_all_answers_together_make_a_percentage(world: World) -> None:
    world.account("b")
    for account in ("a", "b"):
        for score in (10, 10, 0):
            answer(world, "nps", score, account=account)
    assert world.kpi("nps") == "few_answers"
    assert world.known().portfolio["nps"].item() == 33.3
