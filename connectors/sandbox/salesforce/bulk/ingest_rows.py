"""Writes the rows of an ingest job, in chunks of 200, each row with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.salesforce.bulk.ingest_csv import BadUpload, Upload
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.table import Table
from connectors.sandbox.salesforce.values import WrongType
from connectors.sandbox.salesforce.wire.call import Call
from connectors.sandbox.salesforce.wire.writing import create_row, delete_row, update_row

CHUNK_ROWS = 200
"""As many as an Apex trigger gets at once."""
NULL = "#N/A"

Values = dict[str, Any]
Written = tuple[str, bool]
Write = Callable[[Values], Written]


@dataclass
class Outcome:
    """What became of the rows, by their number in the upload."""

    successful: list[tuple[int, str, bool]] = field(default_factory=list)
    failed: list[tuple[int, str, str]] = field(default_factory=list)
    unprocessed: list[int] = field(default_factory=list)
    problem: str | None = None

    @property
    def processed(self) -> int:
        """Rows that were tried."""
        return len(self.successful) + len(self.failed)


@dataclass(frozen=True)
class Task:
    """What is to be done: `key` is the external id of an upsert; the limits of rows and lock failures are knobs."""

    operation: str
    table: Table
    key: Field | None
    stop_after: tuple[int, str] | None = None
    lock_failures: int | None = None
    unknown_column_fails: bool = False


def write(call: Call, task: Task, upload: Upload) -> Outcome:
    """All rows, or those before the job fails. `call` carries the access of who made the job. Raises BadUpload."""
    columns = _columns(task, upload)
    outcome, locked = Outcome(), 0
    most, problem = task.stop_after or (len(upload.rows), None)
    for start in range(0, min(most, len(upload.rows)), CHUNK_ROWS):
        rows = upload.rows[start : min(most, start + CHUNK_ROWS)]
        write_one = _writing(call, task)
        for number, row in enumerate(rows, start=start):
            values = _values(columns, row)
            locked += _one(outcome, number, values, write_one)
        if task.lock_failures is not None and locked > task.lock_failures:
            problem = f"TooManyLockFailure : Too many lock failures ({locked}): unable to obtain exclusive access"
            break
    outcome.unprocessed = list(range(outcome.processed, len(upload.rows)))
    outcome.problem = problem
    return outcome


def _one(outcome: Outcome, number: int, values: Values, write_one: Write) -> bool:
    """Write one row and note what became of it; True where it was locked."""
    record_id = str(values.get("Id") or "")
    try:
        outcome.successful.append((number, *write_one(values)))
    except RowRefused as refused:
        outcome.failed.append((number, record_id, _message(refused.code, refused.message, refused.fields)))
        return refused.code == "UNABLE_TO_LOCK_ROW"
    except WrongType as wrong:
        outcome.failed.append((number, record_id, _message("INVALID_TYPE_ON_FIELD_IN_RECORD", str(wrong), ())))
    return False


def _message(code: str, message: str, fields: Sequence[str]) -> str:
    """`CODE:message:Field,Field --`, or `CODE:message:--`."""
    return f"{code}:{message}:{','.join(fields)}{' ' if fields else ''}--"


def _columns(task: Task, upload: Upload) -> list[tuple[int, str]]:
    """The columns that are fields, by their place. Raises BadUpload."""
    found = []
    for place, name in enumerate(upload.header):
        known = task.table.field(name)
        if known is not None:
            found.append((place, known.name))
        elif task.unknown_column_fails:
            raise BadUpload(f"InvalidBatch : Field name not found : {name}")
    names = [name for _, name in found]
    if len(set(names)) != len(names):
        raise BadUpload("InvalidBatch : A field is in more than one column")
    if task.operation in {"delete", "hardDelete"} and [*upload.header] != ["Id"]:
        raise BadUpload(f"InvalidBatch : The '{task.operation}' batch must contain only ids")
    return found


def _values(columns: list[tuple[int, str]], row: tuple[str, ...]) -> Values:
    """What a row says: nothing about an empty cell, null for #N/A."""
    return {name: None if row[place] == NULL else row[place] for place, name in columns if row[place] != ""}


def _writing(call: Call, task: Task) -> Write:
    """How a row of one chunk is written."""
    chunk = _Chunk(call, task)
    if task.operation == "upsert":
        if task.key is None or task.key.name == "Id":
            return chunk.upsert_by_id
        return _upserting(call, task.table, task.key)
    ways: dict[str, Write] = {"insert": chunk.insert, "update": chunk.update, "delete": chunk.delete}
    return ways.get(task.operation, chunk.hard_delete)


@dataclass
class _Chunk:
    """Rows that are written together: an id is taken once among them."""

    call: Call
    task: Task
    seen: set[str] = field(default_factory=set)

    def insert(self, values: Values) -> Written:
        return create_row(self.call, self.task.table, values), True

    def update(self, values: Values) -> Written:
        full = self._id(values)
        update_row(self.call, self.task.table, full, values)
        return full, False

    def upsert_by_id(self, values: Values) -> Written:
        return self.update(values) if values.get("Id") else self.insert(values)

    def delete(self, values: Values) -> Written:
        full = self._id(values)
        delete_row(self.call, self.task.table, full)
        return full, False

    def hard_delete(self, values: Values) -> Written:
        full, _ = self.delete(values)
        if full in self.task.table.rows:
            self.call.org.purge(self.task.table.name, full)
        return full, False

    def _id(self, values: Values) -> str:
        text, name = values.pop("Id", None), self.task.table.name
        if not text:
            raise RowRefused("MISSING_ARGUMENT", f"Id not specified in an {self.task.operation} call")
        full = widened(text)
        if full is None:
            raise RowRefused("MALFORMED_ID", f"{name} ID: id value of incorrect type: {text}", ["Id"])
        if full in self.seen:
            raise RowRefused("DUPLICATE_VALUE", f"Duplicate id specified: {full}", ["Id"])
        self.seen.add(full)
        return full


def _upserting(call: Call, table: Table, key: Field) -> Write:
    place = table.position[key.name.lower()]
    known: dict[str, list[str]] = {}
    for row in table.rows.values():
        if row[place] is not None and not table.deleted(row):
            known.setdefault(str(row[place]).lower(), []).append(row[0])

    def upsert(values: Values) -> Written:
        text = values.get(key.name)
        if text is None:
            raise RowRefused("MISSING_ARGUMENT", f"{key.name} not specified", [key.name])
        found = known.setdefault(str(text).lower(), [])
        if len(found) > 1:
            raise RowRefused("DUPLICATE_EXTERNAL_ID", f"{key.name}: more than one record found for external id")
        if found:
            update_row(call, table, found[0], {name: value for name, value in values.items() if name != key.name})
            return found[0], False
        found.append(create_row(call, table, values))
        return found[0], True

    return upsert
