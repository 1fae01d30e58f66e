"""The page layouts that an org comes with: two of its own, one from a managed package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.package import NAMESPACE
from connectors.sandbox.salesforce.metadata.shapes import ordered

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

ACCOUNT_LAYOUT = "Account-Account Layout"
PARTNER_LAYOUT = "Account-Partner (EMEA) Layout"
MANAGED_LAYOUT, MANAGED_NAMESPACE = "Account-acmebill__Billing Layout", "acmebill"

Column = Sequence[tuple[str, str]]
_INFORMATION: tuple[Column, Column] = (
    (
        ("OwnerId", "Edit"),
        ("Name", "Required"),
        ("ParentId", "Edit"),
        ("AccountNumber", "Edit"),
        ("Site", "Edit"),
        ("Type", "Edit"),
        ("Industry", "Edit"),
        ("AnnualRevenue", "Edit"),
    ),
    (
        ("Rating", "Edit"),
        ("Phone", "Edit"),
        ("Fax", "Edit"),
        ("Website", "Edit"),
        ("Ownership", "Edit"),
        ("NumberOfEmployees", "Edit"),
    ),
)
_ADDRESSES: tuple[Column, Column] = ((("BillingAddress", "Edit"),), (("ShippingAddress", "Edit"),))
_SYSTEM: tuple[Column, Column] = ((("CreatedById", "Readonly"),), (("LastModifiedById", "Readonly"),))
_RELATED = {
    "RelatedContactList": ("FULL_NAME", "CONTACT.TITLE", "CONTACT.EMAIL", "CONTACT.PHONE1"),
    "RelatedOpportunityList": ("OPPORTUNITY.NAME", "OPPORTUNITY.STAGE_NAME", "OPPORTUNITY.AMOUNT"),
    "RelatedActivityList": (),
    "RelatedHistoryList": (),
}


def lay_out(org: Org) -> None:
    """Give a new org its layouts."""
    whole = (_INFORMATION, _ADDRESSES, _SYSTEM)
    org.metadata.put_layout(ACCOUNT_LAYOUT, _layout(whole, quick_actions=("NewTask", "LogACall")), org.now())
    org.metadata.put_layout(PARTNER_LAYOUT, _layout((_INFORMATION, _SYSTEM)), org.now())
    org.metadata.put_layout(MANAGED_LAYOUT, _layout((_INFORMATION,)), org.now(), MANAGED_NAMESPACE)


def _layout(sections: Sequence[tuple[Column, Column]], quick_actions: Sequence[str] = ()) -> ET.Element:
    root = ET.Element(NAMESPACE + "Layout")
    for label in ("Submit", "Share"):
        _put(root, "excludeButtons", label)
    names = {id(_INFORMATION): "Account Information", id(_ADDRESSES): "Address Information"}
    for columns in sections:
        _section(root, names.get(id(columns), "System Information"), columns)
    _section(root, "Description Information", ((("Description", "Edit"),),), "OneColumn")
    _section(root, "Custom Links", ((), (), ()), "CustomLinks")
    if quick_actions:
        held = _put(root, "quickActionList")
        for action in quick_actions:
            _put(_put(held, "quickActionListItems"), "quickActionName", action)
    for name, fields in _RELATED.items():
        one = _put(root, "relatedLists")
        for field in fields:
            _put(one, "fields", field)
        _put(one, "relatedList", name)
    for flag in ("showEmailCheckbox", "showHighlightsPanel", "showInteractionLogPanel", "showSubmitAndAttachButton"):
        _put(root, flag, "false")
    summary = _put(root, "summaryLayout")
    for tag, text in (("masterLabel", "00h000000000001"), ("sizeX", "4"), ("sizeY", "0")):
        _put(summary, tag, text)
    _put(summary, "summaryLayoutStyle", "Default")
    return ordered(root)


def _section(root: ET.Element, label: str, columns: Sequence[Column], style: str = "TwoColumnsTopToBottom") -> None:
    section = _put(root, "layoutSections")
    for flag, is_set in (("customLabel", False), ("detailHeading", style != "CustomLinks"), ("editHeading", True)):
        _put(section, flag, str(is_set).lower())
    _put(section, "label", label)
    for items in columns:
        column = _put(section, "layoutColumns")
        for field, behavior in items:
            item = _put(column, "layoutItems")
            _put(item, "behavior", behavior)
            _put(item, "field", field)
    _put(section, "style", style)


def _put(parent: ET.Element, tag: str, text: str | None = None) -> ET.Element:
    child = ET.SubElement(parent, NAMESPACE + tag)
    child.text = text
    return child
