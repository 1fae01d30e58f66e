"""Sums of amounts that are exact, and null where the amounts are not known."""

from __future__ import annotations

import polars as pl

from kammodel.conversion import NO_CURRENCY, OUT_OF_RANGE, rounded_quotient
from kammodel.kpis.kpi import NOT_READ, Figure

AMOUNTS_UNKNOWN = "amounts_unknown"


def count(rows: pl.Expr) -> pl.Expr:
    """How many rows the condition holds for; unknown is no."""
    return rows.fill_null(value=False).sum().cast(pl.Int64)


def missing_rate(rows: pl.Expr, why: str = "amount_why") -> pl.Expr:
    """The reason of a row whose amount could not be converted, null where all could (reading 7)."""
    return pl.when(rows).then(pl.col(why)).min()


def known_sum(rows: pl.Expr, amount: pl.Expr | None = None, why: str = "amount_why") -> Figure:
    """Sum of `amount` (the rows' own, unless given) over `rows`, in Int128. Readings 7 and 9.

    No row: 0. A rate is missing: null. Rows, but no amount known: null. Else the known sum.
    """
    value = pl.col("amount") if amount is None else amount
    rate = missing_rate(rows, why)
    nothing_known = (count(rows) > 0) & (count(rows & value.is_not_null()) == 0)
    total = pl.when(rows).then(value.cast(pl.Int128)).sum()
    return Figure(
        pl.when(rate.is_null() & ~nothing_known).then(total),
        pl.coalesce(rate, pl.when(nothing_known).then(pl.lit(AMOUNTS_UNKNOWN))),
    )


def known_mean(rows: pl.Expr, *, empty: pl.Expr) -> Figure:
    """Mean amount over `rows`, half to even; null where there is none (`empty`) or a rate is missing."""
    rate, n = missing_rate(rows), count(rows)
    total = pl.when(rows).then(pl.col("amount").cast(pl.Int128)).sum()
    mean = rounded_quotient(total, pl.when(n > 0).then(n).otherwise(1).cast(pl.Int128))
    return Figure(pl.when(rate.is_null() & (n > 0)).then(mean), pl.coalesce(rate, empty))


def blocks(why: pl.Expr) -> pl.Expr:
    """A reason for which a group's money makes a sum over groups unknown: it was not read, or a rate is missing, so
    that the sum would be too small without a word (reading 7). Null for one that only leaves the group out (reading
    9)."""
    no_rate = why.str.starts_with("no rate for ") | why.is_in([NO_CURRENCY, OUT_OF_RANGE, NOT_READ])
    return pl.when(no_rate).then(why)
