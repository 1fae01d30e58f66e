"""Which streams an org can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from connectors.contract import Stream
from connectors.errors import PermissionMissing, RequestRefused
from connectors.mapping import Mapping, meaning_of
from connectors.salesforce import mapping, org, paths
from connectors.salesforce.client import Client
from connectors.salesforce.mapping import OURS, STAMPS
from connectors.salesforce.org import Describes, Org

ACCOUNTS, HISTORY, STAGES, RATES = "accounts", "opportunity_history", "pipeline_stages", "exchange_rates"
_NOT_PROVISIONED = "the field does not exist or is hidden from this user: run kam provision"
_HIDDEN = "not among the fields that Salesforce shows to this user (field-level security): the column stays empty"
_FEATURES = {"CurrencyIsoCode", "IsRecurrence", "IsChild", "CallType", "MasterRecordId"}
"""Fields that come with a feature or setting; where it is off, their absence is no lack."""
_NO_STAGES = dict.fromkeys(("@stage", "IsClosed", "IsWon"), pl.String)


@dataclass(frozen=True)
class Source:
    """What is queried for a stream. `stamp`: the field that increments go by; none, the stream is read whole."""

    kind: str
    fields: tuple[str, ...]
    stamp: str | None
    path: str = paths.QUERY_ALL


@dataclass
class Catalogue:
    """`sources` by stream. `stages`: what each stage means, as the org defines it now."""

    org: Org
    describes: Describes
    streams: tuple[Stream, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_NO_STAGES))


def read_catalogue(
    client: Client, describes: Describes, known: Org, cross_reference: str, *, insist: bool
) -> Catalogue:
    """Asks the org once. Without accounts nothing can be done: that they are hidden is an error.

    `insist`: the cross-reference field was configured by name, so that its absence is worth a word.
    """
    found = Catalogue(known, describes)
    many = known.many_currencies
    silent = _FEATURES if insist else {*_FEATURES, cross_reference}
    describes.fields("Account")
    _add(found, "users", "User", mapping.USERS, path=paths.QUERY)
    _stages(client, found)
    _rates(found)
    _add(found, ACCOUNTS, "Account", mapping.accounts(cross_reference, many_currencies=many), silent=silent)
    _add(found, "opportunities", "Opportunity", mapping.opportunities(many_currencies=many))
    _add(found, HISTORY, "OpportunityHistory", mapping.HISTORY)
    _add(found, "tasks", "Task", mapping.TASKS)
    _add(found, "events", "Event", mapping.EVENTS)
    if ACCOUNTS not in found.sources:
        raise PermissionMissing(f"accounts cannot be read: {found.unavailable[ACCOUNTS]}")
    return found


def _add(
    found: Catalogue,
    stream: str,
    kind: str,
    ours: Mapping,
    *,
    silent: Iterable[str] = _FEATURES,
    path: str = paths.QUERY_ALL,
) -> None:
    there = _shown(found, stream, kind, ours, silent)
    if there is None:
        return
    fitting = mapping.cut(ours, there)
    stamp = next((s for s in STAMPS if s in there), None)
    found.sources[stream] = Source(kind, tuple(mapping.asked(fitting)), stamp, path)
    # A snapshot's status is its stage's: a stage that means something else changes history unseen.
    revision = meaning_of(found.stages.select(_NO_STAGES.keys())) if stream == HISTORY else ""
    found.streams += (Stream(stream, (fitting,), incremental=stamp is not None, revision=revision),)


def _shown(found: Catalogue, stream: str, kind: str, ours: Mapping, silent: Iterable[str]) -> set[str] | None:
    """The object's fields; None, with the reason noted, where it or a field that it needs is not there."""
    try:
        there = set(found.describes.fields(kind))
    except (PermissionMissing, RequestRefused) as fault:
        found.unavailable[stream] = str(fault)
        return None
    lacking = mapping.required(ours) - there
    if lacking:
        found.unavailable[stream] = f"this user may not read {kind}.{', '.join(sorted(lacking))}"
        return None
    for name in sorted(set(mapping.asked(ours)) - there - set(silent)):
        found.unavailable[f"{stream}.{name}"] = _NOT_PROVISIONED if name in OURS.values() else _HIDDEN
    return there


def _stages(client: Client, found: Catalogue) -> None:
    """Stages are few, and change rarely: read whole on every run."""
    there = _shown(found, STAGES, "OpportunityStage", mapping.STAGES, _FEATURES)
    if there is None:
        return
    fitting = mapping.cut(mapping.STAGES, there)
    asked = [*mapping.asked(fitting), *({"ApiName"} & there)]
    found.stages = org.read_stages(client, asked)
    found.streams += (Stream(STAGES, (fitting,), incremental=False),)


def _rates(found: Catalogue) -> None:
    if not found.org.many_currencies:
        return
    if not {"IsoCode", "ConversionRate"} <= found.describes.names(org.CURRENCIES):
        found.unavailable[RATES] = f"the org has several currencies, and this user may not read {org.CURRENCIES}"
        return
    found.streams += (Stream(RATES, (mapping.EXCHANGE_RATES,), incremental=False),)
