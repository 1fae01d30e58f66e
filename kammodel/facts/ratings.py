"""What people think of an account group, where no CRM holds it."""

from __future__ import annotations

import polars as pl

from kammodel.entities import KEY, Account
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.team import USER, in_group, managers, people, roots
from kammodel.given.files import STAGES

_ROOT = ("industry", "country", "employees")
RATED = (
    "strategic_value",
    "service_sensitivity",
    "premium_support",
    "esg_score",
    "relationship_stage",
    "is_nominated",
    "do_not_score",
)
"""Columns of ratings.csv."""


def ratings(sources: Sources) -> pl.DataFrame:
    """group and RATED: one row per group that ratings.csv names. Of several lines for members of one group, each
    column is that of the root's line, else of the first that fills it."""
    rows = in_group(sources, "ratings")
    if rows is None:
        kinds = {"premium_support": pl.Boolean, "is_nominated": pl.Boolean, "do_not_score": pl.Boolean}
        schema = {name: kinds.get(name, pl.Float64) for name in RATED} | {"relationship_stage": pl.String}
        return pl.DataFrame(schema={"group": pl.UInt32, **schema})
    told = rows.join(sources.grouping.members.select(*KEY, "is_root"), on=KEY, how="left")
    ordered = told.sort(~pl.col("is_root").fill_null(value=False), "line")
    return ordered.group_by("group").agg(pl.col(name).drop_nulls().first() for name in RATED).sort("group")


def described(groups: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """`groups` with what tiers look at beside KPIs: `strategic_value` of ratings.csv where the CRM has none,
    is_nominated and do_not_score (false unless ratings.csv says so), industry, country and employees of the root
    account, `kam` (`source:instance:user id`) and `kam_hours` (those of team.csv), null where there are none."""
    told = sources.once(ratings).select("group", "is_nominated", "do_not_score", filed="strategic_value")
    joined = groups.join(told, on="group", how="left", maintain_order="left")
    flags = [pl.col(name).fill_null(value=False) for name in ("is_nominated", "do_not_score")]
    rated = joined.with_columns(*flags, strategic_value=pl.coalesce("strategic_value", "filed")).drop("filed")
    about = sources.once(roots).join(sources.of(Account).select(*KEY, *_ROOT), on=KEY).select("group", *_ROOT)
    kams = sources.once(managers).join(sources.once(people), on=USER, how="left")
    kams = kams.select("group", kam=pl.concat_str(USER, separator=":"), kam_hours="hours_per_month")
    for more in (about, kams):
        rated = rated.join(more, on="group", how="left", maintain_order="left")
    return rated


def _wallets(sources: Sources) -> pl.DataFrame:
    """group, amount, amount_why: the estimate in force at the cut, in the reporting currency at the rate of that day.
    A line for a subsidiary is about it alone: the lines of a group add up."""
    rows = in_group(sources, "wallet")
    if rows is None:
        return pl.DataFrame(schema={"group": pl.UInt32, "amount": pl.Int64, "amount_why": pl.String})
    day = sources.moment.day
    started = rows.filter(pl.col("valid_from").is_null() | (pl.col("valid_from") <= day))
    latest = started.sort("valid_from", "line", nulls_last=False).unique(
        ["group", *KEY], keep="last", maintain_order=True
    )
    priced = latest.select(
        "group",
        "source",
        "source_instance",
        own_amount="amount",
        currency=pl.col("currency").fill_null(sources.reporting_currency),
        on=pl.lit(day),
    )
    told = sources.converted(priced)
    return told.select("group", "amount", "amount_why").sort("group")


def _levels(sources: Sources) -> pl.DataFrame:
    """As `ratings`, with `relationship_level`, 1..5."""
    levels = {stage: level for level, stage in enumerate(STAGES, start=1)}
    level = pl.col("relationship_stage").replace_strict(levels, default=None, return_dtype=pl.Int64)
    return sources.once(ratings).with_columns(relationship_level=level)


RATINGS = FactFrame("ratings", reads=(), entities={Account: (*KEY, *_ROOT)}, build=_levels)
WALLETS = FactFrame("wallets", reads=(), entities={}, build=_wallets)
