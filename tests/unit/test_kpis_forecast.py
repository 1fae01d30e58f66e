"""Targets, coverage and forecasts, by hand; as of 30 May 2026, in the quarter from 1 April to 30 June."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from kammodel.entities import Target, User
from kammodel.scoring import Inputs, known_kpis
from tests.unit.kam_world import CONFIG, World, at, on

DAY = on("2026-05-30")
NOW = replace(CONFIG, as_of=DAY)


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a", owner_id="ana")
    made.add(User, "ana")
    made.add(User, "luis")
    return made


def aimed(world: World, value: float, starts: str, ends: str, **values: Any) -> None:
    told = {"account": "a", "starts_on": on(starts), "ends_on": on(ends), "metric": "revenue"}
    world.give("targets", **{**told, "value": round(value * 10_000), **values})


def quota(world: World, owner: str, value: float, starts: str, ends: str, **values: Any) -> None:
    told = {"owner_id": owner, "metric": "sales_quota", "starts_on": on(starts), "ends_on": on(ends)}
    world.add(Target, f"goal-{len(world.others.get(Target, []))}", **{**told, "target_value": value, **values})


YEAR, HALF, QUARTER = ("2026-01-01", "2026-12-31"), ("2026-01-01", "2026-06-30"), ("2026-04-01", "2026-06-30")


@pytest.mark.parametrize(
    ("periods", "target"),
    [
        ([(100, *QUARTER)], 100),
        ([(400, *YEAR)], 100),
        ([(400, *YEAR), (250, *HALF)], 125),
        ([(400, *YEAR), (250, *HALF), (90, *QUARTER)], 90),
        ([(1, "2026-04-01", "2026-04-30"), (2, "2026-05-01", "2026-05-31"), (4, "2026-06-01", "2026-06-30")], 7),
        ([(1, "2026-04-01", "2026-04-30"), (4, "2026-06-01", "2026-06-30")], "no_target"),
        ([(400, "2025-01-01", "2025-12-31")], "no_target"),
        ([], "no_target"),
    ],
)
def test_the_shortest_period_that_holds_the_quarter_counts(
    world: World, periods: list[tuple[float, str, str]], target: Any
) -> None:
    """Else its months, if all of them are there."""
    for value, starts, ends in periods:
        aimed(world, value, starts, ends)
    found = world.kpi("target_quarter", as_of=DAY)
    assert found == (target if isinstance(target, str) else target * 10_000)


def test_a_groups_target_is_that_of_its_accounts(world: World) -> None:
    world.account("b", parent_id="a")
    aimed(world, 100, *QUARTER)
    aimed(world, 400, *YEAR, account="b")
    assert world.kpi("target_quarter", as_of=DAY) == 2_000_000


def test_a_target_in_another_currency_converts_at_the_rates_of_the_accounts_crm(world: World) -> None:
    """At that of the period's first day, as what files tell of revenue does (reading 8)."""
    world.rate("USD", "2026-04-01", 9, 10)
    world.rate("USD", "2026-05-01", 5, 10)
    aimed(world, 100, *QUARTER, currency="USD")
    assert world.kpi("target_quarter", as_of=DAY) == 900_000


def test_owners_have_targets_of_their_own(world: World) -> None:
    """The portfolio's are the owners', not those of accounts once more; a quota that the file replaces is none."""
    aimed(world, 100, *QUARTER)
    aimed(world, 40, *QUARTER, account=None, owner="ana")
    quota(world, "ana", 7, *QUARTER)
    quota(world, "luis", 60, *YEAR)
    assert world.of_kam("target_quarter", "ana", as_of=DAY) == 400_000
    assert world.of_all("target_quarter", as_of=DAY) == 400_000 + 150_000


def test_without_owners_the_portfolio_aims_at_what_its_accounts_do(world: World) -> None:
    aimed(world, 100, *QUARTER)
    quota(world, "luis", 60, *QUARTER, metric="calls")
    assert world.of_all("target_quarter", as_of=DAY) == 1_000_000


def test_coverage_is_of_what_is_still_missing(world: World) -> None:
    """150 aimed at, 30 won in the quarter up to today; 560 open in it, that which is won tomorrow included."""
    aimed(world, 150, *QUARTER)
    for amount, day in ((30, "2026-05-30"), (500, "2026-03-31"), (500, "2026-05-31")):
        world.deal("a", amount, close_on=on(day))
    for amount, day in ((20, "2026-05-01"), (40, "2026-06-30"), (900, "2026-07-01"), (900, "2026-03-31")):
        world.deal("a", amount, status="open", close_on=on(day))
    world.deal("a", 900, status="open", close_on=on("2026-06-01"), is_omitted=True)
    assert world.kpi("revenue_quarter", as_of=DAY) == 300_000
    assert world.kpi("open_pipeline_quarter", as_of=DAY) == 5_600_000
    assert world.kpi("pipeline_coverage", as_of=DAY) == 4.666667


def test_open_deals_of_which_none_has_a_close_date_cover_nobody_knows_what(world: World) -> None:
    """Reading 15: the pipeline is not 0; that a target is met, it takes no pipeline to tell."""
    world.deal("a", 900, status="open", close_on=None)
    aimed(world, 150, *QUARTER)
    for name in ("open_pipeline_quarter", "pipeline_coverage"):
        assert world.kpi(name, as_of=DAY) == "no_close_dates"
    world.deal("a", 150, close_on=on("2026-05-30"))
    assert world.kpi("pipeline_coverage", as_of=DAY) == "met"


@pytest.mark.parametrize(("target", "coverage"), [(30, "met"), (29, "met"), (None, "no_target")])
def test_a_target_that_is_reached_needs_no_coverage(world: World, target: float | None, coverage: str) -> None:
    world.deal("a", 30, close_on=on("2026-05-30"))
    if target is not None:
        aimed(world, target, *QUARTER)
    assert world.kpi("pipeline_coverage", as_of=DAY) == coverage


def test_the_coverage_that_suffices_follows_from_the_win_rate(world: World) -> None:
    """A quarter of the value is won: four times is enough, and not three."""
    for status, n in (("won", 5), ("lost", 15)):
        for _ in range(n):
            world.deal("a", 10, status=status, close_on=on("2026-05-01"))
    assert world.kpi("coverage_needed", as_of=DAY) == 4.0


def test_the_forecast_is_what_is_won_and_what_is_promised(world: World) -> None:
    world.deal("a", 10, close_on=on("2026-04-01"))
    for amount, category, day in (
        (20, "commit", "2026-06-01"),
        (40, "commit", "2026-07-01"),
        (80, "best_case", "2026-06-01"),
    ):
        world.deal("a", amount, status="open", close_on=on(day), forecast_category=category)
    assert world.kpi("forecast_quarter", as_of=DAY) == 300_000


def test_without_any_category_there_is_no_forecast(world: World) -> None:
    assert world.kpi("forecast_quarter", as_of=DAY) == 0
    world.deal("a", 20, status="open", close_on=on("2026-06-01"))
    assert world.kpi("forecast_quarter", as_of=DAY) == "no_forecast"


def looked_back(world: World, forecasts: dict[str, float]) -> Inputs:
    """With what snapshots of the first day of quarters forecast for the group of account a."""
    rows = [
        ("salesforce:org:a", on(day), at(f"{day}T06:00"), round(value * 10_000)) for day, value in forecasts.items()
    ]
    inputs = world.inputs()
    return replace(inputs, forecasts=pl.DataFrame(rows, schema=inputs.forecasts.schema, orient="row"))


WON = {"2025-05-01": 100, "2025-08-01": 100, "2025-11-01": 200, "2026-02-01": 100}
FIRST_DAYS = ("2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01")


def forecast(world: World, *forecasts: float, **more: float) -> tuple[Any, Any]:
    for day, amount in WON.items():
        world.deal("a", amount, close_on=on(day))
    inputs = looked_back(world, dict(zip(FIRST_DAYS, forecasts, strict=False)) | more)
    row = known_kpis(inputs, NOW).kpis.row(0, named=True)
    return tuple(row[f"{n}__why"] if row[n] is None else row[n] for n in ("forecast_accuracy", "forecast_bias"))


def test_accuracy_is_how_far_forecasts_missed(world: World) -> None:
    """Missed by 20, 0, 50 and 30 of 500: 0.8; 20 + 0 - 50 - 30 of 500 too little."""
    assert forecast(world, 120, 100, 150, 70) == (0.8, -0.12)


def test_accuracy_may_be_below_nothing(world: World) -> None:
    assert forecast(world, 700, 100, 200, 100) == (-0.2, 1.2)


def test_four_quarters_are_needed(world: World) -> None:
    """The quarter that is under way is none yet."""
    assert forecast(world, 100, 100, 200, **{"2026-04-01": 5}) == ("few_forecasts", "few_forecasts")


def test_nothing_won_is_no_accuracy(world: World) -> None:
    inputs = looked_back(world, dict.fromkeys(FIRST_DAYS, 10.0))
    assert known_kpis(inputs, NOW).kpis["forecast_accuracy__why"].item() == "nothing_won"


def test_a_forecast_recorded_later_was_not_known_then(world: World) -> None:
    earlier = looked_back(world, dict.fromkeys(FIRST_DAYS, 10.0))
    told = earlier.forecasts.with_columns(
        pl.lit(at("2026-10-01T00:00")).cast(pl.Datetime("us", "UTC")).alias("recorded_at")
    )
    found = known_kpis(replace(earlier, forecasts=told), replace(NOW, as_of=DAY + dt.timedelta(days=1)))
    assert found.kpis["forecast_accuracy__why"].item() == "few_forecasts"
