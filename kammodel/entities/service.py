"""What customers ask of our service."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field

from kammodel.entities.envelope import Sourced
from kammodel.entities.types import Instant


class Case(Sourced, table=True):
    """A request to our service. Its subject and description are never read."""

    __tablename__ = "support_case"

    account_id: str | None = None
    person_id: str | None = None
    kind: str | None = None
    """problem, question, feature_request or other; null is unknown."""
    priority: str | None = None
    status: str | None = None
    """`priority` and `status` are the CRM's own words."""
    is_closed: bool | None = None
    is_escalated: bool | None = None
    opened_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    closed_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    parent_id: str | None = None
    first_response_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    sla_due_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    """When it has to be closed by; null where nothing was agreed, or nobody says."""
    is_sla_met: bool | None = None
    """What the CRM says of the agreed time: null is not agreed, or not decided yet."""
    reopened_n: int | None = Field(default=None, sa_type=BigInteger)
    """How often it was opened again."""
