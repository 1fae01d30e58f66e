"""What scoring gives back, of today and of past days."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class TierMove:
    """An account group whose effective tier is not what it was. `name` is text from a CRM: escape it."""

    group_id: str
    name: str | None
    before: str | None
    after: str | None
    score: float | None
    reason: str


@dataclass(frozen=True)
class ScoreReceipt:
    """One scoring run. `counts`: what was left out or could not be known, by a code with a number.
    `unknown_accounts`: by file of KAM_INPUTS_DIR, the first accounts that it names and nobody knows. `portfolio`: the
    KPIs of all account groups together, and why one has no value."""

    run_id: str
    as_of: dt.date
    accounts: int
    groups: int
    population: int
    tiers: dict[str, int]
    moves: tuple[TierMove, ...]
    appended: int
    unavailable_criteria: tuple[str, ...]
    counts: dict[str, int]
    seconds: float
    unknown_accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    portfolio: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BackfilledDay:
    """A past day: scored, or `is_kept` because it was there already, and then nothing else is told. `reconstructed`:
    groups with figures that rows entered of which nobody knows what they were on the day."""

    as_of: dt.date
    is_kept: bool
    groups: int = 0
    population: int = 0
    tiers: dict[str, int] = field(default_factory=dict)
    moves: int = 0
    appended: int = 0
    reconstructed: int = 0


@dataclass(frozen=True)
class BackfillReceipt:
    """The past days of one backfill, in the order of time."""

    days: tuple[BackfilledDay, ...]
    seconds: float

    @property
    def computed(self) -> int:
        return sum(not day.is_kept for day in self.days)


@dataclass(frozen=True)
class ThinReceipt:
    """How many snapshots of days before `before` were taken out, how many cells of old plans, and how many rows that
    had been set aside as they came."""

    before: dt.date
    snapshots: int
    seconds: float
    cells: int = 0
    rejects: int = 0
