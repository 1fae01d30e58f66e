"""Calls, e-mails and meetings as they were known at the end of a day, and the persons in them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY
from kammodel.entities.activities import SEPARATOR
from kammodel.facts import Cut
from kammodel.identity import AccountGroups

_ORG = KEY[:2]
_TOUCHES = ("call", "email", "meeting")
_TWO_WAY = ("call", "meeting")

ACTIVITY_COLUMNS = (
    *KEY,
    "created_at",
    "deleted",
    "kind",
    "status",
    "is_calendar",
    "occurred_on",
    "due_on",
    "starts_at",
    "ends_at",
    "completed_at",
    "owner_id",
    "account_ids",
    "opportunity_id",
    "case_id",
    "person_ids",
    "is_counted",
)
"""Columns of the entity that touches are made of."""

LINK_COLUMNS = (*KEY, "account_id")
"""Columns of cases and persons, by which a touch that names no account belongs to one."""


@dataclass(frozen=True)
class Touches:
    """`touches`: one row per touch that counts: group, day, kind, `has_person`. `contacts`: group, source,
    person, `last_on`: the last day of a two-way touch (a call or a meeting: an e-mail is one-way, and not
    every CRM tells its direction, so that the same book gives the same figure on each)."""

    touches: pl.DataFrame
    contacts: pl.DataFrame
    counts: dict[str, int]


@dataclass(frozen=True)
class Links:
    """What a touch may name instead of an account: frames with source, source_instance, source_id, account_id."""

    opportunities: pl.DataFrame
    cases: pl.DataFrame
    persons: pl.DataFrame


def touches(activities: pl.DataFrame, links: Links, groups: AccountGroups, moment: Cut) -> Touches:
    """Calls, e-mails and meetings that were done by the cut. Readings 1, 5 and 20-22.

    - Done: a call, e-mail or task that its CRM says is done, on a day up to the as-of day; what stands in a
      calendar once it is over, unless cancelled (a task of type meeting that was due was not held, until it is
      closed). Its day is the CRM's date, else the day it was completed, else that of its start, else when due.
    - It belongs to the accounts it names, each group once; naming none, to the account of its opportunity; without
      one, to that of its case; without one, to those of its persons. How many it was by case or persons is counted.
    - With persons it counts once per group, day, kind, owner (meetings: whoever owns it) and set of persons.
      Without, it is kept apart (`has_person` False) and never taken for another.
    """
    done = (
        activities.filter(
            ~pl.col("deleted"),
            "is_counted",
            pl.col("kind").is_in(_TOUCHES),
            pl.col("created_at").is_null() | (pl.col("created_at") <= moment.at),
        )
        .with_columns(day=_day(moment))
        .filter(_is_done(moment))
    )
    placed, placing = _placed(done, links, groups)
    owner = pl.when(pl.col("kind") != "meeting").then("owner_id")
    has_person = pl.col("person_ids").str.len_bytes().fill_null(0) > 0
    whole = placed.with_columns(owner=owner, has_person=has_person)
    once = whole.filter("has_person").unique(["group", "day", "kind", "owner", "person_ids", "source"])
    columns = ("group", "day", "kind", "has_person")
    facts = pl.concat([once.select(columns), whole.filter(~pl.col("has_person")).select(columns)])
    return Touches(facts, _contacts(once), placing)


def _day(moment: Cut) -> pl.Expr:
    completed = pl.when(~pl.col("is_calendar")).then(moment.local_day(pl.col("completed_at")))
    return pl.coalesce("occurred_on", completed, moment.local_day(pl.col("starts_at")), "due_on")


def _is_done(moment: Cut) -> pl.Expr:
    ended = pl.coalesce("ends_at", "starts_at")
    over = pl.when(ended.is_not_null()).then(ended <= moment.at).otherwise(pl.col("day") <= moment.last_full_day)
    held = over & (pl.col("day") <= moment.day) & pl.col("status").ne_missing(pl.lit("cancelled"))
    finished = pl.col("completed_at").is_null() | (pl.col("completed_at") <= moment.at)
    said = (pl.col("status") == "done") & (pl.col("day") <= moment.day) & finished
    return pl.when("is_calendar").then(held).otherwise(said)


def _placed(done: pl.DataFrame, links: Links, groups: AccountGroups) -> tuple[pl.DataFrame, dict[str, int]]:
    """One row per touch and group; how many touches belong to no account, to linked ones only, and by which way."""
    rows = done.select(*_ORG, "account_ids", "opportunity_id", "case_id", "person_ids").with_row_index("touch")
    place = [*_ORG, "account_id"]
    known = groups.accounts.rename({"source_id": "account_id", "is_counted": "counts"})
    ties = _ties(rows, links).join(known, on=place).select("touch", "group", "counts", "way")
    counted = ties.filter("counts").select("touch", "group").unique(maintain_order=True)
    with_account, in_figures = ties["touch"].n_unique(), counted["touch"].n_unique()
    placed = done.select("source", "day", "kind", "owner_id", "person_ids")[counted["touch"]]
    counts = {
        "activities_orphaned": done.height - with_account,
        "activities_of_linked_accounts": with_account - in_figures,
        "activities_by_case": ties.filter(way="case")["touch"].n_unique(),
        "activities_by_person": ties.filter(way="person")["touch"].n_unique(),
    }
    return placed.with_columns(counted["group"]), counts


def _ties(rows: pl.DataFrame, links: Links) -> pl.DataFrame:
    """touch, source, source_instance, account_id, way: the accounts named, else what leads to one (reading 22)."""
    ids = pl.col("account_ids")
    named = _each(rows.filter(ids != ""), "account_ids").with_columns(way=pl.lit("account"))
    rest = rows.filter(ids.is_null() | (ids == ""))
    by_deal = _led(_one(rest, "opportunity_id"), links.opportunities, "opportunity")
    rest = rest.join(by_deal, on="touch", how="anti")
    by_case = _led(_one(rest, "case_id"), links.cases, "case")
    rest = rest.join(by_case, on="touch", how="anti")
    by_person = _led(_each(rest, "person_ids"), links.persons, "person")
    return pl.concat([named.rename({"id": "account_id"}).select(by_deal.columns), by_deal, by_case, by_person])


def _one(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return rows.select("touch", *_ORG, id=column).drop_nulls("id")


def _each(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """touch, source, source_instance, id: one row per id of a joined column."""
    ids = pl.col(column)
    several = ids.str.contains(SEPARATOR, literal=True)
    # Splitting makes a list per row: worth it only for the few that name several.
    alone = rows.filter(~several).select("touch", *_ORG, id=ids)
    listed = rows.filter(several).select("touch", *_ORG, id=ids.str.split(SEPARATOR)).explode("id")
    return pl.concat([alone, listed])


def _led(rows: pl.DataFrame, records: pl.DataFrame, way: str) -> pl.DataFrame:
    """touch, source, source_instance, account_id, way: where the records named by `rows` belong, if anywhere."""
    accounts = records.select(*_ORG, "account_id", id="source_id").drop_nulls("account_id")
    led = rows.join(accounts, on=[*_ORG, "id"]).with_columns(way=pl.lit(way))
    return led.select("touch", *_ORG, "account_id", "way")


def _contacts(once: pl.DataFrame) -> pl.DataFrame:
    return (
        once.filter(pl.col("kind").is_in(_TWO_WAY))
        .select("group", "source", "day", person=pl.col("person_ids").str.split(SEPARATOR))
        .explode("person")
        .group_by("group", "source", "person")
        .agg(last_on=pl.col("day").max())
    )
