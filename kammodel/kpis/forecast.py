"""Whether the pipeline of the quarter suffices for its target, and how good our forecasts were."""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.pipeline import dated, in_forecast
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_sum, missing_rate

_QUARTERS = 4


@kpi(unit="money", window="quarter", of="targets", levels=ALL_LEVELS)
def target_quarter(_: Windows) -> Figure:
    """What is to be brought in the calendar quarter of t: targets.csv, or the quotas of the CRM for owners.

    The portfolio's is the sum of the owners', else that of the accounts' (facts/targets.py). Null with `no_target`.
    """
    rate = missing_rate(pl.lit(value=True))
    total = pl.col("amount").cast(pl.Int128).sum()
    known = rate.is_null() & (pl.col("amount").count() > 0)
    return Figure(pl.when(known).then(total), pl.coalesce(rate, pl.lit("no_target")))


@kpi(unit="money", window="quarter", of="revenue_events", levels=ALL_LEVELS)
def revenue_quarter(t: Windows) -> Figure:
    """As revenue_ttm, in the calendar quarter of t, up to t."""
    return known_sum(t.quarter("day") & t.until("day"))


@kpi(unit="money", window="quarter", of="deals", levels=ALL_LEVELS)
def open_pipeline_quarter(t: Windows) -> Figure:
    """Sum of open amounts, not omitted from the forecast, expected to close in the calendar quarter of t; those of it
    that are past due are in. Null with `no_close_dates` if no open deal has a close date (reading 15)."""
    return dated(known_sum(in_forecast() & t.quarter("expected_on")), in_forecast())


@kpi(unit="ratio", window="quarter", of="kpis", scale=6, levels=ALL_LEVELS)
def pipeline_coverage(_: Windows) -> Figure:
    """`open_pipeline_quarter / (target_quarter - revenue_quarter)`: how often the pipeline holds what is still missing.

    Enough is `coverage_needed`, not a fixed number of times (kam.md §4). Null with `met` where the target is reached.
    """
    missing = pl.col("target_quarter").cast(pl.Int128) - pl.col("revenue_quarter").cast(pl.Int128)
    met = pl.when(missing <= 0).then(pl.lit("met"))
    why = pl.coalesce("target_quarter__why", "revenue_quarter__why", met, "open_pipeline_quarter__why")
    return Figure(pl.when(why.is_null()).then(pl.col("open_pipeline_quarter") / missing), why)


@kpi(unit="ratio", window="12m", of="kpis", scale=6, levels=ALL_LEVELS)
def coverage_needed(_: Windows) -> Figure:
    """`1 / win_rate_value`: the coverage that suffices if as much of it is won as in the last twelve months."""
    nothing = pl.when(pl.col("win_rate_value") <= 0).then(pl.lit("no_won"))
    why = pl.coalesce("win_rate_value__why", nothing)
    return Figure(pl.when(why.is_null()).then(1 / pl.col("win_rate_value")), why)


@kpi(unit="money", window="quarter", of="deals", levels=ALL_LEVELS)
def forecast_quarter(t: Windows) -> Figure:
    """What is forecast for the calendar quarter of t: won in it up to t, and open deals of forecast category commit
    that are expected to close in it. What a snapshot says of a quarter that begins is what forecast_accuracy looks
    back at.

    Null with `no_forecast` where there are open deals and no category of any is known.
    """
    won = (pl.col("status") == "won") & t.quarter("closed_on") & t.until("closed_on")
    commit = in_forecast() & (pl.col("forecast_category") == "commit") & t.quarter("expected_on")
    unknown = (count(in_forecast()) > 0) & (count(in_forecast() & pl.col("forecast_category").is_not_null()) == 0)
    total = known_sum(won | commit)
    why = pl.coalesce(total.why, pl.when(unknown).then(pl.lit("no_forecast")))
    return Figure(pl.when(why.is_null()).then(total.value), why)


def _looked_back(above: pl.Expr) -> Figure:
    """By what was won in the quarters looked back at; null for fewer than four of them."""
    told, actual = pl.col("forecast").is_not_null(), pl.col("actual").cast(pl.Int128)
    quarters = pl.when(told).then(pl.col("quarter")).drop_nulls().n_unique()
    total = pl.when(told).then(actual).sum()
    why = pl.coalesce(
        pl.when(quarters < _QUARTERS).then(pl.lit("few_forecasts")),
        pl.when(count(told & pl.col("actual").is_null()) > 0).then(pl.lit(AMOUNTS_UNKNOWN)),
        pl.when(total <= 0).then(pl.lit("nothing_won")),
    )
    return Figure(pl.when(why.is_null()).then(pl.when(told).then(above).sum() / total), why)


def _missed() -> pl.Expr:
    return pl.col("forecast").cast(pl.Int128) - pl.col("actual").cast(pl.Int128)


@kpi(unit="ratio", window="4 quarters", of="forecasts", scale=6, levels=ALL_LEVELS)
def forecast_accuracy(_: Windows) -> Figure:
    """`1 - sum |F - A| / sum A` over account groups and the whole quarters, up to five, before that of t: F is
    forecast_quarter as our snapshot of the quarter's first two weeks has it, A what was won in it.

    Below 0 where we missed by more than there was. Null with `few_forecasts` for fewer than four quarters, with
    `nothing_won` where A is nothing (kam.md §4).
    """
    wape = _looked_back(_missed().abs())
    return Figure(1 - wape.value, wape.why)


@kpi(unit="ratio", window="4 quarters", of="forecasts", scale=6, levels=ALL_LEVELS)
def forecast_bias(_: Windows) -> Figure:
    """As forecast_accuracy, `sum (F - A) / sum A`: above 0 we forecast too much."""
    return _looked_back(_missed())
