"""Calls, e-mails and meetings as they were known at the end of a day, and the persons in them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Activity, Case, Opportunity, Person, Sourced
from kammodel.entities.activities import SEPARATOR
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ORG, FactFrame, Sources

_TOUCHES = ("call", "email", "meeting")
_TWO_WAY = ("call", "meeting")

ACTIVITY_COLUMNS = (
    *KEY,
    "created_at",
    "deleted",
    "kind",
    "direction",
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
    every CRM tells its direction, so that the same book gives the same figure on each). `logged`: each of them as
    often as it was logged: group, source, source_instance, day, kind, direction, owner_id, person_ids, has_person.
    """

    touches: pl.DataFrame
    contacts: pl.DataFrame
    logged: pl.DataFrame
    counts: dict[str, int]


def touches(sources: Sources) -> Touches:
    """Calls, e-mails and meetings that were done by the cut. Readings 1, 5 and 20-22.

    - Done: a call, e-mail or task that its CRM says is done, on a day up to the as-of day; what stands in a
      calendar once it is over, unless cancelled (a task of type meeting that was due was not held, until it is
      closed). Its day is the CRM's date, else the day it was completed, else that of its start, else when due.
    - It belongs to the accounts it names, each group once; naming none, to the account of its opportunity; without
      one, to that of its case; without one, to those of its persons. How many it was by case or persons is counted.
    - With persons it counts once per group, day, kind, owner (meetings: whoever owns it) and set of persons.
      Without, it is kept apart (`has_person` False) and never taken for another.
    """
    done = done_touches(sources.of(Activity), sources.moment)
    columns = (*ORG, "day", "kind", "direction", "owner_id", "person_ids")
    logged, placing = placed(done, sources, columns)
    owner = pl.when(pl.col("kind") != "meeting").then("owner_id")
    has_person = pl.col("person_ids").str.len_bytes().fill_null(0) > 0
    whole = logged.with_columns(owner=owner, has_person=has_person)
    once = whole.filter("has_person").unique(["group", "day", "kind", "owner", "person_ids", "source"])
    shown = ("group", "day", "kind", "has_person")
    facts = pl.concat([once.select(shown), whole.filter(~pl.col("has_person")).select(shown)])
    return Touches(facts, _contacts(once), whole.drop("owner"), placing)


def done_touches(activities: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """The calls, e-mails and meetings that were done by the cut, with their `day`."""
    known = activities.filter(moment.existed(), "is_counted", pl.col("kind").is_in(_TOUCHES))
    return known.with_columns(day=day_of(moment)).filter(is_done(moment))


def day_of(moment: Cut) -> pl.Expr:
    """The local day of an activity (readings 1 and 2)."""
    completed = pl.when(~pl.col("is_calendar")).then(moment.local_day(pl.col("completed_at")))
    return pl.coalesce("occurred_on", completed, moment.local_day(pl.col("starts_at")), "due_on")


def is_done(moment: Cut) -> pl.Expr:
    """Whether an activity with its `day` was done by the cut (reading 22)."""
    ended = pl.coalesce("ends_at", "starts_at")
    over = pl.when(ended.is_not_null()).then(ended <= moment.at).otherwise(pl.col("day") <= moment.last_full_day)
    held = over & (pl.col("day") <= moment.day) & pl.col("status").ne_missing(pl.lit("cancelled"))
    finished = pl.col("completed_at").is_null() | (pl.col("completed_at") <= moment.at)
    said = (pl.col("status") == "done") & (pl.col("day") <= moment.day) & finished
    return pl.when("is_calendar").then(held).otherwise(said)


def placed(done: pl.DataFrame, sources: Sources, columns: tuple[str, ...]) -> tuple[pl.DataFrame, dict[str, int]]:
    """`columns` of activities with `group`, one row per activity and group that it belongs to; how many belong to no
    account, to linked ones only, and by which way."""
    rows = done.select(*ORG, "account_ids", "opportunity_id", "case_id", "person_ids").with_row_index("touch")
    tied = tied_groups(rows, sources)
    counted = tied.filter("counts").select("touch", "group").unique(maintain_order=True)
    rows = done.select(columns)[counted["touch"]]
    return rows.with_columns(counted["group"]), placing_counts(tied, done.height)


def tied_groups(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """touch, group, `counts` (whether the account does), way: the groups that `ties` lead to."""
    known = sources.grouping.accounts.rename({"source_id": "account_id", "is_counted": "counts"})
    return ties(rows, sources).join(known, on=[*ORG, "account_id"]).select("touch", "group", "counts", "way")


def placing_counts(tied: pl.DataFrame, touches_n: int) -> dict[str, int]:
    """How many of so many touches belong to no account, to linked ones only, and by which way to one."""
    with_account, in_figures = tied["touch"].n_unique(), tied.filter("counts")["touch"].n_unique()
    return {
        "activities_orphaned": touches_n - with_account,
        "activities_of_linked_accounts": with_account - in_figures,
        "activities_by_case": tied.filter(way="case")["touch"].n_unique(),
        "activities_by_person": tied.filter(way="person")["touch"].n_unique(),
    }


def ties(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """touch, source, source_instance, account_id, way: the accounts named, else what leads to one (reading 22)."""
    ids = pl.col("account_ids")
    named = _each(rows.filter(ids != ""), "account_ids").with_columns(way=pl.lit("account"))
    rest = rows.filter(ids.is_null() | (ids == ""))
    by_deal = _led(_one(rest, "opportunity_id"), sources.of(Opportunity), "opportunity")
    rest = rest.join(by_deal, on="touch", how="anti")
    by_case = _led(_one(rest, "case_id"), sources.of(Case), "case")
    rest = rest.join(by_case, on="touch", how="anti")
    by_person = _led(_each(rest, "person_ids"), sources.of(Person), "person")
    return pl.concat([named.rename({"id": "account_id"}).select(by_deal.columns), by_deal, by_case, by_person])


def _one(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    return rows.select("touch", *ORG, id=column).drop_nulls("id")


def _each(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """touch, source, source_instance, id: one row per id of a joined column."""
    ids = pl.col(column)
    several = ids.str.contains(SEPARATOR, literal=True)
    # Splitting makes a list per row: worth it only for the few that name several.
    alone = rows.filter(~several).select("touch", *ORG, id=ids)
    listed = rows.filter(several).select("touch", *ORG, id=ids.str.split(SEPARATOR)).explode("id")
    return pl.concat([alone, listed])


def each_person(rows: pl.DataFrame) -> pl.DataFrame:
    """touch, person: one row per person of `touch` with `person_ids`."""
    several = pl.col("person_ids").str.contains(SEPARATOR, literal=True)
    # As in _each: a list per row only for the few that name several.
    alone = rows.filter(~several).select("touch", person="person_ids")
    listed = rows.filter(several).select("touch", person=pl.col("person_ids").str.split(SEPARATOR)).explode("person")
    return pl.concat([alone, listed])


def _led(rows: pl.DataFrame, records: pl.DataFrame, way: str) -> pl.DataFrame:
    """touch, source, source_instance, account_id, way: where the records named by `rows` belong, if anywhere."""
    accounts = records.select(*ORG, "account_id", id="source_id").drop_nulls("account_id")
    led = rows.join(accounts, on=[*ORG, "id"]).with_columns(way=pl.lit(way))
    return led.select("touch", *ORG, "account_id", "way")


def _contacts(once: pl.DataFrame) -> pl.DataFrame:
    return (
        once.filter(pl.col("kind").is_in(_TWO_WAY))
        .select("group", "source", "day", person=pl.col("person_ids").str.split(SEPARATOR))
        .explode("person")
        .group_by("group", "source", "person")
        .agg(last_on=pl.col("day").max())
    )


STREAMS = (frozenset({"calls", "emails", "meetings", "tasks"}), frozenset({"events", "tasks"}))
"""Streams that tell all touches of a CRM: either of the sets. Less than all of one is not knowing: touches that
were logged elsewhere would be missing without a word."""

PERSONS = {stream: frozenset({"person_ids"}) for streams in STREAMS for stream in streams}
"""Where the persons in touches are hidden from us, nobody can say which of the touches count."""

_ENTITIES: dict[type[Sourced], tuple[str, ...]] = {
    Activity: ACTIVITY_COLUMNS,
    Opportunity: LINK_COLUMNS,
    Case: LINK_COLUMNS,
    Person: LINK_COLUMNS,
}

TOUCHES = FactFrame(
    "touches",
    reads=STREAMS,
    needs=PERSONS,
    entities=_ENTITIES,
    build=lambda sources: sources.once(touches).touches,
    counts=lambda sources: sources.once(touches).counts,
)

CONTACTS = FactFrame(
    "contacts",
    reads=STREAMS,
    needs=PERSONS,
    entities=_ENTITIES,
    build=lambda sources: sources.once(touches).contacts,
)
