"""Which KPIs and criteria stand on columns of an entity, derived from how facts, KPIs and criteria are declared."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

from kammodel.entities import Sourced
from kammodel.facts import FRAMES
from kammodel.kpis import DERIVED, GROUPS, KPIS, Kpi, Windows
from kammodel.tiering.criteria import CRITERIA

_ANY_DAY = Windows(dt.date(2000, 12, 31))
"""Which columns an expression names does not depend on the day."""


@dataclass(frozen=True)
class Dependents:
    """Names, in the order in which they are declared."""

    kpis: tuple[str, ...]
    criteria: tuple[str, ...]


def dependents_of(entity: type[Sourced], columns: Collection[str]) -> Dependents:
    """Whatever is made of these columns of an entity: the KPIs over frames of facts that read one of them, those
    computed from such KPIs, and the criteria that measure one.

    A frame counts as a whole: what within it is made of which column is not declared, and one KPI too many is looked
    at sooner than one too few.
    """
    frames = {frame.name for frame in FRAMES if not set(frame.entities.get(entity, ())).isdisjoint(columns)}
    found: dict[str, None] = {}
    for kpi in KPIS:
        if kpi.of in frames or not _named(kpi).isdisjoint(found):
            found[kpi.name] = None
    criteria = tuple(one.key for one in CRITERIA if any(m.kpi in found or m.cases in found for m in one.measures))
    return Dependents(tuple(found), criteria)


@cache
def _named(kpi: Kpi) -> frozenset[str]:
    """The KPIs that the expressions of one name; none where it is computed over facts."""
    return frozenset(_roots(kpi)) if kpi.of in {GROUPS, DERIVED} else frozenset()


def _roots(kpi: Kpi) -> Iterator[str]:
    figure = kpi.figure(_ANY_DAY)
    for expression in (figure.value, figure.why):
        if expression is not None:
            yield from (name.removesuffix("__why") for name in expression.meta.root_names())
