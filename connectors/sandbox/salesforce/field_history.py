"""Writes the field history of an account or opportunity when a tracked field changes, and tells who may see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.access import Access
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.objects.history import OF
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

CREATED = "created"
"""What stands in Field of the row that a new record leaves."""

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

_LONGEST = 255
"""Of longer fields, and of those with several choices, it is kept that they changed, and not their values."""
_Change = tuple[str, str | None, Any, Any]


def tracked_fields(org: Org, table: Table) -> frozenset[str]:
    """Names of the fields whose changes are kept; none where the object itself has no history tracking."""
    if OF.get(table.name, "").lower() not in org.tables:
        return frozenset()
    if table.name == "Opportunity":
        return org.settings.tracked_fields
    return org.settings.tracked_account_fields | {one.name for one in table.fields if one.track_history}


def write_field_history(
    org: Org, table: Table, new: Mapping[str, Any], old: Mapping[str, Any] | None, by: str | None
) -> None:
    """A row per tracked field that changed; two of them for a lookup, with the names and with the ids."""
    history = org.tables.get(OF[table.name].lower())
    if history is None:
        return
    now = org.now()
    for field, kind, before, after in _changes(org, table, new, old):
        record = {one.name: None for one in history.fields} | {
            "Id": org.new_id(history),
            "IsDeleted": False,
            f"{table.name}Id": new["Id"],
            "CreatedById": by or org.admin_user_id,
            "CreatedDate": now,
            "Field": field,
            "DataType": kind,
            "OldValue": before,
            "NewValue": after,
        }
        org.save(history, record, None, by, quiet=True)


def seen_by(access: Access, table: Table, tables: Mapping[str, Table]) -> Callable[[Row], bool] | None:
    """Whether a row of a field history may be seen, which is where its field may be; None for other objects."""
    parent = next((tables.get(of.lower()) for of, name in OF.items() if name == table.name), None)
    if parent is None:
        return None
    hidden = {n for one in parent.fields if not access.reads(parent.sobject, one) for n in (one.name, one.relationship)}
    place = table.position["field"]
    return lambda row: row[place] not in hidden


def forget_field(org: Org, table: Table, name: str) -> None:
    """A custom field that is deleted takes its history along."""
    history = org.tables.get(OF.get(table.name, "").lower())
    if history is not None:
        for row in list(history.where("Field", name)):
            history.drop(row[0])


def _changes(org: Org, table: Table, new: Mapping[str, Any], old: Mapping[str, Any] | None) -> Iterator[_Change]:
    tracked = tracked_fields(org, table)
    if old is None:
        if tracked:
            yield CREATED, None, None, None
        return
    for name in sorted(tracked):
        field = table.field(name)
        if field is None or old[field.name] == new[field.name]:
            continue
        before, after = old[field.name], new[field.name]
        if field.type == "reference":
            yield field.relationship or name, "Text", _name(org, field, before), _name(org, field, after)
        elif field.type == "multipicklist" or (field.type in {"string", "textarea"} and field.length > _LONGEST):
            before = after = None
        elif field.type == "picklist" and org.settings.history_holds_labels:
            before, after = (dict(field.labels).get(value, value) for value in (before, after))
        yield field.relationship or field.name, DATA_TYPES.get(field.type, "Text"), before, after


def _name(org: Org, field: Field, record_id: str | None) -> str | None:
    for target in field.refers_to:
        table = org.tables.get(target.lower())
        row = table.rows.get(record_id or "") if table is not None else None
        if table is not None and row is not None:
            return str(table.value(row, "Name"))
    return None
