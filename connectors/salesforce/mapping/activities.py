"""Calls, e-mails and meetings: tasks and events. Subjects and descriptions are never read."""

from __future__ import annotations

from connectors.codecs import boolean, instant, one_of
from connectors.mapping import Line, Mapping
from connectors.salesforce.codecs import (
    ACCOUNT,
    CASE,
    CONTACT,
    OPPORTUNITY,
    day,
    day_unless_plain,
    first_word,
    none_of,
    record_id,
    record_of,
    task_status,
)
from connectors.salesforce.mapping.declaring import ENVELOPE, made, optional
from kammodel.entities import Activity

TASK_KINDS = {"call": "call", "email": "email", "list email": "mass_email", "linkedin": "message", "meeting": "meeting"}
EVENT_KINDS = {"call": "call", "email": "email"}
_DIRECTIONS = {"inbound": "in", "outbound": "out"}

_RELATED = (
    optional("owner_id", "OwnerId", record_id),
    optional("account_ids", ("AccountId", "WhatId"), record_of(ACCOUNT)),
    optional("opportunity_id", "WhatId", record_of(OPPORTUNITY)),
    optional("case_id", "WhatId", record_of(CASE)),
    optional("person_ids", "WhoId", record_of(CONTACT)),
)
"""Salesforce fills AccountId by way of an opportunity or contact, and leaves it empty for a case."""

TASKS = Mapping(
    Activity,
    (
        *ENVELOPE,
        # The subtype says how the task was made, the type what a person called it: `Task` says nothing.
        optional("kind", ("TaskSubtype", "Type", "@none"), first_word(TASK_KINDS, otherwise="task")),
        optional("direction", "CallType", one_of(_DIRECTIONS)),
        Line("status", "IsClosed", task_status),
        # The date of a logged call or e-mail is its own; that of a plain task is when it is due (kam-readings 1).
        optional("occurred_on", ("ActivityDate", "TaskSubtype"), day_unless_plain),
        optional("due_on", "ActivityDate", day),
        optional("completed_at", "CompletedDateTime", instant),
        *_RELATED,
        optional("is_counted", "IsRecurrence", none_of),
    ),
)

EVENTS = Mapping(
    Activity,
    (
        *ENVELOPE,
        optional("kind", ("Type", "@none"), first_word(EVENT_KINDS, otherwise="meeting")),
        made("status", "@planned"),
        made("is_calendar", "@calendar", boolean),
        optional("occurred_on", "ActivityDate", day),
        optional("starts_at", "StartDateTime", instant),
        optional("ends_at", "EndDateTime", instant),
        *_RELATED,
        # The master of a series is no meeting, and neither is an invitee's copy of one.
        optional("is_counted", ("IsChild", "IsRecurrence"), none_of),
    ),
)
"""Meetings. One that was not deleted took place: Salesforce knows no cancelled ones."""
