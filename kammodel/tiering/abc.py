"""Says which account groups bring in most of the revenue: classes A, B and C."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from kammodel.tiering.policy import Policy

_HUNDREDTHS = 10_000
"""Parts of a whole that a percent is compared in: exact for percents of two decimals."""


def abc_classes(facts: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """`group`, `abc`: A while less than 80 % of all revenue is brought in by those before it, B below 95 %, else C.

    In: group, revenue_ttm, scored or not (reading 12). By revenue, highest first; equal totals take the class of the
    first of them, who crosses the line stays in the upper class, 0 or less is C and in no total, an unknown total has
    no class. Exact arithmetic. kam.md §3b, reading 28.
    """
    totals = (
        facts.filter(pl.col("revenue_ttm") > 0)
        .group_by("revenue_ttm")
        .agg(n=pl.len())
        .sort("revenue_ttm", descending=True)
        .with_columns(sum=pl.col("revenue_ttm").cast(pl.Int128) * pl.col("n").cast(pl.Int128))
    )
    before = pl.col("sum").cum_sum() - pl.col("sum")
    whole = pl.col("sum").sum()
    limits: Mapping[str, int] = {"A": round(policy.abc.a * 100), "B": round(policy.abc.b * 100)}
    named = totals.select(
        "revenue_ttm",
        abc=pl.when(before * _HUNDREDTHS < whole * limits["A"])
        .then(pl.lit("A"))
        .when(before * _HUNDREDTHS < whole * limits["B"])
        .then(pl.lit("B"))
        .otherwise(pl.lit("C")),
    )
    joined = facts.select("group", "revenue_ttm").join(named, on="revenue_ttm", how="left", maintain_order="left")
    none = pl.when(pl.col("revenue_ttm") <= 0).then(pl.lit("C"))
    return joined.select("group", abc=pl.coalesce("abc", none))
