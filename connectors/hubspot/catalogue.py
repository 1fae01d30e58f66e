"""Which streams a portal can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from connectors.contract import Stream
from connectors.errors import ConnectorError, PermissionMissing, RequestRefused, TryAgainLater
from connectors.hubspot import mapping, paths, portal
from connectors.hubspot.client import Client
from connectors.hubspot.mapping import ENGAGEMENTS, MERGED
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import Wish
from connectors.mapping import Mapping, meaning_of

COMPANIES, DEALS = "accounts", "opportunities"
_MEANING = ("@pipeline_id", "@stage_id", "@status", "@probability")
HISTORY = "opportunities.history"
_NOT_PROVISIONED = "the property does not exist in this portal: run kam provision"
_HIDDEN = "not among the properties that HubSpot shows to this token: the column stays empty"
_SCOPES = {
    "companies": "crm.objects.companies.read",
    "deals": "crm.objects.deals.read",
    "emails": "crm.objects.contacts.read, sales-email-read",
    "owners": "crm.objects.owners.read",
    "rates": "settings.currencies.read",
}
_ENGAGEMENT_SCOPE = "crm.objects.contacts.read"


@dataclass
class Catalogue:
    """`wishes`: what to ask of the records of a stream. `stages`: the pipelines' stages as they are now."""

    portal: Portal
    streams: tuple[Stream, ...] = ()
    wishes: dict[str, Wish] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))

    def has(self, stream: str) -> bool:
        return any(s.name == stream for s in self.streams)


def read_catalogue(client: Client, known: Portal, cross_reference: str, *, insist: bool) -> Catalogue:
    """Asks the portal once. Without companies nothing can be done: their scope missing is an error.

    `insist`: the cross-reference property was configured by name, so that its absence is worth a word.
    """
    found = Catalogue(known)
    _reference(client, found)
    _accounts(client, found, cross_reference, insist=insist)
    _opportunities(client, found)
    for kind in ENGAGEMENTS:
        _engagements(client, found, kind)
    return found


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
        client.get(paths.OWNERS, [("limit", 1)], purpose="other", scope=_SCOPES["owners"])

    for name, ours, probe in (
        ("owners", mapping.OWNERS, owners),
        ("pipeline_stages", mapping.PIPELINE_STAGES, stages),
        ("exchange_rates", mapping.EXCHANGE_RATES, rates),
    ):
        if _works(found, name, probe):
            found.streams += (Stream(name, (ours,), incremental=False),)


def _accounts(client: Client, found: Catalogue, cross_reference: str, *, insist: bool) -> None:
    names = portal.property_names(client, "companies")
    ours = mapping.accounts(cross_reference, parent_is_property="hs_parent_company_id" in names)
    lacking = ours.optional() - names
    for name in lacking if insist else lacking - {cross_reference}:
        found.unavailable[f"{COMPANIES}.{name}"] = _NOT_PROVISIONED if name.startswith("kam_") else _HIDDEN
    wish = _wish("companies", ours.without(lacking), names, found, COMPANIES)
    _list_one(client, wish)
    _add(found, COMPANIES, wish, ours.without(lacking))


def _opportunities(client: Client, found: Catalogue) -> None:
    def probe() -> None:
        names = portal.property_names(client, "deals")
        ours = mapping.opportunities(found.portal.zone, has_currency="deal_currency_code" in names)
        wish = _wish("deals", ours, names, found, DEALS)
        past = replace(wish, history=mapping.HISTORY)
        if _shows_history(client, past):
            _add(found, DEALS, past, ours, mapping.stage_events(found.portal.zone))
            return
        _list_one(client, wish)
        found.unavailable[HISTORY] = "HubSpot gives no property history to this token: past stages are unknown"
        _add(found, DEALS, wish, ours)

    _works(found, DEALS, probe)


def _engagements(client: Client, found: Catalogue, kind: str) -> None:
    ours = ENGAGEMENTS[kind].mapping
    wish = Wish(kind, tuple(mapping.properties(ours)), scope=_SCOPES.get(kind, _ENGAGEMENT_SCOPE))
    if _works(found, kind, lambda: _list_one(client, wish)):
        _add(found, kind, wish, ours)


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
    except ConnectorError as fault:
        if isinstance(fault, PermissionMissing | RequestRefused):
            return False
        raise
    return all(isinstance(r.get("propertiesWithHistory"), dict) for r in rows)


def _list_one(client: Client, wish: Wish) -> list[dict[str, Any]]:
    query = [("limit", 1), *wish.query()]
    return client.get(paths.objects(wish.kind), query, purpose="other", scope=wish.scope).results


def _wish(kind: str, ours: Mapping, names: set[str], found: Catalogue, stream: str) -> Wish:
    """Standard properties are asked for even if the list lacks them; the gap is told."""
    for name in mapping.properties(ours):
        if name not in names:
            found.unavailable[f"{stream}.{name}"] = _HIDDEN
    return Wish(kind, (*mapping.properties(ours), MERGED), scope=_SCOPES[kind])


def _add(found: Catalogue, name: str, wish: Wish, *mappings: Mapping) -> None:
    found.wishes[name] = wish
    # A deal's status and probability are its stage's: a stage that means something else changes deals unseen.
    revision = meaning_of(found.stages.select(_MEANING)) if name == DEALS else ""
    found.streams += (Stream(name, mappings, revision=revision),)
