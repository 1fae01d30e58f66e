"""Calls, meetings, e-mails, notes, tasks and messages: when, who, and how they ended; no bodies, no subjects."""

from __future__ import annotations

from connectors.codecs import boolean, identifier, one_of
from connectors.hubspot.codecs import end_of_call, moment, word_or
from connectors.hubspot.mapping.declaring import ENVELOPE, Declared, Link, made
from connectors.mapping import Line, Mapping
from kammodel.entities import Activity

SCOPE = "crm.objects.contacts.read"
_CALLS = dict.fromkeys(("BUSY", "CANCELED", "CANCELLED", "FAILED", "MISSED", "NO_ANSWER"), "cancelled") | dict.fromkeys(
    ("CALLING_CRM_USER", "CONNECTING", "IN_PROGRESS", "QUEUED", "RINGING"), "planned"
)
_MEETINGS = {"COMPLETED": "done", "NO_SHOW": "cancelled", "CANCELED": "cancelled", "CANCELLED": "cancelled"}
_EMAILS = {"BOUNCED": "cancelled", "FAILED": "cancelled", "SCHEDULED": "planned", "SENDING": "planned"}
TASKS = {"CALL": "call", "EMAIL": "email", "MEETING": "meeting", "TODO": "task"}

PERSONS = Link("contacts", "@person_ids", many=True)
LINKS = (
    Link("companies", "@account_ids", many=True),
    PERSONS,
    Link("deals", "@opportunity_id"),
    Link("tickets", "@case_id"),
)


def _engagement(kind: str, word: str, *lines: Line, scope: str = SCOPE, is_calendar: bool = False) -> Declared:
    """A kind of engagement: `word` is what it is called, and ids of ours begin with it, since HubSpot promises unique
    ids within a kind only."""
    shared = (
        Line("owner_id", "hubspot_owner_id", identifier),
        made("account_ids", "@account_ids"),
        made("person_ids", "@person_ids"),
        made("opportunity_id", "@opportunity_id", identifier),
        made("case_id", "@case_id", identifier),
    )
    calendar = (made("is_calendar", "@calendar", boolean),) if is_calendar else ()
    mapping = Mapping(Activity, (*ENVELOPE, *lines, *calendar, *shared))
    fixed = (("@kind", word), ("@done", "done"), ("@calendar", "true"))
    return Declared(kind, kind, mapping, scope, links=LINKS, word=word, fixed=fixed)


def _start(*columns: str) -> Line:
    return Line("starts_at", columns if len(columns) > 1 else columns[0], moment)


_KIND, _DONE = made("kind", "@kind"), made("status", "@done")

ENGAGEMENTS = (
    _engagement(
        "calls",
        "call",
        _KIND,
        Line("direction", "hs_call_direction", one_of({"INBOUND": "in", "OUTBOUND": "out"})),
        # A call that is logged without a status has taken place: planned ones are tasks.
        Line("status", "hs_call_status", word_or(_CALLS, otherwise="done", blank="done")),
        _start("hs_timestamp"),
        Line("ends_at", ("hs_timestamp", "hs_call_duration"), end_of_call),
    ),
    _engagement(
        "meetings",
        "meeting",
        _KIND,
        Line("status", "hs_meeting_outcome", word_or(_MEETINGS, otherwise="planned", blank="planned")),
        _start("hs_meeting_start_time", "hs_timestamp"),
        Line("ends_at", "hs_meeting_end_time", moment),
        is_calendar=True,
    ),
    _engagement(
        "emails",
        "email",
        _KIND,
        Line("direction", "hs_email_direction", one_of({"EMAIL": "out", "INCOMING_EMAIL": "in"})),
        Line("status", "hs_email_status", word_or(_EMAILS, otherwise="done", blank="done")),
        _start("hs_timestamp"),
        scope="crm.objects.contacts.read, sales-email-read",
    ),
    _engagement("notes", "note", _KIND, _DONE, _start("hs_timestamp")),
    _engagement(
        "tasks",
        "task",
        Line("kind", "hs_task_type", word_or(TASKS, otherwise="task", blank="task")),
        Line("status", "hs_task_status", word_or({"COMPLETED": "done"}, otherwise="planned", blank="planned")),
        _start("hs_timestamp"),
        Line("completed_at", "hs_task_completion_date", moment),
    ),
    # WhatsApp, LinkedIn and text messages: no touch, and none of their text is asked for.
    _engagement("communications", "message", _KIND, _DONE, _start("hs_timestamp")),
)
