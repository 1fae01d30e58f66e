"""What stands in the way of provisioning and of the first run, found without changing anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from connectors.contract import Finding
from connectors.errors import FieldsNotProvisioned, PermissionMissing, RequestRefused
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record, as_text
from connectors.salesforce.provisioning.automations import TOOLING, automations
from connectors.salesforce.provisioning.components import KIND
from connectors.salesforce.provisioning.custom_fields import full_name, mismatch
from connectors.salesforce.provisioning.found import Found, look_around
from connectors.salesforce.provisioning.rights import DEPLOY, LABELS, lacking, rights
from connectors.salesforce.querying import read_rows
from kammodel.publish.fields import CustomField

_CALLS = 60
"""Calls that provisioning takes at most, with some layouts and a slow deployment."""
_ROOM = (
    f"SELECT Max,Remaining FROM EntityLimit WHERE EntityDefinition.QualifiedApiName = '{KIND}' "  # noqa: S608
    "AND Type = 'CustomFields'"
)
"""What the edition and the org's own agreement allow, less what is there, deleted ones that still count included.
https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_entitylimit.htm
(read 2026-11-28)"""


def preflight(client: Client, admin: Client, fields: Sequence[CustomField]) -> list[Finding]:
    """Errors, warnings and what could not be found out. `admin`: who provisions; `client`: who writes at night."""
    held = rights(admin)
    missing = lacking(held)
    told = _described(client)
    findings = [Finding("error", "provision", f"the user that provisions lacks the permission {m}") for m in missing]
    if not held:
        findings.append(Finding("unknown", "provision", "Salesforce does not say what the provisioning user may do"))
    findings += of_account(told, fields)
    findings += _of_fields(admin, told, fields, may_look=any(held.get(n) is not False for n in DEPLOY))
    findings += _of_sharing(held if client is admin else rights(client))
    findings += automations(admin)
    left = admin.calls_left
    if left is None:
        findings.append(Finding("unknown", "provision", "Salesforce does not say how many API calls are left today"))
    elif left < _CALLS:
        text = f"{left} API calls are left today; provisioning takes up to {_CALLS}"
        findings.append(Finding("warning", "provision", text))
    return findings


def refuse_impossible(admin: Client) -> None:
    """Raises FieldsNotProvisioned where a permission to provision is surely missing."""
    missing = lacking(rights(admin))
    if missing:
        raise FieldsNotProvisioned(f"nothing was provisioned: grant the user that provisions {', '.join(missing)}")


def refuse_mismatches(found: Found, fields: Sequence[CustomField]) -> None:
    """Raises FieldsNotProvisioned, which names every field of our name that cannot serve."""
    faults = _mismatches(found, fields)
    if faults:
        raise FieldsNotProvisioned(f"{'; '.join(faults)}: rename or delete it in Salesforce, then provision again")


def _mismatches(found: Found, fields: Sequence[CustomField]) -> list[str]:
    there = [(found.fields[full_name(f)], f) for f in fields if full_name(f) in found.fields]
    return [why for node, f in there if (why := mismatch(node, f))]


def _described(client: Client) -> Record:
    return client.get(paths.describe(KIND), purpose="other", asks=f"read access to the object {KIND}")


def of_account(told: Record, fields: Sequence[CustomField]) -> Iterator[Finding]:
    """What describe of Account tells to the user that writes: whether it may edit, and of record types."""
    if told.get("updateable") is False:
        yield Finding(
            "error", "run", f"the user that kam signs in as lacks Edit on {KIND}: grant it, or nothing is written"
        )
    elif told.get("updateable") is not True:
        yield Finding("unknown", "run", f"Salesforce does not say whether kam's user may edit {KIND}")
    kinds = told.get("recordTypeInfos")
    named = [k for k in kinds if isinstance(k, dict) and k.get("master") is not True] if isinstance(kinds, list) else []
    people = [f.salesforce_name for f in fields if f.options and not f.ours]
    if named and people:
        text = (
            f"{KIND} has record types: people can choose values of {', '.join(people)} only once an admin has added "
            "them to each record type"
        )
        yield Finding("warning", "provision", text)


def _of_fields(admin: Client, told: Record, fields: Sequence[CustomField], *, may_look: bool) -> Iterator[Finding]:
    try:
        found = look_around(admin, fields, with_layouts=False) if may_look else None
    except PermissionMissing:
        found = None
    if found is None:
        text = (
            "which of our fields exist, and with which type, cannot be read without the permission to modify metadata"
        )
        yield Finding("unknown", "provision", text)
        return
    for why in _mismatches(found, fields):
        yield Finding("error", "provision", f"{why}: rename or delete it in Salesforce")
    described = told.get("fields")
    seen = {str(f.get("name")): f for f in described if isinstance(f, dict)} if isinstance(described, list) else {}
    hidden = [
        f.salesforce_name
        for f in fields
        if full_name(f) in found.fields and not is_usable(seen.get(f.salesforce_name), f)
    ]
    if hidden:
        text = f"field-level security keeps from kam's user: {', '.join(hidden)}; provisioning grants it"
        yield Finding("warning", "provision", text)
    absent = sum(full_name(f) not in found.fields for f in fields)
    if absent:
        yield from _of_room(admin, found.custom_fields, absent)


def is_usable(told: Mapping[str, object] | None, field: CustomField) -> bool:
    """Whether describe shows a field, and lets its user edit it if it is ours."""
    # Where describe says nothing of editing, the write itself will tell.
    return told is not None and (not field.ours or told.get("updateable") is not False)


def _of_room(admin: Client, there: int, needed: int) -> Iterator[Finding]:
    try:
        rows = [r for page in read_rows(admin, _ROOM, path=TOOLING, may_be_empty=True) for r in page.records]
    except (RequestRefused, PermissionMissing):
        rows = []
    left = as_text(rows[0].get("Remaining")) if rows else None
    if left is None or not left.isdecimal():
        text = f"how many more custom fields {KIND} takes is not known: it has {there}, and kam needs {needed} more"
        yield Finding("unknown", "provision", text)
    elif int(left) < needed:
        text = f"{KIND} takes {left} more custom fields and kam needs {needed}: delete some, and erase deleted ones"
        yield Finding("error", "provision", text)


def _of_sharing(held: Mapping[str, bool]) -> Iterator[Finding]:
    name = LABELS["ViewAllData"]
    if not held:
        yield Finding("unknown", "run", f"Salesforce does not say whether kam's user has {name}")
    elif held.get("ViewAllData") is False:
        text = f"kam's user lacks {name}: records that sharing rules hide are missing without a sign"
        yield Finding("warning", "run", text)
