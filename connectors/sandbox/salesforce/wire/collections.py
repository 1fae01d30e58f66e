"""sObject Collections: up to 200 records in a call, each with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.refusals import RowRefused, error, unparsable
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.values import WrongType
from connectors.sandbox.salesforce.wire.call import Call, Json, Reply, flag, only
from connectors.sandbox.salesforce.wire.records import shown
from connectors.sandbox.salesforce.wire.writing import create_row, delete_row, update_row

_CHUNKS = 10
_RETRIEVED = 2_000
Write = Callable[[Any], Json]


def update(call: Call) -> Reply:
    """PATCH: 200 with a result per record, in the order of the request."""
    records, all_or_none = _request(call)

    def write(record: Any) -> Json:
        values = dict(record)
        record_id = values.pop("id", None) or values.pop("Id", None)
        table = _table_of(call, values.pop("attributes", None))
        if not record_id:
            raise RowRefused("MISSING_ARGUMENT", "Id not specified in an update call", ["Id"])
        full = widened(record_id)
        if full is None:
            raise RowRefused("MALFORMED_ID", f"{table.name} ID: id value of incorrect type: {record_id}", ["Id"])
        if full in seen:
            raise RowRefused("DUPLICATE_VALUE", f"duplicate value found: Id duplicates value on record with id: {full}")
        seen.add(full)
        update_row(call, table, full, values)
        return {"id": full, "success": True, "errors": []}

    seen: set[str] = set()
    return _written(call, records, write, all_or_none=all_or_none)


def create(call: Call) -> Reply:
    """POST: 200 with a result per record."""
    records, all_or_none = _request(call)

    def write(record: Any) -> Json:
        values = dict(record)
        table = _table_of(call, values.pop("attributes", None))
        return {"id": create_row(call, table, values), "success": True, "errors": []}

    return _written(call, records, write, all_or_none=all_or_none)


def delete(call: Call) -> Reply:
    """DELETE with `ids` and `allOrNone` in the query."""
    ids = [one for one in call.params.get("ids", "").split(",") if one]
    _check_size(call, ids)

    def write(record_id: Any) -> Json:
        full = widened(record_id)
        if full is None:
            raise RowRefused("MALFORMED_ID", f"id value of incorrect type: {record_id}", ["Id"])
        table = next((t for t in call.org.tables.values() if full.startswith(t.sobject.prefix)), None)
        if table is None:
            raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        delete_row(call, table, full)
        return {"id": full, "success": True, "errors": []}

    return _written(call, ids, write, all_or_none=flag(call.params.get("allOrNone", "false"), "allOrNone"))


def upsert(call: Call) -> Reply:
    """PATCH by external id: results say whether the record was created."""
    records, all_or_none = _request(call)
    table = call.table()
    field = table.field(call.parts["field"])
    if field is None or not (field.external_id or field.name == "Id"):
        message = f"Provided external ID field does not exist or is not accessible: {call.parts['field']}"
        raise error(404, "NOT_FOUND", message)

    def write(record: Any) -> Json:
        values = {name: value for name, value in record.items() if name != "attributes"}
        key = next((values[name] for name in values if name.lower() == field.name.lower()), None)
        if key is None:
            raise RowRefused("MISSING_ARGUMENT", f"{field.name} not specified", [field.name])
        rows = [row for row in table.where(field.name, key) if not table.deleted(row)]
        if len(rows) > 1:
            raise RowRefused("DUPLICATE_EXTERNAL_ID", f"{field.name}: more than one record found for external id")
        if rows:
            kept = {name: value for name, value in values.items() if name.lower() != field.name.lower()}
            update_row(call, table, rows[0][0], kept)
            return {"id": rows[0][0], "success": True, "errors": [], "created": False}
        return {"id": create_row(call, table, values), "success": True, "errors": [], "created": True}

    return _written(call, records, write, all_or_none=all_or_none)


def retrieve(call: Call) -> Reply:
    """Records by id, null where there is none."""
    if call.method == "GET":
        ids, fields = (call.params.get(key, "").split(",") for key in ("ids", "fields"))
    else:
        body = call.json_object({"ids", "fields"})
        ids, fields = body.get("ids", []), body.get("fields", [])
    if len(ids) > _RETRIEVED:
        raise error(400, "EXCEEDED_ID_LIMIT", f"record limit reached. cannot submit more than {_RETRIEVED} records")
    table = call.table()
    rows = [table.rows.get(widened(one) or "") for one in ids]
    return Reply([None if row is None or table.deleted(row) else shown(call, table, row, list(fields)) for row in rows])


def _request(call: Call) -> tuple[Sequence[Mapping[str, Any]], bool]:
    body = call.json_object({"allOrNone", "records"})
    records = body.get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise unparsable("records: a list of objects is needed at [line:1, column:1]")
    _check_size(call, records)
    kinds = [(record.get("attributes") or {}).get("type") for record in records]
    if len(list(groupby(kinds))) > _CHUNKS:
        message = (
            f"Cannot have more than {_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking."
        )
        raise error(400, "LIMIT_EXCEEDED", message)
    return records, flag(body.get("allOrNone", False), "allOrNone")


def _check_size(call: Call, rows: Sequence[Any]) -> None:
    limit = call.org.settings.collection_rows
    if len(rows) > limit:
        message = f"record limit reached. cannot submit more than {limit} records in this operation"
        raise error(400, "EXCEEDED_ID_LIMIT", message)
    if not rows:
        raise error(400, "REQUIRED_FIELD_MISSING", "records: at least one record is needed")


def _table_of(call: Call, attributes: Any) -> Table:
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str):
        raise RowRefused("INVALID_TYPE", "Must send a type in the attributes of the record")
    only(attributes, {"type", "url", "referenceId"}, "attribute")
    table = call.org.tables.get(name.lower())
    if table is None or not call.access.may(table.sobject, "Read"):
        raise RowRefused("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    return table


def _written(call: Call, rows: Sequence[Any], write: Write, *, all_or_none: bool) -> Reply:
    """The outcome of each row. A value of a wrong type refuses the whole call, and takes back what was done."""
    results: list[Json] = []
    with call.org.transaction() as take_back:
        for row in rows:
            try:
                results.append(write(row))
            except RowRefused as refused:
                results.append(_failed(refused))
            except WrongType as wrong:
                take_back()
                raise unparsable(f"{wrong} at [line:1, column:1]") from wrong
        if all_or_none and any(not result["success"] for result in results):
            take_back()
            results = [_rolled_back(result) for result in results]
    return Reply(results)


def _failed(refused: RowRefused) -> Json:
    one = {"statusCode": refused.code, "message": refused.message, "fields": refused.fields}
    return {"success": False, "errors": [one]}


def _rolled_back(result: Json) -> Json:
    if not result["success"]:
        return result
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    one = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": message, "fields": []}
    return {"id": result["id"], "success": False, "errors": [one]}
