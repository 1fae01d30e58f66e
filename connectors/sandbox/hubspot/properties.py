"""Properties: list, get, create one or many, change, archive; a name that was archived comes back when made again."""

from __future__ import annotations

import re
from typing import Any

from connectors.sandbox.hubspot.access import need, need_definitions
from connectors.sandbox.hubspot.asking import Ask, Reply, checked_object, listed
from connectors.sandbox.hubspot.catalog import options_of
from connectors.sandbox.hubspot.definitions import (
    FIELD_TYPES,
    NUMBER_DISPLAY_HINTS,
    PROPERTY_TYPES,
    Option,
    PropertyDefinition,
)
from connectors.sandbox.hubspot.instants import iso
from connectors.sandbox.hubspot.kinds import Kind
from connectors.sandbox.hubspot.refusals import Json, Refusal, error_body, invalid, not_found

_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_REQUIRED = ("name", "label", "type", "fieldType", "groupName")
_CHANGEABLE = {
    "label": "label",
    "description": "description",
    "groupName": "group",
    "displayOrder": "display_order",
    "hidden": "hidden",
    "formField": "form_field",
    "showCurrencySymbol": "show_currency_symbol",
    "currencyPropertyName": "currency_property_name",
    "numberDisplayHint": "number_display_hint",
    "calculationFormula": "calculation_formula",
}
_PATCH = ("type", "fieldType", "options", *_CHANGEABLE)
_POST = ("name", "hasUniqueValue", "externalOptions", "referencedObjectType", "dataSensitivity", *_PATCH)
_OPTION = ("label", "value", "displayOrder", "hidden", "description")
_BATCH = 100


def list_properties(ask: Ask) -> Reply:
    """`GET /crm/v3/properties/{kind}`: all at once, in use or archived."""
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    there = ask.portal.catalog.all(kind, archived=ask.flag("archived"))
    found = (one for one in there if not _is_hidden(ask, kind, one.name))
    return Reply(200, {"results": [definition.as_json() for definition in found]})


def get_property(ask: Ask) -> Reply:
    """`GET /crm/v3/properties/{kind}/{name}`."""
    kind = ask.kind()
    need_definitions(ask.portal, kind)
    catalog, name = ask.portal.catalog, ask.path["name"]
    found = catalog.archived(kind, name) if ask.flag("archived") else catalog.get(kind, name)
    if found is None or _is_hidden(ask, kind, name) or found.usable_from > ask.portal.now_ms():
        raise not_found(name)
    return Reply(200, found.as_json())


def create_property(ask: Ask) -> Reply:
    """`POST /crm/v3/properties/{kind}`: 409 where the name is taken."""
    kind = ask.kind()
    need(ask.portal, *kind.schema_scopes)
    body = ask.body(*_POST)
    _checked(ask, kind, body)
    if ask.portal.catalog.get(kind, body["name"]) is not None:
        raise Refusal(409, _taken(body["name"]))
    return Reply(201, _put(ask, kind, body).as_json())


def create_properties(ask: Ask) -> Reply:
    """`POST …/batch/create`: those whose name is taken make it a 207."""
    kind = ask.kind()
    need(ask.portal, *kind.schema_scopes)
    inputs = listed(ask.body("inputs"), "inputs", _BATCH, least=1)
    for entry in inputs:
        _checked(ask, kind, checked_object(entry, _POST, "inputs"))
    results: list[Json] = []
    errors: list[Json] = []
    for entry in inputs:
        if ask.portal.catalog.get(kind, entry["name"]) is not None:
            errors.append(_taken(entry["name"]) | {"context": {"name": [entry["name"]]}})
        else:
            results.append(_put(ask, kind, entry).as_json())
    now = iso(ask.portal.now_ms())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
    return Reply(207 if errors else 201, body)


def change_property(ask: Ask) -> Reply:
    """`PATCH /crm/v3/properties/{kind}/{name}`: options that are sent replace the whole list."""
    kind, name = ask.kind(), ask.path["name"]
    need(ask.portal, *kind.schema_scopes)
    definition = ask.portal.catalog.get(kind, name)
    if definition is None:
        raise not_found(name)
    body = ask.body(*_PATCH)
    if definition.hubspot_defined:
        raise invalid(f"Property {name} is defined by HubSpot and cannot be changed")
    if body.get("type", definition.type) != definition.type:
        raise invalid(f"The type of property {name} cannot be changed while it holds values")
    _check_group(ask, kind, body.get("groupName", definition.group))
    for key, attribute in _CHANGEABLE.items():
        if key in body:
            setattr(definition, attribute, body[key])
    if "options" in body:
        definition.options = _options(body)
    definition.field_type = body.get("fieldType", definition.field_type)
    definition.updated_at = ask.portal.now_ms()
    return Reply(200, definition.as_json())


def archive_property(ask: Ask) -> Reply:
    """`DELETE /crm/v3/properties/{kind}/{name}`: its values wait for it to be made again."""
    kind, name = ask.kind(), ask.path["name"]
    need(ask.portal, *kind.schema_scopes)
    _archive(ask, kind, name)
    return Reply(204)


def archive_properties(ask: Ask) -> Reply:
    """`POST …/batch/archive`: inputs `{name}`."""
    kind = ask.kind()
    need(ask.portal, *kind.schema_scopes)
    for entry in listed(ask.body("inputs"), "inputs", _BATCH):
        name = checked_object(entry, ("name",), "inputs").get("name")
        if ask.portal.catalog.get(kind, str(name)) is not None:
            _archive(ask, kind, str(name))
    return Reply(204)


def _is_hidden(ask: Ask, kind: Kind, name: str) -> bool:
    return f"{kind.name}.{name}" in ask.portal.settings.hidden_properties


def _archive(ask: Ask, kind: Kind, name: str) -> None:
    definition = ask.portal.catalog.get(kind, name)
    if definition is None:
        raise not_found(name)
    if definition.hubspot_defined:
        raise invalid(f"Property {name} is defined by HubSpot and cannot be archived")
    formulas = (d.calculation_formula or "" for d in ask.portal.catalog.all(kind))
    if any(re.search(rf"\b{name}\b", formula) for formula in formulas):
        raise Refusal(400, error_body(f"Property {name} is used in a calculation", "CANNOT_DELETE_PROPERTY_IN_USE"))
    definition.archived_at = ask.portal.now_ms()


def _checked(ask: Ask, kind: Kind, body: Json) -> None:
    lacking = [key for key in _REQUIRED if not isinstance(body.get(key), str) or not body[key]]
    if lacking:
        raise invalid(f"Some required fields were not set: {lacking}")
    if not _NAME.fullmatch(body["name"]):
        raise invalid(f"Invalid property name {body['name']}: lower case letters, digits and _, a letter first")
    if body["type"] not in PROPERTY_TYPES or body["fieldType"] not in FIELD_TYPES[body["type"]]:
        raise invalid(f"Property type {body['type']} cannot have the field type {body['fieldType']}")
    hint = body.get("numberDisplayHint")
    if hint is not None and hint not in NUMBER_DISPLAY_HINTS:
        raise invalid(f"Invalid numberDisplayHint {hint}")
    _check_group(ask, kind, body["groupName"])
    _options(body)


def _check_group(ask: Ask, kind: Kind, name: str) -> None:
    if ask.portal.catalog.group(kind, name) is None:
        raise invalid(f"The property group {name} does not exist", context={"groupName": [name]})


def _options(body: Json) -> list[Option]:
    """The options of a body; a bool gets HubSpot's own."""
    rows: list[Any] = body.get("options") or []
    if body.get("type") == "bool" and not rows:
        return [Option("true", "True", 0), Option("false", "False", 1)]
    for row in rows:
        checked_object(row, _OPTION, "options")
        if not row.get("label") or row.get("value") in {None, ""}:
            raise invalid("Every option needs a label and a value")
    values = [row["value"] for row in rows]
    if len(set(values)) < len(values):
        raise invalid("Property option values must be unique")
    return options_of(rows)


def _put(ask: Ask, kind: Kind, body: Json) -> PropertyDefinition:
    now = ask.portal.now_ms()
    most = ask.portal.settings.custom_property_limit
    if ask.portal.catalog.custom(kind) >= most:
        raise invalid(f"{kind.name} have {most} custom properties already: that is the limit")
    before = ask.portal.catalog.archived(kind, body["name"])
    definition = PropertyDefinition(
        name=body["name"],
        label=body["label"],
        type=body["type"],
        field_type=body["fieldType"],
        group=body["groupName"],
        options=_options(body),
        hubspot_defined=False,
        unique=bool(body.get("hasUniqueValue", False)),
        external_options=bool(body.get("externalOptions", False)),
        referenced_object_type=body.get("referencedObjectType"),
        created_at=before.created_at if before else now,
        updated_at=now,
        usable_from=now + int(ask.portal.settings.new_property_delay_s * 1000),
    )
    for key, attribute in _CHANGEABLE.items():
        if key in body:
            setattr(definition, attribute, body[key])
    ask.portal.catalog.put(kind, definition)
    return definition


def _taken(name: str) -> Json:
    return error_body(
        f"A property named '{name}' already exists.",
        "OBJECT_ALREADY_EXISTS",
        subCategory="Properties.PROPERTY_WITH_NAME_EXISTS",
    )
