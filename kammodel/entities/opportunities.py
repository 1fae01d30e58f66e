"""Opportunities, the steps they go through, and what they looked like at each change."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field

from kammodel.entities.envelope import Sourced
from kammodel.entities.types import Instant, Money


class Opportunity(Sourced, table=True):
    """A deal. Without an account it is read all the same, and counted as an orphan."""

    __tablename__ = "opportunity"

    account_id: str | None = Field(default=None, index=True)
    name: str | None = None
    pipeline_id: str | None = None
    stage_id: str | None = None
    status: str | None = None
    """open, won or lost, from the stage."""
    is_omitted: bool | None = None
    """Left out of the forecast by its owner (Salesforce forecast category Omitted)."""
    forecast_category: str | None = None
    """omitted, pipeline, best_case, most_likely, commit or closed, as its owner or its stage says."""
    kind: str | None = None
    """new, expansion, renewal; null is unknown."""
    amount: int | None = Field(default=None, sa_type=Money)
    currency: str | None = None
    probability: float | None = None
    """0..1; null where the CRM has none or one outside that range."""
    close_on: dt.date | None = None
    """The expected close date while open, the close date once closed."""
    owner_id: str | None = None
    lead_source: str | None = None
    loss_reason: str | None = None
    merged_into_id: str | None = None


class OpportunityStageEvent(Sourced, table=True):
    """What an opportunity looked like from `changed_at` on: one row per change of stage, amount or close date."""

    __tablename__ = "opportunity_stage_event"

    opportunity_id: str | None = Field(default=None, index=True)
    changed_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    stage_id: str | None = None
    status: str | None = None
    amount: int | None = Field(default=None, sa_type=Money)
    probability: float | None = None
    close_on: dt.date | None = None
    prev_amount: int | None = Field(default=None, sa_type=Money)
    """What it was before, as the CRM states it; null where it does not, which is no sign that nothing changed."""
    prev_close_on: dt.date | None = None


class OpportunityFieldChange(Sourced, table=True):
    """A change of one field of an opportunity, where the CRM keeps such a record. Values are as the CRM spells them."""

    __tablename__ = "opportunity_field_change"

    opportunity_id: str | None = None
    field: str | None = None
    """The CRM's own name of it."""
    changed_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    old_value: str | None = None
    new_value: str | None = None


class PipelineStage(Sourced, table=True):
    """A step of a pipeline as the CRM defines it today. `stage_id` is what opportunities refer to."""

    __tablename__ = "pipeline_stage"

    pipeline_id: str | None = None
    pipeline_name: str | None = None
    stage_id: str | None = None
    name: str | None = None
    position: int | None = Field(default=None, sa_type=BigInteger)
    status: str | None = None
    probability: float | None = None
