"""Which records are associated, under which association types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.sandbox.hubspot.kinds import (
    CALLS,
    COMMUNICATIONS,
    COMPANIES,
    CONTACTS,
    DEALS,
    EMAILS,
    LINE_ITEMS,
    MEETINGS,
    NOTES,
    TASKS,
    TICKETS,
    Kind,
)

CATEGORY = "HUBSPOT_DEFINED"


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One type of association from one kind to another; `label` is null for the plain one.

    `inverse` is the type that then stands on the way back.
    """

    id: int
    source: Kind
    target: Kind
    label: str | None
    inverse: int


def _pair(source: Kind, target: Kind, there: int, back: int, label: str | None = None) -> Iterator[AssociationType]:
    yield AssociationType(there, source, target, label, back)
    if there != back:
        yield AssociationType(back, target, source, label, there)


# https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23).
TYPES: dict[int, AssociationType] = {
    type_.id: type_
    for row in (
        _pair(DEALS, COMPANIES, 341, 342),
        _pair(DEALS, COMPANIES, 5, 6, "Primary"),
        _pair(CONTACTS, COMPANIES, 279, 280),
        _pair(CONTACTS, COMPANIES, 1, 2, "Primary"),
        _pair(TICKETS, COMPANIES, 339, 340),
        _pair(TICKETS, COMPANIES, 26, 25, "Primary"),
        _pair(COMPANIES, COMPANIES, 450, 450),
        (AssociationType(13, COMPANIES, COMPANIES, "Child Company", 14),),
        (AssociationType(14, COMPANIES, COMPANIES, "Parent Company", 13),),
        _pair(DEALS, CONTACTS, 3, 4),
        _pair(TICKETS, CONTACTS, 16, 15),
        _pair(TICKETS, DEALS, 28, 27),
        _pair(LINE_ITEMS, DEALS, 20, 19),
        _pair(COMPANIES, CALLS, 181, 182),
        _pair(COMPANIES, EMAILS, 185, 186),
        _pair(COMPANIES, MEETINGS, 187, 188),
        _pair(COMPANIES, NOTES, 189, 190),
        _pair(COMPANIES, TASKS, 191, 192),
        _pair(COMPANIES, COMMUNICATIONS, 88, 87),
        _pair(CONTACTS, CALLS, 193, 194),
        _pair(CONTACTS, EMAILS, 197, 198),
        _pair(CONTACTS, MEETINGS, 199, 200),
        _pair(CONTACTS, NOTES, 201, 202),
        _pair(CONTACTS, TASKS, 203, 204),
        _pair(CONTACTS, COMMUNICATIONS, 82, 81),
        _pair(DEALS, CALLS, 205, 206),
        _pair(DEALS, EMAILS, 209, 210),
        _pair(DEALS, MEETINGS, 211, 212),
        _pair(DEALS, NOTES, 213, 214),
        _pair(DEALS, TASKS, 215, 216),
        _pair(DEALS, COMMUNICATIONS, 86, 85),
        _pair(TICKETS, CALLS, 219, 220),
        _pair(TICKETS, EMAILS, 223, 224),
        _pair(TICKETS, MEETINGS, 225, 226),
        _pair(TICKETS, NOTES, 227, 228),
        _pair(TICKETS, TASKS, 229, 230),
    )
    for type_ in row
}
PLAIN: dict[tuple[str, str], AssociationType] = {
    (type_.source.name, type_.target.name): type_ for type_ in TYPES.values() if type_.label is None
}
PRIMARY: dict[tuple[str, str], AssociationType] = {
    (type_.source.name, type_.target.name): type_ for type_ in TYPES.values() if type_.label == "Primary"
}


def types_between(source: Kind, target: Kind) -> list[AssociationType]:
    """All types from one kind to another, the plain one first."""
    found = [t for t in TYPES.values() if t.source is source and t.target is target]
    return sorted(found, key=lambda t: (t.label is not None, t.id))


def inline_type(type_: AssociationType) -> str:
    """The word for a type in inline associations: `deal_to_company_unlabeled`, `deal_to_company`."""
    if type_.id == 13:
        return "parent_to_child_company"
    if type_.id == 14:
        return "child_to_parent_company"
    word = f"{type_.source.singular}_to_{type_.target.singular}"
    has_primary = (type_.source.name, type_.target.name) in PRIMARY
    return f"{word}_unlabeled" if type_.label is None and (has_primary or type_.id == 450) else word


Links = dict[int, dict[int, tuple[int, ...]]]


@dataclass
class Associations:
    """Links by direction: (from kind, to kind) -> from id -> to id -> type ids. Both directions are kept."""

    _links: dict[tuple[str, str], Links] = field(default_factory=dict)

    def of(self, source: Kind, source_id: int, target: Kind) -> dict[int, tuple[int, ...]]:
        """What one record is linked to: to id -> type ids."""
        return self._links.get((source.name, target.name), {}).get(source_id, {})

    def add(self, source: Kind, source_id: int, target: Kind, target_id: int, types: Iterable[int]) -> None:
        """Link two records, both ways; the plain type always stands beside a label.

        A new primary takes the place of the old one.
        """
        plain = PLAIN[source.name, target.name].id
        wanted = dict.fromkeys((plain, *types))
        primary = PRIMARY.get((source.name, target.name))
        # A record has one primary company; a company is the primary of many records.
        if primary and target is COMPANIES and primary.id in wanted:
            self._demote(source, source_id, primary)
        if primary and source is COMPANIES and primary.id in wanted:
            self._demote(target, target_id, TYPES[primary.inverse])
        for type_id in wanted:
            type_ = TYPES[type_id]
            self._put(type_, source_id, target_id)
            self._put(TYPES[type_.inverse], target_id, source_id)

    def remove(self, source: Kind, source_id: int, target: Kind, target_id: int) -> None:
        """Unlink two records entirely."""
        for a, a_id, b, b_id in ((source, source_id, target, target_id), (target, target_id, source, source_id)):
            links = self._links.get((a.name, b.name), {})
            links.get(a_id, {}).pop(b_id, None)
            if not links.get(a_id, True):
                del links[a_id]

    def targets(self, source: Kind) -> list[Kind]:
        """The kinds that records of this kind can be linked to."""
        return list({t.target.name: t.target for t in TYPES.values() if t.source is source}.values())

    def _put(self, type_: AssociationType, source_id: int, target_id: int) -> None:
        links = self._links.setdefault((type_.source.name, type_.target.name), {})
        to = links.setdefault(source_id, {})
        have = to.get(target_id, ())
        if type_.id not in have:
            to[target_id] = _tuple(*have, type_.id)

    def _demote(self, source: Kind, source_id: int, primary: AssociationType) -> None:
        for target_id, have in list(self.of(source, source_id, primary.target).items()):
            if primary.id in have:
                self._drop(primary, source_id, target_id)
                self._drop(TYPES[primary.inverse], target_id, source_id)

    def _drop(self, type_: AssociationType, source_id: int, target_id: int) -> None:
        to = self._links[type_.source.name, type_.target.name][source_id]
        to[target_id] = _tuple(*(t for t in to[target_id] if t != type_.id))


_TUPLES: dict[tuple[int, ...], tuple[int, ...]] = {}


def _tuple(*types: int) -> tuple[int, ...]:
    # Half a million links share a dozen combinations of types.
    return _TUPLES.setdefault(types, types)
