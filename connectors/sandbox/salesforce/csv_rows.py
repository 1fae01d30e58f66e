"""Turns the rows of an export into records an org can hold, and sets aside those it cannot, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from connectors.sandbox.salesforce.csv_dates import Dates, day_of, stamp_of
from connectors.sandbox.salesforce.csv_export import Export, TextRow
from connectors.sandbox.salesforce.csv_ids import Ids
from connectors.sandbox.salesforce.fields import Field
from connectors.sandbox.salesforce.ids import widened
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.values import WrongType, stored

Record = dict[str, Any]

OBJECTS = ("User", "Account", "Contact", "Opportunity", "OpportunityHistory", "Task", "Event")
"""Loaded in this order: a record comes after what it refers to."""

_NEEDED = {
    "Account": ("Name",),
    "Opportunity": ("StageName",),
    "OpportunityHistory": ("OpportunityId", "CreatedDate"),
}
# Who entered a row is no relation a book depends on, and exports of a few objects rarely bring all users along. A
# parent that is not there is no parent.
_WEAK = frozenset({"CreatedById", "LastModifiedById", "ParentId", "MasterRecordId", "ReportsToId", "ManagerId"})


class Rows:
    """The rows of one export on their way into an org."""

    def __init__(self, org: Org, export: Export, dates: Dates) -> None:
        self.org, self.export, self.dates = org, export, dates
        self.ids = {name: Ids(org.table(name).sobject.prefix) for name in OBJECTS}
        self.left_out: Counter[tuple[str, str]] = Counter()

    def records(self, name: str) -> list[Record]:
        """The records of an object. To be called for one after the other, in the order of OBJECTS."""
        read = [(row, self._attempt(name, self._values, row)) for row in self.export.rows.get(name, ())]
        kept = []
        for row, record in read:
            if record is None:
                continue
            if self._attempt(name, self._refer, row, record) is None:
                self.ids[name].withdraw(row["Id"])
            else:
                kept.append(record | self.dates.stamps(name, record))
        return self._without_lost_kin(name, kept)

    def _attempt(self, name: str, step: Callable[..., Record], *given: Any) -> Record | None:
        try:
            return step(name, *given)
        except _Unfit as problem:
            self.export.set_aside[name, str(problem)] += 1
            return None

    def _without_lost_kin(self, name: str, records: list[Record]) -> list[Record]:
        """A reference within the object may have led to a row that was set aside after it was found."""
        held = {record["Id"] for record in records}
        kin = [f.name for f in self.org.table(name).fields if name in f.refers_to]
        for record in records:
            for field in kin:
                if field in record and record[field] not in held:
                    del record[field]
                    self.left_out[name, field] += 1
        return records

    def owners_named(self) -> list[Record]:
        """Users for the owners that rows name, where the export has no User.csv: they are told apart, no more."""
        texts: dict[str, None] = {}
        for name in OBJECTS:
            texts |= dict.fromkeys(row["OwnerId"] for row in self.export.rows.get(name, ()) if "OwnerId" in row)
        given = ((text, self.ids["User"].give(text)) for text in texts)
        return [
            {"Id": full, "LastName": text, "Name": text, "IsActive": True, "UserType": "Standard"}
            | self.dates.stamps("User", {})
            for text, full in given
            if full
        ]

    def _values(self, name: str, row: TextRow) -> Record:
        if "Id" not in row:
            raise _Unfit("no Id")
        for needed in _NEEDED.get(name, ()):
            if needed not in row:
                raise _Unfit(f"no {needed}")
        table = self.org.table(name)
        record: Record = {}
        for column, text in row.items():
            field = table.field(column)
            if field is not None and field.type not in {"id", "reference"}:
                record[field.name] = _value(field, text)
        full = self.ids[name].give(row["Id"])
        if full is None:
            raise _Unfit("an Id that another row has")
        record["Id"] = full
        _name(name, record, row["Id"])
        return record

    def _refer(self, name: str, row: TextRow, record: Record) -> Record:
        table = self.org.table(name)
        for column, text in row.items():
            field = table.field(column)
            if field is None or field.type != "reference" or not field.refers_to:
                continue
            found = self._found(field, text)
            if found is not None:
                record[field.name] = found
            elif field.name in _WEAK or self._elsewhere(field, text):
                self.left_out[name, field.name] += 1
            else:
                raise _Unfit(f"{field.name} names a record that is not there")
        return record

    def _found(self, field: Field, text: str) -> str | None:
        held = (self.ids[target].find(text) for target in field.refers_to if target in self.ids)
        return next((full for full in held if full is not None), None)

    def _elsewhere(self, field: Field, text: str) -> bool:
        """Whether a reference leads to an object of which the export has no file, or the sandbox no rows."""
        targets = {self.ids[name].prefix: name for name in field.refers_to if name in self.ids}
        full = widened(text)
        # Ids of Salesforce begin with a digit, those of custom objects with an a.
        if full is not None and full[0] in "0123456789a" and full[:3] not in targets:
            return True
        meant = [targets[full[:3]]] if full is not None and full[:3] in targets else list(targets.values())
        return not any(name in self.export.rows for name in meant)


class _Unfit(Exception):
    pass


def _name(name: str, record: Record, key: str) -> None:
    """Nothing that has a name goes without one."""
    if name in {"User", "Contact"}:
        record.setdefault("LastName", record.get("Name", key))
    elif name == "Opportunity":
        record.setdefault("Name", key)


_MOMENTS = {"date": day_of, "datetime": stamp_of}
_KINDS = {
    "date": "a date",
    "datetime": "a date and time",
    "boolean": "true or false",
    "int": "a whole number",
    "double": "a number",
    "currency": "a number",
    "percent": "a number",
}


def _value(field: Field, text: str) -> Any:
    reader = _MOMENTS.get(field.type)
    if reader is not None:
        text = reader(text) or "no moment"
    try:
        return stored(field, text)
    except (WrongType, RowRefused, ArithmeticError):
        raise _Unfit(f"{field.name} is not {_KINDS.get(field.type, 'readable')}") from None
