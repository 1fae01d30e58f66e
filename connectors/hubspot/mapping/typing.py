"""Which types of a HubSpot property a column of ours can be read from, and which of them hold the same values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from typing import Any

from connectors.codecs import Codec
from connectors.contract import Typed
from connectors.mapping import Mapping

TEXTS = frozenset({"string", "enumeration", "phone_number"})
SUITABLE: dict[str, frozenset[str]] = {
    "text": TEXTS | {"number"},
    "hubspot_word_set": TEXTS,
    "one_of": TEXTS | {"bool"},
    "hubspot_first_word": TEXTS | {"bool"},
    "number": frozenset({"number"}),
    "whole": frozenset({"number"}),
    "money": frozenset({"number"}),
    "boolean": frozenset({"bool"}),
    "hubspot_sla_met": TEXTS | {"bool"},
    "hubspot_plain_date": frozenset({"date"}),
    "hubspot_portal_date": frozenset({"date", "datetime"}),
    "hubspot_moment": frozenset({"datetime"}),
    "hubspot_record_id": frozenset({"number", "string"}),
    "identifier": frozenset({"enumeration", "string"}),
}
"""Types of theirs, by the codec that would read them. A column whose codec is not here follows from several properties,
or from what HubSpot itself makes of a record."""
_FIRM = frozenset(
    {"number", "whole", "money", "boolean", "hubspot_plain_date", "hubspot_portal_date", "hubspot_moment"}
)
"""Codecs that make nothing of other types. Words of any sort are a text."""
_UNITS = frozenset({"percentage", "probability", "duration"})
"""Ways to show a number that say what it counts: 0.5 is shown as 50 %, or as half a millisecond."""

Definition = Map[str, Any]


def kind_of(codec: Codec) -> str:
    """The codec's name without what it was made with."""
    return codec.name.split("(", 1)[0]


def typed(names: Iterable[str], definitions: Map[str, Definition]) -> Iterator[Typed]:
    """The types of properties, where HubSpot tells them."""
    for name in names:
        told = _type(definitions.get(name, {}))
        if told is not None:
            yield Typed(name, told, TEXTS if told in TEXTS else frozenset())


def unfit(mapping: Mapping, definitions: Map[str, Definition]) -> dict[str, str]:
    """The portal's own properties that cannot be read as the column that they would fill, and why: an admin may have
    turned them into something else. HubSpot's own keep their type."""
    found: dict[str, str] = {}
    for line in mapping.lines:
        definition, kind = definitions.get(line.columns[0], {}), kind_of(line.codec)
        told = definition.get("type")
        is_own = definition.get("hubspotDefined") is False
        if kind in _FIRM and is_own and told is not None and told not in SUITABLE[kind]:
            wanted = ", ".join(sorted(SUITABLE[kind]))
            found[line.columns[0]] = f"of type {told!s:.40} now, and {line.ours} needs one of {wanted}"
    return found


def _type(definition: Definition) -> str | None:
    """The type, and with it what changes the meaning of a value: several options, or the unit of a number."""
    told, hint = definition.get("type"), definition.get("numberDisplayHint")
    if not isinstance(told, str):
        return None
    if told == "enumeration" and definition.get("fieldType") == "checkbox":
        return "enumeration/checkbox"
    return f"number/{hint}" if told == "number" and hint in _UNITS else told
