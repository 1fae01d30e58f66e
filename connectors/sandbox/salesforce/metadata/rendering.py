"""A custom field as the XML that would make it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.metadata.package import NAMESPACE
from connectors.sandbox.salesforce.metadata.shapes import ordered

_TYPES = {
    "string": "Text",
    "double": "Number",
    "currency": "Currency",
    "percent": "Percent",
    "date": "Date",
    "datetime": "DateTime",
    "boolean": "Checkbox",
    "picklist": "Picklist",
    "multipicklist": "MultiselectPicklist",
    "email": "Email",
    "phone": "Phone",
    "url": "Url",
}
_LONGEST_AREA = 255


def field_xml(one: Field) -> ET.Element:
    """The definition of a custom field, its full name left out."""
    root = ET.Element(NAMESPACE + "CustomField")
    area = "TextArea" if one.length <= _LONGEST_AREA else "LongTextArea"
    values: dict[str, Any] = {"label": one.label, "type": _TYPES.get(one.type, area), "inlineHelpText": one.help}
    if one.type in {"double", "currency", "percent"}:
        values |= {"precision": one.precision, "scale": one.scale}
    if one.type == "string" or values["type"] == "LongTextArea":
        values["length"] = one.length
    if one.type == "boolean":
        values["defaultValue"] = bool(one.default)
    else:
        values["required"] = not one.nillable
    if one.type in {"string", "double", "email"}:
        values |= {"externalId": one.external_id, "unique": one.unique}
    values["trackHistory"] = one.track_history
    for tag, value in values.items():
        if value is not None:
            _put(root, tag, value)
    if one.values:
        _value_set(root, one)
    return ordered(root)


def _value_set(root: ET.Element, one: Field) -> None:
    value_set = _put(root, "valueSet", None)
    _put(value_set, "restricted", one.restricted)
    definition = _put(value_set, "valueSetDefinition", None)
    _put(definition, "sorted", value=False)
    for value in one.values:
        item = _put(definition, "value", None)
        _put(item, "default", value=False)
        _put(item, "label", dict(one.labels).get(value, value))
        _put(item, "fullName", value)


def _put(parent: ET.Element, tag: str, value: Any) -> ET.Element:
    child = ET.SubElement(parent, NAMESPACE + tag)
    if value is not None:
        child.text = str(value).lower() if isinstance(value, bool) else str(value)
    return child
