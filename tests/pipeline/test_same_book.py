"""The same business gives the same figures, whichever CRM holds it, and no figure doubles where both do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from flows.pipeline import score_day_of
from kammodel.kpis import KPIS
from kammodel.scoring import ScoredDay
from tests.pipeline.company import NOW, office, small_book

SHOWN = ("score", "coverage", "tier_computed", "tier_effective", "quadrant", "rfm", "in_population")


def scored(crm: Literal["salesforce", "hubspot", "both"], folder: Path) -> ScoredDay:
    """The book's day as kam sees it out of one CRM, or out of both."""
    folder.mkdir()
    book = small_book(120)
    # What one CRM alone can hold is no part of the comparison. An org without Shared Activities holds one contact to an
    # activity, a portal any number; Salesforce tells the direction of calls alone; HubSpot has no contracts and plans.
    book.touches = [
        replace(touch, people=touch.people[:1], inbound=touch.inbound if touch.kind == "call" else None)
        for touch in book.touches
    ]
    book.around = replace(book.around, contracts=[], plans=[])
    with office(same_in(book, Clock(NOW), crm), folder) as desk:
        desk.pull()
        return score_day_of(desk.store, desk.config())


def figures(day: ScoredDay) -> pl.DataFrame:
    """KPIs and tiers by the root's name: ids differ from CRM to CRM. Contracts that were never read are not none, and
    only in Salesforce has every deal a forecast category."""
    scores = day.scores.frame.select("group", *SHOWN)
    of_one_crm = [kpi.name for kpi in KPIS if kpi.of == "contracts" or kpi.name.startswith("forecast_")]
    kpis = day.kpis.select("group", pl.exclude("group", "^.*__why$", *of_one_crm))
    names = day.groups.select("group", "name")
    joined = names.join(kpis, on="group").join(scores, on="group")
    return joined.drop("group", "group_id", strict=False).sort(pl.all())


@pytest.fixture(scope="module")
def out_of_salesforce(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return figures(scored("salesforce", tmp_path_factory.mktemp("one") / "crm"))


@pytest.mark.parametrize("crm", ["hubspot", "both"])
def test_the_same_book_gives_the_same_figures(
    crm: Literal["hubspot", "both"], out_of_salesforce: pl.DataFrame, tmp_path: Path
) -> None:
    """Every KPI and tier of every group is the same as out of Salesforce alone."""
    figures_ = figures(scored(crm, tmp_path / "crm"))
    assert_frame_equal(figures_, out_of_salesforce, check_row_order=True, check_exact=True)


def test_the_book_has_something_to_compare(out_of_salesforce: pl.DataFrame) -> None:
    """Tiers of several kinds, revenue and touches: equal nothings would prove nothing."""
    assert out_of_salesforce["tier_effective"].n_unique() >= 4
    assert (out_of_salesforce["revenue_ttm"] > 0).sum() > 20
    assert (out_of_salesforce["touches_90d"] > 0).sum() > 10
