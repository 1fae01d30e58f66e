"""PermissionSet: from its XML to the rows that say who may what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.metadata.custom_field import Problem
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, tag_of, text_of
from connectors.sandbox.salesforce.refusals import unknown_to_sandbox
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

_KNOWN = frozenset(
    {
        "label", "description", "hasActivationRequired", "license", "fullName", "fieldPermissions",
        "objectPermissions", "userPermissions",
    }
)  # fmt: skip
_OBJECT_RIGHTS = {
    "allowCreate": "PermissionsCreate",
    "allowDelete": "PermissionsDelete",
    "allowEdit": "PermissionsEdit",
    "allowRead": "PermissionsRead",
    "modifyAllRecords": "PermissionsModifyAllRecords",
    "viewAllRecords": "PermissionsViewAllRecords",
}


@dataclass
class PermissionSetPlan:
    """What a permission set shall allow. Fields by full name; object and field rights as the rows call them."""

    name: str
    values: dict[str, object]
    fields: dict[str, dict[str, bool]] = field(default_factory=dict)
    objects: dict[str, dict[str, bool]] = field(default_factory=dict)


def permission_set(org: Org, name: str, xml: ET.Element, new_fields: Mapping[str, Field]) -> PermissionSetPlan:
    """The plan of the XML; `new_fields` come with the same deploy. Raises Problem."""
    for child in xml:
        if tag_of(child) not in _KNOWN:
            raise unknown_to_sandbox(f"PermissionSet.{tag_of(child)}")
    label = text_of(xml, "label")
    if label is None:
        raise Problem("Required field is missing: label")
    values: dict[str, object] = {"Name": name, "Label": label, "Description": text_of(xml, "description")}
    plan = PermissionSetPlan(name, values)
    for entry in xml.findall(NAMESPACE + "fieldPermissions"):
        _field_entry(org, plan, entry, new_fields)
    for entry in xml.findall(NAMESPACE + "objectPermissions"):
        _object_entry(org, plan, entry)
    for entry in xml.findall(NAMESPACE + "userPermissions"):
        permission = text_of(entry, "name")
        if permission not in ALL_PERMISSIONS:
            raise Problem(f"Unknown user permission: {permission}")
        plan.values[f"Permissions{permission}"] = _flag(entry, "enabled")
    return plan


def apply(org: Org, plan: PermissionSetPlan) -> tuple[bool, bool]:
    """Write the plan; what it does not list stays. Gives: created, changed."""
    sets, before = org.table("PermissionSet"), org.changes
    known = sets.where("Name", plan.name)
    if known:
        set_id = known[0][0]
        _write(org, "PermissionSet", set_id, plan.values)
    else:
        set_id = org.create("PermissionSet", plan.values)
    for table, key, entries in (
        ("FieldPermissions", "Field", plan.fields),
        ("ObjectPermissions", "SobjectType", plan.objects),
    ):
        rows = {org.table(table).value(row, key): row[0] for row in org.table(table).where("ParentId", set_id)}
        for full_name, rights in entries.items():
            if full_name in rows:
                _write(org, table, rows[full_name], rights)
            else:
                where = {"SobjectType": full_name.split(".")[0]} | ({"Field": full_name} if key == "Field" else {})
                org.create(table, {"ParentId": set_id, **where, **rights})
    return not known, org.changes > before


def _write(org: Org, table: str, record_id: str, values: Mapping[str, object]) -> None:
    have = org.record(table, record_id) or {}
    if any(have[name] != value for name, value in values.items()):
        org.update(table, record_id, values)


def _field_entry(org: Org, plan: PermissionSetPlan, entry: ET.Element, new_fields: Mapping[str, Field]) -> None:
    full_name = text_of(entry, "field") or ""
    sobject, _, name = full_name.partition(".")
    table = org.tables.get(sobject.lower())
    known = new_fields.get(full_name) or (table.field(name) if table is not None else None)
    if table is None or known is None:
        raise Problem(f"In field: field - no CustomField named {full_name} found")
    if not known.permissionable:
        raise Problem(f"You cannot deploy to a required field: {full_name}")
    readable, editable = _flag(entry, "readable"), _flag(entry, "editable")
    if editable and not readable:
        raise Problem(f"Field {full_name}: edit permission needs read permission")
    if editable and (known.calculated or known.derived):
        raise Problem(f"Field {full_name} is not editable")
    plan.fields[f"{table.name}.{known.name}"] = {"PermissionsRead": readable, "PermissionsEdit": editable}


def _object_entry(org: Org, plan: PermissionSetPlan, entry: ET.Element) -> None:
    name = text_of(entry, "object") or ""
    table = org.tables.get(name.lower())
    if table is None:
        raise Problem(f"In field: object - no CustomObject named {name} found")
    missing = [tag for tag in _OBJECT_RIGHTS if text_of(entry, tag) is None]
    if missing:
        raise Problem(f"Required field is missing: {missing[0]}")
    rights = {right: _flag(entry, tag) for tag, right in _OBJECT_RIGHTS.items()}
    if any(rights.values()) and not rights["PermissionsRead"]:
        raise Problem(f"Permission Read {table.name} is needed by the other permissions on it")
    if rights["PermissionsDelete"] and not rights["PermissionsEdit"]:
        raise Problem(f"Permission Delete {table.name} depends on permission(s): Edit {table.name}")
    if rights["PermissionsModifyAllRecords"] and not all(rights.values()):
        raise Problem(f"Permission ModifyAllRecords {table.name} depends on all others")
    plan.objects[table.name] = rights


def _flag(entry: ET.Element, tag: str) -> bool:
    found = text_of(entry, tag)
    if found not in {"true", "false"}:
        raise Problem(f"Required field is missing: {tag}" if found is None else f"'{found}' is not a boolean")
    return found == "true"
