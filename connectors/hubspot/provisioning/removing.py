"""Takes away what provisioning made: our properties, then their group.

Each step goes by what there is: a run that was stopped is finished by the next. Only our own names are touched.
Archived properties lie in HubSpot's bin for 90 days, and come back with their values when they are made again.
https://developers.hubspot.com/docs/api-reference/latest/crm/properties/guide (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.contract import Part, Removal
from connectors.errors import PermissionMissing, RequestRefused
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.provisioning.definitions import GROUP
from connectors.hubspot.provisioning.making import KIND, SCOPE, has_property_group, properties
from kammodel.publish.fields import CustomField

READ_SCOPE = "crm.objects.companies.read"
IN_USE = "CANNOT_DELETE_PROPERTY_IN_USE"


def removal(client: Client, fields: Sequence[CustomField]) -> Removal:
    """What `remove` would take away, with how many companies hold a value in each property. Changes nothing."""
    listed = properties(client, archived=False)
    there = [f for f in fields if f.hubspot_name in listed]
    names = {f.hubspot_name for f in there}
    # HubSpot keeps a group in which somebody has put properties of their own.
    is_ours = all(one.get("groupName") != GROUP or name in names for name, one in listed.items())
    goes = is_ours and has_property_group(client)
    return Removal(
        fields={f.hubspot_name: _held(client, f) for f in there},
        typed_by_people=tuple(f.hubspot_name for f in there if not f.ours),
        parts=(Part("property group", GROUP, "removed"),) if goes else (),
    )


def remove(client: Client, fields: Sequence[CustomField], *, dry_run: bool) -> Removal:
    """Takes it away; what it did, in the words of `removal`. Raises RequestRefused, once all others are gone, where
    something in HubSpot still uses a property. `dry_run`: nothing is sent."""
    told = removal(client, fields)
    if dry_run:
        return told
    used = [name for name in told.fields if not _archive(client, name)]
    if used:
        text = f"HubSpot uses {', '.join(used)} in a calculation: take it out there, then remove again"
        raise RequestRefused(text, code=IN_USE, status=400)
    if told.parts:
        _delete(client, paths.property_group(KIND, GROUP))
    return told


def _archive(client: Client, name: str) -> bool:
    """False where the property is in use."""
    try:
        _delete(client, paths.property_(KIND, name))
    except RequestRefused as fault:
        if fault.code != IN_USE:
            raise
        return False
    return True


def _delete(client: Client, path: str) -> None:
    try:
        client.request("DELETE", path, purpose="other", scope=SCOPE)
    except RequestRefused as fault:
        # Gone already, or an answer that was lost.
        if fault.status != 404:
            raise


def _held(client: Client, field: CustomField) -> int | None:
    """Companies with a value in a property; None where HubSpot does not say."""
    has = {"propertyName": field.hubspot_name, "operator": "HAS_PROPERTY"}
    body = {"filterGroups": [{"filters": [has]}], "limit": 1}
    try:
        answer = client.post(paths.search(KIND), body, purpose="other", pool="search", scope=READ_SCOPE)
    except (RequestRefused, PermissionMissing):
        return None
    total = answer.body.get("total")
    return total if isinstance(total, int) and not isinstance(total, bool) else None
