"""How we keep house: tasks that are late, and how far the data of an account can be trusted."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, Level, kpi
from kammodel.kpis.sums import count

ALL: tuple[Level, ...] = ("group", "kam", "portfolio")
ABOVE: tuple[Level, ...] = ("kam", "portfolio")


@kpi(unit="count", window="now", of="tasks", levels=ALL)
def open_tasks(_: Windows) -> pl.Expr:
    """Tasks of any kind that were open at the cut. Above groups, one that belongs to two of them counts for each."""
    return count(pl.col("is_open"))


@kpi(unit="count", window="now", of="tasks", levels=ALL)
def overdue_tasks(t: Windows) -> pl.Expr:
    """Tasks that were open at the cut and due before t; one without a day never is (reading 24).
    Above groups, one that belongs to two of them counts for each."""
    return count(pl.col("due_on") < t.day)


@kpi(unit="ratio", window="now", of="records", scale=6, levels=ALL)
def account_fields_filled(_: Windows) -> Figure:
    """Share of the fields name, type, industry, country and owner that are filled, over the group's accounts."""
    return Figure(pl.col("filled_n").sum() / pl.col("required_n").sum())


@kpi(unit="ratio", window="now", of="records", scale=6, levels=ALL)
def accounts_with_owner(_: Windows) -> Figure:
    """Share of the group's accounts that an active user owns."""
    return Figure(count(pl.col("has_owner")) / count(pl.col("has_owner").is_not_null()))


def _counting(t: Windows) -> pl.Expr:
    won = (pl.col("status") == "won") & t.months("closed_on", 12)
    return ((pl.col("status") == "open") | won).fill_null(value=False)


@kpi(unit="ratio", window="12m", of="deals", scale=6, levels=ALL)
def deals_with_amount(t: Windows) -> Figure:
    """Share of the deals open, or won in (t - 12 months, t], that have an amount; null with `no_deals`."""
    n = count(_counting(t))
    return Figure(pl.when(n > 0).then(count(_counting(t) & pl.col("own_amount").is_not_null()) / n), pl.lit("no_deals"))


@kpi(unit="ratio", window="now", of="deals", scale=6, levels=ALL)
def open_deals_on_time(t: Windows) -> Figure:
    """Share of the open deals whose expected close date is there and not past; null with `no_deals`."""
    is_open = pl.col("status") == "open"
    n = count(is_open)
    return Figure(pl.when(n > 0).then(count(is_open & (pl.col("expected_on") >= t.day)) / n), pl.lit("no_deals"))


@kpi(unit="ratio", window="now", of="kpis", scale=6, levels=ALL)
def data_quality_score(_: Windows) -> pl.Expr:
    """Plain mean of account_fields_filled, accounts_with_owner, deals_with_amount and open_deals_on_time, of those that
    are known, 0..1: how far the other figures can be trusted. Deals without an account are in no group; they are
    counted with every run."""
    return pl.mean_horizontal("account_fields_filled", "accounts_with_owner", "deals_with_amount", "open_deals_on_time")


@kpi(unit="hours", window="now", of="groups", scale=1, levels=ABOVE)
def capacity_hours(_: Windows) -> Figure:
    """Hours a month for customers of those who look after account groups: those of team.csv, else those that the
    policy has of one key account manager. Null with `no_kam`."""
    each = pl.col("manager").is_not_null() & pl.col("manager").is_first_distinct()
    return Figure(pl.when(count(each) > 0).then(pl.when(each).then("kam_hours").sum()), pl.lit("no_kam"))


@kpi(unit="hours", window="now", of="groups", scale=1, levels=ABOVE)
def kam_load_hours(_: Windows) -> Figure:
    """Hours a month that the account groups ask for by the tiers in force before this day and the policy's hours for
    each (kam.md §3d step 9; `provisional` as Growth). A group without such a tier asks for none; null with `no_tiers`
    where no group has one."""
    hours = pl.col("load_hours")
    return Figure(pl.when(count(hours.is_not_null()) > 0).then(hours.sum()), pl.lit("no_tiers"))


@kpi(unit="ratio", window="now", of="kpis", scale=6, levels=ABOVE)
def capacity_use(_: Windows) -> Figure:
    """`kam_load_hours / capacity_hours`: above 1 there are more promises than hours."""
    use = pl.when(pl.col("capacity_hours") > 0).then(pl.col("kam_load_hours") / pl.col("capacity_hours"))
    return Figure(use, pl.coalesce("kam_load_hours__why", "capacity_hours__why", pl.lit("no_hours")))
