"""How records end and come back: recycle bin, cascade, merge, purge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


def delete(org: Org, table: Table, record_id: str, by: str | None) -> None:
    """Into the recycle bin with all that hangs on it; or, where the object has no bin, gone."""
    row = org.existing(table, record_id)
    if table.field("IsDeleted") is None:
        _drop(org, table, row[0])
        return
    went: list[tuple[str, str]] = []
    _bin(org, table, row, by, went)
    org.cascades[row[0]] = went


def undelete(org: Org, table: Table, record_id: str, by: str | None) -> None:
    """Out of the bin, with what went along. Raises RowRefused for a record that is not in it, or was merged."""
    full = widened(record_id) or ""
    row = table.rows.get(full)
    if row is None or not table.deleted(row) or table.value(row, "MasterRecordId"):
        raise RowRefused("UNDELETE_FAILED", "Entity is not in the recycle bin")
    for name, child_id in org.cascades.pop(full, [(table.name, full)]):
        child = org.table(name)
        binned = child.rows.get(child_id)
        if binned is not None and child.deleted(binned):
            old = child.record_of(binned)
            org.deletions[child.name].pop(child_id, None)
            org.save(child, {**old, "IsDeleted": False, "SystemModstamp": org.now()}, old, by)


def purge(org: Org, table: Table, record_id: str) -> None:
    """Gone for good, with what hangs on it. Raises RowRefused where there is no such record."""
    full = widened(record_id) or ""
    if full not in table.rows:
        raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
    for child, row in list(_children(org, table, full)):
        if row[0] in child.rows:
            purge(org, child, row[0])
    org.deletions.setdefault(table.name, {}).setdefault(full, org.now())
    _drop(org, table, full)


def merge(org: Org, table: Table, winner: str, losers: Sequence[str], by: str | None) -> None:
    """At most two losers, as in the real one; their children are moved and re-stamped."""
    if not table.sobject.mergeable or not 1 <= len(losers) <= 2:
        raise RowRefused("INVALID_OPERATION", f"cannot merge {len(losers)} records of {table.name}")
    master = org.existing(table, winner)
    lost = [org.existing(table, loser) for loser in losers]
    now = org.now()
    for row in lost:
        for child, place, relation_row in list(_relations(org, table, row[0])):
            # As it is by now: a task may look up the loser twice, by WhatId and by AccountId.
            old = child.record_of(child.rows[relation_row[0]])
            target = None if relation_row[0] == master[0] else master[0]
            org.save(child, {**old, place: target, "SystemModstamp": now}, old, by)
        old = table.record_of(table.rows[row[0]])
        gone = {"IsDeleted": True, "MasterRecordId": master[0], "SystemModstamp": now}
        org.deletions.setdefault(table.name, {})[row[0]] = now
        org.save(table, {**old, **gone}, old, by)
    old = table.record_of(table.rows[master[0]])
    stamps = {"LastModifiedDate": now, "LastModifiedById": by or org.admin_user_id, "SystemModstamp": now}
    org.save(table, {**old, **stamps}, old, by)


def _bin(org: Org, table: Table, row: Row, by: str | None, went: list[tuple[str, str]]) -> None:
    went.append((table.name, row[0]))
    now = org.now()
    org.deletions.setdefault(table.name, {})[row[0]] = now
    old = table.record_of(row)
    org.save(table, {**old, "IsDeleted": True, "SystemModstamp": now}, old, by)
    for child, child_row in list(_children(org, table, row[0])):
        current = child.rows[child_row[0]]
        if not child.deleted(current):
            _bin(org, child, current, by, went)


def _drop(org: Org, table: Table, record_id: str) -> None:
    for child, row in list(_children(org, table, record_id)):
        if row[0] in child.rows and child.field("IsDeleted") is None:
            _drop(org, child, row[0])
    table.drop(record_id)
    org.changes += 1


def _children(org: Org, table: Table, record_id: str) -> Iterator[tuple[Table, Row]]:
    """Rows that go where their parent goes."""
    for name, field, _, cascades in table.sobject.children:
        if cascades and name.lower() in org.tables:
            child = org.table(name)
            yield from ((child, row) for row in child.where(field, record_id))


def _relations(org: Org, table: Table, record_id: str) -> Iterator[tuple[Table, str, Row]]:
    """Rows that look up a record, and by which field."""
    for child in org.tables.values():
        for field in child.fields:
            if table.name in field.refers_to and field.name != "MasterRecordId":
                yield from ((child, field.name, row) for row in child.where(field.name, record_id))
