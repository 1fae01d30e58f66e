"""Takes records in bulk as they are: from a book, or from an export in CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce import consequences, line_items, rules
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.table import Row, Table
from connectors.sandbox.salesforce.values import READERS, Reader, WrongType

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


_Columns = dict[str, tuple[Field, Reader]]


def load(org: Org, table: Table, records: Iterable[Mapping[str, Any]]) -> int:
    """Put records into a table; fills in what a record does not say and what follows from it."""
    template = rules.fresh(org, table, {}, org.admin_user_id)
    fields: _Columns = {}
    rows = [_row(org, table, record, template, fields) for record in records]
    table.load(rows)
    if table.name in consequences.ACTIVITIES:
        _archive(org, table, rows)
        consequences.note_activities(org, table, rows)
    elif table.name == "OpportunityLineItem":
        line_items.note_items(org, table, rows)
    log, now = org.deletions.setdefault(table.name, {}), org.now()
    log.update((row[0], str(row[table.stamp_at])) for row in rows if table.deleted(row))
    org.binned.update(((table.name, row[0]), now) for row in rows if table.deleted(row))
    org.changes += len(rows)
    return len(rows)


def insert(org: Org, table: Table, records: Iterable[Mapping[str, Any]], by: str) -> list[str]:
    """Put new records into a table under one stamp; gives their ids."""
    now = org.now()
    stamps = {"CreatedDate": now, "CreatedById": by, "LastModifiedDate": now, "LastModifiedById": by}
    known = {name: value for name, value in {**stamps, "SystemModstamp": now}.items() if table.field(name)}
    made = [{**record, "Id": org.new_id(table), **known} for record in records]
    load(org, table, made)
    return [str(record["Id"]) for record in made]


def _row(
    org: Org,
    table: Table,
    record: Mapping[str, Any],
    template: Mapping[str, Any],
    fields: _Columns,
) -> Row:
    """`fields` remembers the columns that were seen, by the name that records use for them."""
    given = {}
    for name, value in record.items():
        column = fields.get(name)
        if column is None:
            column = fields[name] = _known(table, name)
        if value is None or value == "":
            continue
        field, reader = column
        try:
            given[field.name] = reader(field, value)
        except (WrongType, RowRefused) as problem:
            raise LookupError(f"{table.name}.{field.name}: {problem}") from problem
    if given.get("Id") is None:
        raise LookupError(f"{table.name}: a record without an Id")
    new = {**template, **_stamps(given, template), **given}
    rules.derive_loaded(org, table, new, given)
    # The template holds all fields in their order, and a dict keeps it.
    return list(new.values())


def _known(table: Table, name: str) -> tuple[Field, Reader]:
    field = table.field(name)
    if field is None:
        raise LookupError(f"{table.name} has no field {name}")
    return field, READERS[field.type]


def _stamps(given: Mapping[str, Any], template: Mapping[str, Any]) -> dict[str, Any]:
    """A record that states only some of its stamps was not touched later than the latest of them."""
    created = given.get("CreatedDate")
    changed = given.get("LastModifiedDate") or created
    stamps = {"CreatedDate": created, "LastModifiedDate": changed, "SystemModstamp": changed}
    return {name: value for name, value in stamps.items() if value is not None and name in template}


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
