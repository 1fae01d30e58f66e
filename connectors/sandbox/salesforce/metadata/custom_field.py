"""CustomField: from its XML to a field of an object, with the checks of a real deploy."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, text_of
from connectors.sandbox.salesforce.metadata.shapes import Problem
from connectors.sandbox.salesforce.metadata.types import check_type
from connectors.sandbox.salesforce.refusals import unknown_to_sandbox

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*(?<!_)__c")
_LABEL, _API_NAME, _DESCRIPTION, _HELP, _TEXT, _DIGITS = 40, 40, 1000, 510, 255, 18
_TYPES = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Checkbox": "boolean",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
}
_ELSEWHERE = frozenset(
    {
        "AutoNumber", "Lookup", "MasterDetail", "Html", "EncryptedText", "Summary", "Hierarchy", "File", "Time",
        "Location", "ExternalLookup", "IndirectLookup", "MetadataRelationship",
    }
)  # fmt: skip
_LENGTHS = {"TextArea": 255, "Email": 80, "Phone": 40, "Url": 255, "Picklist": 255, "MultiselectPicklist": 4099}


def custom_field(xml: ET.Element, existing: Field | None) -> Field:
    """The field that the XML defines. Raises Problem; Refusal for a type that the sandbox does not know."""
    check_type(xml, "CustomField")
    name, label, kind = (text_of(xml, tag) for tag in ("fullName", "label", "type"))
    _check_names(name, label)
    if kind in _ELSEWHERE:
        raise unknown_to_sandbox(f"CustomField of type {kind}")
    if kind not in _TYPES:
        raise Problem(f"'{kind}' is not a valid value for the enum 'FieldType'" if kind else _must("type", None))
    if existing is not None and existing.type != _TYPES[kind]:
        raise Problem(f"Cannot change type of {name} from {existing.type} to {kind}")
    _check_length(xml, "description", _DESCRIPTION)
    _check_length(xml, "inlineHelpText", _HELP)
    required = _flag(xml, "required")
    base = Field(
        name=str(name),
        label=str(label),
        type=_TYPES[kind],  # type: ignore[arg-type]
        custom=True,
        help=text_of(xml, "inlineHelpText"),
        length=_LENGTHS.get(kind, 0),
        nillable=not required,
        permissionable=not required,
        track_history=_flag(xml, "trackHistory"),
    )
    return replace(base, **_of_type(xml, kind))


def _check_names(name: str | None, label: str | None) -> None:
    if name is None or not _NAME.fullmatch(name):
        raise Problem(
            f"The custom field API Name you provided {name} on object can only contain alphanumeric characters, must "
            "begin with a letter, cannot end with an underscore or contain two consecutive underscore characters, and "
            "must end with __c"
        )
    if len(name) > _API_NAME + 3:
        raise Problem(f"Value too long for field: DeveloperName maximum length is:{_API_NAME}")
    if label is None:
        raise Problem(_must("label", None))
    if len(label) > _LABEL:
        raise Problem(f"Value too long for field: MasterLabel maximum length is:{_LABEL}")


def _of_type(xml: ET.Element, kind: str) -> dict[str, Any]:
    if kind in {"Number", "Currency", "Percent"}:
        precision, scale = _whole(xml, "precision", kind), _whole(xml, "scale", kind)
        if not 1 <= precision <= _DIGITS:
            raise Problem(f"Precision must be between 1 and {_DIGITS}: {precision}")
        if not 0 <= scale <= precision:
            raise Problem(f"Scale must be between 0 and the precision: {scale}")
        return {"precision": precision, "scale": scale} | _keys(xml)
    if kind == "Text":
        length = _whole(xml, "length", kind)
        if not 1 <= length <= _TEXT:
            raise Problem(f"Text length must be between 1 and {_TEXT}: {length}")
        return {"length": length, "case_sensitive": _flag(xml, "caseSensitive")} | _keys(xml)
    if kind == "LongTextArea":
        _whole(xml, "visibleLines", kind)
        return {"length": _whole(xml, "length", kind), "filterable": False, "sortable": False}
    if kind == "Checkbox":
        if text_of(xml, "defaultValue") is None:
            raise Problem(_must("defaultValue", kind))
        return {"default": _flag(xml, "defaultValue"), "nillable": False}
    if kind in {"Picklist", "MultiselectPicklist"}:
        return _value_set(xml, kind)
    return _keys(xml) if kind == "Email" else {}


def _keys(xml: ET.Element) -> dict[str, Any]:
    return {"external_id": _flag(xml, "externalId"), "unique": _flag(xml, "unique")}


def _value_set(xml: ET.Element, kind: str) -> dict[str, Any]:
    value_set = xml.find(NAMESPACE + "valueSet")
    if value_set is None:
        raise Problem(_must("valueSet", kind))
    definition = value_set.find(NAMESPACE + "valueSetDefinition")
    if text_of(value_set, "valueSetName") is not None:
        raise unknown_to_sandbox("global value set")
    if definition is None:
        raise Problem(_must("valueSetDefinition", kind))
    values, labels = [], []
    for value in definition.findall(NAMESPACE + "value"):
        full_name = text_of(value, "fullName")
        if full_name is None or text_of(value, "default") is None:
            raise Problem("Required field is missing: valueSetDefinition.value needs fullName and default")
        values.append(full_name)
        labels.append((full_name, text_of(value, "label") or full_name))
    if not values or len({value.lower() for value in values}) < len(values):
        raise Problem("Duplicate or no picklist values")
    if len({label.lower() for _, label in labels}) < len(labels):
        raise Problem("Duplicate picklist labels")
    return {"values": tuple(values), "labels": tuple(labels), "restricted": _flag(value_set, "restricted")}


def _must(tag: str, kind: str | None) -> str:
    return f"Must specify '{tag}' for a CustomField" + (f" of type {kind}" if kind else "")


def _whole(xml: ET.Element, tag: str, kind: str) -> int:
    found = text_of(xml, tag)
    if found is None:
        raise Problem(_must(tag, kind))
    if not found.isdigit():
        raise Problem(f"'{found}' is not a valid value for the type xsd:int")
    return int(found)


def _flag(xml: ET.Element, tag: str) -> bool:
    found = text_of(xml, tag)
    if found not in {None, "true", "false"}:
        raise Problem(f"'{found}' is not a valid value for the type xsd:boolean")
    return found == "true"


def _check_length(xml: ET.Element, tag: str, longest: int) -> None:
    if len(text_of(xml, tag) or "") > longest:
        raise Problem(f"Value too long for field: {tag} maximum length is:{longest}")
