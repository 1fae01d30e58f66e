"""The steps of the pipeline on a runtime: what a command does at once and what a task does in a flow."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from connectors.errors import QuotaSpent
from flows import pipeline, turns
from flows.garbage import seldom_collected
from flows.naming import about, cells_left, named, who
from flows.pipeline import Every, Progress, digesting, gating, undoing
from flows.proving import require_proven
from flows.recording import apply_or_undo, recorded
from flows.report.markdown import plan_with_cells
from flows.results import (
    ApplyReceipt,
    ApprovalReceipt,
    BackfillReceipt,
    DigestReceipt,
    PlanReceipt,
    PullReceipt,
    RunReceipt,
    ScoreReceipt,
    ThinReceipt,
    WriteBackReceipt,
)
from flows.runtime import Runtime
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.store import approving, plans

R = TypeVar("R")
C = TypeVar("C", str, PlanReceipt)


@dataclass(frozen=True)
class WriteBacks:
    """What was written. `stopped`: all plans, where the guard stopped one of them. `left`: what there is still to do,
    line by line."""

    done: tuple[WriteBackReceipt, ...] = ()
    stopped: tuple[PlanReceipt, ...] = ()
    left: tuple[str, ...] = ()


BACK = dt.timedelta(days=730)
"""How far a backfill looks back unless it is told."""

NOT_SENT = "KAM_NOTIFY_BLOCK: digests are sent by flows only; add --prefect, or set PREFECT_API_URL"

NOT_SCORED = (
    "nothing was scored or written, because not every CRM is read to the end; to go on with what is there: "
    "kam score, kam plan, kam apply"
)


@recorded("check")
def require_fields(runtime: Runtime, crms: Iterable[str]) -> None:
    """Signs in to each CRM and looks for our fields, before the first row is read.

    Raises FieldsNotProvisioned with the command to run.
    """
    for crm in crms:
        with about(crm):
            pipeline.check_fields(runtime.connector(crm), runtime.fields)


@recorded("pull", of_crm=True, rows="rows")
def pull(runtime: Runtime, crm: str, *, full: bool, progress: Progress) -> PullReceipt:
    """Reads one CRM into the store."""
    work = partial(pipeline.pull, runtime.connector(crm), runtime.store, runtime.clock, full=full, progress=progress)
    with seldom_collected():
        return turns.in_turn(work, partial(turns.unread, crm, "pull"), runtime=runtime, progress=progress)


@recorded("score", tells_itself=True)
def score(runtime: Runtime, as_of: dt.date | None, *, progress: Progress) -> ScoreReceipt:
    """Scores every account group."""
    require_proven(runtime, runtime.settings.configured)
    config, given, elsewhere = runtime.scoring(as_of), runtime.given, runtime.elsewhere
    return pipeline.score(runtime.store, config, runtime.clock, given=given, elsewhere=elsewhere, progress=progress)


@recorded("backfill", tells_itself=True)
def backfill(
    runtime: Runtime, first: dt.date | None, last: dt.date | None, every: Every, *, progress: Progress
) -> BackfillReceipt:
    """Scores past days, by default those of the last two years."""
    config = runtime.scoring()
    end = last or config.as_of
    days = pipeline.past_days(first or end - BACK, end, every, config.as_of)
    return pipeline.backfill(runtime.store, config, days, runtime.clock, given=runtime.given, progress=progress)


@recorded("thin", tells_itself=True)
def thin(runtime: Runtime) -> ThinReceipt:
    """Thins older daily snapshots out, and takes out what is kept for a time only."""
    own = runtime.settings
    kept = {"ledger_days": own.ledger_days, "reject_days": own.reject_days}
    return pipeline.thin(runtime.store, runtime.scoring(), own.daily_days, runtime.clock, **kept)


@recorded("plan", of_crm=True, rows="cells_to_write")
def plan(runtime: Runtime, crm: str, as_of: dt.date | None, *, full: bool, progress: Progress) -> PlanReceipt:
    """Stores the plan of one CRM."""
    connector, config = runtime.connector(crm), runtime.scoring(as_of)
    work = partial(pipeline.plan, connector, runtime.store, config, runtime.clock, full=full, progress=progress)
    own = partial(work, given=runtime.given, rules=runtime.rules, made_by=runtime.made_by)
    return turns.in_turn(own, turns.unplanned, runtime=runtime, progress=progress)


@recorded(apply_or_undo, of_crm=True, rows="written")
def apply(runtime: Runtime, crm: str, plan_id: str | None, *, progress: Progress) -> ApplyReceipt:
    """Writes a plan of one CRM, the latest if none is named."""
    connector, given = runtime.connector(crm), runtime.given
    work = partial(pipeline.apply, connector, runtime.store, plan_id, runtime.clock, given=given, progress=progress)
    return turns.write_in_turn(work, runtime, crm, plan_id, progress=progress)


def undo_of(runtime: Runtime, undone: PublishPlan, *, progress: Progress) -> undoing.Undo:
    """What takes a plan back, to be looked at."""
    connector, given, rules = runtime.connector(undone.source), runtime.given, runtime.rules
    return undoing.undo_of(connector, runtime.store, undone, runtime.clock, given=given, rules=rules, progress=progress)


def keep_undo(runtime: Runtime, undo: undoing.Undo, *, progress: Progress) -> PlanReceipt:
    """Stores what takes a plan back, to be written. Raises KamError where that is something else by now."""
    work = partial(undoing.keep_undo, runtime.connector(undo.made.source), runtime.store, undo, runtime.clock)
    own = partial(work, given=runtime.given, rules=runtime.rules, progress=progress)
    return turns.in_turn(own, turns.not_taken_back, runtime=runtime, progress=progress)


def undo_page(runtime: Runtime, undo: undoing.Undo) -> str:
    """An undo as a Markdown page. It is not stored: the plan that is named is the one to be taken back."""
    undone = replace(undo.receipt, plan_id=undo.made.undoes or undo.receipt.plan_id)
    return plan_with_cells(undone, undo.cells, _texts(runtime))


def approve(runtime: Runtime, plan_hash: str, by: str) -> ApprovalReceipt:
    """Approves a plan by its hash, in a person's name."""
    return gating.approve(runtime.store, plan_hash, by, runtime.clock)


def planned_already(runtime: Runtime, crm: str, *, reviewed: bool = False) -> PlanReceipt | None:
    """The plan that this very run of the scheduler made before it was suspended, if it is the newest still and good."""
    if runtime.made_by is None:
        return None
    identity, now = who(runtime, crm), runtime.clock()
    return gating.planned_by(runtime.store, identity, runtime.made_by, now, reviewed=reviewed)


def require_writable(runtime: Runtime, crms: Iterable[str]) -> None:
    """Looks at the newest plan of each CRM before the first is written: where one may not be, none is, since what went
    wrong with one CRM's figures is in those of the other too. Raises KamError for a plan that is too old, and
    NeedsApproval."""
    names = tuple(crms)
    require_proven(runtime, names)
    for crm in names:
        identity = who(runtime, crm)
        with runtime.store.transaction() as tx:
            newest = approving.newest(tx, identity.source, identity.instance)
        if newest is not None:
            gating.check_may_be_written(newest, runtime.clock())


def plan_page(runtime: Runtime, plan: PlanReceipt) -> str:
    """A stored plan as a Markdown page, with its first cells."""
    with runtime.store.transaction() as tx:
        cells = plans.cells_of(tx, plan.plan_id)
    return plan_with_cells(plan, cells, _texts(runtime))


def _texts(runtime: Runtime) -> set[str]:
    return {field.key for field in runtime.fields if field.kind == "text"}


def write_back(
    runtime: Runtime, crms: Iterable[str], as_of: dt.date | None, *, full: bool, progress: Progress
) -> WriteBacks:
    """Plans the cells of each CRM, then writes them. Where the guard stops one plan, none is written: what went wrong
    with one CRM's figures is in those of the other too."""
    names = tuple(crms)
    require_proven(runtime, names)
    planned, unplanned = each(names, lambda name: plan(runtime, name, as_of, full=full, progress=progress))
    if any(one.tripped for one in planned):
        return WriteBacks((), planned, unplanned)
    done, unbegun = each(
        planned, lambda one: WriteBackReceipt(one, apply(runtime, one.source, one.plan_id, progress=progress))
    )
    left = unwritten(one.applied for one in done)
    return WriteBacks(done, (), (*left, *unplanned, *unbegun))


@recorded("run")
def run(runtime: Runtime, as_of: dt.date | None, *, full: bool, progress: Progress) -> RunReceipt:
    """Pull, score, plan and apply, for every configured CRM. Tiers that stand on half of the news are not made:
    where a CRM was read in part, the run ends after reading."""
    began = time.perf_counter()
    require_proven(runtime, names := runtime.chosen(None))
    require_fields(runtime, names)
    # One day for all steps, also of a run over midnight.
    day = runtime.scoring(as_of).as_of
    pulls = tuple(pull(runtime, name, full=full, progress=progress) for name in names)
    scored: ScoreReceipt | None = None
    written = WriteBacks()
    left = unread(pulls)
    if left:
        left += (NOT_SCORED,)
    else:
        scored = score(runtime, day, progress=progress)
        written = write_back(runtime, names, day, full=False, progress=progress)
        left = written.left
    told = unsent_digests(runtime, [one.applied for one in written.done])
    seconds = round(time.perf_counter() - began, 3)
    return RunReceipt(day, pulls, scored, written.done, seconds, left, told, written.stopped)


def keep_digests(runtime: Runtime, applied: Iterable[ApplyReceipt]) -> tuple[digesting.Kept, ...]:
    """Writes the digests of the tier changes that have just been written into CRMs, and gives the new ones."""
    plan_ids = {one.plan_id for one in applied}
    folder, config, given = runtime.settings.home / digesting.FOLDER, runtime.scoring(), runtime.given
    pages = partial(record_pages, runtime)
    return digesting.keep_digests(runtime.store, config, pages, folder, plan_ids, given=given)


def digest_receipts(kept: Iterable[digesting.Kept]) -> tuple[DigestReceipt, ...]:
    """What the receipt of a run says of new digests."""
    return tuple(
        DigestReceipt(
            one.digest.owner,
            one.digest.slug,
            one.digest.as_of,
            len(one.digest.changes),
            None if one.file is None else str(one.file),
            warning=one.fault,
        )
        for one in kept
    )


def unsent_digests(runtime: Runtime, applied: Iterable[ApplyReceipt]) -> tuple[DigestReceipt, ...]:
    """Writes new digests as files; outside of flows nothing is sent, and where it is to be a warning says so."""
    receipts = digest_receipts(keep_digests(runtime, applied))
    if runtime.settings.notify_block is None:
        return receipts
    return tuple(replace(one, warning="; ".join(filter(None, (one.warning, NOT_SENT)))) for one in receipts)


def record_pages(runtime: Runtime) -> digesting.Pages:
    """What gives the pages of accounts, of the CRMs that can be asked: a page without its link is a page still."""
    found = {}
    for crm in runtime.settings.configured:
        with suppress(KamError):
            page_of = runtime.connector(crm).record_url
            page_of("0")
            found[crm] = page_of
    return found


def each(crms: Iterable[C], step: Callable[[C], R]) -> tuple[tuple[R, ...], tuple[str, ...]]:
    """A step for one CRM, or one CRM's plan, after the other: the receipts, and a line for each CRM that has no calls
    left for it, for the sake of which the others do not stop."""
    receipts: list[R] = []
    left: list[str] = []
    for crm in crms:
        try:
            receipts.append(step(crm))
        except QuotaSpent as fault:
            left.append(named(crm.source if isinstance(crm, PlanReceipt) else crm, fault))
    return tuple(receipts), tuple(left)


def unread(pulls: Iterable[PullReceipt]) -> tuple[str, ...]:
    """A line for each CRM that was read in part."""
    return tuple(f"{one.source} {one.resumes}: {one.stopped}" for one in pulls if one.is_partial)


def unwritten(applied: Iterable[ApplyReceipt]) -> tuple[str, ...]:
    """A line for each CRM into which not everything planned was written."""
    return tuple(f"{one.source}: {_what_is_left(one)}" for one in applied if not one.is_complete)


def _what_is_left(applied: ApplyReceipt) -> str:
    told = []
    lost = sum(not one.is_back for one in applied.overwrites)
    if lost:
        told.append(f"{lost:,} accounts with a value that was written over and is not back: see kam plans")
    if applied.rejected or applied.retry:
        tried = f"{applied.rejected:,} cells refused, {applied.retry:,} to be tried again; the next run plans both"
        told.append(tried)
    if applied.stopped is not None:
        told.append(f"resumes with {cells_left(applied.pending)}, with the next apply: {applied.stopped}")
    return "; ".join(told)
