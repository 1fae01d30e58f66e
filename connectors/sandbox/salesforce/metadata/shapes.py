"""Checks a component's XML against the shape of its type: what may stand where, how often, with which values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.package import NAMESPACE, tag_of


class Problem(Exception):
    """Why a component does not deploy."""


@dataclass(frozen=True)
class Part:
    """One child element. `kind`: string, boolean, int, or the name of an enum or of another type."""

    kind: str
    needed: bool = False
    several: bool = False

    @property
    def must(self) -> Part:
        """The same part, which has to be there."""
        return replace(self, needed=True)

    @property
    def many(self) -> Part:
        """The same part, any number of times, one right after the other."""
        return replace(self, several=True)


Shapes = Mapping[str, Mapping[str, Part]]
Enums = Mapping[str, frozenset[str]]


def check(xml: ET.Element, kind: str, shapes: Shapes, enums: Enums) -> None:
    """Raise Problem where `xml` is not of the type `kind`."""
    parts, seen, previous = shapes[kind], set[str](), ""
    for child in xml:
        tag = tag_of(child)
        part = parts.get(tag)
        if part is None:
            raise Problem(f"Element {child.tag} invalid at this location in type {kind}")
        if tag in seen and not (part.several and tag == previous):
            raise Problem(f"Element {child.tag} is duplicated at this location in type {kind}")
        seen.add(tag)
        previous = tag
        if part.kind in shapes:
            check(child, part.kind, shapes, enums)
        else:
            _check_value(child, part.kind, kind, enums)
    missing = [tag for tag, part in parts.items() if part.needed and tag not in seen]
    if missing:
        raise Problem(f"Required field is missing: {missing[0]}")


def _check_value(xml: ET.Element, kind: str, inside: str, enums: Enums) -> None:
    if len(xml):
        raise Problem(f"Element {xml[0].tag} invalid at this location in type {inside}")
    text = (xml.text or "").strip()
    if kind in enums and text not in enums[kind]:
        raise Problem(f"'{text}' is not a valid value for the enum '{kind}'")
    if kind == "boolean" and text not in {"true", "false"}:
        raise Problem(f"'{text}' is not a valid value for the type xsd:boolean")
    if kind == "int" and not text.removeprefix("-").isdigit():
        raise Problem(f"'{text}' is not a valid value for the type xsd:int")


def ordered(xml: ET.Element) -> ET.Element:
    """A copy as an org keeps it: children in the order of their names, no blanks around text, its own name left out."""
    kept = _ordered(xml)
    name = kept.find(NAMESPACE + "fullName")
    if name is not None:
        kept.remove(name)
    return kept


def _ordered(xml: ET.Element) -> ET.Element:
    kept = ET.Element(xml.tag)
    kept.extend(sorted(map(_ordered, xml), key=lambda child: child.tag))
    if not len(xml):
        kept.text = (xml.text or "").strip() or None
    return kept


def same(one: ET.Element, other: ET.Element) -> bool:
    """Whether two copies as an org keeps them say the same."""
    return ET.tostring(one) == ET.tostring(other)
