"""What calls, emails, meetings, notes, tasks and communications are born with."""

from __future__ import annotations

from connectors.sandbox.hubspot.builtin_rows import AREA, INSTANT, NUMBER, SELECT, TEXT, Born
from connectors.sandbox.hubspot.kinds import CALLS, COMMUNICATIONS, EMAILS, MEETINGS, NOTES, TASKS

ACTIVITIES: dict[str, Born] = {
    CALLS.name: Born(
        free={
            "hs_call_title": ("Call Title", *TEXT),
            "hs_call_body": ("Call notes", *AREA),
            "hs_call_direction": ("Call direction", *SELECT),
            "hs_call_disposition": ("Call outcome", *SELECT),
            "hs_call_duration": ("Call duration", *NUMBER),
            "hs_call_status": ("Call Status", *SELECT),
        },
        options={
            "hs_call_direction": ("INBOUND", "OUTBOUND"),
            "hs_call_status": ("COMPLETED", "NO_ANSWER", "BUSY", "CANCELED", "FAILED", "QUEUED", "RINGING"),
        },
    ),
    MEETINGS.name: Born(
        free={
            "hs_meeting_title": ("Meeting name", *TEXT),
            "hs_meeting_body": ("Meeting description", *AREA),
            "hs_meeting_start_time": ("Meeting start time", *INSTANT),
            "hs_meeting_end_time": ("Meeting end time", *INSTANT),
            "hs_meeting_outcome": ("Meeting outcome", *SELECT),
        },
        options={"hs_meeting_outcome": ("SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED")},
    ),
    EMAILS.name: Born(
        free={
            "hs_email_subject": ("Email subject", *TEXT),
            "hs_email_direction": ("Email direction", *SELECT),
            "hs_email_status": ("Email send status", *SELECT),
            "hs_email_text": ("Email body", *AREA),
            "hs_email_html": ("Email HTML", "string", "html"),
            "hs_email_headers": ("Email headers", *AREA),
        },
        options={
            "hs_email_direction": ("EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
            "hs_email_status": ("SENT", "SENDING", "SCHEDULED", "FAILED", "BOUNCED"),
        },
    ),
    NOTES.name: Born(free={"hs_note_body": ("Note body", *AREA)}),
    TASKS.name: Born(
        free={
            "hs_task_subject": ("Task Title", *TEXT),
            "hs_task_body": ("Task notes", *AREA),
            "hs_task_status": ("Task Status", *SELECT),
            "hs_task_type": ("Task Type", *SELECT),
            "hs_task_priority": ("Priority", *SELECT),
            "hs_task_completion_date": ("Completed at", *INSTANT),
        },
        options={
            "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
            "hs_task_type": ("TODO", "CALL", "EMAIL"),
            "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
        },
    ),
    COMMUNICATIONS.name: Born(
        free={
            "hs_communication_channel_type": ("Channel type", *SELECT),
            "hs_communication_logged_from": ("Logged from", *SELECT),
            "hs_communication_body": ("Communication body", *AREA),
        },
        options={
            "hs_communication_channel_type": ("WHATS_APP", "LINKEDIN_MESSAGE", "SMS"),
            "hs_communication_logged_from": ("CRM",),
        },
    ),
}
