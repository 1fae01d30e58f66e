"""What stands on a column is found from the declarations, for every column that facts are made of."""

from __future__ import annotations

import pytest

from kammodel.dependents import dependents_of
from kammodel.entities import Account, Case, Opportunity, Sourced
from kammodel.facts import FRAMES
from kammodel.kpis import DERIVED, GROUPS, KPIS
from kammodel.tiering.criteria import CRITERIA


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


def _read() -> list[tuple[type[Sourced], str, str]]:
    of = {kpi.of for kpi in KPIS}
    told = ((e, column, f.name) for f in FRAMES if f.name in of for e, cs in f.entities.items() for column in cs)
    return sorted(told, key=lambda one: (one[0].__name__, *one[1:]))


@pytest.mark.parametrize(("entity", "column", "frame"), _read())
def test_no_kpi_over_a_frame_that_reads_the_column_is_left_out(entity: type[Sourced], column: str, frame: str) -> None:
    over = {kpi.name for kpi in KPIS if kpi.of == frame}
    assert over <= set(dependents_of(entity, {column}).kpis)
