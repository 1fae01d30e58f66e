"""What an administrator does to a custom field that is in use: another API name, another type.

Standard fields have neither done to them. A new API name takes the field's values, permissions and places on pages
along; from then on the old one is an INVALID_FIELD. A new type keeps what can be kept: texts and numbers as what of
the two they can be read as; other values are lost, as Setup warns. Neither is said to move the stamps of records, hence
they stay where they were.
https://help.salesforce.com/s/articleView?id=platform.notes_on_changing_custom_field_types.htm (read 2026-11-29)
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce.fields import NUMBERS, TEXTS, Field, Type
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.values import WrongType, stored

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

_LENGTHS = {"phone": 40, "email": 80, "textarea": 32_000}
_LINE = 255


def rename_field(org: Org, sobject: str, name: str, new_name: str) -> None:
    """Another API name. Raises LookupError where there is no such custom field, ValueError where the name is taken."""
    with org.lock:
        table = org.table(sobject)
        field = _custom(table, name)
        if table.field(new_name) is not None or not new_name.lower().endswith("__c"):
            raise ValueError(f"{sobject}.{new_name} is taken, or no name of a custom field")
        table.rename_field(field.name, replace(field, name=new_name))
        _move_permissions(org, f"{table.name}.{field.name}", f"{table.name}.{new_name}")
        _move_places(org, table.name, field.name, new_name)
        org.changes += 1


def retype_field(org: Org, sobject: str, name: str, type_: Type, **more: Any) -> None:
    """Another type; `more`: what else is then to be said of the field, such as `values` or `scale`. Raises LookupError
    where there is no such custom field, ValueError where its values are worked out."""
    with org.lock:
        table = org.table(sobject)
        field = _custom(table, name)
        if field.calculated or field.auto_number:
            raise ValueError(f"{sobject}.{name}: the type of a formula cannot be changed")
        changed = replace(field, type=type_, **(_room(field, type_) | more))
        place = table.position[field.name.lower()]
        table.replace_field(changed)
        rows = []
        for row in table.rows.values():
            new = list(row)
            new[place] = _converted(field, changed, row[place])
            rows.append(new)
        table.load(rows)
        org.changes += 1


def _custom(table: Table, name: str) -> Field:
    field = table.field(name)
    if field is None or not field.custom:
        raise LookupError(f"{table.name} has no custom field {name}")
    return field


def _room(field: Field, type_: Type) -> dict[str, Any]:
    """Length, or digits, as Setup would suggest them."""
    if type_ in TEXTS:
        return {"length": _LENGTHS.get(type_, _LINE), "precision": 0, "scale": 0, "default": None, "nillable": True}
    if type_ in NUMBERS:
        scale = field.scale if field.type in NUMBERS else 2
        return {"length": 0, "precision": 18, "scale": scale, "default": None, "nillable": True}
    return {"length": 0, "precision": 0, "scale": 0, "nillable": type_ != "boolean", "default": _default(type_)}


def _default(type_: Type) -> bool | None:
    return False if type_ == "boolean" else None


def _converted(before: Field, after: Field, value: Any) -> Any:
    if value is None:
        return after.default
    if not {before.type, after.type} <= TEXTS | NUMBERS:
        return after.default
    try:
        return stored(after, _digits(value) if before.type in NUMBERS and after.type in TEXTS else value)
    except WrongType:
        return after.default


def _digits(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)


def _move_permissions(org: Org, old: str, new: str) -> None:
    permissions = org.table("FieldPermissions")
    place = permissions.position["field"]
    for row in permissions.where("Field", old):
        changed = list(row)
        changed[place] = new
        permissions.put(changed)


def _move_places(org: Org, sobject: str, old: str, new: str) -> None:
    """Layouts and list views name a field by its API name."""
    held = org.metadata
    kept = [held.layouts[name].xml for name in held.layouts if name.partition("-")[0] == sobject]
    kept += [held.list_views[name].xml for name in held.list_views if name.partition(".")[0] == sobject]
    for xml in kept:
        for one in xml.iter():
            if (one.text or "").strip().lower() == old.lower():
                one.text = new
