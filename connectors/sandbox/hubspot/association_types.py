"""The types of association between kinds of record: HubSpot's own, and the labels a portal defines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

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

HUBSPOT_DEFINED, USER_DEFINED = "HUBSPOT_DEFINED", "USER_DEFINED"


@dataclass(frozen=True, slots=True)
class AssociationType:
    """One type of association from one kind to another; `label` is null for the plain one.

    `inverse` is the key of the type that then stands on the way back. Both categories number from 1, so that a number
    alone says nothing: what a portal defined has its number as a negative key here.
    """

    key: int
    source: Kind
    target: Kind
    label: str | None
    inverse: int
    name: str = ""

    @property
    def id(self) -> int:
        """The number on the wire, which means something with the category only."""
        return abs(self.key)

    @property
    def category(self) -> str:
        """Who defined it."""
        return HUBSPOT_DEFINED if self.key > 0 else USER_DEFINED


def _pair(source: Kind, target: Kind, there: int, back: int, label: str | None = None) -> Iterator[AssociationType]:
    yield AssociationType(there, source, target, label, back)
    if there != back:
        yield AssociationType(back, target, source, label, there)


# https://developers.hubspot.com/docs/api-reference/latest/crm/associations (read 2026-11-23).
DEFINED: dict[int, AssociationType] = {
    type_.key: type_
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
        _pair(TICKETS, COMMUNICATIONS, 84, 83),
    )
    for type_ in row
}
PLAIN: dict[tuple[str, str], AssociationType] = {
    (type_.source.name, type_.target.name): type_ for type_ in DEFINED.values() if type_.label is None
}
PRIMARY: dict[tuple[str, str], AssociationType] = {
    (type_.source.name, type_.target.name): type_ for type_ in DEFINED.values() if type_.label == "Primary"
}


def inline_type(type_: AssociationType) -> str:
    """The word for a type in inline associations: `deal_to_company_unlabeled`, `deal_to_company`."""
    if type_.name:
        return type_.name
    if type_.key == 13:
        return "parent_to_child_company"
    if type_.key == 14:
        return "child_to_parent_company"
    word = f"{type_.source.singular}_to_{type_.target.singular}"
    has_primary = (type_.source.name, type_.target.name) in PRIMARY
    return f"{word}_unlabeled" if type_.label is None and (has_primary or type_.key == 450) else word


class AssociationTypes:
    """The types of one portal."""

    def __init__(self) -> None:
        self._types = dict(DEFINED)
        self._last = 0
        # Links by the hundred thousand share a dozen combinations of types: each is worded once.
        self._bodies: dict[tuple[int, ...], list[dict[str, Any]]] = {}

    def __getitem__(self, key: int) -> AssociationType:
        return self._types[key]

    def bodies(self, keys: tuple[int, ...]) -> list[dict[str, Any]]:
        """Types as v4 words them. Not to be changed."""
        found = self._bodies.get(keys)
        if found is None:
            types = [self._types[key] for key in keys]
            found = [{"category": type_.category, "typeId": type_.id, "label": type_.label} for type_ in types]
            self._bodies[keys] = found
        return found

    def find(self, category: object, number: object) -> AssociationType | None:
        """The type with that category and number on the wire."""
        if isinstance(number, bool) or not isinstance(number, int) or category not in {HUBSPOT_DEFINED, USER_DEFINED}:
            return None
        return self._types.get(number if category == HUBSPOT_DEFINED else -number)

    def between(self, source: Kind, target: Kind) -> list[AssociationType]:
        """All types from one kind to another: the plain one first, those of the portal last."""
        found = [t for t in self._types.values() if t.source is source and t.target is target]
        return sorted(found, key=lambda t: (t.label is not None, t.key < 0, t.id))

    def labelled(self, source: Kind, target: Kind, label: str) -> AssociationType | None:
        """The portal's own type with that label."""
        return next((t for t in self.between(source, target) if t.key < 0 and t.label == label), None)

    def define(
        self, source: Kind, target: Kind, label: str, *, inverse_label: str | None = None, name: str = ""
    ) -> AssociationType:
        """Define a label; on the way back it reads the same unless said otherwise."""
        known = name or _word(label)
        there, back = self._number(), self._number()
        if source is target and inverse_label is None:
            back = there
        self._types[there] = AssociationType(there, source, target, label, back, known)
        if back != there:
            self._types[back] = AssociationType(back, target, source, inverse_label or label, there, known)
        return self._types[there]

    def relabel(self, type_: AssociationType, label: str, inverse_label: str | None) -> None:
        """Give a label other words."""
        self._bodies.clear()
        back = self._types[type_.inverse]
        self._types[type_.key] = replace(type_, label=label)
        if back.key != type_.key:
            self._types[back.key] = replace(back, label=inverse_label or label)

    def forget(self, type_: AssociationType) -> None:
        """Take a label out, in both directions."""
        del self._types[type_.key]
        self._types.pop(type_.inverse, None)

    def _number(self) -> int:
        self._last += 1
        return -self._last


def _word(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or "label"
