"""How a stream is declared, and how its mapping is cut to the fields of an org.

Optional lines are cut where the org lacks the field or hides it from us; of a line with several fields those stay
that are there. Columns named `@...` are made by the connector (`@none` is empty: it keeps a line that has a default).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from connectors.codecs import Codec, boolean, instant, text
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import record_id

STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
"""Change stamps, the best first: SystemModstamp also moves where a process changes a record, not a person."""


@dataclass(frozen=True)
class Declared:
    """One stream: its name, the object that it reads, and how its rows become ours.

    `is_feature`: the object comes with something that has to be switched on. `drifting`: fields that change without
    moving the change stamp, although describe does not call them calculated. `silent`: fields whose absence is no
    lack, beside those that come with a feature.
    """

    name: str
    kind: str
    mapping: Mapping
    is_feature: bool = False
    drifting: frozenset[str] = field(default_factory=frozenset)
    silent: frozenset[str] = field(default_factory=frozenset)


def optional(ours: str, theirs: str | tuple[str, ...], codec: Codec) -> Line:
    return Line(ours, theirs, codec, optional=True)


def made(ours: str, theirs: str, codec: Codec = text) -> Line:
    return Line(ours, theirs, codec, derived=True)


ID = Line("source_id", "Id", record_id)
CREATED, UPDATED = optional("created_at", "CreatedDate", instant), optional("updated_at", STAMPS[0], instant)
ENVELOPE = (ID, CREATED, UPDATED, optional("deleted", "IsDeleted", boolean))


def currency_line(*, many: bool) -> Line:
    """The currency of a record's amounts. The field exists in orgs with several currencies only."""
    return optional("currency", "CurrencyIsoCode", text) if many else made("currency", "@home_currency")


def cut(mapping: Mapping, there: set[str]) -> Mapping:
    """The mapping for an org whose object has these fields: optional lines lose the fields that are not there."""
    return Mapping(mapping.entity, tuple(kept for line in mapping.lines if (kept := _kept(line, there)) is not None))


def _kept(line: Line, there: set[str]) -> Line | None:
    if line.derived or not line.optional:
        return line
    columns = tuple(c for c in line.columns if c in there or is_made(c))
    if not columns:
        return None
    return replace(line, theirs=columns if len(columns) > 1 else columns[0])


def asked(mapping: Mapping) -> list[str]:
    """The fields to ask of Salesforce: those of the lines, less the columns that we make."""
    return [name for name in mapping.asked() if not is_made(name)]


def required(mapping: Mapping) -> set[str]:
    """The fields without which the stream makes no sense."""
    return set(asked(mapping)) - mapping.optional()


def is_made(column: str) -> bool:
    """Whether a column is made by the connector and not asked of Salesforce."""
    return column.startswith("@")
