"""Windows of a CRM's past that are read by hand, beside the bookmarks of the live schedule."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class BackfillWindow(SQLModel, table=True):
    """How far one window of one stream was read: rows changed in [since, until).

    `until` is where the window ends by the calendar; `read_until` where reading it ended, which is earlier while the
    window is not over. `resume_point` moves in the same transaction as the rows. `closed_at`: its count was proven;
    null while it is under way.
    """

    __tablename__ = "backfill_window"

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    since: dt.datetime = Field(primary_key=True, sa_type=Instant)
    until: dt.datetime = Field(primary_key=True, sa_type=Instant)
    fingerprint: str
    columns: str = ""
    read_until: dt.datetime = Field(sa_type=Instant)
    resume_point: str | None = None
    rows_read: int = Field(default=0, sa_type=BigInteger)
    rows_rejected: int = Field(default=0, sa_type=BigInteger)
    closed_at: dt.datetime | None = Field(default=None, sa_type=Instant)
