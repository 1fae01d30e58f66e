"""Which types of a Salesforce field a column of ours can be read from, and which of them hold the same values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map

from connectors.codecs import Codec
from connectors.contract import Typed
from connectors.mapping import Mapping
from connectors.salesforce.frames import Record

_TEXTS = frozenset({"string", "textarea", "picklist", "multipicklist", "combobox", "encryptedstring"})
_COUNTS = frozenset({"int", "long", "double"})
SUITABLE: dict[str, frozenset[str]] = {
    "text": _TEXTS | {"id", "reference", "url"},
    "salesforce_web_host": frozenset({"url", "string"}),
    "salesforce_word_set": _TEXTS,
    "one_of": _TEXTS,
    "salesforce_first_word": _TEXTS,
    "number": _COUNTS | {"currency", "percent"},
    "whole": _COUNTS,
    "money": _COUNTS | {"currency"},
    "share": frozenset({"percent"}),
    "boolean": frozenset({"boolean"}),
    "instant": frozenset({"datetime"}),
    "salesforce_day": frozenset({"date"}),
    "salesforce_id": frozenset({"id", "reference"}),
}
"""Types of theirs, by the codec that would read them. A column whose codec is not here follows from several fields, or
from what Salesforce itself makes of a record. A date and time has no place for a date: its day depends on the zone."""
_FIRM = frozenset({"number", "whole", "money", "share", "boolean", "instant", "salesforce_day"})
"""Codecs that make nothing of other types. Words of any sort are a text."""
_ALIKE = (
    frozenset({"string", "textarea", "picklist", "combobox", "phone", "url", "email"}),
    _COUNTS | {"currency"},
)
"""Types that hold the same text, or the same number: what a field holds stays what it was where an admin turns one of
them into another. A percentage has another unit, several words are not one, an encrypted text is shown masked.
https://help.salesforce.com/s/articleView?id=platform.notes_on_changing_custom_field_types.htm (read 2026-11-29)"""


def kind_of(codec: Codec) -> str:
    """The codec's name without what it was made with."""
    return codec.name.split("(", 1)[0]


def typed(names: Iterable[str], fields: Map[str, Record]) -> Iterator[Typed]:
    """The types of fields, where describe tells them."""
    for name in names:
        told = fields.get(name, {}).get("type")
        if isinstance(told, str):
            yield Typed(name, told, next((alike for alike in _ALIKE if told in alike), frozenset()))


def unfit(mapping: Mapping, fields: Map[str, Record]) -> dict[str, str]:
    """The custom fields that cannot be read as the column that they would fill, and why: an admin may have turned them
    into something else. Standard fields keep their type."""
    found: dict[str, str] = {}
    for line in mapping.lines:
        described, kind = fields.get(line.columns[0], {}), kind_of(line.codec)
        told = described.get("type")
        if kind in _FIRM and described.get("custom") is True and told is not None and told not in SUITABLE[kind]:
            wanted = ", ".join(sorted(SUITABLE[kind]))
            found[line.columns[0]] = f"of type {told!s:.40} now, and {line.ours} needs one of {wanted}"
    return found
