"""What accounts and owners are to bring in the quarter of the as-of day: targets of a file and quotas of a CRM."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.conversion import rounded_quotient
from kammodel.entities import KEY, Target, User
from kammodel.entities.types import MONEY_SCALE
from kammodel.facts.frames import ORG, FactFrame, Sources
from kammodel.facts.team import in_group
from kammodel.facts.windows import quarter_of
from kammodel.given.accounts import users

_IN_MONEY = ("sales_quota", "revenue")
"""Kinds of quota that are sums of money; HubSpot's hs_goal_type says the first."""

_WHO = ["group", "kam", "who"]
_ROWS = {
    **dict.fromkeys(ORG, pl.String),
    "group": pl.UInt32,
    "kam": pl.String,
    "who": pl.String,
    "starts_on": pl.Date,
    "ends_on": pl.Date,
    "own_amount": pl.Int64,
    "currency": pl.String,
}
"""What is read of each target. `who`: the account or owner that it is for, of the CRM by whose rates it converts."""


def _targets(sources: Sources) -> pl.DataFrame:
    """`level`, group, kam, `amount` in the reporting currency at the rate of the period's first day, `amount_why`:
    a row per account (level group) and per owner (kam) with a target for the quarter; the portfolio's are those of
    the owners, or of the accounts where no owner has any.

    The target of the shortest period that holds the quarter counts: the quarter itself, else by months its part of the
    half or year. Without one, targets within the quarter that cover all of it (its months) are added up. An owner that
    targets.csv names has no other quotas than those.
    """
    rows = pl.concat([_of_accounts(sources), _of_owners(sources)])
    priced = sources.converted(rows.with_columns(on="starts_on"))
    first, last = quarter_of(sources.moment.day)
    wider = _wider(priced, first, last)
    told = pl.concat([wider, _parts(priced.join(wider, on="who", how="anti"), first, last)])
    level = pl.when(pl.col("group").is_null()).then(pl.lit("kam")).otherwise(pl.lit("group"))
    own = told.with_columns(level=level)
    owners = own.filter(level="kam")
    whole = (own if owners.is_empty() else owners).with_columns(level=pl.lit("portfolio"))
    return pl.concat([own, whole]).sort("level", *_WHO).select("level", "group", "kam", "amount", "amount_why")


def _wider(rows: pl.DataFrame, first: dt.date, last: dt.date) -> pl.DataFrame:
    """The quarter's part of the target of the shortest period that holds it."""
    years = pl.col("ends_on").dt.year() - pl.col("starts_on").dt.year()
    months = years * 12 + pl.col("ends_on").dt.month() - pl.col("starts_on").dt.month() + 1
    wide = rows.filter(pl.col("starts_on") <= first, pl.col("ends_on") >= last).with_columns(months=months)
    shortest = wide.filter(pl.col("months") == pl.col("months").min().over("who"))
    part = rounded_quotient(pl.col("amount").cast(pl.Int128) * 3, pl.col("months").cast(pl.Int128))
    return _summed(shortest.with_columns(amount=part.cast(pl.Int64)))


def _parts(rows: pl.DataFrame, first: dt.date, last: dt.date) -> pl.DataFrame:
    """The sum of targets within the quarter, where they cover it."""
    within = rows.filter(pl.col("starts_on") >= first, pl.col("ends_on") <= last)
    days = (pl.col("ends_on") - pl.col("starts_on")).dt.total_days() + 1
    return _summed(within.filter(days.sum().over("who") == (last - first).days + 1))


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("amount_why").null_count() == pl.len()
    total = pl.when(known).then(pl.col("amount").sum())
    return rows.group_by(_WHO).agg(amount=total, amount_why=pl.col("amount_why").min())


def _of_accounts(sources: Sources) -> pl.DataFrame:
    rows = in_group(sources, "targets")
    if rows is None:
        return pl.DataFrame(schema=_ROWS)
    who = pl.concat_str(KEY, separator=":")
    return _rows(sources, rows.filter(metric="revenue").with_columns(who=who, kam=pl.lit(None, pl.String)))


def _of_owners(sources: Sources) -> pl.DataFrame:
    rows = sources.file("targets")
    filed = pl.DataFrame(schema=_ROWS)
    if rows is not None:
        named = users(rows.filter(metric="revenue").drop_nulls("owner"), sources.of(User), "owner")
        kam = pl.concat_str([*ORG, "user_id"], separator=":")
        filed = _rows(sources, named.with_columns(kam=kam, who=kam, group=pl.lit(None, pl.UInt32)))
    quotas = sources.of(Target).filter(sources.moment.existed(), pl.col("metric").is_in(_IN_MONEY))
    kam = pl.concat_str([*ORG, "owner_id"], separator=":")
    money = (pl.col("target_value") * MONEY_SCALE).round(0).cast(pl.Int64, strict=False)
    told = quotas.with_columns(kam=kam, who=kam, group=pl.lit(None, pl.UInt32), own_amount=money)
    told = told.drop_nulls(["kam", "starts_on", "ends_on", "own_amount"]).select(_ROWS.keys())
    return pl.concat([filed, told.join(filed, on="who", how="anti")])


def _rows(sources: Sources, filed: pl.DataFrame) -> pl.DataFrame:
    """Of a file: amounts without a currency are in the reporting one, whatever the org of the account or user."""
    currency = pl.col("currency").fill_null(sources.reporting_currency)
    return filed.with_columns(currency=currency, own_amount=pl.col("value")).select(_ROWS.keys())


TARGETS = FactFrame(
    "targets",
    reads=(),
    entities={
        User: KEY,
        Target: (
            *KEY,
            "created_at",
            "deleted",
            "owner_id",
            "metric",
            "starts_on",
            "ends_on",
            "target_value",
            "currency",
        ),
    },
    build=_targets,
)
