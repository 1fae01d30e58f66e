"""What on Account runs when kam writes: validation rules, triggers and record-triggered flows that are active.

https://developer.salesforce.com/docs/atlas.en-us.api_tooling.meta/api_tooling/tooling_api_objects_validationrule.htm,
tooling_api_objects_apextrigger.htm; object reference, FlowDefinitionView (read 2026-11-28)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connectors.contract import Finding
from connectors.errors import PermissionMissing, RequestRefused
from connectors.salesforce import paths
from connectors.salesforce.client import Client
from connectors.salesforce.frames import Record
from connectors.salesforce.provisioning.components import KIND
from connectors.salesforce.querying import read_rows

TOOLING = "/tooling/query"
_MOST_NAMES = 20


@dataclass(frozen=True)
class _Sort:
    what: str
    query: str
    path: str
    name: str
    runs: Callable[[Record], bool]


_SORTS = (
    _Sort(
        "validation rules",
        "SELECT ValidationName,Active FROM ValidationRule "  # noqa: S608 - constants
        f"WHERE EntityDefinition.QualifiedApiName = '{KIND}' AND Active = true",
        TOOLING,
        "ValidationName",
        lambda row: row.get("Active") is True,
    ),
    _Sort(
        "triggers",
        "SELECT Name,Status,UsageBeforeUpdate,UsageAfterUpdate FROM ApexTrigger "  # noqa: S608
        f"WHERE TableEnumOrId = '{KIND}'",
        TOOLING,
        "Name",
        lambda row: (
            row.get("Status") == "Active" and True in {row.get("UsageBeforeUpdate"), row.get("UsageAfterUpdate")}
        ),
    ),
    _Sort(
        "record-triggered flows",
        "SELECT ApiName,TriggerType,RecordTriggerType FROM FlowDefinitionView "  # noqa: S608
        f"WHERE IsActive = true AND TriggerObjectOrEvent.QualifiedApiName = '{KIND}'",
        paths.QUERY,
        "ApiName",
        lambda row: "Save" in str(row.get("TriggerType")) and row.get("RecordTriggerType") != "Create",
    ),
)


def automations(admin: Client) -> list[Finding]:
    """One warning per sort that there is, by name; what cannot be read is said to be unknown."""
    return [found for sort in _SORTS if (found := _finding(admin, sort)) is not None]


def _finding(admin: Client, sort: _Sort) -> Finding | None:
    try:
        pages = read_rows(admin, sort.query, path=sort.path, may_be_empty=True)
        names = sorted(str(row.get(sort.name)) for page in pages for row in page.records if sort.runs(row))
    except (RequestRefused, PermissionMissing):
        text = f"active {sort.what} on {KIND} cannot be read: grant the user View Setup and Configuration to see them"
        return Finding("unknown", "run", text)
    if not names:
        return None
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    text = f"active {sort.what} on {KIND}, which every write of kam sets off: {', '.join(names[:_MOST_NAMES])}{more}"
    return Finding("warning", "run", text)
