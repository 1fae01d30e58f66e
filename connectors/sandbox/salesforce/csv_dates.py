"""Finds when things happened in an export, and the stamps of rows that do not state theirs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.sandbox.salesforce.csv_export import Export, NotAnExport
from connectors.sandbox.salesforce.csv_stages import Stage, is_closed
from connectors.sandbox.salesforce.instants import parsed_day, parsed_stamp

_CREATED = ("Account", "Contact", "Opportunity", "OpportunityHistory", "Task", "Event")
_STAMPS = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
_DONE = "completed"
# What a date field of an org takes at the earliest and at the latest.
_FIRST, _LAST = "1700-01-01", "4000-12-31"


class Dates:
    """`earliest` and `latest_event` are days (None where the export has none); `latest_stamp` is a stored stamp."""

    def __init__(self, export: Export, stages: Mapping[str, Stage], as_of: dt.date | None = None) -> None:
        self._stages = dict(stages)
        changed = [s for name in _CREATED for s in _stamps(export, name, _STAMPS[1:])]
        self.latest_stamp = max(
            [*changed, *(s for name in _CREATED for s in _stamps(export, name, _STAMPS))], default=""
        )
        # A close date that nobody can have written yet is a slip of the pen, where every deal says when it changed.
        stated = all(any(c in row for c in _STAMPS[1:]) for row in export.rows.get("Opportunity", ()))
        self._limit = max(changed)[:10] if changed and stated else "9999"
        happened = sorted(self._happened(export)) or sorted(_days(export, "Event", "ActivityDate"))
        self.earliest = dt.date.fromisoformat(happened[0]) if happened else None
        self.latest_event = dt.date.fromisoformat(happened[-1]) if happened else None
        self._as_of = as_of or self.latest_event

    @property
    def as_of(self) -> dt.date:
        """The day asked for, else that of the latest event. Raises NotAnExport where there is neither."""
        if self._as_of is None:
            raise NotAnExport("the export holds no date of anything that happened: name the day to look at it from")
        return self._as_of

    def stamps(self, name: str, record: Mapping[str, Any]) -> dict[str, str]:
        """Created and modified stamps for a record that does not state them.

        A deal without created date was entered when it closed, an open one on the as-of day: nothing shows that it
        was there before. An activity was entered on its day; other records were there before the first event.
        """
        if name == "OpportunityHistory":
            return {}
        closed = self._closed_on(record) if name == "Opportunity" else None
        created = record.get("CreatedDate") or self._entered(name, record, closed)
        changed = record.get("LastModifiedDate") or max(created, _noon(closed) if closed else created)
        return {
            "CreatedDate": created,
            "LastModifiedDate": changed,
            "SystemModstamp": record.get("SystemModstamp") or changed,
        }

    def _entered(self, name: str, record: Mapping[str, Any], closed: str | None) -> str:
        as_of = self.as_of.isoformat()
        if name == "Opportunity":
            return _noon(closed or as_of)
        if name in {"Task", "Event"}:
            return _noon(min(record.get("ActivityDate") or as_of, as_of))
        return _noon((self.earliest or self.as_of).isoformat())

    def _closed_on(self, record: Mapping[str, Any]) -> str | None:
        stage = self._stages.get(record.get("StageName", ""))
        closed = record.get("IsClosed", stage is not None and stage.closed)
        day = record.get("CloseDate")
        return min(day, self.as_of.isoformat()) if closed and day else None

    def _happened(self, export: Export) -> Iterator[str]:
        """Days on which something was entered, closed or done; events may be planned, so they do not count here."""
        for name in _CREATED:
            yield from (stamp[:10] for stamp in _stamps(export, name, _STAMPS[:1]))
        for row in export.rows.get("Opportunity", ()):
            day = day_of(row.get("CloseDate", ""))
            if day is not None and day <= self._limit and is_closed(row, self._stages):
                yield day
        for row in export.rows.get("Task", ()):
            day = day_of(row.get("ActivityDate", ""))
            done = row.get("IsClosed", row.get("Status", "")).lower() in {"true", "1", _DONE}
            if day is not None and day <= self._limit and done:
                yield day


def stamp_of(text: str) -> str | None:
    """The stamp for a date and time, or for a date alone: its noon in UTC, which is that day nearly everywhere."""
    stamp = parsed_stamp(text)
    if stamp is None and len(text) == 10:
        day = day_of(text)
        stamp = None if day is None else _noon(day)
    return stamp if stamp is not None and _FIRST <= stamp[:10] <= _LAST else None


def day_of(text: str) -> str | None:
    """The day as stored; None where this is none, or none that Salesforce takes."""
    day = parsed_day(text)
    return day if day is not None and _FIRST <= day <= _LAST else None


def _stamps(export: Export, name: str, columns: tuple[str, ...]) -> Iterator[str]:
    for row in export.rows.get(name, ()):
        found = (stamp_of(row[column]) for column in columns if column in row)
        yield from (stamp for stamp in found if stamp is not None)


def _days(export: Export, name: str, column: str) -> Iterator[str]:
    days = (day_of(row.get(column, "")) for row in export.rows.get(name, ()))
    return (day for day in days if day is not None)


def _noon(day: str) -> str:
    return f"{day}T12:00:00.000+0000"
