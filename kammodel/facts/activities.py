"""Activities as facts look at them, each by itself: when they were, whether they were done, and whose they are.

There are more of them than of anything else. What APART names may be made of some activities at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from kammodel.entities import Activity, Case, Opportunity, Person
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ACCOUNT, DEAL, OWN, Sources, places
from kammodel.numbering import Lookup, number, pair

KIND = pl.Enum(["call", "email", "meeting"])
"""Of touches."""

_TOUCHES = list(KIND.categories)
_PROMISED = ["task", *_TOUCHES]
_ACCOUNTS, _CASE, _OWNER, _PERSONS = map(number, ("account_ids", "case_id", "owner_id", "person_ids"))
_TIES = (_ACCOUNTS, DEAL, _CASE, _PERSONS)
"""The numbers by which an activity belongs to accounts."""

_WAYS = pl.Enum(["account", "opportunity", "case", "person"])
_LOOKED_AT = (
    *("created_at", "deleted", "kind", "direction", "status", "is_calendar", "occurred_on", "due_on", "starts_at"),
    *("ends_at", "completed_at", "is_counted", _OWNER, *_TIES),
)
_SAID = ("day", "kind", "direction", _OWNER, _PERSONS)


def logged(sources: Sources) -> pl.DataFrame:
    """group, day, kind (KIND), direction, the numbers of owner_id and person_ids: calls, e-mails and meetings that were
    done by the cut, one row for each and each group that it belongs to. Readings 1, 5 and 20-22.

    - Done: a call, e-mail or task that its CRM says is done, on a day up to the as-of day; what stands in a
      calendar once it is over, unless cancelled (a task of type meeting that was due was not held, until it is
      closed). Its day is the CRM's date, else the day it was completed, else that of its start, else when due.
    - It belongs to the accounts it names, each group once; naming none, to the account of its opportunity; without
      one, to that of its case; without one, to those of its persons. How many it was by case or persons: `placing`.
    """
    return _placed(sources.once(_touches).select(_SAID), sources.once(_tied))


def placing(sources: Sources) -> Mapping[str, int]:
    """How many touches belong to no account, to linked ones only, and by which way to one."""
    tied, touches_n = sources.once(_tied), sources.once(_touches).height
    with_account, in_figures = tied["touch"].n_unique(), tied.filter("counts")["touch"].n_unique()
    return {
        "activities_orphaned": touches_n - with_account,
        "activities_of_linked_accounts": with_account - in_figures,
        "activities_by_case": tied.filter(way="case")["touch"].n_unique(),
        "activities_by_person": tied.filter(way="person")["touch"].n_unique(),
    }


def promised(sources: Sources) -> pl.DataFrame:
    """group, due_on (null: none): tasks open at the cut, one row for each and each group that it belongs to.

    Open: planned, or done after the cut. What stands in a calendar is no task. HubSpot keeps the day by which a task
    is due where others keep its start.
    """
    moment, rows = sources.moment, sources.of(Activity)
    done_later = (pl.col("status") == "done") & (pl.col("completed_at") > moment.at)
    is_open = ((pl.col("status") == "planned") | done_later).fill_null(value=False)
    is_task = pl.col("is_counted") & ~pl.col("is_calendar") & pl.col("kind").is_in(_PROMISED)
    own = rows.select(moment.existed() & is_task & is_open).to_series()
    known = rows.select("due_on", "starts_at", *_TIES).filter(own)
    due = pl.coalesce("due_on", moment.local_day(pl.col("starts_at")))
    return _placed(known.select(due_on=due), tied_groups(known.with_row_index("touch"), sources))


def worked(sources: Sources) -> pl.DataFrame:
    """DEAL, day: activities about a deal that were done by the cut; e-mails to many are about none."""
    about = pl.col(DEAL).is_not_null() & (pl.col("kind") != "mass_email")
    return sources.once(_done).filter(about).select(DEAL, "day")


APART: tuple[Callable[[Sources], pl.DataFrame], ...] = (logged, promised, worked)
"""All that facts look at of activities. Made of some at a time and put together, it is what it is of all."""


def _done(sources: Sources) -> pl.DataFrame:
    """Activities of every kind that were done by the cut, with their `day`."""
    moment = sources.moment
    dated = with_day(sources.of(Activity).select(_LOOKED_AT), moment)
    own = dated.select(moment.existed() & is_done(moment)).to_series()
    return dated.select(*_SAID, "is_counted", _ACCOUNTS, DEAL, _CASE).filter(own)


def _touches(sources: Sources) -> pl.DataFrame:
    known = sources.once(_done).filter("is_counted", pl.col("kind").is_in(_TOUCHES))
    return known.with_columns(pl.col("kind").cast(KIND))


def _tied(sources: Sources) -> pl.DataFrame:
    return tied_groups(sources.once(_touches).select(_TIES).with_row_index("touch"), sources)


def _placed(rows: pl.DataFrame, tied: pl.DataFrame) -> pl.DataFrame:
    """`rows` with `group`, one row for each and each group in which it counts."""
    counted = tied.filter("counts").filter(pair("touch", "group").is_first_distinct())
    return rows[counted["touch"]].with_columns(counted["group"])


def with_day(activities: pl.DataFrame, moment: Cut) -> pl.DataFrame:
    """Adds the local `day` of activities (readings 1 and 2)."""
    told = activities["occurred_on"].alias("day")
    # An instant takes long to become a day, and few need it.
    bare = told.is_null().arg_true()
    completed = pl.when(~pl.col("is_calendar")).then(moment.local_day(pl.col("completed_at")))
    day = pl.coalesce(completed, moment.local_day(pl.col("starts_at")), "due_on")
    needed = activities.select("is_calendar", "completed_at", "starts_at", "due_on")[bare]
    return activities.with_columns(told.scatter(bare, needed.select(day=day)["day"]))


def is_done(moment: Cut) -> pl.Expr:
    """Whether an activity with its `day` was done by the cut (reading 22)."""
    ended = pl.coalesce("ends_at", "starts_at")
    over = pl.when(ended.is_not_null()).then(ended <= moment.at).otherwise(pl.col("day") <= moment.last_full_day)
    held = over & (pl.col("day") <= moment.day) & pl.col("status").ne_missing(pl.lit("cancelled"))
    finished = pl.col("completed_at").is_null() | (pl.col("completed_at") <= moment.at)
    said = (pl.col("status") == "done") & (pl.col("day") <= moment.day) & finished
    return pl.when("is_calendar").then(held).otherwise(said)


def tied_groups(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """touch, group, `counts` (whether the account does), way: the groups that `ties` lead to."""
    tied = ties(rows, sources)
    groups, counts = sources.once(_groups), sources.once(_counts)
    found = tied.select(
        "touch", groups.of(tied[ACCOUNT]).alias("group"), counts.of(tied[ACCOUNT]).alias("counts"), "way"
    )
    return found.drop_nulls("group")


def leading(sources: Sources) -> dict[object, Any]:
    """What leads from an activity to its groups, by the function that makes it: the same for all activities."""
    return {make: sources.once(make) for make in (places, _groups, _counts, _of_deals, _of_cases, _of_persons)}


def _groups(sources: Sources) -> Lookup:
    known = sources.once(places)
    return Lookup(known[ACCOUNT], known["group"])


def _counts(sources: Sources) -> Lookup:
    known = sources.once(places)
    return Lookup(known[ACCOUNT], known["is_counted"])


def ties(rows: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """touch, ACCOUNT, way, of activities with a number `touch`: those named, else what leads to one. Reading 22."""
    named = sources.numbers.each(rows.select("touch", _ACCOUNTS), _ACCOUNTS)
    rest = rows.filter(pl.col(_ACCOUNTS).is_null())
    by_deal, rest = _led(rest, DEAL, sources.once(_of_deals), "opportunity")
    by_case, rest = _led(rest, _CASE, sources.once(_of_cases), "case")
    by_person, _ = _led(sources.numbers.each(rest, _PERSONS), _PERSONS, sources.once(_of_persons), "person")
    named = named.select("touch", pl.col(_ACCOUNTS).alias(ACCOUNT), way=pl.lit("account", _WAYS))
    return pl.concat([named, by_deal, by_case, by_person])


def _led(rows: pl.DataFrame, column: str, accounts: Lookup, way: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """touch, ACCOUNT, way: where the records named by `rows` belong, if anywhere; and the other rows."""
    account = accounts.of(rows[column]).alias(ACCOUNT)
    led = rows.select("touch", account, way=pl.lit(way, _WAYS)).drop_nulls(ACCOUNT)
    return led, rows.filter(account.is_null())


def _accounts_of(records: pl.DataFrame) -> Lookup:
    return Lookup(records[OWN], records[ACCOUNT])


def _of_deals(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Opportunity))


def _of_cases(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Case))


def _of_persons(sources: Sources) -> Lookup:
    return _accounts_of(sources.of(Person))
