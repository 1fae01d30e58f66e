"""What customers ask of our service, as it was known at the end of a day."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Case, Person
from kammodel.facts.cut import Cut
from kammodel.facts.frames import ACCOUNT, OWN, FactFrame, Sources
from kammodel.given.words import is_one_of, words_of
from kammodel.identity import reference_key
from kammodel.numbering import number

_CASE_COLUMNS = (
    *KEY,
    "created_at",
    "deleted",
    "account_id",
    "person_id",
    "priority",
    "status",
    "is_closed",
    "is_escalated",
    "opened_at",
    "closed_at",
    "first_response_at",
    "sla_due_at",
    "is_sla_met",
    "reopened_n",
)
_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Cases:
    """`cases`: one row per case that counts: group, `opened_on`, `closed_on` (null: open, or closed on an unknown
    day), `is_open`, `is_high`, `is_escalated`, `hours_to_close`, `days_open` (of open ones),
    `first_response_hours`, `is_sla_met` (null: nothing was agreed, or it is not decided) and `reopened`."""

    cases: pl.DataFrame
    counts: dict[str, int]


def cases(sources: Sources) -> Cases:
    """Cases as known at the cut. Readings 5 and 25.

    - One without an account belongs to that of its person.
    - Open: not closed, or closed after the cut. A closed case without a time of closing is closed.
    - Closed before it was opened is an error of the data: it is closed, its hours are left out, and it is counted.
    - Priority, status and escalation are today's; words.csv says which words mean high and escalated.
    - The first answer, the agreed time and how often a case was opened again are what service.csv says; where it is
      silent, what the CRM does. An answer before the case was opened, or after the cut, tells nothing.
    - An agreed time that has passed was not kept while the case is open. Of a closed case the CRM's word counts, which
      knows of pauses; without one, whether it was closed by then.
    """
    moment, known = sources.moment, sources.once(known_cases)
    counted = sources.counted(known)
    told = _with_desk(counted, sources).with_columns(is_open=~pl.col("is_closed"))
    hours = (pl.col("closed_at") - pl.col("opened_at")).dt.total_microseconds() / _HOUR_US
    words = sources.file("words")
    facts = told.select(
        "group",
        opened_on=moment.local_day(pl.col("opened_at")),
        closed_on=pl.when(~pl.col("is_open")).then(moment.local_day(pl.col("closed_at"))),
        is_open="is_open",
        is_high=is_one_of(pl.col("priority"), words_of("high_priority", words)),
        is_escalated=pl.col("is_escalated").fill_null(value=False)
        | is_one_of(pl.col("status"), words_of("escalated", words)),
        hours_to_close=pl.when(~pl.col("is_open") & (hours >= 0)).then(hours),
        days_open=pl.when("is_open").then((pl.lit(moment.day) - moment.local_day(pl.col("opened_at"))).dt.total_days()),
        first_response_hours=pl.coalesce("first_response_hours", _hours_to_answer(moment)),
        is_sla_met=pl.coalesce("is_sla_met", _kept_in_time(moment)),
        reopened=pl.coalesce("reopened", "reopened_n"),
    )
    counts = {
        "cases": known.height,
        "cases_closed_before_opened": told.filter(~pl.col("is_open") & (hours < 0)).height,
    }
    return Cases(facts, counts)


def _hours_to_answer(moment: Cut) -> pl.Expr:
    answered = pl.col("first_response_at")
    hours = (answered - pl.col("opened_at")).dt.total_microseconds() / _HOUR_US
    return pl.when((hours >= 0) & (answered <= moment.at)).then(hours)


def _kept_in_time(moment: Cut) -> pl.Expr:
    due = pl.col("sla_due_at")
    overdue = pl.when(due < moment.at).then(pl.lit(value=False))
    return pl.when("is_open").then(overdue).otherwise(pl.coalesce("told_sla_met", pl.col("closed_at") <= due))


def known_cases(sources: Sources) -> pl.DataFrame:
    """Cases that were there at the cut, with their accounts; `opened_at` and `is_closed` as they were then."""
    moment = sources.moment
    opened = pl.coalesce("opened_at", "created_at")
    known = sources.of(Case).filter(moment.existed()).with_columns(opened_at=opened)
    known = known.filter(pl.col("opened_at").is_null() | (pl.col("opened_at") <= moment.at))
    # One that is open today though it was closed once is open again.
    closed_then = pl.coalesce(pl.col("closed_at") <= moment.at, pl.col("is_closed"))
    closed_then &= pl.col("is_closed").fill_null(value=True)
    return _with_account(known, sources).with_columns(is_closed=closed_then.fill_null(value=False))


def _with_account(known: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    who = number("person_id")
    of_person = sources.of(Person).select(pl.col(OWN).alias(who), of_person=ACCOUNT)
    joined = known.join(of_person, on=who, how="left")
    return joined.with_columns(pl.coalesce(ACCOUNT, "of_person")).drop("of_person")


def _with_desk(counted: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Adds what service.csv says of a case, which it names by `<source>:<id>` or an id; what the CRM says of the agreed
    time is `told_sla_met`."""
    counted = counted.rename({"is_sla_met": "told_sla_met"})
    rows = sources.file("service")
    if rows is None:
        about = {"first_response_hours": pl.Float64, "is_sla_met": pl.Boolean, "reopened": pl.Int64}
        return counted.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in about.items())
    told = rows.select(
        pl.col("first_response_hours", "is_sla_met", "reopened"),
        id=reference_key(pl.col("case").str.replace(r"^[a-z]+:", "")),
        only=pl.col("case").str.extract(r"^([a-z]+):"),
    ).unique("id", keep="first", maintain_order=True)
    joined = counted.with_columns(id=reference_key(pl.col("source_id"))).join(told, on="id", how="left")
    fits = pl.col("only").is_null() | (pl.col("only") == pl.col("source"))
    names = ("first_response_hours", "is_sla_met", "reopened")
    return joined.with_columns(pl.when(fits).then(name).alias(name) for name in names)


CASES = FactFrame(
    "cases",
    reads=(frozenset({"cases"}), frozenset({"tickets"})),
    entities={Case: _CASE_COLUMNS, Person: (*KEY, "account_id")},
    build=lambda sources: sources.once(cases).cases,
    counts=lambda sources: sources.once(cases).counts,
)
