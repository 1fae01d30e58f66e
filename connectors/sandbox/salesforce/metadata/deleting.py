"""Deletions of a package: fields with all that names them, list views, permission sets.

A deleted field drops out of layouts and list views by itself, as it does in Setup; that a deploy does the same is not
confirmed, hence the knob `used_fields_can_be_deleted`.
https://help.salesforce.com/s/articleView?id=platform.fields_managing_deleted_fields.htm (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.field_history import forget_field
from connectors.sandbox.salesforce.metadata import layout, list_view
from connectors.sandbox.salesforce.metadata.future import Future, Step
from connectors.sandbox.salesforce.metadata.package import Deletion
from connectors.sandbox.salesforce.metadata.shapes import Problem
from connectors.sandbox.salesforce.refusals import unknown_to_sandbox
from connectors.sandbox.salesforce.table import Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


def deletion(future: Future, one: Deletion, *, purge: bool) -> Step:
    """The step that deletes one component; a warning where it does not exist. Raises Problem; Refusal for a gap."""
    if one.kind == "CustomField":
        return _field(future, one, purge=purge)
    if one.kind == "ListView":
        return _list_view(future, one)
    if one.kind == "PermissionSet":
        return _permission_set(future, one)
    raise unknown_to_sandbox(f"deletion of a {one.kind}")


def remove_field(org: Org, table: Table, name: str, *, purge: bool) -> None:
    """Take a custom field out of an object: its values, its permissions, its places on layouts and list views."""
    field = table.field(name)
    if field is None:
        raise LookupError(f"{table.name} has no field {name}")
    permissions = org.table("FieldPermissions")
    for row in permissions.where("Field", f"{table.name}.{field.name}"):
        permissions.drop(row[0])
    table.drop_field(field.name)
    forget_field(org, table, field.name)
    if org.settings.metadata.deleted_field_restamps_rows:
        _restamp(org, table)
    org.metadata.bury_field(table.name, field.name, org.clock.now(), purged=purge)
    _drop_out(org, table.name, field.name)
    org.changes += 1


def _restamp(org: Org, table: Table) -> None:
    """The system's own change to every live row: SystemModstamp moves, nothing else does."""
    place, now = table.position["systemmodstamp"], org.now()
    rows = []
    for row in table.rows.values():
        if not table.deleted(row):
            new = list(row)
            new[place] = now
            rows.append(new)
    table.load(rows)


def _drop_out(org: Org, sobject: str, field: str) -> None:
    held = org.metadata
    for name, kept in list(held.layouts.items()):
        if name.partition("-")[0] == sobject and layout.names_field(kept.xml, field):
            held.put_layout(name, layout.without_field(kept.xml, field), org.now())
    for name, view in list(held.list_views.items()):
        if name.partition(".")[0] == sobject and layout.names_field(view.xml, field):
            held.put_list_view(name, list_view.without_field(view.xml, field), org.now())


def _nothing() -> None:
    """There is nothing to do."""


def _missing(one: Deletion) -> Step:
    return Step(one.kind, one.name, one.file, _nothing, warning=f"No {one.kind} named: {one.name} found")


def _gone(one: Deletion, apply: Callable[[], object]) -> Step:
    def do() -> None:
        apply()

    return Step(one.kind, one.name, one.file, do, changed=True, deleted=True)


def _field(future: Future, one: Deletion, *, purge: bool) -> Step:
    sobject, _, name = one.name.partition(".")
    table, org = future.org.tables.get(sobject.lower()), future.org
    field = future.field(table, name) if table is not None else None
    if table is None or field is None:
        return _missing(one)
    if not field.custom:
        raise Problem(f"Cannot delete standard field: {table.name}.{field.name}")
    used = _uses(future, table.name, field.name)
    if used:
        raise Problem(f"This custom field is referenced elsewhere in salesforce.com. : {', '.join(used)}")
    future.fields[table.name, field.name.lower()] = None
    future.buried[table.name] += not purge
    for known in future.layout_names():
        xml = future.layout(known)
        if xml is not None and known.partition("-")[0] == table.name and layout.names_field(xml, field.name):
            future.layouts[known] = layout.without_field(xml, field.name)
    for known in future.list_view_names():
        view = future.list_view(known)
        if view is not None and known.partition(".")[0] == table.name and layout.names_field(view, field.name):
            future.list_views[known] = list_view.without_field(view, field.name)
    return _gone(one, lambda: remove_field(org, table, field.name, purge=purge))


def _uses(future: Future, sobject: str, field: str) -> list[str]:
    """What keeps a field from being deleted."""
    knobs = future.org.settings
    rules = [one for one in knobs.validation_rules if one.active and one.sobject == sobject]
    used = [f"Validation Rule - {one.sobject}.{one.name}" for one in rules if one.field == field]
    if knobs.metadata.used_fields_can_be_deleted:
        return used
    for name in sorted(future.layout_names()):
        xml = future.layout(name)
        if xml is not None and name.partition("-")[0] == sobject and layout.names_field(xml, field):
            used.append(f"Layout - {name}")
    for name in sorted(future.list_view_names()):
        view = future.list_view(name)
        if view is not None and name.partition(".")[0] == sobject and layout.names_field(view, field):
            used.append(f"List View - {name}")
    return used


def _list_view(future: Future, one: Deletion) -> Step:
    if future.list_view(one.name) is None:
        return _missing(one)
    future.list_views[one.name] = None
    return _gone(one, lambda: future.org.metadata.list_views.pop(one.name, None))


def _permission_set(future: Future, one: Deletion) -> Step:
    """Assigned sets stay. The wording of that refusal is not confirmed."""
    org = future.org
    sets = org.table("PermissionSet")
    found = [row for row in sets.where("Name", one.name) if not sets.value(row, "IsOwnedByProfile")]
    if not found:
        return _missing(one)
    set_id = found[0][0]
    holders = len(org.table("PermissionSetAssignment").where("PermissionSetId", set_id))
    if holders:
        raise Problem(f"Permission set {one.name} is assigned to {holders} user(s) and can't be deleted")
    return _gone(one, lambda: org.delete("PermissionSet", set_id))
