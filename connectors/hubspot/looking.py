"""What a portal has of a declared stream: its properties, its links, its history; and what it lacks or hides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from connectors.contract import Typed
from connectors.errors import PermissionMissing, RequestRefused
from connectors.hubspot import paths, portal
from connectors.hubspot.answers import has_rows
from connectors.hubspot.associations import read_links
from connectors.hubspot.client import Client
from connectors.hubspot.mapping import DEALS, MERGED, TICKETS, Declared, Link, overriding, typing
from connectors.hubspot.mapping.activities import PERSONS
from connectors.hubspot.records import Wish
from connectors.mapping_file import Overrides
from connectors.renaming import renamed

HISTORY = f"{DEALS}.history"
_NOT_PROVISIONED = "the property does not exist in this portal: run kam provision"
_HIDDEN = "not among the properties that HubSpot shows to this token: the column stays empty"
_UNFIT = "{why}: give the property its type back, or name another in KAM_MAPPING_FILE; its column stays empty"
_UNKNOWN_PERSONS = "who took part is hidden, so that it is unknown which touches count: grant crm.objects.contacts.read"
_ALWAYS_THERE = frozenset({"companies", "deals"})
"""Kinds whose links are there wherever both kinds can be read; links to others are tried, since a portal may have
neither the kind nor the link."""
Definitions = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class There:
    """A stream that can be read, cut to what the portal has; and the id of one of its records, if it has any."""

    declared: Declared
    definitions: Definitions
    some_id: str


@dataclass
class Look:
    """Looks at what a portal has of a declared stream, and notes what it lacks. Several look at a time.

    `deals`: the properties of deals; None if they cannot be read.
    """

    client: Client
    overrides: Overrides
    deals: Definitions | None
    declared: Declared
    unavailable: dict[str, str] = field(default_factory=dict)
    ticket_stages: pl.DataFrame | None = None
    left_out: frozenset[str] = frozenset()
    """Columns of ours without the property that would fill them."""

    def at(self) -> There | None:
        """The stream as it can be read; None, with the reason noted, if it cannot."""
        one = self.declared
        definitions = self._of(one)
        if definitions is None:
            return None
        one = overriding.pointed(one, self.overrides, definitions)
        if definitions:
            one = self._cut(one, definitions)
        rows: list[dict[str, Any]] = []

        def probe() -> None:
            if one.name == TICKETS:
                self.ticket_stages = portal.read_stages(self.client, one.kind, one.scope)
            rows.extend(_list_one(self.client, wish_of(replace(one, history=()))))

        if not works(self.unavailable, one.name, probe):
            return None
        return There(self._with_history(one), definitions, str(rows[0].get("id")) if rows else "1")

    def with_links(self, there: There, kinds: set[str]) -> Declared:
        """The stream less the links to what cannot be read; who took part in activities is told if it is hidden."""
        one = there.declared
        lost = [k for k in one.links if k.kind not in kinds or not self._is_linked(there, k)]
        for link in lost:
            if link.column == PERSONS.column:
                self.unavailable[f"{one.name}.person_ids"] = _UNKNOWN_PERSONS
        without = {link.column for link in lost if link.column}
        kept = tuple(link for link in one.links if link not in lost)
        return replace(one, links=kept, mapping=one.mapping.without(without))

    def drifting(self, there: There) -> tuple[str, ...]:
        """The properties of a mapping file that HubSpot calculates: it does so without moving the change stamp."""
        chosen = {choice.field for choice in self.overrides.of(there.declared.name).values()}
        return tuple(sorted(name for name in chosen if (there.definitions.get(name) or {}).get("calculated") is True))

    def types(self, there: There, declared: Declared) -> tuple[Typed, ...]:
        """The types of the properties that are asked for, where they are looked at."""
        return tuple(typing.typed(declared.properties, there.definitions))

    def _of(self, one: Declared) -> Definitions | None:
        """The stream's properties; empty where nothing depends on them."""
        if one.name == DEALS:
            return self.deals
        if one.word and not self.overrides.of(one.name):
            return {}
        return _definitions(self.client, self.unavailable, one.name, one.kind, one.scope)

    def _cut(self, one: Declared, definitions: Definitions) -> Declared:
        """Less optional lines; standard properties are asked for even if the list lacks them. The gap is told."""
        absent = set(one.properties) - definitions.keys()
        for name in absent - one.silent:
            hidden = _HIDDEN + renamed(name, definitions, one.properties)
            self.unavailable[f"{one.name}.{name}"] = _NOT_PROVISIONED if name.startswith("kam_") else hidden
        unfit = typing.unfit(one.mapping, definitions)
        self.unavailable |= {f"{one.name}.{name}": _UNFIT.format(why=why) for name, why in unfit.items()}
        kept = one.mapping.without(one.mapping.optional() & (absent | unfit.keys()))
        self.left_out = frozenset(line.ours for line in one.mapping.lines) - {line.ours for line in kept.lines}
        return replace(one, mapping=kept)

    def _with_history(self, one: Declared) -> Declared:
        if not one.history or _shows_history(self.client, wish_of(one)):
            return one
        self.unavailable[HISTORY] = "HubSpot gives no property history to this token: past stages are unknown"
        return replace(one, history=(), events=None)

    def _is_linked(self, there: There, link: Link) -> bool:
        if link.kind in _ALWAYS_THERE:
            return True
        try:
            read_links(self.client, there.declared.kind, link.kind, [there.some_id])
        except (PermissionMissing, RequestRefused):
            return False
        return True


def _definitions(client: Client, noted: dict[str, str], name: str, kind: str, scope: str) -> Definitions | None:
    listed: Definitions = {}
    return listed if works(noted, name, lambda: listed.update(portal.read_properties(client, kind, scope))) else None


def works(noted: dict[str, str], name: str, probe: Callable[[], Any]) -> bool:
    """Whether the probe goes through; what a person has to grant is noted if not."""
    refusal = refusal_of(probe)
    if refusal is not None:
        noted[name] = refusal
    return refusal is None


def refusal_of(probe: Callable[[], Any]) -> str | None:
    """What a person has to grant for the probe to go through; None if it does."""
    try:
        probe()
    except (PermissionMissing, RequestRefused) as fault:
        return str(fault)
    return None


def _shows_history(client: Client, wish: Wish) -> bool:
    try:
        rows = _list_one(client, wish)
    except (PermissionMissing, RequestRefused):
        return False
    return all(isinstance(r.get("propertiesWithHistory"), dict) for r in rows)


def _list_one(client: Client, wish: Wish) -> list[dict[str, Any]]:
    query = [("limit", 1), *wish.query()]
    return client.get(paths.objects(wish.kind), query, purpose="other", scope=wish.scope, check=has_rows).results


def wish_of(one: Declared) -> Wish:
    merged = () if one.word else (MERGED,)
    return Wish(one.kind, (*one.properties, *merged), one.history, one.scope, one.stamp)
