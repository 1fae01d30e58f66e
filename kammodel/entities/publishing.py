"""What we mean to write into a CRM, what we wrote, how each cell ended, and whose turn it is to write."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON
from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class PublishPlan(SQLModel, table=True):
    """A stored plan: nothing is written that does not stand in one.

    `kind`: publish; undo, which takes back what the plan `undoes` wrote; redo, which takes back an undo. `made_by`: the
    run of the scheduler that made it, null by hand. `hash`: of what it would do; equal plans have equal hashes.
    `write_calls`: what applying it costs. `measures`: what it was computed from, by name, for the next plan to compare
    with. `tripped`: the limits that it goes beyond, in words; then it is written only once somebody approved its hash.
    """

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
    kind: str = "publish"
    undoes: str | None = None
    made_by: str | None = None
    hash: str = ""
    expires_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    write_calls: int = 0
    measures: dict[str, float] = Field(default_factory=dict, sa_type=JSON)
    tripped: list[str] = Field(default_factory=list, sa_type=JSON)
    approved_by: str | None = None
    approved_at: dt.datetime | None = Field(default=None, sa_type=Instant)


class PlannedCell(SQLModel, table=True):
    """One field of one account: before, after, and what became of it. Values are canonical texts, null clears; what
    stood there, and what an undo gives back, may have more decimals than we write.

    `before_spelled`: what stood there as the CRM spelled it, where that is not `before`: an undo gives it back as it
    was. `after_spelled`: what is sent for `after`, in such an undo.
    """

    __tablename__ = "planned_cell"

    plan_id: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    before: str | None = None
    after: str | None = None
    before_spelled: str | None = None
    after_spelled: str | None = None
    decision: str
    """write, review (written once the plan is approved) or held."""
    reason: str | None = None
    """Why that is the decision, by its code; see `publish.deciding`."""
    outcome: str | None = None
    """null while pending; written, held, rejected, waiting for another try, superseded by a newer plan."""
    kind: str | None = None
    """Of a rejected cell: what sort of refusal it was."""
    code: str | None = None
    message: str | None = None


class WrittenCell(SQLModel, table=True):
    """The ledger: the value that we last wrote into a field of an account, and when.

    `is_undone`: that was taking back the value `undone`, which is not written there a second time. `is_returned`: the
    value is a person's, which an undo gave back: not ours, though we sent it.
    """

    __tablename__ = "written_cell"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    field: str = Field(primary_key=True)
    value: str | None = None
    plan_id: str
    written_at: dt.datetime = Field(sa_type=Instant)
    is_undone: bool = False
    undone: str | None = None
    is_returned: bool = False


class WriteJob(SQLModel, table=True):
    """A job of a CRM that was given values of ours to write, and has not been seen to end: it writes them though the
    run that began it is no more."""

    __tablename__ = "write_job"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    job_id: str = Field(primary_key=True)
    begun_at: dt.datetime = Field(sa_type=Instant)


class Lease(SQLModel, table=True):
    """Who may do something that only one may do at a time, until when."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: dt.datetime = Field(sa_type=Instant)
