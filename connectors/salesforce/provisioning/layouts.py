"""Our section on page layouts of Account: put in where that is safe, and taken out again.

A deployment replaces a layout as a whole, so only one that we can give back unchanged is touched.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_layouts.htm (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import deepcopy
from urllib.parse import unquote

from connectors.salesforce.provisioning.components import KIND
from connectors.salesforce.provisioning.markup import Element, below, children, made, say, tag, told
from kammodel.publish.fields import CustomField

LABEL = "KAM"
PREFIX = f"{KIND}-"
_SECTION = "layoutSections"


def shown_name(full_name: str) -> str:
    """The name that Setup shows: without the object, and with its signs as they are."""
    return unquote(full_name.removeprefix(PREFIX))


def shows(layout: Element, names: Collection[str]) -> bool:
    """Whether it has one of these fields anywhere."""
    return any(node.tag == tag("field") and node.text in names for node in layout.iter())


def sections(layout: Element) -> list[Element]:
    return list(children(layout, _SECTION))


def with_section(layout: Element, fields: Sequence[CustomField]) -> Element:
    """The layout with our section after its first one, where people look: ours to read, theirs to edit."""
    node = deepcopy(layout)
    first = next(place for place, child in enumerate(node) if child.tag == tag(_SECTION))
    node.insert(first + 1, _section(fields))
    return node


def without_fields(layout: Element, names: Collection[str]) -> Element:
    """The layout without these fields, and without our section where that leaves it empty."""
    node = deepcopy(layout)
    for column in node.iter(tag("layoutColumns")):
        for item in list(children(column, "layoutItems")):
            if told(item, "field") in names:
                column.remove(item)
    for section in sections(node):
        if told(section, "label") == LABEL and next(section.iter(tag("layoutItems")), None) is None:
            node.remove(section)
    return node


def _section(fields: Sequence[CustomField]) -> Element:
    node = made(_SECTION)
    for name in ("customLabel", "detailHeading", "editHeading"):
        say(node, name, "true")
    say(node, "label", LABEL)
    shown = [field for field in fields if field.for_people]
    for side in (shown[0::2], shown[1::2]):
        column = below(node, "layoutColumns")
        for field in side:
            item = below(column, "layoutItems")
            say(item, "behavior", "Readonly" if field.ours else "Edit")
            say(item, "field", field.salesforce_name)
    say(node, "style", "TwoColumnsLeftToRight")
    return node
