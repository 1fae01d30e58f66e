"""Contracts that come to an end, and whether they are renewed."""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import ALL_LEVELS, Figure, Windows, kpi
from kammodel.kpis.sums import AMOUNTS_UNKNOWN, count, known_sum, missing_rate


def _ends_within(t: Windows, days: int) -> pl.Expr:
    """Contracts to be decided in (t, t + days] that no other one follows yet."""
    return t.days_ahead("decide_on", days) & ~pl.col("is_renewed")


@kpi(unit="money", window="90d ahead", of="contracts", levels=ALL_LEVELS)
def renewals_due_90d(t: Windows) -> Figure:
    """Value of the contracts that end in (t, t + 90 days] and are not renewed yet; of one that renews itself, the
    last day of notice counts. None is 0; values that are not known are left out and counted, all of them: null."""
    return known_sum(_ends_within(t, 90), pl.col("value"), why="value_why")


@kpi(unit="money", window="180d ahead", of="contracts", levels=ALL_LEVELS)
def renewals_due_180d(t: Windows) -> Figure:
    """As renewals_due_90d, in (t, t + 180 days]."""
    return known_sum(_ends_within(t, 180), pl.col("value"), why="value_why")


@kpi(unit="count", window="90d ahead", of="contracts", levels=ALL_LEVELS)
def renewals_due_n_90d(t: Windows) -> pl.Expr:
    """How many contracts renewals_due_90d is about, those of unknown value too."""
    return count(_ends_within(t, 90))


@kpi(unit="count", window="180d ahead", of="contracts", levels=ALL_LEVELS)
def renewals_due_n_180d(t: Windows) -> pl.Expr:
    """How many contracts renewals_due_180d is about."""
    return count(_ends_within(t, 180))


@kpi(unit="days", window="ahead", of="contracts", levels=ALL_LEVELS)
def days_to_renewal(t: Windows) -> Figure:
    """Days from t to the next end of a contract that is not renewed yet, today's included; of one that renews
    itself, to its last day of notice. Null with `no_contract`."""
    ahead = pl.when(~pl.col("is_renewed") & (pl.col("decide_on") >= pl.lit(t.day))).then(pl.col("decide_on"))
    return Figure((ahead.min() - pl.lit(t.day)).dt.total_days(), pl.lit("no_contract"))


@kpi(unit="count", window="now", of="contracts", levels=ALL_LEVELS)
def active_contracts_n(t: Windows) -> pl.Expr:
    """Contracts in force at t: begun, and not ended before t. One brings a group into the population (kam.md §3d
    step 2) and is evidence enough (step 6)."""
    is_open = pl.col("ends_on").is_null() & pl.col("is_renewed").is_not_null()
    return count(is_open | (pl.col("ends_on") >= pl.lit(t.day)))


def _up_for_renewal(t: Windows) -> pl.Expr:
    """Ended in (t - 12 months, t]; what ended in the last 90 days and is not followed yet is undecided, and out."""
    undecided = t.days("ends_on", 90) & ~pl.col("is_renewed")
    return t.months("ends_on", 12) & ~undecided


@kpi(unit="count", window="12m", of="contracts", levels=ALL_LEVELS)
def renewals_up_n_12m(t: Windows) -> pl.Expr:
    """How many contracts the renewal rates are about."""
    return count(_up_for_renewal(t))


@kpi(unit="ratio", window="12m", of="contracts", scale=6, levels=ALL_LEVELS)
def renewal_rate_count(t: Windows) -> Figure:
    """Share of the contracts that ended in (t - 12 months, t] that were renewed: by one that names it, or that
    began within 90 days of its end, early or late, for the same account (kam.md §4; contracts name no product).

    One that ended less than 90 days ago and is not renewed is undecided, and out. Null with `nothing_to_renew`.
    """
    due = count(_up_for_renewal(t))
    share = count(_up_for_renewal(t) & pl.col("is_renewed")) / due
    return Figure(pl.when(due > 0).then(share), pl.lit("nothing_to_renew"))


@kpi(unit="ratio", window="12m", of="contracts", scale=6, levels=ALL_LEVELS)
def renewal_rate_value(t: Windows) -> Figure:
    """As renewal_rate_count, by the value of the contract that ended. Null with `amounts_unknown` where a value is not
    known, and with `no_value` where all of it comes to nothing."""
    rows, value = _up_for_renewal(t), pl.col("value").cast(pl.Int128)
    total = pl.when(rows).then(value).sum()
    why = pl.coalesce(
        pl.when(count(rows) == 0).then(pl.lit("nothing_to_renew")),
        missing_rate(rows, "value_why"),
        pl.when(count(rows & value.is_null()) > 0).then(pl.lit(AMOUNTS_UNKNOWN)),
        pl.when(total <= 0).then(pl.lit("no_value")),
    )
    return Figure(pl.when(why.is_null()).then(pl.when(rows & pl.col("is_renewed")).then(value).sum() / total), why)
