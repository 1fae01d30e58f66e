"""Amounts in the reporting currency: dated rates, crossed by way of the home currency, half to even."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from kammodel.conversion import rounded_quotient
from tests.unit.kam_world import World, figure, on

IN_WINDOW = on("2026-03-15")


@pytest.fixture
def world() -> World:
    made = World()
    made.account("a")
    return made


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (8, 3, 3), (-8, 3, -3), (10**30, 3, 10**30 // 3), (0, 7, 0)],
)
def test_quotients_round_half_to_even(numerator: int, denominator: int, expected: int) -> None:
    frame = pl.DataFrame({"n": pl.Series([numerator], dtype=pl.Int128), "d": pl.Series([denominator], dtype=pl.Int128)})
    assert frame.select(rounded_quotient(pl.col("n"), pl.col("d"))).item() == expected


def test_the_reporting_currency_needs_no_rate(world: World) -> None:
    world.deal("a", 12.5, close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == 125_000


def test_a_rate_multiplies_from_its_day_until_the_next(world: World) -> None:
    """Reading 8: won deals at the close date. 100 at 0.80 and 100 at 0.90, the latter from the 15th on."""
    world.rate("USD", "2026-01-01", 8, 10)
    world.rate("USD", "2026-03-15", 9, 10)
    world.deal("a", 100, currency="USD", close_on=on("2026-03-14"))
    world.deal("a", 100, currency="USD", close_on=on("2026-03-15"))
    assert world.kpi("revenue_ttm") == 1_700_000


def test_open_pipeline_converts_at_the_as_of_date(world: World) -> None:
    """Reading 8: not at its expected close date."""
    world.rate("USD", "2026-01-01", 8, 10)
    world.rate("USD", "2026-08-01", 9, 10)
    world.deal("a", 100, status="open", currency="USD", close_on=on("2026-09-01"))
    assert world.kpi("open_pipeline") == 800_000


def test_a_missing_rate_makes_the_figure_unknown(world: World) -> None:
    """Reading 7: the known part is not shown as if it were all."""
    world.deal("a", 100, close_on=IN_WINDOW)
    world.deal("a", 100, currency="GBP", close_on=IN_WINDOW)
    world.rate("USD", None, 9, 10)
    assert world.kpi("revenue_ttm") == "no rate for GBP"
    assert world.kpi("revenue_yoy_growth") == "no rate for GBP"
    assert world.kpi("avg_deal_size") == "no rate for GBP"
    assert world.kpi("open_pipeline") == 0
    assert world.known().counts["amounts_without_rate"] == 1


def test_before_its_first_rate_a_currency_has_none(world: World) -> None:
    world.rate("USD", "2026-04-01", 9, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == "no rate for USD"


def test_a_rate_since_ever_holds_before_the_dated_ones(world: World) -> None:
    world.rate("USD", None, 1, 2)
    world.rate("USD", "2026-04-01", 9, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == 500_000


def test_another_reporting_currency_is_crossed_by_way_of_the_home_currency(world: World) -> None:
    """100 USD are 90 EUR; one GBP is 1.20 EUR; so 75 GBP. 60 EUR are 50 GBP."""
    world.rate("USD", None, 9, 10)
    world.rate("GBP", None, 12, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    world.deal("a", 60, close_on=IN_WINDOW)
    world.deal("a", 1, currency="GBP", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm", reporting_currency="GBP") == 1_260_000


def test_the_rate_of_the_reporting_currency_may_be_the_missing_one(world: World) -> None:
    world.rate("USD", None, 9, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm", reporting_currency="CHF") == "no rate for CHF"


def test_conversion_rounds_once_per_deal_half_to_even(world: World) -> None:
    """1.0000 at 1/8 of 0.0002 units: 0.00125 and 0.00375 of a unit are 12.5 and 37.5 ten-thousandths."""
    world.rate("XAU", None, 1, 8)
    world.deal("a", 0.01, currency="XAU", close_on=IN_WINDOW)
    world.deal("a", 0.03, currency="XAU", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == 12 + 38


def test_an_amount_without_currency_is_in_the_home_currency(world: World) -> None:
    """The org's rates say which one it is; here the reporting currency is another."""
    world.rate("GBP", None, 2, 1)
    world.deal("a", 100, currency=None, close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm", reporting_currency="GBP") == 500_000


@pytest.mark.parametrize(
    ("others", "expected"),
    [((), 1_000_000), (("EUR",), 1_000_000), (("USD",), "no rate for EUR"), (("EUR", "USD"), "no_currency")],
)
def test_without_rates_the_only_currency_named_is_the_home_currency(
    world: World, others: tuple[str, ...], expected: Any
) -> None:
    """None named at all: a single-currency org that does not tell, taken to report in its own."""
    world.deal("a", 100, currency=None, close_on=IN_WINDOW)
    for currency in others:
        world.deal(None, 1, currency=currency, close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == expected


def test_each_crm_has_rates_of_its_own(world: World) -> None:
    world.account("7", source="hubspot")
    world.rate("USD", None, 9, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    world.deal("7", 100, source="hubspot", currency="USD", close_on=IN_WINDOW)
    world.deal("7", 100, source="hubspot", currency="EUR", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm", "a") == 900_000
    assert world.kpi("revenue_ttm", "7") == "no rate for USD"


def test_deleted_and_senseless_rates_are_none(world: World) -> None:
    world.rate("USD", None, 9, 10, deleted=True)
    world.rate("USD", "2026-01-01", 0, 10)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == "no rate for USD"


def test_a_sum_that_is_too_large_to_hold_is_unknown(world: World) -> None:
    """Two mistyped amounts stop nobody else's score."""
    world.account("b")
    world.deal("b", 5, close_on=IN_WINDOW)
    for _ in range(2):
        world.deal("a", 6e14, close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == "out_of_range"
    assert figure(world.day(), "revenue_ttm", "b") == 50_000


def test_an_amount_that_is_too_large_once_converted_is_unknown(world: World) -> None:
    """It fits as it was typed, and not in a currency worth less."""
    world.rate("GBP", None, 12, 10)
    world.deal("a", 9e14, currency="GBP", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == "out_of_range"


def test_an_amount_that_fits_is_converted_though_its_product_with_the_rate_does_not_fit(world: World) -> None:
    world.rate("GBP", None, 10, 12)
    world.deal("a", 9e14, currency="GBP", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == 7_500_000_000_000_000_000


def test_a_difference_that_is_too_large_to_hold_is_unknown(world: World) -> None:
    """Both years fit; what lies between them does not, and does not come out below zero."""
    world.deal("a", 9e14, close_on=IN_WINDOW)
    world.deal("a", -9e14, close_on=on("2025-03-01"))
    assert world.kpi("revenue_ttm") == 9_000_000_000_000_000_000
    assert world.kpi("revenue_yoy_delta") == "out_of_range"


def test_a_sum_that_is_too_large_leaves_no_share_of_it(world: World) -> None:
    """The others' shares would be of too small a sum: unknown is not zero, as with a missing rate."""
    world.account("b")
    world.deal("b", 5, close_on=IN_WINDOW)
    for _ in range(2):
        world.deal("a", 6e14, close_on=IN_WINDOW)
    assert figure(world.day(), "revenue_share", "b") == "out_of_range"


def given(world: World, currency: str, valid_from: str, rate: float) -> None:
    told = {"rate_numerator": round(rate * 10**9), "rate_denominator": 10**9}
    world.give("fx_rates", currency=currency, valid_from=on(valid_from), **told)


def test_rates_of_the_file_go_before_those_of_the_crm(world: World) -> None:
    """Reading 8: reporting = amount x rate, from its date on; before its first date the CRM's rate holds."""
    world.rate("USD", None, 8, 10)
    given(world, "USD", "2026-01-01", 0.9)
    given(world, "USD", "2026-04-01", 0.95)
    for day in ("2025-12-31", "2026-03-31", "2026-04-01"):
        world.deal("a", 100, currency="USD", close_on=on(day))
    assert world.kpi("revenue_ttm") == 2_650_000


def test_a_currency_of_the_crm_is_crossed_with_the_files_rate_of_its_home(world: World) -> None:
    """Dollars at 0.9 euros each by the CRM, euros at 1.1 francs by the file."""
    world.rate("USD", None, 9, 10)
    given(world, "EUR", "2020-01-01", 1.1)
    world.deal("a", 100, currency="USD", close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm", reporting_currency="CHF") == 990_000


def test_the_reporting_currency_is_one_whatever_a_file_says(world: World) -> None:
    given(world, "EUR", "2020-01-01", 2)
    world.deal("a", 100, close_on=IN_WINDOW)
    assert world.kpi("revenue_ttm") == 1_000_000
