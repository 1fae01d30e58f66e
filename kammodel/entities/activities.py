"""What was done, or is planned, with a customer."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field

from kammodel.entities.envelope import Sourced
from kammodel.entities.types import Instant

SEPARATOR = ";"
"""Between ids in `account_ids` and `person_ids`; ids are sorted, so equal sets are equal texts."""


class Activity(Sourced, table=True):
    """A call, e-mail, meeting, note or task. Bodies and subjects are never read."""

    __tablename__ = "activity"

    kind: str | None = None
    """call, email, meeting, note, task, message, mass_email."""
    direction: str | None = None
    """in or out; null is unknown."""
    status: str | None = None
    """planned, done or cancelled, as the CRM says it; a meeting that is not cancelled is done once over."""
    is_calendar: bool = False
    """An entry of a calendar, with a time of its own: done once that is over, unless cancelled. Anything else is
    done when its CRM says so."""
    occurred_on: dt.date | None = None
    """The day it took place, as the CRM states one: a vendor's date, never shifted. Null for a plain task."""
    due_on: dt.date | None = None
    """The day a task should be done by; it stands in where its CRM never noted when it was."""
    starts_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    ends_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    completed_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    owner_id: str | None = None
    account_ids: str | None = None
    """Accounts it names itself, sorted and joined by `;`. Without one, that of the opportunity counts, else that
    of the case, else those of the persons."""
    opportunity_id: str | None = None
    case_id: str | None = None
    person_ids: str | None = None
    """Contacts taking part, sorted and joined by `;`. Leads are not account persons and are left out."""
    is_counted: bool = True
    """False for a series master and for an invitee's copy of a meeting: they are not an event of their own."""
