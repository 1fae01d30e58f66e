"""What of a row is looked at once it stands where it belongs: its ids have been turned into numbers by then."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from kammodel.entities import KEY, Case, Opportunity, OpportunityStageEvent, Order, Sourced
from kammodel.facts import FRAMES
from kammodel.inputs import asked
from kammodel.numbering import LINKS, number
from kammodel.rollups import Rollup
from kammodel.rollups.frames import entities as rolled_entities

_TEXTS: Mapping[type[Sourced], tuple[str, ...]] = {
    Opportunity: (*KEY, "stage_id"),
    OpportunityStageEvent: ("source_id", "stage_id"),
    Order: (*KEY[:2], "contract_id"),
    Case: ("source", "source_id"),
}
"""The ids that facts look at as texts: to put rows in order, to find rates, to name records of a file."""


@cache
def looked_at(entity: type[Sourced], rollups: tuple[Rollup, ...] = ()) -> tuple[str, ...]:
    """The columns of an entity that facts, and these rollups, look at, and the numbers of its ids."""
    numbers = tuple(map(number, LINKS.get(entity, ())))
    if entity in rolled_entities(rollups):
        return (*asked(rollups)[entity], *numbers)
    facts = dict.fromkeys(name for frame in FRAMES for name in frame.entities.get(entity, ()))
    left_out = {*KEY, *LINKS.get(entity, ())} - {*_TEXTS.get(entity, ())}
    return (*(name for name in facts if name not in left_out), *numbers)
