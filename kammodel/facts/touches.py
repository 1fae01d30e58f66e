"""Calls, e-mails and meetings as they were known at the end of a day, and the persons in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from kammodel.entities import KEY, Activity, Case, Opportunity, Person, Sourced
from kammodel.facts.activities import logged, placing
from kammodel.facts.frames import FactFrame, Sources
from kammodel.numbering import number

_TWO_WAY = ("call", "meeting")
_OWNER, _PERSONS = number("owner_id"), number("person_ids")

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
    """`touches`: one row per touch that counts: group, day, kind, `has_person`. `contacts`: group, person
    (a number), `last_on`: the last day of a two-way touch (a call or a meeting: an e-mail is one-way, and not
    every CRM tells its direction, so that the same book gives the same figure on each). `logged`: each of them as
    often as it was logged: group, day, kind, direction, the numbers of owner_id and person_ids, has_person. `counts`:
    see `placing`.
    """

    touches: pl.DataFrame
    contacts: pl.DataFrame
    logged: pl.DataFrame
    counts: Mapping[str, int]


def touches(sources: Sources) -> Touches:
    """What was `logged`, each touch once. Reading 21.

    - With persons it counts once per group, day, kind, owner (meetings: whoever owns it) and set of persons.
      Without, it is kept apart (`has_person` False) and never taken for another.
    """
    owner = pl.when(pl.col("kind") != "meeting").then(_OWNER)
    whole = sources.once(logged).with_columns(owner=owner, has_person=pl.col(_PERSONS).is_not_null())
    once = whole.filter("has_person").filter(_together().is_first_distinct())
    shown = ("group", "day", "kind", "has_person")
    facts = pl.concat([once.select(shown), whole.filter(~pl.col("has_person")).select(shown)])
    return Touches(facts, _contacts(once, sources), whole.drop("owner"), sources.once(placing))


def _together() -> pl.Expr:
    """One number for all that makes two touches one: group, persons, owner, day and kind."""
    who = pl.col("group").cast(pl.Int128) * 2**32 + pl.col(_PERSONS)
    whose = pl.col("owner").cast(pl.Int64).fill_null(2**32)
    # A day of the calendar, four times over, is less than 2**24 from 1970.
    return (who * 2**33 + whose) * 2**25 + pl.col("day").to_physical() * 4 + pl.col("kind").to_physical()


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
