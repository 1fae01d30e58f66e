"""What rows read from a CRM were before they changed, and under which rules days were scored."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class EntityVersion(SQLModel, table=True):
    """What a row was until it changed: appended with the change, in its transaction, and never updated.

    A row that never changed has no version, so that a first load writes none: what stands in its own table is its
    last version. `valid_from` and `valid_until` are the CRM's change stamps of this version and of its successor;
    where a change moved no stamp (a row that is gone, a link), `valid_until` is the time at which we saw it.
    `content` is JSON: the columns that scores depend on, with the row's stamps; instants are microseconds since 1970.
    """

    __tablename__ = "entity_version"
    __table_args__ = (Index("ix_entity_version_entity_valid_until", "entity", "valid_until"),)

    version_id: int | None = Field(default=None, primary_key=True)
    entity: str
    """Name of the row's table."""
    source: str
    source_instance: str
    source_id: str
    valid_from: dt.datetime | None = Field(default=None, sa_type=Instant)
    valid_until: dt.datetime = Field(sa_type=Instant)
    recorded_at: dt.datetime = Field(sa_type=Instant)
    content: str


class ScoreRules(SQLModel, table=True):
    """What decided scores beside the data, by the hash that snapshots carry: so that a later reader can tell a change
    of the rules from one of the customer."""

    __tablename__ = "score_rules"

    config_hash: str = Field(primary_key=True)
    recorded_at: dt.datetime = Field(sa_type=Instant)
    content: str
    """JSON with sorted keys: `policy` as it was in force, defaults included, and the settings of a score."""
