"""PermissionSet: from its XML to the rows that say who may what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.metadata.future import Future, Step
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, Component, text_of
from connectors.sandbox.salesforce.metadata.shapes import Problem
from connectors.sandbox.salesforce.metadata.types import check_type
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

OBJECT_RIGHTS = {
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


_ENTRIES = (("FieldPermissions", "Field"), ("ObjectPermissions", "SobjectType"))


def permission_set(future: Future, component: Component) -> Step:
    """The step that puts a permission set; its fields may come with the same deploy. Raises Problem; Refusal."""
    org, name, xml = future.org, component.name, component.xml
    check_type(xml, "PermissionSet")
    texts = {"Label": text_of(xml, "label"), "Description": text_of(xml, "description")}
    plan = PermissionSetPlan(name, {"Name": name, **texts})
    for entry in xml.findall(NAMESPACE + "fieldPermissions"):
        _field_entry(future, plan, entry)
    for entry in xml.findall(NAMESPACE + "objectPermissions"):
        _object_entry(org, plan, entry)
    for entry in xml.findall(NAMESPACE + "userPermissions"):
        permission = text_of(entry, "name")
        if permission not in ALL_PERMISSIONS:
            raise Problem(f"Unknown user permission: {permission}")
        plan.values[f"Permissions{permission}"] = _flag(entry, "enabled")
    known = _known(org, name)
    changed = known is None or any(True for _ in _differences(org, plan, known))
    return Step(
        "PermissionSet", name, component.file, lambda: _apply(org, plan), created=known is None, changed=changed
    )


def _known(org: Org, name: str) -> str | None:
    """The id of a permission set."""
    found = org.table("PermissionSet").where("Name", name)
    return found[0][0] if found else None


Difference = tuple[str, str | None, Mapping[str, object] | None]


def _differences(org: Org, plan: PermissionSetPlan, set_id: str) -> Iterator[Difference]:
    """Rows to write: (object, id or None for a new one, values or None for one that goes).

    What a deploy does not list stays; or goes, by a knob: the vendor's documentation says the one of old API versions
    and warns of the other.
    """
    if _differs(org, "PermissionSet", set_id, plan.values):
        yield "PermissionSet", set_id, plan.values
    for (table, key), entries in zip(_ENTRIES, (plan.fields, plan.objects), strict=True):
        rows = {org.table(table).value(row, key): row[0] for row in org.table(table).where("ParentId", set_id)}
        for full_name, rights in entries.items():
            if full_name not in rows:
                where = {"SobjectType": full_name.split(".")[0]} | ({"Field": full_name} if key == "Field" else {})
                yield table, None, {"ParentId": set_id, **where, **rights}
            elif _differs(org, table, rows[full_name], rights):
                yield table, rows[full_name], rights
        if org.settings.metadata.permission_set_deploys_replace:
            yield from ((table, row_id, None) for name, row_id in rows.items() if name not in entries)


def _apply(org: Org, plan: PermissionSetPlan) -> None:
    set_id = _known(org, plan.name) or org.create("PermissionSet", plan.values)
    for table, row_id, values in list(_differences(org, plan, set_id)):
        if row_id is None:
            org.create(table, values or {})
        elif values is None:
            org.delete(table, row_id)
        else:
            org.update(table, row_id, values)


def _differs(org: Org, table: str, record_id: str, values: Mapping[str, object]) -> bool:
    have = org.record(table, record_id) or {}
    return any(have[name] != value for name, value in values.items())


def _field_entry(future: Future, plan: PermissionSetPlan, entry: ET.Element) -> None:
    full_name = text_of(entry, "field") or ""
    sobject, _, name = full_name.partition(".")
    table = future.org.tables.get(sobject.lower())
    known = future.field(table, name) if table is not None else None
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
    rights = {right: _flag(entry, tag) for tag, right in OBJECT_RIGHTS.items()}
    if any(rights.values()) and not rights["PermissionsRead"]:
        raise Problem(f"Permission Read {table.name} is needed by the other permissions on it")
    if rights["PermissionsDelete"] and not rights["PermissionsEdit"]:
        raise Problem(f"Permission Delete {table.name} depends on permission(s): Edit {table.name}")
    if rights["PermissionsModifyAllRecords"] and not all(rights.values()):
        raise Problem(f"Permission ModifyAllRecords {table.name} depends on all others")
    plan.objects[table.name] = rights


def _flag(entry: ET.Element, tag: str) -> bool:
    return text_of(entry, tag) == "true"
