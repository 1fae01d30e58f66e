"""Cases, by hand; as of 30 June 2026, Madrid: 90 days begin on 2 April."""

from __future__ import annotations

from typing import Any

import pytest

from kammodel.entities import Case
from kammodel.scoring import known_kpis
from tests.unit.kam_world import CONFIG, World, at, figure


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


def case(world: World, source_id: str, opened: str, closed: str | None = None, **values: Any) -> None:
    row = {"account_id": "a", "created_at": at(opened), "opened_at": at(opened), "is_closed": closed is not None}
    row["closed_at"] = None if closed is None else at(closed)
    world.add(Case, source_id, **{**row, **values})


def test_without_cases_nothing_is_open() -> None:
    world = World()
    world.account("a")
    assert [world.kpi(name) for name in ("open_cases", "open_cases_high", "escalations_90d")] == [0, 0, 0]
    assert (world.kpi("p90_backlog_age"), world.kpi("median_ttr_h")) == ("none_open", "nothing_closed")
    assert (world.kpi("sla_attainment"), world.kpi("reopen_rate"), world.kpi("first_response_h")) == (
        "no_sla",
        "not_given",
        "not_given",
    )


def test_cases_never_read_are_unknown(world: World) -> None:
    day = known_kpis(world.inputs(salesforce=("opportunities",)), CONFIG)
    assert (figure(day, "open_cases", "a"), figure(day, "case_intensity", "a")) == ("not_read", "not_read")


def test_open_is_what_was_open_at_the_cut(world: World) -> None:
    """Reading 25: a closed case without a time is closed; what was closed or opened later is of no use today."""
    case(world, "open", "2026-06-01T10:00")
    case(world, "closed", "2026-06-01T10:00", "2026-06-30T21:00")
    case(world, "closed later", "2026-06-01T10:00", "2026-06-30T22:00")
    case(world, "closed some day", "2026-06-01T10:00", is_closed=True)
    case(world, "opened again", "2026-06-01T10:00", "2026-06-02T10:00", is_closed=False)
    case(world, "not yet", "2026-06-30T22:00")
    case(world, "gone", "2026-06-01T10:00", deleted=True)
    assert world.kpi("open_cases") == 3


@pytest.mark.parametrize(("priority", "high"), [("High", 1), ("URGENT", 1), ("Crítica", 1), ("Medium", 0), (None, 0)])
def test_words_for_high_priority(world: World, priority: str | None, high: int) -> None:
    case(world, "c", "2026-06-01T10:00", priority=priority)
    assert world.kpi("open_cases_high") == high


def test_escalated_is_a_mark_or_a_status(world: World) -> None:
    case(world, "marked", "2026-04-02T10:00", is_escalated=True)
    case(world, "called", "2026-06-01T10:00", "2026-06-02T10:00", status="Escalado")
    case(world, "old", "2026-04-01T10:00", is_escalated=True)
    case(world, "plain", "2026-06-01T10:00", status="Working")
    assert world.kpi("escalations_90d") == 2


def test_hours_to_close_are_elapsed_and_their_median(world: World) -> None:
    case(world, "one", "2026-03-01T10:00", "2026-04-02T10:00")
    case(world, "two", "2026-06-01T10:00", "2026-06-01T11:30")
    case(world, "before", "2026-03-01T10:00", "2026-04-01T10:00")
    case(world, "wrong", "2026-06-02T10:00", "2026-06-01T10:00")
    assert world.kpi("median_ttr_h") == round((768 + 1.5) / 2, 2)
    assert world.known().counts["cases_closed_before_opened"] == 1


def test_the_backlog_is_looked_at_for_open_cases_only(world: World) -> None:
    """Type 7: between the ninth and the tenth of ten."""
    for age in range(1, 11):
        case(world, f"c{age}", f"2026-06-{30 - age:02}T10:00")
    case(world, "closed", "2020-01-01T10:00", "2026-06-01T10:00")
    assert (world.kpi("p90_backlog_age"), world.kpi("oldest_open_case_days")) == (9.1, 10)


def test_what_a_service_desk_knows_comes_from_a_file(world: World) -> None:
    for name, opened in (("one", "2026-06-01"), ("two", "2026-06-01"), ("three", "2026-06-01"), ("old", "2026-04-01")):
        case(world, name, f"{opened}T10:00")
    world.give("service", case="one", first_response_hours=1.5, is_sla_met=True, reopened=0)
    world.give("service", case="salesforce:two", first_response_hours=4.0, is_sla_met=False, reopened=2)
    world.give("service", case="hubspot:three", first_response_hours=99.0)
    world.give("service", case="old", first_response_hours=0.0, is_sla_met=False, reopened=0)
    assert (world.kpi("first_response_h"), world.kpi("sla_attainment")) == (2.75, 0.5)
    assert world.kpi("reopen_rate") == 0.333333


def test_cases_are_set_against_revenue(world: World) -> None:
    case(world, "last day", "2025-07-01T10:00")
    case(world, "too old", "2025-06-30T10:00")
    assert (world.kpi("cases_opened_365d"), world.kpi("case_intensity")) == (1, "no_revenue")
    world.deal("a", 40_000, close_on=at("2026-01-01T00:00").date())
    assert world.kpi("case_intensity") == 2.5


def test_a_case_without_an_account_is_its_persons(world: World) -> None:
    world.person("p", "a")
    case(world, "c", "2026-06-01T10:00", account_id=None, person_id="p")
    assert world.kpi("open_cases") == 1


def test_open_cases_of_a_manager_and_of_all(world: World) -> None:
    world.account("b", owner_id="ana")
    case(world, "one", "2026-06-01T10:00")
    case(world, "two", "2026-06-01T10:00", account_id="b")
    known = world.known()
    assert known.by_kam["open_cases"].to_list() == [1]
    assert known.portfolio["open_cases"].item() == 2


def test_service_as_people_rate_it(world: World) -> None:
    assert (world.kpi("premium_support"), world.kpi("service_sensitivity")) == ("not_given", "not_given")
    world.give("ratings", account="a", premium_support=True, service_sensitivity=7.5)
    assert (world.kpi("premium_support"), world.kpi("service_sensitivity")) == (1, 7.5)


@pytest.mark.parametrize(
    ("closed", "due", "told", "kept"),
    [
        ("2026-06-02T10:00", "2026-06-02T10:00", None, 1.0),
        ("2026-06-02T10:01", "2026-06-02T10:00", None, 0.0),
        ("2026-06-02T10:01", "2026-06-02T10:00", True, 1.0),
        ("2026-06-02T10:00", None, False, 0.0),
        ("2026-06-02T10:00", None, None, "no_sla"),
        (None, "2026-06-30T21:00", None, 0.0),
        (None, "2026-07-01T10:00", None, "no_sla"),
        (None, None, True, "no_sla"),
    ],
)
def test_an_agreed_time_is_decided_once_it_is_over(
    world: World, closed: str | None, due: str | None, told: bool | None, kept: float | str
) -> None:
    """Of closed cases the CRM's word counts, which knows of pauses; of open ones only that the time is over."""
    case(world, "c", "2026-06-01T10:00", closed, sla_due_at=due and at(due), is_sla_met=told)
    assert world.kpi("sla_attainment") == kept


@pytest.mark.parametrize(
    ("answered", "hours"),
    [("2026-06-01T11:30", 1.5), ("2026-06-01T09:00", "not_given"), ("2026-07-01T10:00", "not_given")],
)
def test_an_answer_before_the_case_or_after_the_day_tells_nothing(
    world: World, answered: str, hours: float | str
) -> None:
    case(world, "c", "2026-06-01T10:00", first_response_at=at(answered))
    assert world.kpi("first_response_h") == hours


def test_what_the_service_desk_knows_comes_first(world: World) -> None:
    """Cell by cell: where its file is silent, the CRM's own figures count."""
    case(world, "c", "2026-06-01T10:00", "2026-06-02T10:00", reopened_n=2, is_sla_met=False)
    case(world, "d", "2026-06-01T10:00", "2026-06-02T10:00", reopened_n=0)
    world.give("service", case="c", first_response_hours=3.0, is_sla_met=True)
    assert (world.kpi("first_response_h"), world.kpi("sla_attainment"), world.kpi("reopen_rate")) == (3.0, 1.0, 0.5)
