"""Who of us talked with an account group, in which direction, and out of which function."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kammodel.entities import KEY, Sourced, User
from kammodel.facts.frames import FactFrame, Sources
from kammodel.facts.team import managers, people
from kammodel.facts.touches import PERSONS, STREAMS, TOUCHES, touches
from kammodel.numbering import number

_SAID = ("call", "email")
RECENT = dt.timedelta(days=90)
"""The window of every KPI over these frames: what is older is not looked at."""

_OWNER, _PERSONS = number("owner_id"), number("person_ids")
_ONCE = ["group", "day", "kind", _PERSONS]


def _recent(sources: Sources) -> pl.DataFrame:
    """What was logged in the window with a person."""
    since = sources.moment.day - RECENT
    return sources.once(touches).logged.filter("has_person", pl.col("day") > since)


def _directions(sources: Sources) -> pl.DataFrame:
    """group, day, kind, direction (in, out, null): calls and e-mails with a person, once per day, kind, owner, set of
    persons and direction."""
    said = sources.once(_recent).filter(pl.col("kind").is_in(_SAID))
    once = said.unique([*_ONCE, _OWNER, "direction"], maintain_order=True)
    return once.select("group", "day", "kind", "direction")


def _owned(sources: Sources) -> pl.DataFrame:
    """group, day, kind, `is_kam`: the touches, and whether the key account manager took part; null where the group
    has none. A meeting that several of us logged is one touch."""
    logged = sources.once(_recent)
    kams = sources.numbers.with_numbers(sources.once(managers), ["user_id"]).select("group", kam=number("user_id"))
    told = logged.join(kams, on="group", how="left").with_columns(
        owner=pl.when(pl.col("kind") != "meeting").then(_OWNER),
        is_kam=pl.when(pl.col("kam").is_not_null()).then((pl.col(_OWNER) == pl.col("kam")).fill_null(value=False)),
    )
    return (
        told.group_by([*_ONCE, "owner"])
        .agg(pl.col("is_kam").any(ignore_nulls=False))
        .select("group", "day", "kind", "is_kam")
    )


def _functions(sources: Sources) -> pl.DataFrame:
    """group, day, function: which of our functions (team.csv) touched the group on which days."""
    known = sources.once(people).drop_nulls("function")
    known = sources.numbers.with_numbers(known, ["user_id"]).select("function", pl.col(number("user_id")).alias(_OWNER))
    logged = sources.once(_recent)
    return logged.join(known, on=_OWNER).select("group", "day", "function").unique()


_ENTITIES: dict[type[Sourced], tuple[str, ...]] = {**TOUCHES.entities, User: KEY}

DIRECTIONS = FactFrame("directions", reads=STREAMS, needs=PERSONS, entities=_ENTITIES, build=_directions)
OWNED_TOUCHES = FactFrame("owned_touches", reads=STREAMS, needs=PERSONS, entities=_ENTITIES, build=_owned)
FUNCTIONS = FactFrame("functions", reads=STREAMS, needs=PERSONS, entities=_ENTITIES, build=_functions)
