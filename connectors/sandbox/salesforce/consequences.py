"""What follows when a record was saved: histories, the last activity of what it was about, amounts, relations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors.sandbox.salesforce import contact_relations, line_items
from connectors.sandbox.salesforce.field_history import write_field_history
from connectors.sandbox.salesforce.objects.history import OF
from connectors.sandbox.salesforce.table import Row, Table

if TYPE_CHECKING:
    from connectors.sandbox.salesforce.org import Org

ACTIVITIES = frozenset({"Task", "Event"})
_WATCHED = ("Amount", "Probability", "StageName", "CloseDate")
_ABOUT = (("Account", "AccountId"), ("Opportunity", "WhatId"), ("Contact", "WhoId"))


def follow(org: Org, table: Table, new: Mapping[str, Any], old: Mapping[str, Any] | None, by: str | None) -> None:
    """Do what follows from a save."""
    if table.name == "Opportunity" and (old is None or any(old[name] != new[name] for name in _WATCHED)):
        _write_history(org, new, old, by)
    if table.name in OF:
        write_field_history(org, table, new, old, by)
    if table.name == "Contact" and (old is None or old["AccountId"] != new["AccountId"]):
        contact_relations.follow_account(org, new, by)
    if table.name == "OpportunityLineItem":
        line_items.roll_up(org, str(new["OpportunityId"]), by)
    if table.name in ACTIVITIES:
        _note_activity(org, new, old)


def note_activities(org: Org, table: Table, rows: Iterable[Row]) -> None:
    """LastActivityDate of what loaded activities are about; nothing is re-stamped, for this was long ago."""
    places = [(name, table.position[ref.lower()]) for name, ref in _ABOUT]
    day, closed = table.position["activitydate"], table.position.get("isclosed")
    latest: dict[tuple[str, str], str] = {}
    for row in rows:
        if row[day] is None or table.deleted(row) or not (closed is None or row[closed]):
            continue
        for name, place in places:
            key = (name, row[place])
            if key[1] is not None and row[day] > latest.get(key, ""):
                latest[key] = row[day]
    for (name, record_id), on in latest.items():
        target = org.table(name)
        row_about = target.rows.get(record_id)
        place = target.position["lastactivitydate"]
        if row_about is not None and (row_about[place] or "") < on:
            row_about[place] = on


def _write_history(org: Org, new: Mapping[str, Any], old: Mapping[str, Any] | None, by: str | None) -> None:
    history = org.table("OpportunityHistory")
    now = org.now()
    record = {one.name: None for one in history.fields} | {
        "Id": org.new_id(history),
        "OpportunityId": new["Id"],
        "CreatedById": by or org.admin_user_id,
        "CreatedDate": now,
        "SystemModstamp": now,
        "IsDeleted": False,
        "PrevAmount": old["Amount"] if old else None,
        "PrevCloseDate": old["CloseDate"] if old else None,
        **{name: new[name] for name in (*_WATCHED, "ExpectedRevenue", "ForecastCategory")},
    }
    if "CurrencyIsoCode" in record:
        record["CurrencyIsoCode"] = new["CurrencyIsoCode"]
    org.save(history, record, None, by, quiet=True)


def _note_activity(org: Org, new: Mapping[str, Any], old: Mapping[str, Any] | None) -> None:
    for name, ref in _ABOUT:
        for record_id in {new[ref], old[ref] if old else None} - {None}:
            target = org.tables[name.lower()]
            row = target.rows.get(record_id)
            if row is None:
                continue
            known, on = target.value(row, "LastActivityDate"), _counts_on(new)
            latest: str | None
            if on and new[ref] == record_id and on >= (known or ""):
                latest = on
            elif old and old[ref] == record_id and _counts_on(old) == known:
                latest = _latest(org, ref, record_id)
            else:
                continue
            if latest != known:
                _set_last_activity(org, target, record_id, latest)


def _set_last_activity(org: Org, target: Table, record_id: str, latest: str | None) -> None:
    if org.settings.activity_restamps_parents:
        org.restamp(target, record_id, LastActivityDate=latest)
    else:
        target.rows[record_id][target.position["lastactivitydate"]] = latest


def _latest(org: Org, ref: str, record_id: str) -> str | None:
    days = (
        _counts_on(table.record_of(row))
        for table in (org.table("Task"), org.table("Event"))
        for row in table.where(ref, record_id)
    )
    return max((day for day in days if day), default=None)


def _counts_on(record: Mapping[str, Any]) -> str | None:
    """The day on which an activity counts: that of an event, or of a closed task."""
    closed = record.get("IsClosed", True)
    return record["ActivityDate"] if closed and not record["IsDeleted"] else None
