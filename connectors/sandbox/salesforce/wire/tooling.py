"""Tooling: custom fields, looked up and made one at a time, and the automation of an org."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from connectors.sandbox.salesforce import fields as f
from connectors.sandbox.salesforce.metadata.custom_field import custom_field
from connectors.sandbox.salesforce.metadata.future import Future, check_room, check_tracking
from connectors.sandbox.salesforce.metadata.package import NAMESPACE
from connectors.sandbox.salesforce.metadata.shapes import Problem
from connectors.sandbox.salesforce.refusals import error, unknown_to_sandbox
from connectors.sandbox.salesforce.soql.parser import parse
from connectors.sandbox.salesforce.soql.running import World, run
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.wire.automation import by_tooling
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply
from connectors.sandbox.salesforce.wire.deploying import check_may_deploy

CUSTOM_FIELD = f.SObject(
    name="CustomField",
    label="Custom Field",
    plural="Custom Fields",
    prefix="00N",
    setup=True,
    read_permissions=("ViewSetup",),
    fields=(
        f.record_id(),
        f.text("TableEnumOrId", "Table Enum Or Id").required,
        f.text("DeveloperName", "Developer Name", 40).required,
        f.text("NamespacePrefix", "Namespace Prefix", 15),
        f.number("Length", "Length"),
        f.number("Precision", "Precision"),
        f.number("Scale", "Scale"),
        f.text("InlineHelpText", "Inline Help Text", 510),
        *f.audit(deletable=False),
    ),
)


def query(call: Call) -> Reply:
    """`tooling/query` over custom fields, validation rules, triggers, flows and limits."""
    org = call.org
    if "q" not in call.params:
        raise error(400, "MALFORMED_QUERY", "A query string has to be specified")
    base, soql = f"{call.here}/tooling/sobjects", call.params["q"]
    tables = {"customfield": _table(call), **by_tooling(org, call.access, soql)}
    asked = tables.get(parse(soql).sobject.lower())
    if asked is None:
        raise unknown_to_sandbox(f"Tooling object {parse(soql).sobject}")
    answer = run(World(tables, call.access, org.clock.now(), org.zone, base), soql, everything=True)
    records = [answer.record(key) for key in answer.keys]
    more: Json = {"queryLocator": None, "entityTypeName": asked.name}
    return Reply({"size": len(records), "totalSize": answer.total, "done": True, **more, "records": records})


def create(call: Call) -> Reply:
    """POST of one CustomField: it exists at once, and nobody sees it."""
    check_may_deploy(call)
    body = call.json_object({"FullName", "Metadata"})
    sobject, _, name = str(body.get("FullName", "")).partition(".")
    table = call.org.tables.get(sobject.lower())
    if table is None:
        raise error(400, "FIELD_INTEGRITY_EXCEPTION", f"Entity: {sobject} does not exist", ["FullName"])
    if table.field(name) is not None:
        message = f"There is already a field named {name.removesuffix('__c')} on {sobject}."
        raise error(400, "DUPLICATE_DEVELOPER_NAME", message, ["DeveloperName"])
    xml = ET.Element(NAMESPACE + "fields")
    _child(xml, "fullName", name)
    for key, value in dict(body.get("Metadata") or {}).items():
        _child(xml, key, value)
    try:
        new = check_tracking(Future(call.org), table, custom_field(xml, None))
        check_room(call.org, table, sum(one.custom for one in table.fields))
    except Problem as problem:
        raise error(400, "FIELD_INTEGRITY_EXCEPTION", str(problem), []) from problem
    call.org.add_field(table.name, new)
    made = {
        "id": call.org.metadata.field_id(table.name, new.name),
        "success": True,
        "errors": [],
        "warnings": [],
        "infos": [],
    }
    return Reply(made, 201)


def _child(xml: ET.Element, tag: str, value: Any) -> None:
    """JSON metadata as the XML of a deploy; a picklist value is named by `valueName` here."""
    if value is None:
        return
    if isinstance(value, list):
        for one in value:
            _child(xml, tag, one)
        return
    child = ET.SubElement(xml, NAMESPACE + ("fullName" if tag == "valueName" else tag))
    if isinstance(value, dict):
        for key, inner in value.items():
            _child(child, key, inner)
    elif isinstance(value, bool):
        child.text = str(value).lower()
    elif isinstance(value, str | int | float):
        child.text = str(value)
    else:
        raise unknown_to_sandbox(f"Metadata.{tag}")


def _table(call: Call) -> Table:
    listing = Table(CUSTOM_FIELD)
    rows = []
    for table in call.org.tables.values():
        for one in (one for one in table.fields if one.custom):
            record = {
                "Id": call.org.metadata.field_id(table.name, one.name),
                "TableEnumOrId": table.name,
                "DeveloperName": one.name.removesuffix("__c"),
                "Length": one.length or None,
                "Precision": one.precision or None,
                "Scale": one.scale if one.precision else None,
                "InlineHelpText": one.help,
                "SystemModstamp": call.org.now(),
            }
            rows.append(listing.row_of(record))
    listing.load(rows)
    return listing
