"""A permission set as the XML that would make it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.package import NAMESPACE
from connectors.sandbox.salesforce.metadata.permission_set import OBJECT_RIGHTS
from connectors.sandbox.salesforce.metadata.shapes import ordered
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


def permission_set_xml(org: Org, name: str) -> ET.Element | None:
    """The definition of a permission set that is no profile's, its full name left out; None where there is none."""
    sets = org.table("PermissionSet")
    found = [row for row in sets.where("Name", name) if not sets.value(row, "IsOwnedByProfile")]
    if not found:
        return None
    one = sets.record_of(found[0])
    root = ET.Element(NAMESPACE + "PermissionSet")
    texts = {"description": one["Description"], "label": one["Label"]}
    for tag, value in {**texts, "hasActivationRequired": bool(one["HasActivationRequired"])}.items():
        if value is not None:
            _put(root, tag, value)
    for row in _rows(org, "FieldPermissions", one["Id"]):
        rights = {"editable": row["PermissionsEdit"], "field": row["Field"], "readable": row["PermissionsRead"]}
        _entry(root, "fieldPermissions", rights)
    for row in _rows(org, "ObjectPermissions", one["Id"]):
        rights = {tag: row[right] for tag, right in OBJECT_RIGHTS.items()}
        _entry(root, "objectPermissions", {**rights, "object": row["SobjectType"]})
    for permission in sorted(ALL_PERMISSIONS):
        if one[f"Permissions{permission}"]:
            _entry(root, "userPermissions", {"enabled": True, "name": permission})
    return ordered(root)


def _rows(org: Org, sobject: str, set_id: str) -> list[dict[str, Any]]:
    table = org.table(sobject)
    return [table.record_of(row) for row in table.where("ParentId", set_id)]


def _entry(root: ET.Element, tag: str, values: dict[str, Any]) -> None:
    entry = ET.SubElement(root, NAMESPACE + tag)
    for name, value in values.items():
        _put(entry, name, value)


def _put(parent: ET.Element, tag: str, value: Any) -> None:
    ET.SubElement(parent, NAMESPACE + tag).text = str(value).lower() if isinstance(value, bool) else str(value)
