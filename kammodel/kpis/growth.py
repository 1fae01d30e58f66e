"""Room to grow: what a group spends elsewhere, which product families it lacks, and what peers spend on those."""

from __future__ import annotations

import polars as pl

from kammodel.facts.windows import Windows
from kammodel.kpis.kpi import Figure, Level, kpi
from kammodel.kpis.sums import count, missing_rate

ALL: tuple[Level, ...] = ("group", "kam", "portfolio")
_NO_FAMILIES = "no_families"


@kpi(unit="money", window="now", of="wallets")
def wallet(_: Windows) -> Figure:
    """What the group spends in a year on what we sell, with all suppliers: the estimate of wallet.csv in force at t,
    at the rate of t. Null with `not_given`, or `no rate for XXX`."""
    there = pl.col("amount").is_not_null() | pl.col("amount_why").is_not_null()
    rate = missing_rate(there)
    total = pl.when(there).then(pl.col("amount").cast(pl.Int128)).sum()
    return Figure(pl.when((count(there) > 0) & rate.is_null()).then(total), pl.coalesce(rate, pl.lit("not_given")))


def _wallet_why() -> pl.Expr:
    too_small = pl.when(pl.col("revenue_ttm") > pl.col("wallet")).then(pl.lit("wallet_below_revenue"))
    return pl.coalesce("wallet__why", "revenue_ttm__why", too_small)


@kpi(unit="ratio", window="12m", of="kpis", scale=6)
def share_of_wallet(_: Windows) -> Figure:
    """`revenue_ttm / wallet`; null with `wallet_below_revenue` above 1: then the estimate is wrong."""
    why = _wallet_why()
    return Figure(pl.when(why.is_null()).then(pl.col("revenue_ttm") / pl.col("wallet")), why)


@kpi(unit="money", window="12m", of="kpis")
def wallet_gap(_: Windows) -> Figure:
    """`wallet - revenue_ttm`: what others sell them; null where share_of_wallet is."""
    why = _wallet_why()
    gap = pl.col("wallet").cast(pl.Int128) - pl.col("revenue_ttm").cast(pl.Int128)
    return Figure(pl.when(why.is_null()).then(gap), why)


def _families(which: pl.Expr) -> pl.Expr:
    return pl.when(which).then(pl.col("family")).drop_nulls().n_unique().cast(pl.Int64)


@kpi(unit="count", window="24m", of="families")
def families_eligible(_: Windows) -> pl.Expr:
    """Product families that some account of the group may buy (families.csv; without it, the catalogue's)."""
    return _families(pl.col("is_eligible"))


@kpi(unit="count", window="24m", of="families")
def families_owned(_: Windows) -> pl.Expr:
    """Those of them that some account of the group bought in (t - 24 months, t], or has by installed_base.csv."""
    return _families(pl.col("is_eligible") & pl.col("is_owned"))


@kpi(unit="ratio", window="24m", of="kpis", scale=6)
def product_breadth(_: Windows) -> Figure:
    """`families_owned / families_eligible`: families, not articles. Null with `no_families` where none is known."""
    breadth = pl.col("families_owned") / pl.col("families_eligible")
    known = pl.col("families_eligible") > 0
    return Figure(pl.when(known).then(breadth), pl.coalesce("families_eligible__why", pl.lit(_NO_FAMILIES)))


@kpi(unit="count", window="24m", of="families")
def whitespace_cells(_: Windows) -> Figure:
    """Pairs of an account and a family that it may buy, neither owned nor in an open deal; null with `no_families`."""
    eligible = count(pl.col("is_eligible"))
    gaps = count(pl.col("is_eligible") & ~pl.col("is_owned") & ~pl.col("is_in_pipeline"))
    return Figure(pl.when(eligible > 0).then(gaps), pl.lit(_NO_FAMILIES))


@kpi(unit="money", window="24m", of="gaps", levels=ALL)
def whitespace_value(_: Windows) -> Figure:
    """Sum over the pairs of whitespace_cells of what peers who own the family spent on it in 24 months (the median),
    times the share of peers who own it. Peers: accounts of all groups that may buy it and bought anything.

    A family with fewer than ten peers, or of whose owners nobody knows the spend, is worth nobody knows what: left out,
    and counted by whitespace_unvalued_n; null with `few_peers` where that is all of them. No pair is 0.
    """
    gaps, known = count(pl.col("family").is_not_null()), count(pl.col("value").is_not_null())
    total = pl.col("value").cast(pl.Int128).sum()
    return Figure(pl.when((known > 0) | (gaps == 0)).then(total), pl.lit("few_peers"))


@kpi(unit="count", window="24m", of="gaps", levels=ALL)
def whitespace_unvalued_n(_: Windows) -> pl.Expr:
    """Pairs of whitespace_cells that whitespace_value leaves out."""
    return count(pl.col("family").is_not_null() & pl.col("value").is_null())
