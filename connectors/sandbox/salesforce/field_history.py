"""Writes OpportunityFieldHistory when a tracked field of an opportunity changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.fields import Field

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

CREATED = "created"
"""What stands in Field of the row that a new opportunity leaves."""

DATA_TYPES = {
    "boolean": "Boolean",
    "currency": "Currency",
    "date": "DateOnly",
    "datetime": "DateTime",
    "double": "Double",
    "percent": "Percent",
    "picklist": "DynamicEnum",
    "reference": "EntityId",
}
"""Type of a field -> DataType of its history; all else is Text."""

_Change = tuple[str, str | None, Any, Any]


def write_field_history(org: Org, new: Mapping[str, Any], old: Mapping[str, Any] | None, by: str | None) -> None:
    """A row per tracked field that changed; two of them for a lookup, with the names and with the ids."""
    history = org.tables.get("opportunityfieldhistory")
    if history is None:
        return
    now = org.now()
    for field, kind, before, after in _changes(org, new, old):
        record = {one.name: None for one in history.fields} | {
            "Id": org.new_id(history),
            "IsDeleted": False,
            "OpportunityId": new["Id"],
            "CreatedById": by or org.admin_user_id,
            "CreatedDate": now,
            "Field": field,
            "DataType": kind,
            "OldValue": before,
            "NewValue": after,
        }
        org.save(history, record, None, by, quiet=True)


def _changes(org: Org, new: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[_Change]:
    if old is None:
        yield CREATED, None, None, None
        return
    for name in sorted(org.settings.tracked_fields):
        field = org.table("Opportunity").field(name)
        if field is None or old[field.name] == new[field.name]:
            continue
        before, after = old[field.name], new[field.name]
        if field.type == "reference":
            yield field.relationship or name, "Text", _name(org, field, before), _name(org, field, after)
        yield field.relationship or field.name, DATA_TYPES.get(field.type, "Text"), before, after


def _name(org: Org, field: Field, record_id: str | None) -> str | None:
    for target in field.refers_to:
        table = org.tables.get(target.lower())
        row = table.rows.get(record_id or "") if table is not None else None
        if table is not None and row is not None:
            return str(table.value(row, "Name"))
    return None
