"""Task and Event, what they may be about, and the statuses that close a task."""

from __future__ import annotations

from connectors.sandbox.salesforce import fields as f

_WHO = ("Contact", "Lead")
_WHAT = ("Account", "Opportunity", "Case", "Contract", "Order", "Asset")


def _shared(what: str) -> tuple[f.Field, ...]:
    return (
        f.record_id("Activity ID"),
        f.lookup("WhoId", "Name ID", _WHO, "Who", permissionable=False),
        f.lookup("WhatId", "Related To ID", _WHAT, "What", permissionable=False),
        f.Field(name="Subject", label="Subject", type="combobox", length=255, values=("Call", "Email", "Other")),
        f.day("ActivityDate", what, permissionable=False),
        f.lookup("OwnerId", "Assigned To ID", ("User", "Group"), "Owner").required,
        f.long_text("Description", "Description"),
        f.picklist("Type", "Type", ("Call", "Email", "Meeting", "Other")),
        f.lookup("AccountId", "Account ID", "Account", "Account", permissionable=False).fixed,
        f.checkbox("IsArchived", "Archived", permissionable=False).fixed,
        f.checkbox("IsRecurrence", "Recurring", permissionable=False, updateable=False),
        f.text("RecurrenceActivityId", "Recurrence Activity ID", 18, permissionable=False).fixed,
        *f.audit(),
    )


TASK = f.SObject(
    name="Task",
    label="Task",
    plural="Tasks",
    prefix="00T",
    fields=(
        *_shared("Due Date Only"),
        f.picklist(
            "Status", "Status", ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
        ).required,
        f.picklist("Priority", "Priority", ("High", "Normal", "Low")).required,
        f.checkbox("IsHighPriority", "High Priority", permissionable=False).fixed,
        f.checkbox("IsClosed", "Closed", permissionable=False).fixed,
        f.integer("CallDurationInSeconds", "Call Duration"),
        f.picklist("CallType", "Call Type", ("Internal", "Inbound", "Outbound")),
        f.text("CallDisposition", "Call Result"),
        f.picklist(
            "TaskSubtype",
            "Task Subtype",
            ("Task", "Email", "List Email", "Cadence", "Call", "LinkedIn"),
            permissionable=False,
            updateable=False,
            restricted=True,
        ),
        f.moment("CompletedDateTime", "Completed Date", permissionable=False).fixed,
    ),
)

EVENT = f.SObject(
    name="Event",
    label="Event",
    plural="Events",
    prefix="00U",
    fields=(
        *_shared("Due Date Only"),
        f.text("Location", "Location"),
        f.checkbox("IsAllDayEvent", "All-Day Event", permissionable=False),
        f.moment("ActivityDateTime", "Due Date Time", permissionable=False),
        f.integer("DurationInMinutes", "Duration", permissionable=False),
        f.moment("StartDateTime", "Start Date Time", permissionable=False),
        f.moment("EndDateTime", "End Date Time", permissionable=False),
        f.checkbox("IsPrivate", "Private"),
        f.picklist("ShowAs", "Show Time As", ("Busy", "OutOfOffice", "Free"), permissionable=False),
        f.checkbox("IsChild", "Is Child", permissionable=False).fixed,
        f.checkbox("IsGroupEvent", "Is Group Event", permissionable=False).fixed,
        f.picklist("GroupEventType", "Group Event Type", ("0", "1", "2", "3"), permissionable=False).fixed,
        f.checkbox("IsRecurrence2", "Repeat", permissionable=False).fixed,
        f.picklist("EventSubtype", "Event Subtype", ("Event",), permissionable=False, updateable=False),
    ),
)

TASK_STATUS = f.SObject(
    name="TaskStatus",
    label="Task Status Value",
    plural="Task Status Value",
    prefix="01T",
    createable=False,
    updateable=False,
    deletable=False,
    replicateable=False,
    fields=(
        f.record_id("Task Status Value ID"),
        f.text("MasterLabel", "Master Label", name_field=True).required.fixed,
        f.text("ApiName", "API Name", permissionable=False).fixed,
        f.integer("SortOrder", "Sort Order", permissionable=False).fixed,
        f.checkbox("IsDefault", "Default").required.fixed,
        f.checkbox("IsClosed", "Closed").required.fixed,
        *f.audit(deletable=False),
    ),
)
