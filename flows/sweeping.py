"""A sweep on a runtime: what the command does at once and what the task does in a flow."""

from __future__ import annotations

from functools import partial

from flows import turns
from flows.garbage import seldom_collected
from flows.pipeline import Progress
from flows.pipeline.swept import Sweeps
from flows.pipeline.swept import sweep as sweep_crm
from flows.recording import recorded
from flows.results import PullReceipt
from flows.runtime import Runtime


@recorded("sweep", of_crm=True, rows="rows")
def sweep_one(runtime: Runtime, crm: str, *, of: Sweeps, progress: Progress) -> PullReceipt:
    """Looks for deletions and changed links of one CRM."""
    work = partial(sweep_crm, runtime.connector(crm), runtime.store, runtime.clock, of=of, progress=progress)
    with seldom_collected():
        return turns.in_turn(work, partial(turns.unread, crm, "sweep"), runtime=runtime, progress=progress)
