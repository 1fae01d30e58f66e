"""How much depends on how few: concentration of revenue over account groups (kam.md §4).

The unit is the account group. Shares are of the positive revenues of the last twelve months; groups at or below 0
are no part of them and counted. A group whose revenue a missing rate leaves unknown leaves all of this unknown
(reading 7).
"""

from __future__ import annotations

import polars as pl

from kammodel.kpis.kpi import Figure, Windows, kpi
from kammodel.kpis.sums import blocks, count

_VITAL_PERCENT = 80
_REVENUE = pl.col("revenue_ttm").cast(pl.Int128)


def _positive() -> pl.Expr:
    return pl.col("revenue_ttm") > 0


def _base() -> pl.Expr:
    return pl.when(_positive()).then(_REVENUE).sum()


def _why() -> pl.Expr:
    none = pl.when(count(_positive()) == 0).then(pl.lit("no_revenue"))
    return pl.coalesce(blocks(pl.col("revenue_ttm__why")).min(), none)


def _shown(value: pl.Expr) -> Figure:
    return Figure(pl.when(_why().is_null()).then(value), _why())


def _top(n: int) -> Figure:
    largest = pl.when(_positive()).then(_REVENUE).top_k(n).sum()
    return _shown(largest / _base())


@kpi(unit="ratio", window="12m", of="groups", scale=6, levels=("portfolio",))
def top1_share(_: Windows) -> Figure:
    """Share of the largest group in all positive revenue."""
    return _top(1)


@kpi(unit="ratio", window="12m", of="groups", scale=6, levels=("portfolio",))
def top5_share(_: Windows) -> Figure:
    """Share of the five largest groups; of all, where there are fewer."""
    return _top(5)


@kpi(unit="ratio", window="12m", of="groups", scale=6, levels=("portfolio",))
def top10_share(_: Windows) -> Figure:
    """Share of the ten largest groups; of all, where there are fewer."""
    return _top(10)


def _index() -> pl.Expr:
    share = pl.when(_positive()).then(_REVENUE.cast(pl.Float64)) / _base().cast(pl.Float64)
    return (share * share).sum()


@kpi(unit="ratio", window="12m", of="groups", scale=6, levels=("portfolio",))
def revenue_hhi(_: Windows) -> Figure:
    """Herfindahl-Hirschman index over account groups, 0..1: the sum of squared shares."""
    return _shown(_index())


@kpi(unit="count", window="12m", of="groups", scale=1, levels=("portfolio",))
def effective_customers(_: Windows) -> Figure:
    """`1 / revenue_hhi`: how many groups of one size would be as concentrated."""
    # Of thousands of groups the index has few digits left once it is rounded: of its inverse they would be wrong.
    return _shown(1 / _index())


@kpi(unit="count", window="12m", of="groups", levels=("portfolio",))
def pareto_n80(_: Windows) -> Figure:
    """The smallest number of groups that bring at least 80 % of all positive revenue, compared in whole numbers."""
    largest = pl.when(_positive()).then(_REVENUE).drop_nulls().sort(descending=True)
    short = count(largest.cum_sum() * 100 < _base() * _VITAL_PERCENT)
    return _shown(short + 1)


@kpi(unit="count", window="12m", of="groups", levels=("portfolio",))
def major_customers_n(_: Windows) -> Figure:
    """Groups with 10 % or more of all positive revenue: the list that US companies disclose (ASC 280-10-50-42)."""
    return _shown(count(_positive() & (_base() <= _REVENUE * 10)))


@kpi(unit="count", window="12m", of="groups", levels=("kam", "portfolio"))
def groups_with_revenue_n(_: Windows) -> pl.Expr:
    """Groups with a positive revenue: those in the base of the shares."""
    return count(_positive())


@kpi(unit="count", window="12m", of="groups", levels=("kam", "portfolio"))
def groups_without_revenue_n(_: Windows) -> pl.Expr:
    """Groups with a revenue of 0 or less: in no share. Those whose revenue is not known are neither."""
    return count(pl.col("revenue_ttm") <= 0)
