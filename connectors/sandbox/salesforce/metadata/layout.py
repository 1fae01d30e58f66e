"""Layout: from its XML to the page of an object, with the checks of a real deploy. A deploy replaces it whole.

Wordings after public reports of failed deploys (read 2026-11-28); that a managed layout cannot be changed at all is
stricter than the vendor, whose rules differ by element.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.future import Future, Step
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, Component, tag_of, text_of
from connectors.sandbox.salesforce.metadata.shapes import Problem, ordered, same
from connectors.sandbox.salesforce.metadata.types import check_type
from connectors.sandbox.salesforce.table import Table

_COLUMNS = {"OneColumn": 1, "TwoColumnsTopToBottom": 2, "TwoColumnsLeftToRight": 2, "CustomLinks": 3}
_CONTENTS = ("canvas", "component", "customLink", "emptySpace", "field", "page", "scontrol")
_RELATED = frozenset(
    {
        "RelatedContactList", "RelatedOpportunityList", "RelatedCaseList", "RelatedActivityList", "RelatedHistoryList",
        "RelatedNoteList", "RelatedContentNoteList", "RelatedFileList", "RelatedAccountPartnerList",
        "RelatedContractList", "RelatedOrderList", "RelatedAssetList", "RelatedAccountSalesTeam",
        "RelatedContactAccountRelationList", "Account.ChildAccounts",
    }
)  # fmt: skip
_ACTIONS = frozenset(
    {
        "FeedItem.TextPost", "FeedItem.ContentPost", "FeedItem.LinkPost", "FeedItem.PollPost", "FeedItem.RypplePost",
        "NewTask", "NewEvent", "NewContact", "NewOpportunity", "NewCase", "NewNote", "LogACall", "SendEmail",
    }
)  # fmt: skip


def full_name(name: str) -> str:
    """A layout's name as the API writes it: blanks stay, other special characters are URL-encoded."""
    return quote(name, safe=" -_.")


def layout(future: Future, component: Component) -> Step:
    """The step that puts a layout. Raises Problem; Refusal for what the sandbox does not know."""
    org, xml, name = future.org, component.xml, component.name
    sobject, dash, rest = name.partition("-")
    if not dash or not rest.strip():
        raise Problem(f"Layout name {name} must be the object, a dash, the name of the layout")
    table = future.table(sobject)
    held = org.metadata.layouts.get(name)
    if held is not None and held.namespace is not None:
        raise Problem(f"Cannot modify managed object: entity=PageLayout, component={held.id[:15]}, state=installed")
    check_type(xml, "Layout")
    _check_sections(xml)
    _check_items(future, table, xml)
    _check_lists(xml)
    kept, before = ordered(xml), future.layout(name)
    future.layouts[name] = kept
    changed = before is None or not same(before, kept)

    def apply() -> None:
        if changed:
            org.metadata.put_layout(name, kept, org.now())

    return Step("Layout", full_name(name), component.file, apply, created=before is None, changed=changed)


def without_field(xml: ET.Element, field: str) -> ET.Element:
    """A kept layout without the items of a field."""
    if tag_of(xml) == "layoutItems" or not len(xml):
        return xml
    left = ET.Element(xml.tag)
    for child in xml:
        is_item = tag_of(child) == "layoutItems" and (text_of(child, "field") or "").lower() == field.lower()
        if not is_item:
            left.append(without_field(child, field))
    return left


def names_field(xml: ET.Element, field: str) -> bool:
    """Whether any element of a kept component consists of the name of a field."""
    return any((one.text or "").strip().lower() == field.lower() for one in xml.iter())


def _check_sections(xml: ET.Element) -> None:
    for section in xml.findall(NAMESPACE + "layoutSections"):
        style, label = text_of(section, "style") or "", text_of(section, "label")
        columns = len(section.findall(NAMESPACE + "layoutColumns"))
        if columns > _COLUMNS[style]:
            raise Problem(f"Layout section {label} of style {style} has at most {_COLUMNS[style]} columns: {columns}")
        if text_of(section, "customLabel") == "true" and label is None:
            raise Problem("Required field is missing: label")


def _items(xml: ET.Element) -> Iterator[ET.Element]:
    for tag in ("layoutItems", "layoutItem"):
        yield from xml.iter(NAMESPACE + tag)


def _check_items(future: Future, table: Table, xml: ET.Element) -> None:
    behaviors: dict[str, str] = {}
    for item in _items(xml):
        contents = [tag for tag in _CONTENTS if text_of(item, tag) is not None]
        if len(contents) != 1:
            raise Problem(f"A layout item holds one of {', '.join(_CONTENTS)}: {', '.join(contents) or 'none'}")
        if contents == ["field"]:
            name, behavior = _placed(future, table, item)
            if name in behaviors:
                raise Problem(f"Duplicate layout item: {name}")
            behaviors[name] = behavior
    for name in _required(future, table):
        if name not in behaviors:
            raise Problem(f"Layout must contain an item for required layout field: {name}")
        if behaviors[name] != "Required":
            raise Problem(f"Field:{name} must be Required")


def _placed(future: Future, table: Table, item: ET.Element) -> tuple[str, str]:
    """The field that an item shows, and how."""
    name, behavior = text_of(item, "field") or "", text_of(item, "behavior")
    field = future.field(table, name)
    if field is None:
        raise Problem(f"In field: field - no CustomField named {table.name}.{name} found")
    if behavior is None:
        raise Problem(f"Field:{field.name} needs a behavior")
    if (field.calculated or (field.derived and field.type != "address")) and behavior != "Readonly":
        raise Problem(f"Field:{field.name} must be Readonly")
    return field.name, behavior


def _required(future: Future, table: Table) -> list[str]:
    """The name, and what every record needs: custom fields that are never empty."""
    custom = {(table.name, one.name.lower()): one for one in table.fields if one.custom} | future.fields
    needed = [one.name for key, one in custom.items() if key[0] == table.name and one and not one.nillable]
    flags = {one.name for one in custom.values() if one and one.type == "boolean"}
    first = [one.name for one in table.fields if one.name_field and not one.derived]
    return [*first, *(name for name in needed if name not in flags)]


def _check_lists(xml: ET.Element) -> None:
    for one in xml.iter(NAMESPACE + "relatedLists"):
        name = text_of(one, "relatedList") or ""
        if name not in _RELATED:
            raise Problem(f"Cannot find related list:{name}")
    for one in xml.iter(NAMESPACE + "quickActionName"):
        action = (one.text or "").strip()
        if action not in _ACTIONS:
            raise Problem(f"In field: quickActionName - no QuickActionDefinition named {action} found")
