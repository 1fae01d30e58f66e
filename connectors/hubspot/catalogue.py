"""Which streams a portal can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from connectors.contract import Stream
from connectors.errors import PermissionMissing, RequestRefused, TryAgainLater
from connectors.hubspot import mapping, paths, portal
from connectors.hubspot.associations import read_links
from connectors.hubspot.client import Client
from connectors.hubspot.mapping import (
    COMPANIES,
    DEALS,
    MERGED,
    OWNERS_NAME,
    RATES_NAME,
    STAGES_NAME,
    TICKETS,
    Declared,
    Link,
    overriding,
)
from connectors.hubspot.mapping.activities import PERSONS
from connectors.hubspot.mapping.opportunities import SCOPE as DEAL_SCOPE
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import Wish
from connectors.mapping import Mapping, meaning_of
from connectors.mapping_file import NONE, Overrides

HISTORY = f"{DEALS}.history"
_MEANING = ("@pipeline_id", "@stage_id", *portal.STAGE_FACTS)
_NOT_PROVISIONED = "the property does not exist in this portal: run kam provision"
_HIDDEN = "not among the properties that HubSpot shows to this token: the column stays empty"
_UNKNOWN_PERSONS = "who took part is hidden, so that it is unknown which touches count: grant crm.objects.contacts.read"
_ALWAYS_THERE = frozenset({"companies", "deals"})
"""Kinds whose links are there wherever both kinds can be read; links to others are tried, since a portal may have
neither the kind nor the link."""
Definitions = dict[str, dict[str, Any]]


@dataclass
class Catalogue:
    """`sources`: what is read of the records of each stream. `stages`: those of deals as they are now."""

    portal: Portal
    streams: tuple[Stream, ...] = ()
    sources: dict[str, Declared] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))
    ticket_stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))

    def stages_of(self, source: Declared) -> pl.DataFrame:
        """The stages that records of a stream may be in."""
        return self.ticket_stages if source.name == TICKETS else self.stages

    def wish(self, stream: str) -> Wish:
        """What to ask of the records of a stream."""
        return _wish(self.sources[stream])


def read_catalogue(
    client: Client, known: Portal, cross_reference: str, overrides: Overrides = NONE, *, insist: bool
) -> Catalogue:
    """Asks the portal once. Without companies nothing can be done: their scope missing is an error.

    `insist`: the cross-reference property was configured by name, so that its absence is worth a word. `overrides`:
    what a mapping file says; raises MappingInvalid where the portal has nothing that would fit it.
    """
    found = Catalogue(known)
    look = _Look(client, found, overrides)
    _reference(client, found)
    streams = mapping.declared(cross_reference, known.zone, many_currencies=look.many_currencies, insist=insist)
    overrides.check_streams(one.name for one in streams)
    # All first, since what a stream is linked with has to be there too.
    seen = {one.name: there for one in streams if (there := look.at(one)) is not None}
    if COMPANIES not in seen:
        raise PermissionMissing(f"companies cannot be read: {found.unavailable[COMPANIES]}")
    kinds = {there.declared.kind for there in seen.values()}
    for there in seen.values():
        _add(found, look.with_links(there, kinds), look.drifting(there))
    return found


@dataclass(frozen=True)
class _There:
    """A stream that can be read, cut to what the portal has; and the id of one of its records, if it has any."""

    declared: Declared
    definitions: Definitions
    some_id: str


@dataclass
class _Look:
    """Looks at what a portal has of the declared streams, and notes what it lacks."""

    client: Client
    found: Catalogue
    overrides: Overrides

    @cached_property
    def _deals(self) -> Definitions | None:
        return self._definitions(DEALS, "deals", DEAL_SCOPE)

    @property
    def many_currencies(self) -> bool:
        """Deals have a currency of their own in portals with several currencies only."""
        return "deal_currency_code" in (self._deals or {})

    def at(self, one: Declared) -> _There | None:
        """The stream as it can be read; None, with the reason noted, if it cannot."""
        definitions = self._of(one)
        if definitions is None:
            return None
        one = overriding.pointed(one, self.overrides, definitions)
        if definitions:
            one = self._cut(one, set(definitions))
        rows: list[dict[str, Any]] = []

        def probe() -> None:
            if one.name == TICKETS:
                self.found.ticket_stages = portal.read_stages(self.client, one.kind, one.scope)
            rows.extend(_list_one(self.client, _wish(replace(one, history=()))))

        if not _works(self.found, one.name, probe):
            return None
        return _There(self._with_history(one), definitions, str(rows[0].get("id")) if rows else "1")

    def with_links(self, there: _There, kinds: set[str]) -> Declared:
        """The stream less the links to what cannot be read; who took part in activities is told if it is hidden."""
        one = there.declared
        lost = [k for k in one.links if k.kind not in kinds or not self._is_linked(there, k)]
        for link in lost:
            if link.column == PERSONS.column:
                self.found.unavailable[f"{one.name}.person_ids"] = _UNKNOWN_PERSONS
        without = {link.column for link in lost if link.column}
        kept = tuple(link for link in one.links if link not in lost)
        return replace(one, links=kept, mapping=one.mapping.without(without))

    def drifting(self, there: _There) -> tuple[str, ...]:
        """The properties of a mapping file that HubSpot calculates: it does so without moving the change stamp."""
        chosen = {choice.field for choice in self.overrides.of(there.declared.name).values()}
        calculated = {name for name in chosen if (there.definitions.get(name) or {}).get("calculated") is True}
        return tuple(sorted(calculated))

    def _of(self, one: Declared) -> Definitions | None:
        """The stream's properties; empty where nothing depends on them."""
        if one.name == DEALS:
            return self._deals
        if one.word and not self.overrides.of(one.name):
            return {}
        return self._definitions(one.name, one.kind, one.scope)

    def _definitions(self, name: str, kind: str, scope: str) -> Definitions | None:
        listed: Definitions = {}
        works = _works(self.found, name, lambda: listed.update(portal.read_properties(self.client, kind, scope)))
        return listed if works else None

    def _cut(self, one: Declared, names: set[str]) -> Declared:
        """Less optional lines; standard properties are asked for even if the list lacks them. The gap is told."""
        absent = set(one.properties) - names
        for name in absent - one.silent:
            self.found.unavailable[f"{one.name}.{name}"] = _NOT_PROVISIONED if name.startswith("kam_") else _HIDDEN
        return replace(one, mapping=one.mapping.without(one.mapping.optional() & absent))

    def _with_history(self, one: Declared) -> Declared:
        if not one.history or _shows_history(self.client, _wish(one)):
            return one
        self.found.unavailable[HISTORY] = "HubSpot gives no property history to this token: past stages are unknown"
        return replace(one, history=(), events=None)

    def _is_linked(self, there: _There, link: Link) -> bool:
        if link.kind in _ALWAYS_THERE:
            return True
        try:
            read_links(self.client, there.declared.kind, link.kind, [there.some_id])
        except (PermissionMissing, RequestRefused):
            return False
        return True


def _reference(client: Client, found: Catalogue) -> None:
    """Owners, stages and rates: small lists, read in full on every run."""

    def stages() -> None:
        found.stages = portal.read_stages(client)

    def rates() -> None:
        try:
            portal.read_rates(client, found.portal.currency, found.portal.zone)
        except TryAgainLater as fault:
            # A server without this call may say so with one of these. Foreign amounts then stay unconverted, and
            # say so: better than no run at all.
            if fault.status in {500, 501}:
                raise RequestRefused(str(fault), code=fault.code, status=fault.status) from fault
            raise

    def owners() -> None:
        client.get(paths.OWNERS, [("limit", 1)], purpose="other", scope="crm.objects.owners.read")

    for name, ours, probe in (
        (OWNERS_NAME, mapping.OWNERS, owners),
        (STAGES_NAME, mapping.PIPELINE_STAGES, stages),
        (RATES_NAME, mapping.EXCHANGE_RATES, rates),
    ):
        if _works(found, name, probe):
            found.streams += (Stream(name, (ours,), incremental=False),)


def _works(found: Catalogue, name: str, probe: Callable[[], Any]) -> bool:
    """Whether the probe goes through; what a person has to grant is noted if not."""
    try:
        probe()
    except (PermissionMissing, RequestRefused) as fault:
        found.unavailable[name] = str(fault)
        return False
    return True


def _shows_history(client: Client, wish: Wish) -> bool:
    try:
        rows = _list_one(client, wish)
    except (PermissionMissing, RequestRefused):
        return False
    return all(isinstance(r.get("propertiesWithHistory"), dict) for r in rows)


def _list_one(client: Client, wish: Wish) -> list[dict[str, Any]]:
    query = [("limit", 1), *wish.query()]
    return client.get(paths.objects(wish.kind), query, purpose="other", scope=wish.scope).results


def _wish(one: Declared) -> Wish:
    merged = () if one.word else (MERGED,)
    return Wish(one.kind, (*one.properties, *merged), one.history, one.scope, one.stamp)


def _add(found: Catalogue, one: Declared, drifting: tuple[str, ...]) -> None:
    found.sources[one.name] = one
    # What records take over from their stage changes unseen where a stage comes to mean something else.
    stages = found.stages_of(one) if one.pipeline else found.stages.clear()
    parts = [link.part for link in one.links if link.part is not None]
    found.streams += (
        Stream(
            one.name,
            one.mappings,
            revision=meaning_of(stages.select(_MEANING)),
            drifting=drifting,
            swept=True,
            id_prefix=one.id_prefix,
            linked=one.linked,
            parts=tuple((part.entity, _owner(part)) for part in parts),
        ),
    )


def _owner(part: Mapping) -> str:
    """Our column for the record that a part belongs to."""
    return next(line.ours for line in part.lines if line.columns == ("@from",))
