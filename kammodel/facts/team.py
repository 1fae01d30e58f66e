"""Who of us looks after an account group, and what our people do."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import KEY, Account, User
from kammodel.facts.frames import ORG, FactFrame, Sources
from kammodel.given.accounts import placed, references, unknown_accounts, users

_SINCE_EVER, _FOREVER = dt.date(1, 1, 1), dt.date(9999, 12, 31)
USER = [*ORG, "user_id"]


def named(sources: Sources) -> pl.DataFrame:
    """Everything by which a file may name an account, see `given.accounts.references`."""
    return references(sources.of(Account), sources.grouping)


def unknown_in_files(sources: Sources) -> dict[str, list[str]]:
    """File -> the accounts it names that nobody knows."""
    if not any("account" in frame.columns for frame in sources.given.values()):
        return {}
    return unknown_accounts(sources.given, sources.once(named))


def in_group(sources: Sources, name: str) -> pl.DataFrame | None:
    """The rows of a file whose account is known, with group and KEY; None where there is no such file."""
    rows = sources.file(name)
    return None if rows is None else placed(rows, sources.once(named))


def roots(sources: Sources) -> pl.DataFrame:
    """group, KEY: the root account of each group, that of the system of record where two CRMs hold it."""
    members = sources.grouping.members.filter("is_root").sort(~pl.col("is_counted"), *KEY)
    return members.unique("group", keep="first", maintain_order=True).select("group", *KEY)


def managers(sources: Sources) -> pl.DataFrame:
    """group, source, source_instance, user_id: the key account manager at the cut. Who is assigned as `kam` (of
    several the largest share, then the latest, then by id), else the owner of the root account."""
    owner = sources.of(Account).select(*KEY, user_id="owner_id")
    owners = sources.once(roots).join(owner, on=KEY).drop_nulls("user_id").select("group", *USER)
    now = sources.once(assigned).filter(pl.lit(sources.moment.day).is_between("starts_on", "ends_on"))
    order = [pl.col("group"), pl.col("share"), pl.col("starts_on"), *map(pl.col, USER)]
    chosen = now.sort(order, descending=[False, True, True, False, False, False])
    chosen = chosen.unique("group", keep="first", maintain_order=True).select("group", *USER)
    return pl.concat([chosen, owners.join(chosen, on="group", how="anti")]).sort("group")


def assigned(sources: Sources) -> pl.DataFrame:
    """group, source, source_instance, user_id, starts_on, ends_on, share: every time as key account manager that
    assignments.csv knows."""
    rows = in_group(sources, "assignments")
    if rows is None:
        period = {"starts_on": pl.Date, "ends_on": pl.Date, "share": pl.Float64}
        return pl.DataFrame(schema={"group": pl.UInt32, **dict.fromkeys(USER, pl.String), **period})
    own = users(rows.filter(pl.col("role") == "kam").drop(KEY), sources.of(User))
    return own.select(
        "group",
        *USER,
        pl.col("starts_on").fill_null(_SINCE_EVER),
        pl.col("ends_on").fill_null(_FOREVER),
        pl.col("share").fill_null(100.0),
    )


def people(sources: Sources) -> pl.DataFrame:
    """source, source_instance, user_id, function (in lower case), hours_per_month: our people as team.csv has them."""
    rows = sources.file("team")
    if rows is None:
        about = {"function": pl.String, "hours_per_month": pl.Float64}
        return pl.DataFrame(schema={**dict.fromkeys(USER, pl.String), **about})
    told = users(rows, sources.of(User)).with_columns(pl.col("function").str.to_lowercase())
    return told.select(*USER, "function", "hours_per_month").unique(USER, keep="first", maintain_order=True)


def _assignments(sources: Sources) -> pl.DataFrame:
    """group, starts_on, `is_change`: whether it was another person before. One row per time as key account manager."""
    periods = sources.once(assigned).filter(pl.col("starts_on") <= sources.moment.day)
    ordered = periods.sort("group", "starts_on", *USER)
    before = [pl.col(name).shift(1).over("group") for name in USER]
    same = pl.all_horizontal(pl.col(name).eq_missing(then) for name, then in zip(USER, before, strict=True))
    return ordered.select("group", "starts_on", is_change=before[-1].is_not_null() & ~same)


ASSIGNMENTS = FactFrame("assignments", reads=(), entities={User: KEY}, build=_assignments)
