"""sObject rows: one record at a time, by id or by external id."""

from __future__ import annotations

from urllib.parse import quote

from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.refusals import Refusal, RowRefused, error, not_found, row_refusal, unparsable
from connectors.sandbox.salesforce.soql.projection import address_value
from connectors.sandbox.salesforce.table import Row, Table
from connectors.sandbox.salesforce.values import WrongType
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply, flag
from connectors.sandbox.salesforce.wire.writing import create_row, delete_row, update_row


def create(call: Call) -> Reply:
    """POST: 201 with the new id."""
    table, values = call.table(), call.json_object()
    values.pop("attributes", None)
    try:
        record_id = create_row(call, table, values)
    except RowRefused as refused:
        raise row_refusal(refused) from refused
    except WrongType as wrong:
        raise unparsable(str(wrong)) from wrong
    return Reply({"id": record_id, "success": True, "errors": []}, 201)


def read(call: Call) -> Reply:
    """GET: all visible fields, or those asked for."""
    table = call.table()
    return Reply(shown(call, table, _live(table, call.parts["id"])))


def update(call: Call) -> Reply:
    """PATCH: 204."""
    table = call.table()
    _live(table, call.parts["id"])
    _update(call, table, call.parts["id"])
    return Reply(status=204)


def delete(call: Call) -> Reply:
    """DELETE: 204."""
    table = call.table()
    _live(table, call.parts["id"])
    try:
        delete_row(call, table, call.parts["id"])
    except RowRefused as refused:
        raise row_refusal(refused) from refused
    return Reply(status=204)


def read_by_key(call: Call) -> Reply:
    """GET by external id."""
    table = call.table()
    return Reply(shown(call, table, _one(call, table, rows_by_key(call, table))))


def upsert(call: Call) -> Reply:
    """PATCH by external id: 201 for a new record, 200 for one that was there."""
    table = call.table()
    rows = rows_by_key(call, table)
    if rows:
        row = _one(call, table, rows)
        _update(call, table, row[0])
        return Reply({"id": row[0], "success": True, "errors": [], "created": False})
    if flag(call.params.get("updateOnly", "false"), "updateOnly"):
        raise not_found()
    field = table.field(call.parts["field"])
    values = call.json_object()
    values.pop("attributes", None)
    try:
        record_id = create_row(call, table, {**values, field.name if field else "": call.parts["value"]})
    except RowRefused as refused:
        raise row_refusal(refused) from refused
    except WrongType as wrong:
        raise unparsable(str(wrong)) from wrong
    return Reply({"id": record_id, "success": True, "errors": [], "created": True}, 201)


def rows_by_key(call: Call, table: Table) -> list[Row]:
    """Live rows with the value of the path in the external id of the path. Raises Refusal 404 for another field."""
    field = table.field(call.parts["field"])
    if field is None or not (field.external_id or field.name == "Id") or not call.access.reads(table.sobject, field):
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['field']}"
        raise error(404, "NOT_FOUND", message)
    place, wanted = table.position[field.name.lower()], call.parts["value"].lower()
    return [row for row in table.rows.values() if str(row[place]).lower() == wanted and not table.deleted(row)]


def shown(call: Call, table: Table, row: Row, names: list[str] | None = None) -> Json:
    """A record as a GET of it answers. Raises Refusal INVALID_FIELD."""
    if names is None and "fields" in call.params:
        names = [name.strip() for name in call.params["fields"].split(",") if name.strip()]
    chosen = [f for f in table.fields if call.access.reads(table.sobject, f)]
    if names is not None:
        by_name = {f.name.lower(): f for f in chosen}
        missing = [name for name in names if name.lower() not in by_name]
        if missing:
            raise error(400, "INVALID_FIELD", f"No such column '{missing[0]}' on sobject of type {table.name}")
        chosen = [by_name[name.lower()] for name in names]
    record: Json = {"attributes": {"type": table.name, "url": f"{call.here}/sobjects/{table.name}/{row[0]}"}}
    for f in chosen:
        record[f.name] = address_value(table, row, f) if f.type == "address" else table.value(row, f.name)
    record.setdefault("Id", row[0])
    return record


def _update(call: Call, table: Table, record_id: str) -> None:
    values = call.json_object()
    values.pop("attributes", None)
    try:
        update_row(call, table, record_id, values)
    except RowRefused as refused:
        raise row_refusal(refused) from refused
    except WrongType as wrong:
        raise unparsable(str(wrong)) from wrong


def _one(call: Call, table: Table, rows: list[Row]) -> Row:
    if not rows:
        raise not_found()
    if len(rows) > 1:
        raise Refusal(300, [quote(f"{call.here}/sobjects/{table.name}/{row[0]}") for row in rows])
    return rows[0]


def _live(table: Table, record_id: str) -> Row:
    row = table.rows.get(widened(record_id) or "")
    if row is None:
        raise not_found()
    if table.deleted(row):
        raise error(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    return row
