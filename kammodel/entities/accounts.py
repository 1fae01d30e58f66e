"""Companies we sell to, and the users who look after them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field

from kammodel.entities.envelope import Sourced
from kammodel.entities.types import Money


class Account(Sourced, table=True):
    """A company. Ids of other rows (`owner_id`, `parent_id`, `merged_into_id`) are the same CRM's own ids."""

    __tablename__ = "account"

    name: str | None = None
    domain: str | None = None
    type: str | None = None
    """customer, prospect, partner, competitor, internal or other."""
    industry: str | None = None
    country: str | None = None
    region: str | None = None
    """State or province, as the CRM spells it."""
    currency: str | None = None
    employees: int | None = Field(default=None, sa_type=BigInteger)
    annual_revenue: int | None = Field(default=None, sa_type=Money)
    lifecycle_stage: str | None = None
    """How far it is as a customer, in the CRM's own word."""
    is_target: bool | None = None
    icp_tier: str | None = None
    """How well it fits the ideal customer, in the CRM's own word. This and `is_target` are marketing's: read only."""
    owner_id: str | None = None
    parent_id: str | None = None
    merged_into_id: str | None = None
    cross_reference: str | None = None
    """The id under which the other CRM holds the same company, as a person or a sync tool recorded it."""
    strategic_value: float | None = None
    """0..10, typed by a person; never written by us."""
    tier_override: str | None = None
    tier_override_reason: str | None = None
    tier_override_until: dt.date | None = None


class User(Sourced, table=True):
    """A user or owner of records. Users are not deleted in a CRM, they become inactive."""

    __tablename__ = "crm_user"

    name: str | None = None
    is_active: bool | None = None
