"""Account plans: what is to be reached with an account, and how far it is. Statuses are the CRM's own words."""

from __future__ import annotations

import datetime as dt

from kammodel.entities.envelope import Sourced


class AccountPlan(Sourced, table=True):
    """What is planned with an account for a time."""

    __tablename__ = "account_plan"

    account_id: str | None = None
    name: str | None = None
    status: str | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    owner_id: str | None = None


class PlanObjective(Sourced, table=True):
    """One aim of a plan."""

    __tablename__ = "plan_objective"

    plan_id: str | None = None
    name: str | None = None
    status: str | None = None
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    owner_id: str | None = None


class PlanMeasure(Sourced, table=True):
    """What tells how far an objective is: plain numbers, of the same unit. One of quality has no numbers."""

    __tablename__ = "plan_measure"

    objective_id: str | None = None
    name: str | None = None
    unit: str | None = None
    """money, percent (45 means 45 %) or number; null where the CRM does not say."""
    target_value: float | None = None
    current_value: float | None = None
    currency: str | None = None
    """Of the two values where the unit is money."""
