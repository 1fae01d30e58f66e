"""What may come: open deals of the next twelve months, what they are worth, and how they move."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import rounded_quotient
from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_sum, missing_rate
from kammodel.kpis.value import sized
from kammodel.kpis.winning import ENOUGH, cycle_days
from kammodel.numbering import pair

_MILLIONTHS = 1_000_000
_NO_CLOSE_DATES, _NO_HISTORY = "no_close_dates", "no_stage_history"
_LEAST_OPEN = 5


def in_forecast() -> pl.Expr:
    """Open deals that their owner did not leave out of the forecast."""
    omitted = pl.col("is_omitted").fill_null(value=False)
    return (pl.col("status") == "open") & ~omitted


def _in_horizon(t: Windows) -> pl.Expr:
    return in_forecast() & t.within_months_ahead("expected_on", 12)


def dated(figure: Figure, is_open: pl.Expr) -> Figure:
    """Null where there are open deals and none of them has an expected close date (reading 15)."""
    undated = (count(is_open) > 0) & (count(is_open & pl.col("expected_on").is_not_null()) == 0)
    why = pl.when(undated).then(pl.lit(_NO_CLOSE_DATES))
    return Figure(pl.when(~undated).then(figure.value), pl.coalesce(why, figure.why))


def _weighted(rows: pl.Expr, share: pl.Expr, unknown_why: str) -> Figure:
    """Sum of amounts times shares (0..1, to a millionth) over `rows`, rounded once, half to even. Rows without a share
    are left out; null with `unknown_why` if no row that has an amount has one."""
    parts = (share * _MILLIONTHS).round(0).cast(pl.Int128)
    usable = rows & share.is_between(0, 1)
    total = known_sum(usable, pl.col("amount").cast(pl.Int128) * parts)
    priced = count(rows & pl.col("own_amount").is_not_null())
    nothing_known = (count(rows) > 0) & (count(usable & pl.col("own_amount").is_not_null()) == 0)
    code = pl.when(priced == 0).then(pl.lit(AMOUNTS_UNKNOWN)).otherwise(pl.lit(unknown_why))
    whole = rounded_quotient(total.value, pl.lit(_MILLIONTHS, pl.Int128))
    why = pl.coalesce(pl.when(nothing_known).then(code), total.why)
    return Figure(pl.when(~nothing_known).then(whole), why)


@kpi(unit="money", window="now", of="deals", levels=ALL_LEVELS)
def open_pipeline(t: Windows) -> Figure:
    """Sum of open amounts, deals omitted from the forecast left out, expected to close up to t + 12 months.

    Past due close dates are in. Deals without a close date are out and counted; if no open deal has one, null
    with `no_close_dates` (reading 15). No open deal is 0. Converted at the as-of date (reading 8).
    """
    return dated(known_sum(_in_horizon(t)), in_forecast())


@kpi(unit="money", window="now", of="deals", levels=ALL_LEVELS)
def weighted_pipeline(t: Windows) -> Figure:
    """As open_pipeline, each amount times its probability in the CRM (0..1, to a millionth; rounded once, half to
    even).

    Deals without a probability, or with one out of range, are left out and counted (reading 16); if none that
    has an amount has one either, null with `probabilities_unknown`.
    """
    return dated(_weighted(_in_horizon(t), pl.col("probability"), "probabilities_unknown"), in_forecast())


@kpi(unit="money", window="now", of="open_deals", levels=ALL_LEVELS)
def weighted_pipeline_calibrated(t: Windows) -> Figure:
    """As weighted_pipeline, each amount times the share of the deals of its stage that were won, whatever the CRM's
    probability is: closed in (t - 12 months, t], pulled towards that of all stages (facts/prospects.py; kam.md §4).

    Deals whose stage is not known are left out; null with `no_stage_history` if that is all of them, or if no deal
    with a stage history closed in that time.
    """
    is_open = pl.col("opportunity_id").is_not_null()
    rows = is_open & t.within_months_ahead("expected_on", 12)
    return dated(_weighted(rows, pl.col("rate"), _NO_HISTORY), is_open)


@kpi(unit="count", window="now", of="deals", levels=ALL_LEVELS)
def open_amount_missing_n(t: Windows) -> pl.Expr:
    """Open deals in the horizon without an amount: what open_pipeline lacks."""
    return count(_in_horizon(t) & pl.col("own_amount").is_null())


@kpi(unit="count", window="now", of="deals", levels=ALL_LEVELS)
def open_close_date_missing_n(_: Windows) -> pl.Expr:
    """Open deals without an expected close date: out of the horizon (reading 15)."""
    return count(in_forecast() & pl.col("expected_on").is_null())


@kpi(unit="count", window="now", of="deals", levels=ALL_LEVELS)
def open_probability_missing_n(t: Windows) -> pl.Expr:
    """Open deals in the horizon without a probability in 0..1: what weighted_pipeline lacks (reading 16)."""
    usable = pl.col("probability").is_between(0, 1).fill_null(value=False)
    return count(_in_horizon(t) & ~usable)


@kpi(unit="count", window="now", of="deals", levels=ALL_LEVELS)
def open_past_due_n(t: Windows) -> pl.Expr:
    """Open deals, not omitted, whose expected close date lies before t: in the pipeline all the same (kam.md §4)."""
    return count(in_forecast() & (pl.col("expected_on") < pl.lit(t.day)))


@kpi(unit="money", window="90d", of="deals", levels=ALL_LEVELS)
def pipeline_created_90d(t: Windows) -> Figure:
    """Sum of the amounts, as known at t, of deals created in the last 90 days, whatever became of them. None is 0.

    Converted as the deal is: open ones at the as-of date, closed ones at their close date (reading 8).
    """
    return known_sum(t.days("created_on", 90))


@kpi(unit="count", window="90d", of="deals", levels=ALL_LEVELS)
def pipeline_created_n_90d(t: Windows) -> pl.Expr:
    """Deals created in the last 90 days."""
    return count(t.days("created_on", 90))


@kpi(unit="ratio", window="90d", of="deals", scale=6, levels=ALL_LEVELS)
def pipeline_created_expansion_share(t: Windows) -> Figure:
    """Share of expansions among the deals created in the last 90 days whose kind is known, by number (kam.md §1b).

    Null with `no_kinds` where no kind is known, with `nothing_created` where there is no such deal.
    """
    created = t.days("created_on", 90)
    told = count(created & pl.col("kind").is_not_null())
    why = pl.when(count(created) == 0).then(pl.lit("nothing_created")).otherwise(pl.lit("no_kinds"))
    return Figure(pl.when(told > 0).then(count(created & (pl.col("kind") == "expansion")) / told), why)


@kpi(unit="days", window="all", of="deals", levels=ALL_LEVELS)
def days_since_new_opp(t: Windows) -> Figure:
    """Days since the last deal was created; null with `no_deals` where there is none with a day of creation."""
    last = pl.when(t.until("created_on")).then(pl.col("created_on")).max()
    return Figure(t.days_since(last), pl.lit("no_deals"))


@kpi(unit="days", window="now", of="open_deals", scale=1, levels=ALL_LEVELS)
def stage_age_days(t: Windows) -> Figure:
    """Median of days since open deals first entered their present stage.

    Null with `no_open_deals`, or with `no_stage_history` where it is known of none: days since creation are not it.
    """
    none = count(pl.col("opportunity_id").is_not_null()) == 0
    why = pl.when(none).then(pl.lit("no_open_deals")).otherwise(pl.lit(_NO_HISTORY))
    return Figure(t.days_since(pl.col("stage_since")).median(), why)


@kpi(unit="count", window="now", of="idle_deals", levels=ALL_LEVELS)
def stalled_opps(_: Windows) -> pl.Expr:
    """Open deals that entered no stage, and about which no activity was done, for more than twice the median of days in
    their stage, at least 30 (facts/prospects.py; kam.md §4)."""
    return count(pl.col("idle_days") > pl.col("limit"))


@kpi(unit="count", window="12m", of="pushes", levels=ALL_LEVELS)
def push_count(t: Windows) -> pl.Expr:
    """How often the expected close of an open deal was moved to a later quarter, in (t - 12 months, t], by its
    history."""
    return count(t.months("day", 12))


@kpi(unit="count", window="12m", of="pushes", levels=ALL_LEVELS)
def slipped_opps(t: Windows) -> pl.Expr:
    """Deals whose expected close was moved to a later quarter at least once in (t - 12 months, t]."""
    # Deals are numbered shard by shard, and a group is in one shard only.
    return pl.when(t.months("day", 12)).then(pair("group", "deal")).drop_nulls().n_unique().cast(pl.Int64)


@kpi(unit="money", window="12m", of="deals", levels=ALL_LEVELS)
def sales_velocity(t: Windows) -> Figure:
    """Money per day: open deals x average won size x win rate / median cycle in days. kam.md §4.

    One funnel for all four: renewals by kind are out, open deals are those of open_pipeline, the rest closed in (t
    - 12 months, t]. Null with `few_open` below five open deals, `few_closed` below ten closed ones, and where size
    or cycle cannot be told (`no_won`, `no_cycles`).
    """
    is_new = ~pl.col("kind").eq_missing(pl.lit("renewal"))
    closed = is_new & pl.col("status").is_in(["won", "lost"]) & t.months("closed_on", 12)
    won = closed & (pl.col("status") == "won")
    n_open, n_closed, n_sized = count(is_new & _in_horizon(t)), count(closed), count(sized(t))
    cycle = cycle_days().filter(won).median()
    total = pl.when(sized(t)).then(pl.col("amount").cast(pl.Int128)).sum().cast(pl.Float64)
    why = pl.coalesce(
        pl.when(n_open < _LEAST_OPEN).then(pl.lit("few_open")),
        pl.when(n_closed < ENOUGH).then(pl.lit("few_closed")),
        missing_rate(sized(t)),
        pl.when(n_sized == 0).then(pl.lit("no_won")),
        pl.when(cycle.is_null()).then(pl.lit("no_cycles")),
    )
    value = n_open * (total / n_sized) * (count(won) / n_closed) / cycle
    return Figure(pl.when(why.is_null()).then(value.round(0)), why)
