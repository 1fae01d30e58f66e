"""Which streams a portal can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from urllib.parse import urlencode

import polars as pl

from connectors.contract import Stream, Typed
from connectors.emails import NO_EMAILS, Emails
from connectors.errors import PermissionMissing, RequestRefused, TryAgainLater
from connectors.hubspot import mapping, paths, portal
from connectors.hubspot.associations import Silence
from connectors.hubspot.client import Client
from connectors.hubspot.crew import at_once
from connectors.hubspot.history import stage_dates
from connectors.hubspot.looking import HISTORY, Definitions, Look, There, refusal_of, wish_of
from connectors.hubspot.mapping import (
    COMPANIES,
    DEALS,
    OWNERS_NAME,
    RATES_NAME,
    STAGES_NAME,
    TICKETS,
    Declared,
)
from connectors.hubspot.mapping.opportunities import SCOPE as DEAL_SCOPE
from connectors.hubspot.portal import Portal
from connectors.hubspot.records import Wish
from connectors.mapping import Mapping
from connectors.mapping_file import NONE, Overrides

_LAST_ENTRIES = (
    "HubSpot gives no property history to this token: of past stages only the last entry into each is known, and what "
    "a deal was worth then, and when it was to close, is taken from today"
)
_STAGE = ("@pipeline_id", "@stage_id")
_LONGEST = 14_500
"""Characters that what is asked for may have: an address of 15,000 is safe, host and place of a page included."""


@dataclass
class Catalogue:
    """`sources`: what is read of the records of each stream. `stages`: those of deals as they are now; `former`: those
    of them that were read before, removed ones included. `silence`: what the portal's answers about links taught."""

    portal: Portal
    streams: tuple[Stream, ...] = ()
    sources: dict[str, Declared] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))
    ticket_stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))

    former: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=portal.STAGE_COLUMNS))
    sought: set[str] = field(default_factory=set)
    silence: Silence = field(default_factory=Silence)
    lock: Lock = field(default_factory=Lock, repr=False)

    def stages_of(self, source: Declared) -> pl.DataFrame:
        """The stages that records of a stream may be in now."""
        return self.ticket_stages if source.name == TICKETS else self.stages

    def stages_ever(self, source: Declared) -> pl.DataFrame:
        """And those that they may have been in: a stage that was removed is known from when it was there."""
        stages = self.stages_of(source)
        if source.name == TICKETS:
            return stages
        return pl.concat([stages, self.former.join(stages, on=_STAGE, how="anti", nulls_equal=True)])

    def seek_stages(self, client: Client, source: Declared, ids: set[str]) -> None:
        """Reads the stages once more where records are in some that were not there when the run began. Raises what the
        client does: a record that is stored without the meaning of its stage would not be read again for that."""
        if source.name != TICKETS and STAGES_NAME in self.unavailable:
            # Refused from the start. Where they are shown one day, all records are read again.
            return
        with self.lock:
            unknown = ids - self.sought - set(self.stages_of(source)["@stage_id"])
            if not unknown:
                return
            stages = portal.read_stages(client, source.kind, source.scope)
            self.sought |= unknown
            if source.name == TICKETS:
                self.ticket_stages = stages
            else:
                self.stages = stages

    def wish(self, stream: str) -> Wish:
        """What to ask of the records of a stream."""
        return wish_of(self.sources[stream])


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
    looks = [Look(client, overrides, deals, one) for one in streams]
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
        _add(found, _with_dates(found, one, less), look.drifting(one), look.types(one, less), look.left_out)
    return found


def _with_dates(found: Catalogue, there: There, one: Declared) -> Declared:
    """Where a portal gives no history: with the dates on which stages were entered, of those that there are."""
    if one.entries is None or one.events is not None:
        return one
    dates = stage_dates(there.definitions, found.stages["@stage_id"].drop_nulls().to_list())
    dated = replace(one, events=one.entries, stage_dates=dates)
    if not dates or len(urlencode(wish_of(dated).query())) > _LONGEST:
        return one
    found.unavailable[HISTORY] = _LAST_ENTRIES
    return dated


def _note(found: Catalogue, looks: Sequence[Look]) -> None:
    """Takes over what the looks noted, in the order of the streams, whichever ended first."""
    for look in looks:
        found.unavailable |= look.unavailable
        if look.ticket_stages is not None:
            found.ticket_stages = look.ticket_stages


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
    refused = at_once(client.parallel, [partial(refusal_of, probe) for probe in probes.values()])
    found.unavailable |= {name: told for name, told in zip(probes, refused, strict=True) if told is not None}
    for name, (ours, _) in lists.items():
        if name not in found.unavailable:
            found.streams += (Stream(name, (ours,), incremental=False),)
    return None if DEALS in found.unavailable else deals


def _add(
    found: Catalogue, one: Declared, drifting: tuple[str, ...], types: tuple[Typed, ...], left_out: frozenset[str]
) -> None:
    found.sources[one.name] = one
    # What records take over from their stage changes unseen where a stage comes to mean something else.
    stages = found.stages_of(one) if one.pipeline else found.stages.clear()
    parts = [link.part for link in one.links if link.part is not None]
    found.streams += (
        Stream(
            one.name,
            one.mappings,
            revision=_meaning(stages, one),
            drifting=drifting,
            swept=True,
            id_prefix=one.id_prefix,
            linked=one.linked,
            parts=tuple((part.entity, _owner(part)) for part in parts),
            types=types,
            left_out=left_out,
        ),
    )


def _meaning(stages: pl.DataFrame, source: Declared) -> str:
    """Eight hexadecimal digits for each stage, and eight for what its records take over from it: `stage:meaning`,
    joined by commas. A stage that is only renamed changes nothing where its name is not taken over."""
    taken = {column for mapping in source.mappings for line in mapping.lines for column in line.columns}
    told = stages.select(*_STAGE, *(fact for fact in portal.STAGE_FACTS if fact in taken)).unique(_STAGE, keep="first")
    parts = {_digits(row[: len(_STAGE)]): _digits(row[len(_STAGE) :]) for row in told.iter_rows()}
    return ",".join(f"{stage}:{meaning}" for stage, meaning in sorted(parts.items()))


def _digits(texts: tuple[str | None, ...]) -> str:
    return hashlib.sha256(repr(texts).encode()).hexdigest()[:8]


def _owner(part: Mapping) -> str:
    """Our column for the record that a part belongs to."""
    return next(line.ours for line in part.lines if line.columns == ("@from",))
