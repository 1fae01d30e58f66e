"""Touches of a book as activities: meetings are events, all else are tasks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sandbox.book import Touch
from connectors.sandbox.salesforce.ids import ACCOUNT, CASE, CONTACT, EVENT, OPPORTUNITY, TASK, USER, salesforce_id
from connectors.sandbox.salesforce.instants import stamp

_MINUTES = 30


def is_event(touch: Touch) -> bool:
    """Whether Salesforce keeps a touch as an event."""
    return touch.kind == "meeting"


def task(touch: Touch, zone: ZoneInfo) -> dict[str, Any]:
    """A call, mail, note or plain task; one that is done was completed when it was last changed, at the latest."""
    record = _shared(touch) | {
        "Id": salesforce_id(TASK, touch.id),
        "ActivityDate": touch.at.astimezone(zone).date(),
        "Status": "Completed" if touch.done else "Not Started",
        "Priority": "Normal",
        "TaskSubtype": {"call": "Call", "email": "Email"}.get(touch.kind, "Task"),
        "Type": {"call": "Call", "email": "Email", "note": "Other"}.get(touch.kind),
        "CompletedDateTime": touch.at if touch.done else None,
    }
    if touch.kind == "call":
        record["CallDurationInSeconds"] = None if touch.minutes is None else touch.minutes * 60
        record["CallType"] = None if touch.inbound is None else "Inbound" if touch.inbound else "Outbound"
    return record


def event(touch: Touch) -> dict[str, Any]:
    """A meeting."""
    minutes = _MINUTES if touch.minutes is None else touch.minutes
    return _shared(touch) | {
        "Id": salesforce_id(EVENT, touch.id),
        "StartDateTime": touch.at,
        "EndDateTime": touch.at + dt.timedelta(minutes=minutes),
        "DurationInMinutes": minutes,
        "Type": "Meeting",
        "ShowAs": "Busy",
    }


def _shared(touch: Touch) -> dict[str, Any]:
    user_id, changed = salesforce_id(USER, touch.owner), stamp(touch.updated_at)
    about = None
    if touch.issue is not None:
        about = salesforce_id(CASE, touch.issue)
    elif touch.on_person and touch.people:
        pass
    elif touch.deal is not None:
        about = salesforce_id(OPPORTUNITY, touch.deal)
    elif touch.company is not None:
        about = salesforce_id(ACCOUNT, touch.company)
    return {
        "Subject": touch.subject,
        "OwnerId": user_id,
        "WhatId": about,
        "WhoId": salesforce_id(CONTACT, touch.people[0]) if touch.people else None,
        "IsDeleted": touch.deleted,
        "CreatedDate": stamp(touch.created_at),
        "CreatedById": user_id,
        "LastModifiedDate": changed,
        "LastModifiedById": user_id,
        "SystemModstamp": changed,
    }
