"""Calls, e-mails and meetings as they were known at the end of a day, and the persons in them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Activity, Case, Opportunity, Person, Sourced
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ACCOUNT, DEAL, OWN, FactFrame, Sources, places
from kammodel.numbering import Lookup, number, pair

_TOUCHES = ("call", "email", "meeting")
_TWO_WAY = ("call", "meeting")
_ACCOUNTS, _CASE, _OWNER, _PERSONS = map(number, ("account_ids", "case_id", "owner_id", "person_ids"))

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

_LOOKED_AT = (
    *("created_at", "deleted", "kind", "direction", "status", "is_calendar", "occurred_on", "due_on", "starts_at"),
    *("ends_at", "completed_at", "is_counted", _OWNER, _ACCOUNTS, DEAL, _CASE, _PERSONS),
)
TIES = (_ACCOUNTS, DEAL, _CASE, _PERSONS)
"""The numbers by which a touch belongs to accounts."""

LINK_COLUMNS = (*KEY, "account_id")
"""Columns of cases and persons, by which a touch that names no account belongs to one."""


@dataclass(frozen=True)
class Touches:
    """`touches`: one row per touch that counts: group, day, kind, `has_person`. `contacts`: group, person
    (a number), `last_on`: the last day of a two-way touch (a call or a meeting: an e-mail is one-way, and not
    every CRM tells its direction, so that the same book gives the same figure on each). `logged`: each of them as
    often as it was logged: group, day, kind, direction, the numbers of owner_id and person_ids, has_person.
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
    done = done_touches(sources.of(Activity).select(_LOOKED_AT), sources.moment)
    logged, placing = placed(done, sources, ("day", "kind", "direction", _OWNER, _PERSONS))
    owner = pl.when(pl.col("kind") != "meeting").then(_OWNER)
    whole = logged.with_columns(owner=owner, has_person=pl.col(_PERSONS).is_not_null())
    once = whole.filter("has_person").filter(_together().is_first_distinct())
    shown = ("group", "day", "kind", "has_person")
    facts = pl.concat([once.select(shown), whole.filter(~pl.col("has_person")).select(shown)])
    return Touches(facts, _contacts(once, sources), whole.drop("owner"), placing)


def _together() -> pl.Expr:
    """One number for all that makes two touches one: group, persons, owner, day and kind."""
    kind = pl.col("kind").replace_strict({kind: n for n, kind in enumerate(_TOUCHES)}, return_dtype=pl.Int128)
    who = pl.col("group").cast(pl.Int128) * 2**32 + pl.col(_PERSONS)
    whose = pl.col("owner").cast(pl.Int64).fill_null(2**32)
    # A day of the calendar, four times over, is less than 2**24 from 1970.
    return (who * 2**33 + whose) * 2**25 + pl.col("day").to_physical() * 4 + kind


def done_touches(activities: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """The calls, e-mails and meetings that were done by the cut, with their `day`."""
    known = activities.filter(moment.existed(), "is_counted", pl.col("kind").is_in(_TOUCHES))
    return with_day(known, moment).filter(is_done(moment))


def with_day(activities: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """Adds the local `day` of activities (readings 1 and 2)."""
    told = activities["occurred_on"].alias("day")
    # An instant takes long to become a day, and few need it.
    bare = told.is_null().arg_true()
    completed = pl.when(~pl.col("is_calendar")).then(moment.local_day(pl.col("completed_at")))
    day = pl.coalesce(completed, moment.local_day(pl.col("starts_at")), "due_on")
    return activities.with_columns(told.scatter(bare, activities[bare].select(day=day)["day"]))


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
    tied = tied_groups(done.select(TIES).with_row_index("touch"), sources)
    counted = tied.filter("counts").filter(pair("touch", "group").is_first_distinct())
    rows = done.select(columns)[counted["touch"]]
    return rows.with_columns(counted["group"]), placing_counts(tied, done.height)


def tied_groups(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """touch, group, `counts` (whether the account does), way: the groups that `ties` lead to."""
    tied = ties(rows, sources)
    groups, counts = sources.once(_groups), sources.once(_counts)
    found = tied.select(
        "touch", groups.of(tied[ACCOUNT]).alias("group"), counts.of(tied[ACCOUNT]).alias("counts"), "way"
    )
    return found.drop_nulls("group")


def _groups(sources: Sources) -> Lookup:
    known = sources.once(places)
    return Lookup(known[ACCOUNT], known["group"])


def _counts(sources: Sources) -> Lookup:
    known = sources.once(places)
    return Lookup(known[ACCOUNT], known["is_counted"])


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
    """touch, ACCOUNT, way, of `rows` with TIES: the accounts named, else what leads to one (reading 22)."""
    named = sources.numbers.each(rows.select("touch", _ACCOUNTS), _ACCOUNTS)
    rest = rows.filter(pl.col(_ACCOUNTS).is_null())
    by_deal, rest = _led(rest, DEAL, sources.once(_of_deals), "opportunity")
    by_case, rest = _led(rest, _CASE, sources.once(_of_cases), "case")
    by_person, _ = _led(sources.numbers.each(rest, _PERSONS), _PERSONS, sources.once(_of_persons), "person")
    named = named.select("touch", pl.col(_ACCOUNTS).alias(ACCOUNT), way=pl.lit("account"))
    return pl.concat([named, by_deal, by_case, by_person])


def _led(rows: pl.DataFrame, column: str, accounts: Lookup, way: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """touch, ACCOUNT, way: where the records named by `rows` belong, if anywhere; and the other rows."""
    account = accounts.of(rows[column]).alias(ACCOUNT)
    led = rows.select("touch", account, way=pl.lit(way)).drop_nulls(ACCOUNT)
    return led, rows.filter(account.is_null())


def _accounts_of(records: pl.DataFrame) -> Lookup:
    return Lookup(records[OWN], records[ACCOUNT])


def _of_deals(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Opportunity))


def _of_cases(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Case))


def _of_persons(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Person))


def _contacts(once: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    sets = once.filter(pl.col("kind").is_in(_TWO_WAY)).group_by("group", _PERSONS).agg(last_on=pl.col("day").max())
    persons = sources.numbers.each(sets, _PERSONS).rename({_PERSONS: "person"})
    return persons.group_by("group", "person").agg(pl.col("last_on").max())


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
