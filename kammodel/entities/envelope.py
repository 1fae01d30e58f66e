"""The envelope that every row read from a CRM carries: whose row it is, and what became of it."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant

KEY = ("source", "source_instance", "source_id")
"""Primary key of every entity: CRM name, org or portal id, the CRM's own id (Salesforce: 18 characters)."""

OURS = ("synced_at", "content_changed_at")
"""Columns the store fills in; everything else comes from the CRM."""


class Sourced(SQLModel):
    """Source envelope. `deleted` covers recycle bin, archive and merge losers.

    `content_changed_at` is when the row's content last changed here (columns are compared, not hashes of
    them), so that a CRM re-stamping a row is not mistaken for news. A page address is no column: it follows
    from the key, see `Connector.record_url`.
    """

    source: str = Field(primary_key=True)
    source_instance: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    created_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    updated_at: dt.datetime | None = Field(default=None, sa_type=Instant)
    deleted: bool = False
    synced_at: dt.datetime = Field(sa_type=Instant)
    content_changed_at: dt.datetime = Field(sa_type=Instant)
