"""Says which account groups are ranked, and which of those on too little evidence."""

from __future__ import annotations

import polars as pl

from kammodel.tiering.policy import Policy

OUT_REASONS = (
    "do_not_score",
    "partner",
    "competitor",
    "internal",
    "purchases_unknown",
    "prospect",
    "no_purchase_24m",
)
PROVISIONAL_REASONS = ("no_input", "few_purchases", "young", "coverage")

NO_EVIDENCE = ("no_input", "few_purchases", "young")
"""Reasons for which a group is not given a tier to show; see tiers.effective_tier."""

_NOT_CUSTOMERS = ("partner", "competitor", "internal")
_NO = pl.lit(value=False)


def out_reason(barred: pl.Expr = _NO, nominated: pl.Expr = _NO, contracted: pl.Expr = _NO) -> pl.Expr:
    """Why a group is not ranked; null: it is in the population. kam.md §3d step 2, reading 33.

    Out are groups that a person keeps out (`barred`), those whose root account is a partner, a competitor or
    internal, and those that have neither a purchase in (t - 24 months, t], nor an active contract (`contracted`), nor
    a person's nomination (`nominated`): `prospect` without a purchase ever, else `no_purchase_24m`. Purchases that are
    not known keep a group out as `purchases_unknown`: unknown is not zero, nor is it one. A tier override does not
    bring a group in: nobody else's percentile may move because of it.
    """
    return (
        pl.when(barred)
        .then(pl.lit("do_not_score"))
        .when(pl.col("type").is_in(_NOT_CUSTOMERS))
        .then(pl.col("type"))
        .when(nominated | contracted)
        .then(None)
        .when(pl.col("purchases_24m").is_null())
        .then(pl.lit("purchases_unknown"))
        .when(pl.col("purchases_24m") > 0)
        .then(None)
        .when(pl.col("purchases_ever") == 0)
        .then(pl.lit("prospect"))
        .otherwise(pl.lit("no_purchase_24m"))
        .alias("out_reason")
    )


def provisional_why(policy: Policy, contracted: pl.Expr = _NO) -> pl.Expr:
    """Why a ranked group is provisional, codes joined by `;`; null: it is not. Steps 5 and 6, reading 34.

    `few_purchases`: fewer than two ever up to t, and no active contract. `young`: the first less than 90 days ago.
    `coverage`: less than 0.66 of the weight has input; `no_input`: none of it. Evidence that is not known is not
    evidence.
    """
    rule = policy.provisional
    lacking = {
        "no_input": pl.col("score").is_null(),
        "few_purchases": (pl.col("purchases_ever").fill_null(0) < rule.purchases) & ~contracted,
        "young": pl.col("days_since_first_purchase").fill_null(-1) < rule.days_since_first_purchase,
        "coverage": pl.col("score").is_not_null() & (pl.col("coverage") < rule.coverage),
    }
    codes = [pl.when(lacking[code]).then(pl.lit(code)) for code in PROVISIONAL_REASONS]
    text = pl.concat_str(codes, separator=";", ignore_nulls=True)
    return pl.when(pl.col("in_population") & (text != "")).then(text).alias("provisional_why")
