"""What a whole run gives back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flows.results.kept import DigestReceipt
from flows.results.published import PlanReceipt, WriteBackReceipt
from flows.results.pulled import PullReceipt
from flows.results.scored import ScoreReceipt


@dataclass(frozen=True)
class RunReceipt:
    """The whole run: every configured CRM read, everything scored, every CRM written.

    Where a CRM was read in part, nothing is scored (null) or written: tiers would stand on half of the news. `left`:
    what there is still to do, line by line.
    """

    as_of: dt.date
    pulls: tuple[PullReceipt, ...]
    score: ScoreReceipt | None
    write_backs: tuple[WriteBackReceipt, ...]
    seconds: float
    left: tuple[str, ...] = ()
    digests: tuple[DigestReceipt, ...] = ()
    stopped: tuple[PlanReceipt, ...] = ()
    """All plans of a run of which the guard stopped one: no CRM was written to."""
