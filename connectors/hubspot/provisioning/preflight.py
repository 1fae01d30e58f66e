"""What stands in the way of provisioning and of the first run, found without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from connectors.contract import Finding
from connectors.errors import PermissionMissing, RequestRefused, TryAgainLater
from connectors.hubspot import paths
from connectors.hubspot.client import Client
from connectors.hubspot.provisioning.making import KIND, SCOPE, mismatches, properties
from kammodel.publish.fields import CustomField

WRITE_SCOPE = "crm.objects.companies.write"
_TYPE_ID = "0-2"
_CALLS = 40
"""Calls that provisioning takes at most, one by one in a portal that takes no batches."""
About = Literal["provision", "run"]


def preflight(client: Client, fields: Sequence[CustomField]) -> list[Finding]:
    """Errors, warnings and what could not be found out."""
    there, bin_ = properties(client, archived=False), properties(client, archived=True)
    findings = [
        Finding("error", "provision", f"{why}: rename or delete it in HubSpot")
        for why in mismatches(fields, bin_ | there)
    ]
    absent = [f for f in fields if f.hubspot_name not in there]
    findings += _of_scope(client, paths.batch_create_properties(KIND), SCOPE, "provision")
    findings += _of_scope(client, paths.batch_update(KIND), WRITE_SCOPE, "run")
    findings += _of_room(client, len(absent)) if absent else ()
    left = client.daily_left
    if left is not None and left < _CALLS:
        text = f"{left} API calls are left today; provisioning takes up to {_CALLS}"
        findings.append(Finding("warning", "provision", text))
    return findings


def _of_scope(client: Client, path: str, scope: str, about: About) -> Iterator[Finding]:
    """A batch of nothing changes nothing: it is refused for its emptiness by who may write, else for the scope."""
    try:
        client.post(path, {"inputs": []}, purpose="other", scope=scope, optional=True)
    except PermissionMissing:
        then = "or no property is made" if about == "provision" else "or nothing is written"
        yield Finding("error", about, f"the token lacks the scope {scope}: grant it, {then}")
    except TryAgainLater:
        yield Finding("unknown", about, f"HubSpot does not say whether the token has the scope {scope}")
    except RequestRefused as fault:
        if fault.status in {404, 405}:
            yield Finding("unknown", about, f"HubSpot does not say whether the token has the scope {scope}")


def _of_room(client: Client, needed: int) -> Iterator[Finding]:
    """https://developers.hubspot.com/docs/api-reference/latest/crm/limits-tracking/guide (read 2026-11-28)"""
    left: int | None = None
    try:
        body = client.get(paths.CUSTOM_PROPERTY_LIMITS, purpose="other", optional=True).body
    except (RequestRefused, PermissionMissing, TryAgainLater):
        body = {}
    kinds = body.get("byObjectType")
    for one in kinds if isinstance(kinds, list) else ():
        if isinstance(one, dict) and one.get("objectTypeId") == _TYPE_ID:
            limit, usage = one.get("limit"), one.get("usage")
            left = limit - usage if isinstance(limit, int) and isinstance(usage, int) else None
    if left is None:
        text = f"how many more properties companies take is not known; kam needs {needed} more"
        yield Finding("unknown", "provision", text)
    elif left < needed:
        text = f"companies take {left} more custom properties and kam needs {needed}: delete some"
        yield Finding("error", "provision", text)
