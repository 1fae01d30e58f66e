"""Which streams an org can serve, with mappings cut to what it has, and what it lacks or hides."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from connectors.contract import Stream
from connectors.emails import NO_EMAILS, Emails
from connectors.errors import PermissionMissing, RequestRefused
from connectors.mapping import meaning_of
from connectors.mapping_file import NONE, Overrides
from connectors.renaming import renamed
from connectors.salesforce import mapping, org, paths
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record
from connectors.salesforce.mapping import OURS, STAMPS, Declared, overriding, typing
from connectors.salesforce.org import Describes, Org

ACCOUNTS, STAGES, RATES = "accounts", "pipeline_stages", "exchange_rates"
_NOT_PROVISIONED = "the field does not exist or is hidden from this user: run kam provision"
_HIDDEN = (
    "grant this user read access to {field} (field-level security), if the org has the field: its column stays empty"
)
_UNFIT = "{why}: give the field its type back, or name another in KAM_MAPPING_FILE; its column stays empty"
_PREFIXES = {"Task": "00T", "Event": "00U"}
"""What ids begin with, of objects that fill one entity together."""
_NO_STAGES = dict.fromkeys(("@stage", "IsClosed", "IsWon"), pl.String)


@dataclass(frozen=True)
class Source:
    """What is queried for a stream. `stamp`: the field that increments go by; none, the stream is read whole.
    `only`: a condition on top."""

    kind: str
    fields: tuple[str, ...]
    stamp: str | None
    path: str = paths.QUERY_ALL
    only: str = ""

    def where(self, window: str) -> str:
        """The condition of a window of it, in SOQL."""
        return " AND ".join(filter(None, [window, self.only]))


@dataclass
class Catalogue:
    """`sources` by stream. `stages`: what each stage means, as the org defines it now."""

    org: Org
    describes: Describes
    streams: tuple[Stream, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    stages: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_NO_STAGES))


def objects() -> tuple[str, ...]:
    """The objects that a catalogue asks of, to be described together."""
    return (*org.OBJECTS, *mapping.kinds())


def read_catalogue(
    client: Client,
    describes: Describes,
    known: Org,
    cross_reference: str,
    overrides: Overrides = NONE,
    *,
    insist: bool,
    emails: Emails = NO_EMAILS,
) -> Catalogue:
    """Asks the org once. Without accounts nothing can be done: that they are hidden is an error.

    `insist`: the cross-reference field was configured by name, so that its absence is worth a word. `overrides`:
    what a mapping file says; raises MappingInvalid where the org has nothing that would fit it. `emails`: what becomes
    of addresses.
    """
    found = Catalogue(known, describes)
    describes.fields("Account")
    many = known.many_currencies
    streams = mapping.declared(cross_reference, many_currencies=many, insist=insist, emails=emails)
    overrides.check_streams(one.name for one in streams)
    users, *others = streams
    _add(found, users, overrides)
    _stages(client, found)
    _rates(found)
    for one in others:
        _add(found, one, overrides)
    found.unavailable |= overriding.unknown_past(overrides)
    if ACCOUNTS not in found.sources:
        raise PermissionMissing(f"accounts cannot be read: {found.unavailable[ACCOUNTS]}")
    return found


def _add(found: Catalogue, one: Declared, overrides: Overrides) -> None:
    fields = _described(found, one)
    if fields is None:
        return
    one = overriding.pointed(one, overrides, fields)
    unfit = typing.unfit(one.mapping, fields)
    there = fields.keys() - unfit.keys()
    if not _suffices(found, one, there):
        return
    found.unavailable |= {f"{one.name}.{name}": _UNFIT.format(why=why) for name, why in unfit.items()}
    fitting = mapping.cut(one.mapping, there)
    asked = tuple(mapping.asked(fitting))
    stamp, has_bin = next((s for s in STAMPS if s in fields), None), "IsDeleted" in fields
    found.sources[one.name] = Source(one.kind, asked, stamp, paths.QUERY_ALL if has_bin else paths.QUERY)
    found.streams += (
        Stream(
            one.name,
            (fitting,),
            incremental=stamp is not None,
            # A snapshot's status is its stage's: a stage that means something else changes history unseen.
            revision=meaning_of(found.stages.select(_NO_STAGES.keys())) if one.name == overriding.HISTORY else "",
            drifting=tuple(name for name in asked if name in one.drifting or fields[name].get("calculated") is True),
            swept=has_bin,
            id_prefix=_PREFIXES.get(one.kind, ""),
            types=tuple(typing.typed(asked, fields)),
            left_out=frozenset(line.ours for line in one.mapping.lines) - {line.ours for line in fitting.lines},
        ),
    )


def _described(found: Catalogue, one: Declared) -> dict[str, Record] | None:
    """The object's fields; None, with the reason noted, where it is not there."""
    try:
        return found.describes.fields(one.kind)
    except (PermissionMissing, RequestRefused) as fault:
        found.unavailable[one.name] = (
            "not switched on in this org, or hidden from this user: "
            f"grant read access to the object {one.kind} if the org has it"
            if one.is_feature
            else str(fault)
        )
        return None


def _suffices(found: Catalogue, one: Declared, there: set[str]) -> bool:
    """Whether the fields are there without which the stream makes no sense; what else is missing is noted."""
    lacking = mapping.required(one.mapping) - there
    if lacking:
        found.unavailable[one.name] = f"this user may not read {one.kind}.{', '.join(sorted(lacking))}"
        return False
    for name in sorted(set(mapping.asked(one.mapping)) - there - mapping.FEATURES - one.silent):
        hidden = _HIDDEN.format(field=f"{one.kind}.{name}") + renamed(name, there, mapping.asked(one.mapping))
        found.unavailable[f"{one.name}.{name}"] = _NOT_PROVISIONED if name in OURS.values() else hidden
    return True


def _stages(client: Client, found: Catalogue) -> None:
    """Stages are few, and change rarely: read whole on every run."""
    stages = Declared(STAGES, org.STAGE, mapping.STAGES)
    fields = _described(found, stages)
    if fields is None or not _suffices(found, stages, set(fields)):
        return
    there = set(fields)
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
