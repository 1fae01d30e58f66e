"""Score snapshots: append-only memory of what each account group scored, and why."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class ScoreSnapshot(SQLModel, table=True):
    """One account group as of one day, as one run saw it. Never updated; the newest `recorded_at` is in force.

    `kpis`, `criteria` and `reasons` are JSON texts with sorted keys, so that reprinting is byte-identical.
    Quantities in them are plain: money in reporting currency units with four decimals, ratios 0..1.
    """

    __tablename__ = "score_snapshot"
    __table_args__ = (Index("ix_score_snapshot_group_id_as_of", "group_id", "as_of"),)

    snapshot_id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(index=True)
    as_of: dt.date
    recorded_at: dt.datetime = Field(sa_type=Instant)
    group_id: str = Field(index=True)
    config_hash: str
    release: str
    inputs_fingerprint: str
    score: float | None = None
    coverage: float | None = None
    provisional: bool = False
    in_population: bool = True
    tier_computed: str | None = None
    tier_effective: str | None = None
    quadrant: str | None = None
    rfm: str | None = None
    kpis: str
    criteria: str
    reasons: str
    reconstructed: str | None = None
    """JSON list of the KPIs that rows entered of which nobody knows what they were on the day, in order of name; null
    in a snapshot of a time when that was not noted."""
