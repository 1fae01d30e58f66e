"""What stands on a column is found from the declarations, for every column that facts are made of."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from kammodel.dependents import BY_HAND, CARRIED, dependents_of, dependents_of_streams
from kammodel.entities import Account, Case, Opportunity, Sourced
from kammodel.facts import FRAMES
from kammodel.kpis import DERIVED, GROUPS, KPIS
from kammodel.scoring import known_kpis
from kammodel.tiering.criteria import CRITERIA
from tests.unit.kam_world import CONFIG
from tests.unit.rich_world import forecasts_before, rich_world, tiers_before


def test_amounts_of_deals_carry_revenue_and_what_is_judged_by_it() -> None:
    found = dependents_of(Opportunity, {"amount"})
    assert {"revenue_ttm", "weighted_pipeline", "win_rate_count"} <= set(found.kpis)
    assert {"volume", "potential"} <= set(found.criteria)
    assert "open_cases" not in found.kpis


def test_what_is_computed_from_kpis_depends_on_what_they_depend_on() -> None:
    """The growth on last year is made of other KPIs, and reads no fact by itself."""
    growth = next(kpi for kpi in KPIS if kpi.name == "revenue_yoy_growth")
    assert growth.of in {GROUPS, DERIVED}
    assert growth.name in dependents_of(Opportunity, {"amount"}).kpis


def test_a_column_that_no_fact_reads_carries_nothing() -> None:
    found = dependents_of(Account, {"no_such_column"})
    assert (found.kpis, found.criteria) == ((), ())


def test_names_stand_in_the_order_of_their_declaration() -> None:
    found = dependents_of(Case, {"created_at", "closed_at", "priority"})
    assert list(found.kpis) == [kpi.name for kpi in KPIS if kpi.name in found.kpis]
    assert list(found.criteria) == [one.key for one in CRITERIA if one.key in found.criteria]


def test_a_rating_of_accounts_is_measured_as_it_is() -> None:
    """No KPI lies between."""
    found = dependents_of(Account, {"strategic_value"})
    assert (found.kpis, found.criteria) == ((), ("strategic",))


def test_an_override_carries_the_tiers_that_are_set_by_it() -> None:
    """Every column of accounts by which people decide a tier themselves is named."""
    columns = {name for name in Account.model_fields if name.startswith("tier_override")}
    assert set(BY_HAND) == columns
    found = dependents_of(Account, {"tier_override"})
    assert (found.kpis, found.criteria, found.by_hand) == ((), (), ("tiers set by hand",))


def test_without_accounts_nothing_is_left() -> None:
    found = dependents_of_streams({"accounts"})
    assert (len(found.kpis), len(found.criteria), found.by_hand) == (len(KPIS), len(CRITERIA), ("tiers set by hand",))


def test_what_is_only_carried_concerns_those_that_name_it() -> None:
    """Few of the KPIs of deals look at their probability."""
    found = dependents_of(Opportunity, {"probability"})
    assert (found.kpis, found.criteria) == (("weighted_pipeline", "open_probability_missing_n"), ("potential",))
    assert set(found.kpis) < set(dependents_of(Opportunity, {"probability", "amount"}).kpis)


def test_without_a_stream_its_kpis_are_lost() -> None:
    """Cases of one CRM are the tickets of the other."""
    found = dependents_of_streams({"cases"})
    assert found == dependents_of_streams({"tickets"})
    assert {"open_cases", "first_response_h"} <= set(found.kpis)
    assert found.criteria == ("service_need",)
    assert dependents_of_streams({"users"}).kpis == ()


def known_without(column: str | None) -> pl.DataFrame:
    """The KPIs of account groups where no deal has a value in a column."""
    world = rich_world()
    for row in world.deals if column else ():
        row[str(column)] = None
    return known_kpis(replace(world.inputs(), forecasts=forecasts_before()), CONFIG, tiers_before()).kpis


@pytest.fixture(scope="module")
def rich() -> pl.DataFrame:
    return known_without(None)


@pytest.mark.parametrize("column", sorted(CARRIED[Opportunity]))
def test_where_a_carried_column_is_empty_only_those_that_name_it_change(rich: pl.DataFrame, column: str) -> None:
    """In a book of business in which every KPI has something to tell of."""
    named = dependents_of(Opportunity, {column}).kpis
    others = [kpi.name for kpi in KPIS if kpi.name not in named and "group" in kpi.levels]
    without = known_without(column)
    assert without.select(others).equals(rich.select(others))
    assert not without.select(pl.exclude("group", *others)).equals(rich.select(pl.exclude("group", *others)))


def _read() -> list[tuple[type[Sourced], str, str]]:
    of = {kpi.of for kpi in KPIS}
    told = ((e, column, f.name) for f in FRAMES if f.name in of for e, cs in f.entities.items() for column in cs)
    return sorted(told, key=lambda one: (one[0].__name__, *one[1:]))


@pytest.mark.parametrize(("entity", "column", "frame"), _read())
def test_no_kpi_over_a_frame_that_reads_the_column_is_left_out(entity: type[Sourced], column: str, frame: str) -> None:
    over = {kpi.name for kpi in KPIS if kpi.of == frame and column not in CARRIED.get(entity, ())}
    assert over <= set(dependents_of(entity, {column}).kpis)
