"""What the profiles of the two users allow, as rows: clients read there what a user may do.

Every user holds the permission set that stands for their profile, and it has its rows in PermissionSetAssignment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.objects.permission import OBJECT_RIGHTS
from connectors.sandbox.salesforce.settings import ALL_PERMISSIONS
from connectors.sandbox.salesforce.table import Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

ADMIN_PROFILE, INTEGRATION_PROFILE = 1, 2


def shadow_id(profile: int) -> str:
    """The id of the permission set that stands for a profile."""
    return salesforce_id("0PS", profile)


def assign(org: Org) -> None:
    """The two users hold the sets of their profiles."""
    holders = ((org.admin_user_id, ADMIN_PROFILE), (org.integration_user_id, INTEGRATION_PROFILE))
    for user_id, profile in holders:
        _put(
            org,
            org.table("PermissionSetAssignment"),
            {"AssigneeId": user_id, "PermissionSetId": shadow_id(profile), "IsActive": True},
        )


def follow(org: Org) -> None:
    """Write what the knobs say about the integration user into its profile, once after each turn of a knob."""
    knobs = org.settings
    stand = (knobs.permissions, knobs.hidden_objects, knobs.read_only_objects)
    if org.metadata.profiles_follow == stand or not org.table("PermissionSet").rows:
        return
    org.metadata.profiles_follow = stand
    permissions = {INTEGRATION_PROFILE: knobs.permissions, ADMIN_PROFILE: ALL_PERMISSIONS}
    for profile, allowed in permissions.items():
        sets = org.table("PermissionSet")
        old = sets.record_of(sets.rows[shadow_id(profile)])
        flags = {f"Permissions{name}": name in allowed for name in ALL_PERMISSIONS}
        sets.put(sets.row_of({**old, **flags, "SystemModstamp": org.now()}))
        for table in [one for one in org.tables.values() if not one.sobject.setup]:
            _object_rights(org, profile, table.name, allowed)


def _object_rights(org: Org, profile: int, sobject: str, allowed: frozenset[str]) -> None:
    """A row of ObjectPermissions; an object of which a profile allows nothing has none."""
    rows, knobs = org.table("ObjectPermissions"), org.settings
    limited = profile == INTEGRATION_PROFILE
    rights = dict.fromkeys(OBJECT_RIGHTS, not (limited and sobject in knobs.read_only_objects))
    rights |= {"PermissionsRead": True, "PermissionsViewAllRecords": bool({"ViewAllData", "ModifyAllData"} & allowed)}
    rights["PermissionsModifyAllRecords"] &= "ModifyAllData" in allowed
    parent = shadow_id(profile)
    held = next((row for row in rows.where("ParentId", parent) if rows.value(row, "SobjectType") == sobject), None)
    if limited and sobject in knobs.hidden_objects:
        if held is not None:
            rows.drop(held[0])
        return
    old = rows.record_of(held) if held is not None else {"ParentId": parent, "SobjectType": sobject}
    _put(org, rows, {**old, **rights})


def _put(org: Org, table: Table, values: Mapping[str, Any]) -> None:
    now = org.now()
    stamps = {"CreatedDate": now, "CreatedById": org.admin_user_id}
    changed = {"LastModifiedDate": now, "LastModifiedById": org.admin_user_id, "SystemModstamp": now}
    known = {"Id": values.get("Id") or org.new_id(table)}
    table.put(table.row_of({**stamps, **values, **changed, **known}))
