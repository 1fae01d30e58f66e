"""What a user may see and do: the union of the profile and of the permission sets assigned to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce import profiles
from connectors.sandbox.salesforce.fields import Field, SObject
from connectors.sandbox.salesforce.objects.permission import OBJECT_RIGHTS
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

_RIGHTS = {right: right.removeprefix("Permissions") for right in OBJECT_RIGHTS}


@dataclass(frozen=True)
class Access:
    """One user's rights. Standard objects and fields come with the profile, except those that are taken away."""

    user_id: str
    permissions: frozenset[str]
    rights: dict[str, frozenset[str]]
    without_objects: frozenset[str]
    read_only_objects: frozenset[str]
    without_fields: frozenset[str]
    read_only_fields: frozenset[str]
    readable: frozenset[str]
    editable: frozenset[str]

    def may(self, sobject: SObject, right: str) -> bool:
        """Whether the user has Read, Create, Edit or Delete on an object."""
        if sobject.setup and right == "Read":
            return not sobject.read_permissions or not self.permissions.isdisjoint(sobject.read_permissions)
        if sobject.setup:
            return sobject.write_permission is None or sobject.write_permission in self.permissions
        if right in self.rights.get(sobject.name, ()):
            return True
        if sobject.name in self.without_objects:
            return False
        return right == "Read" or sobject.name not in self.read_only_objects

    def reads(self, sobject: SObject, field: Field) -> bool:
        """Whether a field exists for the user at all."""
        if not field.permissionable:
            return True
        name = f"{sobject.name}.{field.name}"
        return name in self.readable or not (field.custom or name in self.without_fields)

    def writes(self, sobject: SObject, field: Field) -> bool:
        """Whether the user may edit a field, as far as permissions go."""
        if not field.permissionable:
            return True
        name = f"{sobject.name}.{field.name}"
        return name in self.editable or not (
            field.custom or name in self.without_fields or name in self.read_only_fields
        )


def access_of(org: Org, user_id: str) -> Access:
    """The rights of a user, as the permission tables and the knobs stand."""
    profiles.follow(org)
    holders = {str(row[0]) for row in _holders(org, user_id)}
    sets, fields, objects = org.table("PermissionSet"), org.table("FieldPermissions"), org.table("ObjectPermissions")
    permissions = {
        name for holder in holders for name in ALL_PERMISSIONS if sets.value(sets.rows[holder], f"Permissions{name}")
    }
    rights: dict[str, set[str]] = {}
    for row in objects.rows.values():
        if objects.value(row, "ParentId") in holders:
            kept = rights.setdefault(objects.value(row, "SobjectType"), set())
            kept.update(short for right, short in _RIGHTS.items() if objects.value(row, right))
    limited = user_id == org.integration_user_id
    knobs = org.settings
    if limited:
        permissions |= knobs.permissions
    return Access(
        user_id,
        frozenset(permissions),
        {name: frozenset(kept) for name, kept in rights.items()},
        knobs.hidden_objects if limited else frozenset(),
        knobs.read_only_objects if limited else frozenset(),
        knobs.hidden_fields if limited else frozenset(),
        knobs.read_only_fields if limited else frozenset(),
        _granted(fields, holders, "PermissionsRead"),
        _granted(fields, holders, "PermissionsEdit"),
    )


def _holders(org: Org, user_id: str) -> Iterator[Row]:
    """The rows of PermissionSet that a user holds, the shadow of the profile among them."""
    users, sets, held = org.table("User"), org.table("PermissionSet"), org.table("PermissionSetAssignment")
    profile = users.value(users.rows[user_id], "ProfileId")
    yield from (row for row in sets.where("ProfileId", profile) if sets.value(row, "IsOwnedByProfile"))
    for row in held.where("AssigneeId", user_id):
        yield sets.rows[held.value(row, "PermissionSetId")]


def _granted(fields: Table, holders: set[str], right: str) -> frozenset[str]:
    parent, name, kept = (fields.position[n.lower()] for n in ("ParentId", "Field", right))
    return frozenset(row[name] for row in fields.rows.values() if row[parent] in holders and row[kept])
