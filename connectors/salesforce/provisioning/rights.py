"""What a user may do, as Salesforce tells the user itself, without any permission to see setup.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userpermissionaccess.htm
(read 2026-11-28)
"""

from __future__ import annotations

from connectors.errors import PermissionMissing, RequestRefused
from connectors.salesforce import paths, soql
from connectors.salesforce.client import Client
from connectors.salesforce.querying import read_rows

DEPLOY = ("ModifyMetadata", "ModifyAllData")
"""Either of them."""
LABELS = {
    "ApiEnabled": "API Enabled",
    "AssignPermissionSets": "Assign Permission Sets",
    "ModifyAllData": "Modify All Data",
    "ModifyMetadata": "Modify Metadata Through Metadata API Functions",
    "ViewAllData": "View All Data",
    "ViewSetup": "View Setup and Configuration",
}


def rights(client: Client) -> dict[str, bool]:
    """Each permission of LABELS and whether the user has it; empty where Salesforce does not say."""
    query = soql.select([f"Permissions{name}" for name in LABELS], "UserPermissionAccess")
    try:
        rows = [r for page in read_rows(client, query, path=paths.QUERY, may_be_empty=True) for r in page.records]
    except (RequestRefused, PermissionMissing):
        return {}
    told = rows[0] if rows else {}
    return {name: has for name in LABELS if isinstance(has := told.get(f"Permissions{name}"), bool)}


def lacking(held: dict[str, bool]) -> list[str]:
    """Labels of what is needed to provision and is surely not there."""
    # None is not known, and no reason to stop: the call itself will tell.
    missing = [LABELS[name] for name in ("ApiEnabled", "ViewSetup", "AssignPermissionSets") if held.get(name) is False]
    if all(held.get(name) is False for name in DEPLOY):
        missing.append(LABELS["ModifyMetadata"])
    return missing
