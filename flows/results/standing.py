"""What a look at the whole gives back: how each CRM stands, what is wrong, and what to do next."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["healthy", "partial", "stale", "failed"]
VERDICTS: tuple[Verdict, ...] = ("healthy", "partial", "stale", "failed")
"""From the best to the worst."""


@dataclass(frozen=True)
class Trouble:
    """One thing that is not as it should be. `since`: when it began, null where that is not known. `advice`: what to
    do about it."""

    verdict: Verdict
    what: str
    since: dt.datetime | None
    advice: str


@dataclass(frozen=True)
class StepStanding:
    """The last run of a step that ended well, and how the newest of all ended. `seconds` and `rows` are of the last
    good one. `command`: what goes on with the newest, where its name alone does not say that."""

    kind: str
    crm: str | None
    ended_at: dt.datetime | None = None
    seconds: float | None = None
    rows: int | None = None
    newest: str | None = None
    newest_at: dt.datetime | None = None
    line: str | None = None
    newest_began: dt.datetime | None = None
    command: str | None = None


@dataclass(frozen=True)
class Lag:
    """A stream that is behind the last pull: read up to `read_until`, `resumes` within a slice."""

    stream: str
    read_until: dt.datetime | None
    resumes: bool


@dataclass(frozen=True)
class Rejects:
    """Rows of a stream that are set aside for one reason. No value of theirs is told."""

    stream: str
    field: str
    reason: str
    rows: int


@dataclass(frozen=True)
class CrmStanding:
    """One CRM. `cells`: those of its newest plan by outcome. `waits_for_approval`: the hash of that plan, where the
    guard stopped it; `to_review`: its cells that wait for a person."""

    crm: str
    steps: tuple[StepStanding, ...]
    streams: int
    lagging: tuple[Lag, ...]
    rejects: tuple[Rejects, ...]
    failed_certificates: tuple[str, ...]
    plan_id: str | None = None
    waits_for_approval: str | None = None
    to_review: int = 0
    cells: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FailedRun:
    """The newest run that failed, be it mended since or not."""

    kind: str
    crm: str | None
    at: dt.datetime
    line: str
    is_mended: bool


@dataclass(frozen=True)
class Standing:
    """The whole at an instant. `since`: when the verdict began to hold."""

    at: dt.datetime
    verdict: Verdict
    since: dt.datetime | None
    crms: tuple[CrmStanding, ...]
    score: StepStanding
    troubles: tuple[Trouble, ...]
    last_failed: FailedRun | None
    run: StepStanding
    """`kam run`, which none has to use: it is told of, and its steps are what counts."""
