"""No figure of the catalogue is out of reach: in a book of business with a record of everything, each is known of some
account group, of some key account manager and of the whole, as far as it is declared for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kammodel.kpis import KPIS, Kpi
from kammodel.scoring import Known, known_kpis
from tests.unit.kam_world import CONFIG
from tests.unit.rich_world import forecasts_before, rich_world, tiers_before, young_world

ONLY_OF_THE_YOUNG = {"revenue_annualised"}
"""What is told only while there is less than a year of history, when other figures cannot be known yet."""


@pytest.fixture(scope="module")
def rich() -> Known:
    inputs = replace(rich_world().inputs(), forecasts=forecasts_before())
    return known_kpis(inputs, CONFIG, tiers_before())


@pytest.fixture(scope="module")
def young() -> Known:
    return known_kpis(young_world().inputs(), CONFIG)


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.name)
def test_each_kpi_is_known_at_each_of_its_levels(rich: Known, young: Known, kpi: Kpi) -> None:
    known = young if kpi.name in ONLY_OF_THE_YOUNG else rich
    frames = {"group": known.kpis, "kam": known.by_kam, "portfolio": known.portfolio}
    reasons = {
        level: frames[level][f"{kpi.name}__why"].unique().to_list()
        for level in kpi.levels
        if frames[level][kpi.name].null_count() == frames[level].height
    }
    assert not reasons
