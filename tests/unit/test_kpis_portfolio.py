"""Concentration of revenue over account groups, by hand; as of 30 June 2026."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kammodel.scoring import known_kpis
from tests.maven_book import FOLDER, LAST_DAY, MISSING, maven_inputs
from tests.unit.kam_world import CONFIG, World, on


def world_of(*revenues: float | None) -> World:
    world = World()
    for place, amount in enumerate(revenues):
        world.account(f"g{place:02}")
        if amount is not None:
            world.deal(f"g{place:02}", amount, close_on=on("2026-01-01"))
    return world


def test_shares_of_the_largest() -> None:
    """50, 20, 10 and five of 4: 100 in all; those at or below nothing are in no base."""
    world = world_of(4, 50, 4, 20, 4, 10, 4, 4, -30, None)
    names = ("top1_share", "top5_share", "top10_share", "groups_with_revenue_n", "groups_without_revenue_n")
    assert [world.of_all(name) for name in names] == [0.5, 0.88, 1.0, 8, 2]


def test_the_index_is_the_sum_of_squared_shares() -> None:
    """0.5, 0.25, 0.25: 0.375, as concentrated as 2.7 equal ones."""
    world = world_of(20, 10, 10)
    assert (world.of_all("revenue_hhi"), world.of_all("effective_customers")) == (0.375, 2.7)


def test_many_small_customers_are_as_many_as_they_are() -> None:
    """The index has few digits left when it is shown, 0.001429: its inverse is not that of these."""
    assert world_of(*[1] * 700).of_all("effective_customers") == 700.0


@pytest.mark.parametrize(
    ("revenues", "n"), [((80, 20), 1), ((79, 21), 2), ((40, 40, 20), 2), ((1,), 1), ((25, 25, 25, 25), 4)]
)
def test_the_vital_few_bring_four_fifths(revenues: tuple[float, ...], n: int) -> None:
    """At least 80 %: exactly so much is enough."""
    assert world_of(*revenues).of_all("pareto_n80") == n


def test_a_major_customer_has_a_tenth() -> None:
    """ASC 280-10-50-42: 10 % or more."""
    assert world_of(10, 9, 81).of_all("major_customers_n") == 2


def test_without_revenue_there_is_no_concentration() -> None:
    world = world_of(None, -5)
    for name in ("top1_share", "revenue_hhi", "effective_customers", "pareto_n80", "major_customers_n"):
        assert world.of_all(name) == "no_revenue"


def test_a_missing_rate_leaves_all_shares_unknown() -> None:
    """Reading 7: as with the share of each group."""
    world = world_of(10, 10)
    world.deal("g00", 5, currency="GBP", close_on=on("2026-01-01"))
    assert world.of_all("revenue_hhi") == "no rate for GBP"
    assert world.of_all("pareto_n80") == "no rate for GBP"


@pytest.mark.skipif(not FOLDER.exists(), reason=MISSING)
def test_concentration_of_maven() -> None:
    """Over its 70 groups: 0.01988, as in kam.md."""
    config = replace(CONFIG, as_of=LAST_DAY, timezone="UTC", reporting_currency="USD")
    told = known_kpis(maven_inputs(), config).portfolio.row(0, named=True)
    assert round(told["revenue_hhi"], 5) == 0.01988
    assert (told["effective_customers"], told["groups_with_revenue_n"]) == (50.3, 70)
