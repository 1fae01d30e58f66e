"""Scores every account group as of a day: from the store's frames to snapshots and to the values we publish."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kammodel.publish.fields import CustomField
from kammodel.store import Store
from kammodel.tiering import Explanation, Policy, Scores
from kammodel.tiering.criteria import Language


@dataclass(frozen=True)
class Inputs:
    """What the store knows. `read`: (source, instance, stream) of the streams read to their end at least once.

    `synced_at`: the time of the last sync, null if there was none.
    """

    accounts: pl.DataFrame
    opportunities: pl.DataFrame
    stage_events: pl.DataFrame
    activities: pl.DataFrame
    rates: pl.DataFrame
    read: frozenset[tuple[str, str, str]]
    synced_at: dt.datetime | None


@dataclass(frozen=True)
class ScoringConfig:
    """What decides a score beside the data. `system_of_record`: a CRM's name; None is the first by alphabet."""

    as_of: dt.date
    timezone: str
    reporting_currency: str
    system_of_record: str | None
    language: Language
    policy: Policy
    release: str


@dataclass(frozen=True)
class ScoredDay:
    """One day scored."""

    config: ScoringConfig
    kpis: pl.DataFrame
    groups: pl.DataFrame
    members: pl.DataFrame
    scores: Scores
    reasons: pl.DataFrame
    previous: pl.DataFrame | None
    counts: Mapping[str, int]
    inputs_fingerprint: str


def read_inputs(store: Store) -> Inputs:
    raise NotImplementedError


def score_day(inputs: Inputs, config: ScoringConfig, previous: pl.DataFrame | None = None) -> ScoredDay:
    raise NotImplementedError


def snapshot_frame(day: ScoredDay, run_id: str, recorded_at: dt.datetime) -> pl.DataFrame:
    raise NotImplementedError


def wanted_values(day: ScoredDay, source: str, instance: str, fields: Sequence[CustomField]) -> pl.DataFrame:
    raise NotImplementedError


def find_group(day: ScoredDay, sought: str) -> str:
    raise NotImplementedError


def explain_group(day: ScoredDay, sought: str) -> Explanation:
    raise NotImplementedError
