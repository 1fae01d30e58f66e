"""What reading a CRM's past window by window gives back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from flows.results.estimated import EstimateReceipt, NotCounted
from flows.results.published import PlanReceipt, WriteBackReceipt
from flows.results.scored import BackfillReceipt, ScoreReceipt

WindowState = Literal["closed", "stopped"]


@dataclass(frozen=True)
class WindowReceipt:
    """One window of one stream: rows changed in [since, until). `first` and `last` are its days in KAM_TIMEZONE.

    `unchanged`: rows that were known as they are, or better. `resumed`: it went on where an earlier run had stopped.
    """

    stream: str
    first: dt.date
    last: dt.date
    state: WindowState
    read: int = 0
    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    suppressed: int = 0
    gone: int = 0
    calls: int = 0
    seconds: float = 0.0
    resumed: bool = False


@dataclass(frozen=True)
class FillReceipt:
    """The past of one CRM. `windows`: those that this run read, the newest first; `kept`: how many were closed before;
    `left`: how many are still to be read, the one that was stopped among them.

    Partial where no calls were left: `stopped` says why and `resumes` where the next run goes on. The CRM is unknown
    where they were spent before it could say who it is.
    """

    source: str
    instance: str | None
    organisation: str | None
    first: dt.date
    last: dt.date
    windows: tuple[WindowReceipt, ...]
    kept: int
    left: int
    calls: int
    seconds: float
    estimate: EstimateReceipt | NotCounted | None = None
    stopped: str | None = None
    resumes: str | None = None

    @property
    def is_partial(self) -> bool:
        return self.stopped is not None

    @property
    def rows(self) -> int:
        return sum(w.read for w in self.windows)


@dataclass(frozen=True)
class CrmBackfillReceipt:
    """A backfill of CRMs, and what it was asked to do afterwards. `left`: what there is still to do, line by line.
    `stopped`: all plans, where the guard stopped one of them; then nothing was written. `passed_over`: a line for each
    CRM that lacks streams which were named."""

    crms: tuple[FillReceipt, ...]
    scores: BackfillReceipt | None = None
    scored: ScoreReceipt | None = None
    write_backs: tuple[WriteBackReceipt, ...] = ()
    left: tuple[str, ...] = ()
    stopped: tuple[PlanReceipt, ...] = ()
    passed_over: tuple[str, ...] = ()
