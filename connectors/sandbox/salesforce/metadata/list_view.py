"""ListView: from its XML to a view that an object's page offers, with the checks of a real deploy."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce.fields import NUMBERS, Field
from connectors.sandbox.salesforce.metadata.future import Future, Step
from connectors.sandbox.salesforce.metadata.package import NAMESPACE, Component, tag_of, text_of
from connectors.sandbox.salesforce.metadata.shapes import Problem, ordered, same
from connectors.sandbox.salesforce.metadata.types import check_type
from connectors.sandbox.salesforce.refusals import unknown_to_sandbox
from connectors.sandbox.salesforce.table import Table

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9]|_(?!_))*(?<!_)")
_MOST_COLUMNS, _MOST_FILTERS, _LABEL = 15, 10, 40

# Standard fields go by the tokens of old reports here; only custom ones by their API name.
_TOKENS: dict[str, dict[str, str]] = {
    "Account": {
        "ACCOUNT.NAME": "Name",
        "ACCOUNT.SITE": "Site",
        "ACCOUNT.PHONE1": "Phone",
        "ACCOUNT.PHONE2": "Fax",
        "ACCOUNT.URL": "Website",
        "ACCOUNT.TYPE": "Type",
        "ACCOUNT.INDUSTRY": "Industry",
        "ACCOUNT.RATING": "Rating",
        "ACCOUNT.OWNERSHIP": "Ownership",
        "ACCOUNT.ACCOUNT_SOURCE": "AccountSource",
        "ACCOUNT.EMPLOYEES": "NumberOfEmployees",
        "SALES": "AnnualRevenue",
        "ACCOUNT.ADDRESS1_CITY": "BillingCity",
        "ACCOUNT.ADDRESS1_STATE": "BillingState",
        "ACCOUNT.ADDRESS1_ZIP": "BillingPostalCode",
        "ACCOUNT.ADDRESS1_COUNTRY": "BillingCountry",
        "ACCOUNT.CREATED_DATE": "CreatedDate",
        "ACCOUNT.LAST_UPDATE": "LastModifiedDate",
        "ACCOUNT.LAST_ACTIVITY": "LastActivityDate",
        "CORE.USERS.ALIAS": "OwnerId",
        "CORE.USERS.FIRST_NAME": "OwnerId",
        "CORE.USERS.LAST_NAME": "OwnerId",
        "CREATEDBY_USER.ALIAS": "CreatedById",
        "UPDATEDBY_USER.ALIAS": "LastModifiedById",
    }
}


def list_view(future: Future, component: Component) -> Step:
    """The step that puts a list view. Raises Problem; Refusal for what the sandbox does not know."""
    sobject, _, name = component.name.partition(".")
    table, xml = future.table(sobject), component.xml
    if table.name not in _TOKENS:
        raise unknown_to_sandbox(f"list view of {table.name}")
    check_type(xml, "ListView")
    if not _NAME.fullmatch(name) or len(name) > _LABEL:
        raise Problem(f"The List View Unique Name {name} can only contain underscores and alphanumeric characters")
    if len(text_of(xml, "label") or "") > _LABEL:
        raise Problem(f"Value too long for field: Name maximum length is:{_LABEL}")
    _check_scope(xml)
    _check_columns(future, table, xml)
    filters = xml.findall(NAMESPACE + "filters")
    if len(filters) > _MOST_FILTERS:
        raise Problem(f"A list view has at most {_MOST_FILTERS} filters: {len(filters)}")
    for one in filters:
        _check_filter(future, table, one)
    _check_logic(text_of(xml, "booleanFilter"), len(filters))
    return _step(future, component, f"{table.name}.{name}")


def without_field(xml: ET.Element, field: str) -> ET.Element:
    """A kept list view without the columns and filters of a custom field; with one filter gone, so is their logic."""
    left = ET.Element(xml.tag)
    dropped = False
    for child in xml:
        named = text_of(child, "field") if tag_of(child) == "filters" else child.text
        if tag_of(child) in {"columns", "filters"} and (named or "").lower() == field.lower():
            dropped = dropped or tag_of(child) == "filters"
        else:
            left.append(child)
    logic = left.find(NAMESPACE + "booleanFilter")
    if dropped and logic is not None:
        left.remove(logic)
    return left


def _step(future: Future, component: Component, name: str) -> Step:
    kept, before, org = ordered(component.xml), future.list_view(name), future.org
    future.list_views[name] = kept
    changed = before is None or not same(before, kept)

    def apply() -> None:
        if changed:
            org.metadata.put_list_view(name, kept, org.now())

    return Step("ListView", name, component.file, apply, created=before is None, changed=changed)


def _check_scope(xml: ET.Element) -> None:
    if text_of(xml, "filterScope") == "Queue" and text_of(xml, "queue") is None:
        raise Problem("Required field is missing: queue")
    shared = xml.find(NAMESPACE + "sharedTo")
    for child in shared if shared is not None else ():
        if tag_of(child) in {"group", "role", "roleAndSubordinates", "roleAndSubordinatesInternal"}:
            raise Problem(f"In field: {tag_of(child)} - no Group or Role named {(child.text or '').strip()} found")


def _check_columns(future: Future, table: Table, xml: ET.Element) -> None:
    columns = [(one.text or "").strip() for one in xml.findall(NAMESPACE + "columns")]
    for column in columns:
        _resolved(future, table, column)
    twice = next((one for one in columns if columns.count(one) > 1), None)
    if twice is not None:
        raise Problem(f"Duplicate list view column: {twice}")
    if len(columns) > _MOST_COLUMNS:
        raise Problem(f"A list view has at most {_MOST_COLUMNS} columns: {len(columns)}")


def _resolved(future: Future, table: Table, column: str) -> Field:
    standard = _TOKENS[table.name].get(column)
    found = future.field(table, standard or column)
    if found is None or not (standard or found.custom):
        raise Problem(f"Could not resolve list view column: {column}")
    return found


_EXACT = frozenset({"equals", "notEqual"})
_PARTLY = frozenset({"contains", "notContain", "startsWith"})
_AMONG = frozenset({"includes", "excludes"})
_COMPARED = frozenset({"lessThan", "greaterThan", "lessOrEqual", "greaterOrEqual"})
_SIZED = NUMBERS | {"date", "datetime"}


def _check_filter(future: Future, table: Table, xml: ET.Element) -> None:
    name, operation, value = (text_of(xml, tag) or "" for tag in ("field", "operation", "value"))
    field = _resolved(future, table, name)
    if not field.filterable or operation not in _operations(field):
        raise Problem(f"Operation {operation} is not valid for field {name} of type {field.type}")
    values = [one.strip() for one in value.split(",")] if value else []
    if field.type in {"picklist", "multipicklist"} and operation in _EXACT | _AMONG:
        unknown = [one for one in values if one not in field.values]
        if unknown:
            raise Problem(f"Picklist value: {unknown[0]} in picklist: {field.name} not found")
    if field.type in NUMBERS and not all(re.fullmatch(r"-?\d+(\.\d+)?", one) for one in values):
        raise Problem(f"Filter value {value} is not a number for field {name}")
    if field.type == "boolean" and not {"0", "1"} >= set(values):
        raise Problem(f"Filter value {value} is not 0 or 1 for field {name}")


def _operations(field: Field) -> frozenset[str]:
    """What a field can be filtered by; `within` is for places, which the sandbox has none of."""
    if field.type == "boolean":
        return _EXACT
    if field.type == "multipicklist":
        return _EXACT | _AMONG
    return _EXACT | _COMPARED if field.type in _SIZED else _EXACT | _COMPARED | _PARTLY


def _check_logic(logic: str | None, filters: int) -> None:
    if logic is None:
        return
    words = re.findall(r"\d+|AND|OR|NOT|[()]|\S", logic.upper())
    depth, operand = 0, True
    for word in words:
        if word == ")":
            depth, fits = depth - 1, not operand and depth > 0
        elif word in {"(", "NOT"}:
            depth, fits = depth + (word == "("), operand
        elif word.isdigit():
            fits, operand = operand and 1 <= int(word) <= filters, False
        else:
            fits, operand = not operand and word in {"AND", "OR"}, True
        if not fits:
            raise Problem(f"Invalid filter logic: {logic}")
    unused = {*range(1, filters + 1)} - {int(word) for word in words if word.isdigit()}
    if operand or depth or unused:
        raise Problem(f"Invalid filter logic: {logic}")
