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
    "person_ids",
    "is_counted",
)
"""Columns of the entity that touches are made of."""


@dataclass(frozen=True)
class Touches:
    """`touches`: one row per touch that counts: group, day, kind, `has_person`. `contacts`: group, source,
    person, `last_on`: the last day of a two-way touch (a call or a meeting: an e-mail is one-way, and not
    every CRM tells its direction, so that the same book gives the same figure on each)."""

    touches: pl.DataFrame
    contacts: pl.DataFrame
    counts: dict[str, int]


def touches(activities: pl.DataFrame, opportunities: pl.DataFrame, groups: AccountGroups, moment: Cut) -> Touches:
    """Calls, e-mails and meetings that were done by the cut. Readings 1, 5 and 20-22.

    - Done: a call, e-mail or task that its CRM says is done, on a day up to the as-of day; what stands in a
      calendar once it is over, unless cancelled (a task of type meeting that was due was not held, until it is
      closed). Its day is the CRM's date, else the day it was completed, else that of its start, else when due.
    - It belongs to the accounts it names, each group once; naming none, to its opportunity's account.
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
    placed, orphaned, linked = _placed(done, opportunities, groups)
    owner = pl.when(pl.col("kind") != "meeting").then("owner_id")
    has_person = pl.col("person_ids").str.len_bytes().fill_null(0) > 0
    whole = placed.with_columns(owner=owner, has_person=has_person)
    once = whole.filter("has_person").unique(["group", "day", "kind", "owner", "person_ids", "source"])
    columns = ("group", "day", "kind", "has_person")
    counts = {"activities_orphaned": orphaned, "activities_of_linked_accounts": linked}
    facts = pl.concat([once.select(columns), whole.filter(~pl.col("has_person")).select(columns)])
    return Touches(facts, _contacts(once), counts)


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


def _placed(done: pl.DataFrame, opportunities: pl.DataFrame, groups: AccountGroups) -> tuple[pl.DataFrame, int, int]:
    """One row per touch and group; how many touches belong to no account, and to linked ones only."""
    rows = done.select(*_ORG, "account_ids", "opportunity_id").with_row_index("touch")
    place = [*_ORG, "account_id"]
    known = groups.accounts.rename({"source_id": "account_id", "is_counted": "counts"})
    ties = _ties(rows, opportunities).join(known, on=place).select("touch", "group", "counts")
    counted = ties.filter("counts").select("touch", "group").unique(maintain_order=True)
    with_account, in_figures = ties["touch"].n_unique(), counted["touch"].n_unique()
    placed = done.select("source", "day", "kind", "owner_id", "person_ids")[counted["touch"]]
    return placed.with_columns(counted["group"]), done.height - with_account, with_account - in_figures


def _ties(rows: pl.DataFrame, opportunities: pl.DataFrame) -> pl.DataFrame:
    """touch, source, source_instance, account_id: the accounts named; without one, the opportunity's (reading 22)."""
    columns = ["touch", *_ORG, "account_id"]
    ids = pl.col("account_ids")
    named = rows.filter(ids != "")
    several = ids.str.contains(SEPARATOR, literal=True)
    # Splitting makes a list per row: worth it only for the few that name several.
    alone = named.filter(~several).select("touch", *_ORG, account_id=ids)
    listed = named.filter(several).with_columns(account_id=ids.str.split(SEPARATOR)).explode("account_id")
    of_deal = opportunities.select(*_ORG, "account_id", opportunity_id="source_id")
    by_deal = rows.filter(ids.is_null() | (ids == "")).join(of_deal, on=[*_ORG, "opportunity_id"])
    return pl.concat([alone, listed.select(columns), by_deal.select(columns)])


def _contacts(once: pl.DataFrame) -> pl.DataFrame:
    return (
        once.filter(pl.col("kind").is_in(_TWO_WAY))
        .select("group", "source", "day", person=pl.col("person_ids").str.split(SEPARATOR))
        .explode("person")
        .group_by("group", "source", "person")
        .agg(last_on=pl.col("day").max())
    )
