"""What stands on columns of an entity: KPIs and criteria, derived from how facts, KPIs and criteria are declared, and
what people decide by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from kammodel.entities import Account, Opportunity, Sourced
from kammodel.facts import FRAMES, FactFrame
from kammodel.kpis import DERIVED, GROUPS, KPIS, Kpi, Windows
from kammodel.tiering.criteria import CRITERIA, Measure

ACCOUNTS = "accounts"
"""The stream of every CRM to which all others belong."""
_ANY_DAY = Windows(dt.date(2000, 12, 31))
"""Which columns an expression names does not depend on the day."""
CARRIED: Mapping[type[Sourced], frozenset[str]] = {
    Opportunity: frozenset({"probability", "forecast_category", "kind"}),
}
"""Columns that every frame either shows under the same name or has no use for: no row comes, goes or is another for
them, so that only a KPI that names one stands on it."""

_GROUPING = frozenset({"parent_id", "cross_reference", "domain", "merged_into_id"})
"""Columns of accounts by which it is decided which of them are one customer: everything stands on them."""
BY_HAND: Mapping[str, str] = {
    "tier_override": "tiers set by hand",
    "tier_override_reason": "the reasons of tiers set by hand",
    "tier_override_until": "the last days of tiers set by hand",
}
"""What stands on columns of accounts that no criterion measures."""


@dataclass(frozen=True)
class Dependents:
    """Names, in the order in which they are declared. `by_hand`: what people decide beside them, in words."""

    kpis: tuple[str, ...]
    criteria: tuple[str, ...]
    by_hand: tuple[str, ...] = ()


def dependents_of(entity: type[Sourced], columns: Collection[str]) -> Dependents:
    """Whatever is made of these columns of an entity: the KPIs over frames of facts that read one of them, those
    computed from such KPIs, and the criteria that measure one.

    A frame counts as a whole, but for columns that it only carries: what within it is made of which column is not
    declared, and one KPI too many is looked at sooner than one too few.
    """
    if entity is Account and not _GROUPING.isdisjoint(columns):
        return _everything()
    carried = set(columns) & CARRIED.get(entity, frozenset())
    whole = _named_of(_reading(entity, set(columns) - carried))
    carrying = _named_of(_reading(entity, carried))
    own = {kpi.name for kpi in KPIS if kpi.of in whole or (kpi.of in carrying and not carried.isdisjoint(_named(kpi)))}
    of_accounts = set(columns) if entity is Account else set()
    by_hand = tuple(told for column, told in BY_HAND.items() if column in of_accounts)
    return replace(_made_of(own, of_accounts), by_hand=by_hand)


def dependents_of_streams(streams: Collection[str]) -> Dependents:
    """Whatever cannot be known where these streams of a CRM are not read: without its accounts nothing."""
    if ACCOUNTS in streams:
        return _everything()
    frames = (f for f in FRAMES if any(not reads.isdisjoint(streams) for reads in f.reads))
    names = _named_of(frames)
    return _made_of({kpi.name for kpi in KPIS if kpi.of in names}, set())


def _everything() -> Dependents:
    """Of tiers set by hand their reasons and last days go with them."""
    first, *_ = BY_HAND.values()
    return Dependents(tuple(kpi.name for kpi in KPIS), tuple(one.key for one in CRITERIA), (first,))


def _reading(entity: type[Sourced], columns: Collection[str]) -> Iterator[FactFrame]:
    return (frame for frame in FRAMES if not set(frame.entities.get(entity, ())).isdisjoint(columns))


def _named_of(frames: Iterable[FactFrame]) -> set[str]:
    return {frame.name for frame in frames}


def _made_of(kpis: Collection[str], of_accounts: Collection[str]) -> Dependents:
    """These KPIs and what is computed from them; criteria may measure a column of accounts as it is."""
    found: dict[str, None] = {}
    for kpi in KPIS:
        is_made = kpi.of in {GROUPS, DERIVED} and not _named(kpi).isdisjoint(found)
        if kpi.name in kpis or is_made:
            found[kpi.name] = None

    def stands(measure: Measure) -> bool:
        return measure.kpi in found or measure.cases in found or measure.kpi in of_accounts

    return Dependents(tuple(found), tuple(one.key for one in CRITERIA if any(map(stands, one.measures))))


@cache
def _named(kpi: Kpi) -> frozenset[str]:
    """The columns of its frame that the expressions of a KPI name, or the KPIs where it is computed over such."""
    return frozenset(_roots(kpi))


def _roots(kpi: Kpi) -> Iterator[str]:
    figure = kpi.figure(_ANY_DAY)
    for expression in (figure.value, figure.why):
        if expression is not None:
            yield from (name.removesuffix("__why") for name in expression.meta.root_names())
