"""Control tables: how far each stream was read, what was set aside, and which runs there were."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import JSON, BigInteger
from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class Bookmark(SQLModel, table=True):
    """How far one stream of one CRM was read.

    `watermark`: everything changed before it has been read, settled and proven. `read_until`: what was visible
    up to then has been read, though late rows may follow; the next slice begins at the watermark. `slice_*` and
    `resume_point` describe a slice under way; they move in the same transaction as its rows, so that a kill
    loses nothing.
    """

    __tablename__ = "bookmark"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    fingerprint: str
    columns: str = ""
    """The columns of ours that were filled, by name, separated by commas: one that is lost later is noticed."""
    types: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """By field that was read, the type that the CRM gave it: one that becomes another later is noticed."""
    watermark: dt.datetime | None = Field(default=None, sa_type=Instant)
    read_until: dt.datetime | None = Field(default=None, sa_type=Instant)
    slice_since: dt.datetime | None = Field(default=None, sa_type=Instant)
    slice_until: dt.datetime | None = Field(default=None, sa_type=Instant)
    resume_point: str | None = None
    rows_read: int = Field(default=0, sa_type=BigInteger)
    rows_rejected: int = Field(default=0, sa_type=BigInteger)


class Sweep(SQLModel, table=True):
    """What was done about rows of a stream that its increments do not show.

    `loaded_at`: it was last read in full. `deletions_until`: deletions for good have been looked for up to then.
    `compared_at`: all its ids were last compared with those of the CRM; null: that is due; `compared_after`: a
    comparison under way has come to this place. `linked_at`: the links of all its rows were last looked at;
    `linked_after`: a look under way has come to this id.
    """

    __tablename__ = "sweep"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    loaded_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    deletions_until: dt.datetime | None = Field(default=None, sa_type=Instant)
    compared_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    compared_after: str | None = None
    linked_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    linked_after: str | None = None


class Certificate(SQLModel, table=True):
    """What counting a window of a stream showed, at its last reconciliation: one row a window, all of one stream made
    together.

    `window_low`, `window_high`: keys in [low, high), null leaves an end open; by `cut_by` seconds since 1970 of the
    creation, or the number that an id is. `before`: and created before. `explained`: records that the two sides differ
    by for a reason: set aside, forgotten on purpose, or changed since they were last read. `sums`: by currency, the
    CRM's and ours, in 1/10,000 units. `verdict`: ok, differs, or unproven, with its `reason`.
    """

    __tablename__ = "certificate"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    place: int = Field(primary_key=True, sa_type=BigInteger, sa_column_kwargs={"autoincrement": False})
    cut_by: str
    window_low: int | None = Field(default=None, sa_type=BigInteger)
    window_high: int | None = Field(default=None, sa_type=BigInteger)
    before: dt.datetime | None = Field(default=None, sa_type=Instant)
    crm_rows: int | None = Field(default=None, sa_type=BigInteger)
    our_rows: int | None = Field(default=None, sa_type=BigInteger)
    wrong_rows: int = Field(default=0, sa_type=BigInteger)
    explained: int = Field(default=0, sa_type=BigInteger)
    sums: dict[str, list[int]] = Field(default_factory=dict, sa_type=JSON)
    verdict: str
    reason: str | None = None
    counted_at: dt.datetime = Field(sa_type=Instant)


class RejectedRecord(SQLModel, table=True):
    """A row that could not be read, kept with what came and why. Closed once the row could be read."""

    __tablename__ = "rejected_record"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    entity: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    field: str
    reason: str
    raw: str
    rejected_at: dt.datetime = Field(sa_type=Instant)
    resolved_at: dt.datetime | None = Field(default=None, sa_type=Instant)


class AccountToCompare(SQLModel, table=True):
    """An account that the CRM showed us again since its fields were last compared: a person may have edited them.

    Pulls add to it, the next plan compares these accounts and takes them out.
    """

    __tablename__ = "account_to_compare"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)


class Restamp(SQLModel, table=True):
    """A row that came again with the content that it had: the newest change stamp that it came with. Our own writes
    do that to accounts, and automations of the CRM to anything."""

    __tablename__ = "restamp"

    entity: str = Field(primary_key=True)
    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    stamp: dt.datetime = Field(sa_type=Instant)


class Run(SQLModel, table=True):
    """One run of the program: what it was asked, when, and how it ended."""

    __tablename__ = "run"

    run_id: str = Field(primary_key=True)
    kind: str
    started_at: dt.datetime = Field(sa_type=Instant)
    ended_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    state: str = "running"
    as_of: dt.date | None = None
    result: dict[str, object] = Field(default_factory=dict, sa_type=JSON)
