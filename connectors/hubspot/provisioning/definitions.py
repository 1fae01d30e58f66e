"""Our fields as HubSpot properties: bodies to create them with, and what differs from those that exist.

A percentage is a plain number of percent points with `%` in its label: HubSpot's percentage hint expects a
ratio and would show 45.5 as 4,550 %. https://developers.hubspot.com/docs/api-reference/latest/crm/properties
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kammodel.publish.fields import CustomField, Words

GROUP = "kam"
GROUP_LABEL = Words("Key account management", "Gestión de cuentas clave")
_TYPES = {
    "picklist": ("enumeration", "select"),
    "number": ("number", "number"),
    "percent": ("number", "number"),
    "date": ("date", "date"),
}
_ONE_LINE = 100
"""Longest text that fits a one-line box on a record page."""

Body = dict[str, Any]


def group_body(language: str) -> Body:
    return {"name": GROUP, "label": GROUP_LABEL.in_(language), "displayOrder": -1}


def property_body(field: CustomField, order: int, language: str) -> Body:
    """What POST /crm/v3/properties/companies takes."""
    kind, box = kinds(field)
    body: Body = {
        "name": field.hubspot_name,
        "label": label(field, language),
        "type": kind,
        "fieldType": box,
        "groupName": GROUP,
        "description": field.help.in_(language),
        "displayOrder": order,
        "hasUniqueValue": False,
        "hidden": False,
        "formField": False,
    }
    return body | ({"options": _options(field, language)} if field.options else {})


def kinds(field: CustomField) -> tuple[str, str]:
    """HubSpot's type, which rules the meaning, and field type, which rules the box."""
    return _TYPES.get(field.kind, ("string", "text" if field.length <= _ONE_LINE else "textarea"))


def label(field: CustomField, language: str) -> str:
    return field.label.in_(language) + (" (%)" if field.kind == "percent" else "")


def changes(field: CustomField, existing: Body, language: str) -> Body:
    """What PATCH has to bring: another label or description, and options that are not there yet.

    Options are sent whole, because a list that is sent replaces the one there: those of others stay in it.
    """
    wanted = property_body(field, 0, language)
    body = {key: wanted[key] for key in ("label", "description") if (existing.get(key) or "") != wanted[key]}
    there = [o for o in existing.get("options") or [] if isinstance(o, dict)]
    values = {str(o.get("value")) for o in there}
    added = [o for o in wanted.get("options", []) if o["value"] not in values]
    return body | ({"options": [*(_kept(o) for o in there), *added]} if added else {})


def mismatch(field: CustomField, existing: Body) -> str | None:
    """Why a property of this name cannot serve us: another type, calculated, or read-only though we write it."""
    kind, _ = kinds(field)
    if existing.get("type") != kind:
        return f"{field.hubspot_name} exists with type {existing.get('type')!s:.40}, kam needs {kind}"
    if is_read_only(existing):
        return f"{field.hubspot_name} exists and its values are read-only"
    return None


def is_read_only(existing: Body) -> bool:
    told = existing.get("modificationMetadata")
    return bool(existing.get("calculated")) or (isinstance(told, dict) and told.get("readOnlyValue") is True)


def creation(fields: Sequence[CustomField], language: str, all_fields: Sequence[CustomField]) -> list[Body]:
    """Bodies for the fields, each at its place among all of them."""
    order = {f.key: place for place, f in enumerate(all_fields)}
    return [property_body(f, order[f.key], language) for f in fields]


def _options(field: CustomField, language: str) -> list[Body]:
    return [
        {"label": words.in_(language), "value": value, "displayOrder": order, "hidden": False}
        for order, (value, words) in enumerate(field.options)
    ]


def _kept(option: Body) -> Body:
    return {key: option[key] for key in ("label", "value", "displayOrder", "hidden", "description") if key in option}
