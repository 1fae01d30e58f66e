"""Takes records in bulk as they are: from a book, or from an export in CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce import consequences, rules
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.table import Row, Table
from connectors.sandbox.salesforce.values import WrongType, stored

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


def load(org: Org, table: Table, records: Iterable[Mapping[str, Any]]) -> int:
    """Put records into a table; fills in what a record does not say and what follows from it."""
    rows = [_row(org, table, record) for record in records]
    table.load(rows)
    if table.name in consequences.ACTIVITIES:
        _archive(org, table, rows)
        consequences.note_activities(org, table, rows)
    log = org.deletions.setdefault(table.name, {})
    deleted = [(row[0], str(table.value(row, "SystemModstamp"))) for row in rows if table.deleted(row)]
    log.update(deleted)
    org.changes += len(rows)
    return len(rows)


def _row(org: Org, table: Table, record: Mapping[str, Any]) -> Row:
    given = {}
    for name, value in record.items():
        field = table.field(name)
        if field is None:
            raise LookupError(f"{table.name} has no field {name}")
        if value is not None:
            given[field.name] = _stored(table, field, value)
    full = widened(given.get("Id"))
    if full is None:
        raise LookupError(f"{table.name}: a record without a valid Id: {record.get('Id')!r}")
    new = rules.fresh(org, table, {}, org.admin_user_id)
    _stamps(new, given)
    new.update(given)
    rules.derive_loaded(org, table, new, given)
    new["Id"] = full
    return table.row_of(new)


def _stored(table: Table, field: Field, value: Any) -> Any:
    try:
        return stored(field, value)
    except WrongType as problem:
        raise LookupError(f"{table.name}.{field.name}: {problem}") from problem


def _stamps(new: dict[str, Any], given: Mapping[str, Any]) -> None:
    """A record that states only some of its stamps was not touched later than the latest of them."""
    created = given.get("CreatedDate")
    changed = given.get("LastModifiedDate") or created
    for name, value in (("CreatedDate", created), ("LastModifiedDate", changed), ("SystemModstamp", changed)):
        if value is not None:
            new[name] = value


def _archive(org: Org, table: Table, rows: list[Row]) -> None:
    """Old events, and tasks that were closed long ago, are archived."""
    horizon = stamp(org.clock.now() - dt.timedelta(days=org.settings.archive_after_days))
    archived, day = table.position["isarchived"], table.position["activitydate"]
    closed = table.position.get("isclosed")
    created = table.position["createddate"]
    for row in rows:
        ended = row[day] or row[created]
        if ended[:10] < horizon[:10] and (closed is None or row[closed]):
            row[archived] = True
