"""How records end and come back: recycle bin and its end, cascade, merge, purge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org


# Of these a parent has one row per counterpart; a merge does not make it two.
_ONCE = {"AccountContactRelation": ("AccountId", "ContactId"), "AccountTeamMember": ("AccountId", "UserId")}
_IN_USE = (("Case", "CaseNumber", "cases"), ("Contract", "ContractNumber", "activated contracts"))


def delete(org: Org, table: Table, record_id: str, by: str | None) -> None:
    """Into the recycle bin with all that hangs on it; or, where the object has no bin, gone.

    Raises RowRefused where the org's knob says so for an account in use.
    """
    row = org.existing(table, record_id)
    if table.name == "Account" and org.settings.accounts_in_use_stay:
        _check_unused(org, table, row)
    if table.field("IsDeleted") is None or not table.sobject.binned:
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
            # Items that come back with their opportunity do not make up its amount one by one.
            along = child.name == "OpportunityLineItem" and child is not table
            org.save(child, {**old, "IsDeleted": False, "SystemModstamp": org.now()}, old, by, quiet=along)


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


def empty_bin(org: Org, until: str | None = None) -> int:
    """What went into the bin before a stamp (None: all of it) is gone for good; gives how many rows.

    The log of deleted ids still tells of them.
    """
    gone = 0
    # In the order in which they went in, for the clock does not go back.
    for (name, record_id), at in list(org.binned.items()):
        if until is not None and at >= until:
            break
        del org.binned[name, record_id]
        table = org.table(name)
        row = table.rows.get(record_id)
        if row is not None and table.deleted(row):
            table.drop(record_id)
            gone += 1
    org.changes += gone
    return gone


def keep_bin(org: Org) -> None:
    """Rows leave the bin by themselves when they were in it long enough."""
    days = org.settings.recycle_bin_days
    if days is not None and org.binned:
        horizon = stamp(org.clock.now() - dt.timedelta(days=days))
        if next(iter(org.binned.values())) < horizon:
            empty_bin(org, horizon)


def deletions_since(org: Org) -> str:
    """From when on the log of deleted ids is whole: 15 days, or less where it was trimmed or forgotten."""
    hours = org.settings.delete_log_hours
    kept = dt.timedelta(days=15) if hours is None else min(dt.timedelta(hours=hours), dt.timedelta(days=15))
    return max(stamp(org.clock.now() - kept), org.deletions_known_since or "")


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
            if old[place] != row[0]:
                continue
            if _has_twin(child, old, place, master[0]):
                _bin(org, child, child.rows[relation_row[0]], by, [])
                continue
            target = None if relation_row[0] == master[0] else master[0]
            org.save(child, {**old, place: target, "SystemModstamp": now}, old, by)
        old = table.record_of(table.rows[row[0]])
        gone = {"IsDeleted": True, "MasterRecordId": master[0], "SystemModstamp": now}
        _log(org, table, row[0], now)
        org.save(table, {**old, **gone}, old, by)
    old = table.record_of(table.rows[master[0]])
    stamps = {"LastModifiedDate": now, "LastModifiedById": by or org.admin_user_id, "SystemModstamp": now}
    org.save(table, {**old, **stamps}, old, by)


def _bin(org: Org, table: Table, row: Row, by: str | None, went: list[tuple[str, str]]) -> None:
    went.append((table.name, row[0]))
    now = org.now()
    _log(org, table, row[0], now)
    old = table.record_of(row)
    org.save(table, {**old, "IsDeleted": True, "SystemModstamp": now}, old, by)
    for child, child_row in list(_children(org, table, row[0])):
        current = child.rows[child_row[0]]
        if not child.deleted(current):
            _bin(org, child, current, by, went)


def _log(org: Org, table: Table, record_id: str, now: str) -> None:
    org.deletions.setdefault(table.name, {})[record_id] = now
    # Taken out first, so that the bin stays in the order in which rows went in.
    org.binned.pop((table.name, record_id), None)
    org.binned[table.name, record_id] = now


def _check_unused(org: Org, accounts: Table, account: Row) -> None:
    for name, number, words in _IN_USE:
        table = org.tables.get(name.lower())
        rows = table.where("AccountId", account[0]) if table is not None else []
        for row in rows:
            if table is None or table.deleted(row) or table.value(row, "StatusCode") not in {None, "Activated"}:
                continue
            message = (
                f"Your attempt to delete {accounts.value(account, 'Name')} could not be completed because it is "
                f"associated with the following {words}.: {table.value(row, number)}"
            )
            raise RowRefused("DELETE_FAILED", message)


def _has_twin(table: Table, record: dict[str, object], place: str, target: str) -> bool:
    """Whether there is a live row already that a moved one would be the double of."""
    names = _ONCE.get(table.name)
    if names is None or place not in names or record["IsDeleted"]:
        return False
    other = next(name for name in names if name != place)
    same = (row for row in table.where(place, target) if not table.deleted(row))
    return any(table.value(row, other) == record[other] for row in same)


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
