"""What we mean to write into a CRM, what we wrote, and how each cell ended."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class PublishPlan(SQLModel, table=True):
    """A stored plan: nothing is written that does not stand in one."""

    __tablename__ = "publish_plan"

    plan_id: str = Field(primary_key=True)
    number: int = 0
    """Counts the plans of a store, so that the latest is known whatever its clock said."""
    source: str
    source_instance: str
    planned_at: dt.datetime = Field(sa_type=Instant)
    as_of: dt.date
    cells_equal: int = 0
    cells_held: int = 0
    applied_at: dt.datetime | None = Field(default=None, sa_type=Instant)


class PlannedCell(SQLModel, table=True):
    """One field of one account: before, after, and what became of it. Values are canonical texts, null clears."""

    __tablename__ = "planned_cell"

    plan_id: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    before: str | None = None
    after: str | None = None
    decision: str
    """write or held (a person's value stands there)."""
    outcome: str | None = None
    """null while pending; written, rejected, gone, superseded by a newer plan, edited by somebody meanwhile."""
    code: str | None = None
    message: str | None = None


class WrittenCell(SQLModel, table=True):
    """The ledger: the value that we last wrote into a field of an account, and when."""

    __tablename__ = "written_cell"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    value: str | None = None
    plan_id: str
    written_at: dt.datetime = Field(sa_type=Instant)
