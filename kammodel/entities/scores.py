"""Score snapshots: append-only memory of what each account group scored, and why."""

from __future__ import annotations

import datetime as dt

from sqlmodel import Field, SQLModel

from kammodel.entities.types import Instant


class ScoreSnapshot(SQLModel, table=True):
    """One account group as of one day, as one run saw it. Never updated; the newest `recorded_at` is in force.

    `kpis`, `criteria` and `reasons` are JSON texts with sorted keys, so that reprinting is byte-identical.
    Quantities in them are plain: money in reporting currency units with four decimals, ratios 0..1.
    """

    __tablename__ = "score_snapshot"

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
