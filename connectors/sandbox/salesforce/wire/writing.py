"""One row written on behalf of a user: permissions first, then what the org itself says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.refusals import RowRefused, unknown_to_sandbox
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.wire.call import Call

_NO_ACCESS = "insufficient access rights on object id"


def create_row(call: Call, table: Table, values: Mapping[str, Any]) -> str:
    """A new record's id. Raises RowRefused, WrongType."""
    _check_right(call, table, "Create", table.sobject.createable)
    _check_fields(call, table, values, new=True)
    return call.org.create(table.name, values, by=call.access.user_id)


def update_row(call: Call, table: Table, record_id: str, values: Mapping[str, Any]) -> None:
    """Raises RowRefused, WrongType."""
    _check_right(call, table, "Edit", table.sobject.updateable)
    _check_fields(call, table, values, new=False)
    call.org.existing(table, record_id)
    _check_lock(call, record_id)
    call.org.update(table.name, record_id, values, by=call.access.user_id)


def delete_row(call: Call, table: Table, record_id: str) -> None:
    """Raises RowRefused."""
    _check_right(call, table, "Delete", table.sobject.deletable)
    call.org.existing(table, record_id)
    _check_lock(call, record_id)
    call.org.delete(table.name, record_id, by=call.access.user_id)


def _check_right(call: Call, table: Table, right: str, possible: bool) -> None:
    if not possible:
        message = f"entity type {table.name} does not support {'update' if right == 'Edit' else right.lower()}"
        raise RowRefused("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message)
    if not call.access.may(table.sobject, right):
        raise RowRefused("INSUFFICIENT_ACCESS_OR_READONLY", _NO_ACCESS)


def _check_fields(call: Call, table: Table, values: Mapping[str, Any], *, new: bool) -> None:
    closed = []
    for name, value in values.items():
        field = table.field(name)
        if isinstance(value, dict) and field is None:
            raise unknown_to_sandbox(f"reference by external id: {table.name}.{name}")
        if field is None:
            raise RowRefused("INVALID_FIELD", f"No such column '{name}' on sobject of type {table.name}")
        possible = field.createable if new else field.updateable
        if not possible or not call.access.writes(table.sobject, field):
            closed.append(field.name)
    if closed:
        message = (
            f"Unable to create/update fields: {', '.join(closed)}. Please check the security settings of this field "
            "and verify that it is read/write for your profile or permission set."
        )
        raise RowRefused("INVALID_FIELD_FOR_INSERT_UPDATE", message, closed)


def _check_lock(call: Call, record_id: str) -> None:
    locks, full = call.org.settings.locked_rows, widened(record_id) or record_id
    if locks.get(full, 0) > 0:
        locks[full] -= 1
        message = f"unable to obtain exclusive access to this record or 1 records: {full}"
        raise RowRefused("UNABLE_TO_LOCK_ROW", message)
