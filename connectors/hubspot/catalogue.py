"""Which streams a portal can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import polars as pl

from connectors.contract import Stream
from connectors.emails import NO_EMAILS, Emails
from connectors.errors import PermissionMissing, RequestRefused, TryAgainLater
from connectors.hubspot import mapping, paths, portal
from connectors.hubspot.associations import read_links
from connectors.hubspot.client import Client
from connectors.hubspot.crew import at_once
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
from connectors.renaming import renamed

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
    client: Client,
    known: Portal,
    cross_reference: str,
    overrides: Overrides = NONE,
    *,
    insist: bool,
    emails: Emails = NO_EMAILS,
) -> Catalogue:
    """Asks the portal once. Without companies nothing can be done: their scope missing is an error.

    `insist`: the cross-reference property was configured by name, so that its absence is worth a word. `overrides`:
    what a mapping file says; raises MappingInvalid where the portal has nothing that would fit it. `emails`: what
    becomes of addresses.
    """
    found = Catalogue(known)
    deals = _reference(client, found)
    # Deals have a currency of their own in portals with several currencies only.
    currencies = "deal_currency_code" in (deals or {})
    streams = mapping.declared(cross_reference, known.zone, many_currencies=currencies, insist=insist, emails=emails)
    overrides.check_streams(one.name for one in streams)
    looks = [_Look(client, found, overrides, deals, one) for one in streams]
    # All first, since what a stream is linked with has to be there too.
    seen = at_once(client.parallel, [look.at for look in looks])
    _note(found, looks)
    there = [(look, one) for look, one in zip(looks, seen, strict=True) if one is not None]
    kinds = {one.declared.kind for _, one in there}
    if COMPANIES not in {one.declared.name for _, one in there}:
        raise PermissionMissing(f"companies cannot be read: {found.unavailable[COMPANIES]}")
    linked = at_once(client.parallel, [partial(look.with_links, one, kinds) for look, one in there])
    _note(found, looks)
    for (look, one), less in zip(there, linked, strict=True):
        _add(found, less, look.drifting(one))
    return found


def _note(found: Catalogue, looks: Sequence[_Look]) -> None:
    """Takes over what the looks noted, in the order of the streams, whichever ended first."""
    for look in looks:
        found.unavailable |= look.unavailable


@dataclass(frozen=True)
class _There:
    """A stream that can be read, cut to what the portal has; and the id of one of its records, if it has any."""

    declared: Declared
    definitions: Definitions
    some_id: str


@dataclass
class _Look:
    """Looks at what a portal has of a declared stream, and notes what it lacks. Several look at a time.

    `deals`: the properties of deals; None if they cannot be read.
    """

    client: Client
    found: Catalogue
    overrides: Overrides
    deals: Definitions | None
    declared: Declared
    unavailable: dict[str, str] = field(default_factory=dict)

    def at(self) -> _There | None:
        """The stream as it can be read; None, with the reason noted, if it cannot."""
        one = self.declared
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

        if not _works(self.unavailable, one.name, probe):
            return None
        return _There(self._with_history(one), definitions, str(rows[0].get("id")) if rows else "1")

    def with_links(self, there: _There, kinds: set[str]) -> Declared:
        """The stream less the links to what cannot be read; who took part in activities is told if it is hidden."""
        one = there.declared
        lost = [k for k in one.links if k.kind not in kinds or not self._is_linked(there, k)]
        for link in lost:
            if link.column == PERSONS.column:
                self.unavailable[f"{one.name}.person_ids"] = _UNKNOWN_PERSONS
        without = {link.column for link in lost if link.column}
        kept = tuple(link for link in one.links if link not in lost)
        return replace(one, links=kept, mapping=one.mapping.without(without))

    def drifting(self, there: _There) -> tuple[str, ...]:
        """The properties of a mapping file that HubSpot calculates: it does so without moving the change stamp."""
        chosen = {choice.field for choice in self.overrides.of(there.declared.name).values()}
        return tuple(sorted(name for name in chosen if (there.definitions.get(name) or {}).get("calculated") is True))

    def _of(self, one: Declared) -> Definitions | None:
        """The stream's properties; empty where nothing depends on them."""
        if one.name == DEALS:
            return self.deals
        if one.word and not self.overrides.of(one.name):
            return {}
        return _definitions(self.client, self.unavailable, one.name, one.kind, one.scope)

    def _cut(self, one: Declared, names: set[str]) -> Declared:
        """Less optional lines; standard properties are asked for even if the list lacks them. The gap is told."""
        absent = set(one.properties) - names
        for name in absent - one.silent:
            why = _NOT_PROVISIONED if name.startswith("kam_") else _HIDDEN + renamed(name, names, one.properties)
            self.unavailable[f"{one.name}.{name}"] = why
        return replace(one, mapping=one.mapping.without(one.mapping.optional() & absent))

    def _with_history(self, one: Declared) -> Declared:
        if not one.history or _shows_history(self.client, _wish(one)):
            return one
        self.unavailable[HISTORY] = "HubSpot gives no property history to this token: past stages are unknown"
        return replace(one, history=(), events=None)

    def _is_linked(self, there: _There, link: Link) -> bool:
        if link.kind in _ALWAYS_THERE:
            return True
        try:
            read_links(self.client, there.declared.kind, link.kind, [there.some_id])
        except (PermissionMissing, RequestRefused):
            return False
        return True


def _definitions(client: Client, noted: dict[str, str], name: str, kind: str, scope: str) -> Definitions | None:
    listed: Definitions = {}
    return listed if _works(noted, name, lambda: listed.update(portal.read_properties(client, kind, scope))) else None


def _reference(client: Client, found: Catalogue) -> Definitions | None:
    """Looks at owners, stages and rates: small lists, read in full on every run. Gives the properties of deals, which
    say whether they have currencies of their own; None if they cannot be read."""

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

    deals: Definitions = {}
    lists = {
        OWNERS_NAME: (mapping.OWNERS, owners),
        STAGES_NAME: (mapping.PIPELINE_STAGES, stages),
        RATES_NAME: (mapping.EXCHANGE_RATES, rates),
    }
    probes = {name: probe for name, (_, probe) in lists.items()}
    probes[DEALS] = lambda: deals.update(portal.read_properties(client, "deals", DEAL_SCOPE))
    refused = at_once(client.parallel, [partial(_refusal, probe) for probe in probes.values()])
    found.unavailable |= {name: told for name, told in zip(probes, refused, strict=True) if told is not None}
    for name, (ours, _) in lists.items():
        if name not in found.unavailable:
            found.streams += (Stream(name, (ours,), incremental=False),)
    return None if DEALS in found.unavailable else deals


def _works(noted: dict[str, str], name: str, probe: Callable[[], Any]) -> bool:
    """Whether the probe goes through; what a person has to grant is noted if not."""
    refusal = _refusal(probe)
    if refusal is not None:
        noted[name] = refusal
    return refusal is None


def _refusal(probe: Callable[[], Any]) -> str | None:
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
