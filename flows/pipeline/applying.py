"""Writes a stored plan into one CRM, and nothing that does not stand in it."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from connectors.contract import AccountWrite, Connector, WriteOutcome
from connectors.errors import QuotaSpent
from flows.pipeline.planning import accounts_of, fields_now
from flows.pipeline.progress import Clock, Progress, quiet
from flows.results import ApplyReceipt
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.fields import OURS, CustomField
from kammodel.rollups.fields import written_fields
from kammodel.rollups.retired import retired_fields
from kammodel.store import Store, plans

FRESH = dt.timedelta(minutes=2)
"""How long a run takes what its own plan found in the CRM for what it holds; after that it is looked at once more."""

_OUTCOMES = {"source_id": pl.String, "outcome": pl.String, "code": pl.String, "message": pl.String}


@dataclass
class _Done:
    """What an apply has done so far: cells by outcome, accounts by the code of their fault, cells given up since
    somebody edited them, and what stopped it."""

    cells: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    hints: dict[str, str] = field(default_factory=dict)
    edited: int = 0
    stopped: str | None = None


def apply(
    connector: Connector,
    store: Store,
    plan_id: str | None,
    clock: Clock,
    *,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> ApplyReceipt:
    """Writes the pending cells of a plan (None: the CRM's latest), batch by batch; each outcome is kept at once.

    What was interrupted goes on with what is still pending. Unless this run has made the plan itself, in the last two
    minutes, cells that somebody has changed since are left to the next plan. Where no calls are left, the rest stays
    pending for the next apply. Raises KamError where there is no such plan, or a newer one has taken its place.
    """
    began, calls = time.perf_counter(), connector.calls.total
    identity = connector.identify()
    with store.transaction() as tx:
        latest = plans.latest_plan(tx, identity.source, identity.instance)
        if latest is None or (plan_id is not None and plan_id != latest.plan_id):
            raise KamError(_no_plan(identity.source, plan_id, latest))
        made = PublishPlan(**latest.model_dump())
        cells = plans.cells_of(tx, made.plan_id, pending_only=True)
        known = plans.ledger(tx, identity.source, identity.instance)
    fields = _fields(cells, known, given)
    done = _Done()
    try:
        left = cells
        # Of a plan that was found here, nobody knows what an apply before this one did with it, or a person since.
        if plan_id is None or clock() - made.planned_at > FRESH:
            left, done.edited = _still_as_planned(connector, store, made, cells, fields, progress=progress)
        _write(connector, store, made, left, done, fields=fields, clock=clock, progress=progress)
    except QuotaSpent as fault:
        done.stopped = str(fault)
    ended = done.cells
    if not (ended["retry"] or done.stopped):
        with store.transaction() as tx:
            plans.finish_plan(tx, made.plan_id, clock())
    return ApplyReceipt(
        plan_id=made.plan_id,
        source=identity.source,
        written=ended["written"],
        rejected=ended["rejected"],
        gone=ended["gone"],
        retry=ended["retry"],
        edited=done.edited,
        pending=cells.height - done.edited - ended.total() if done.stopped else 0,
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        faults=dict(done.faults),
        hints=done.hints,
        stopped=done.stopped,
    )


def _write(
    connector: Connector,
    store: Store,
    made: PublishPlan,
    cells: pl.DataFrame,
    done: _Done,
    *,
    fields: Sequence[CustomField],
    clock: Clock,
    progress: Progress,
) -> None:
    """Sends the cells, account by account, and keeps each batch's outcomes before the next one is sent."""
    writes = _writes(cells, accounts_of(store, made, "parent_id"))
    size = dict(cells.group_by("source_id").len().iter_rows())
    for number, batch in _batches(connector, fields, writes):
        with store.transaction() as tx:
            frame = pl.DataFrame([vars(o) for o in batch], schema=_OUTCOMES, orient="row")
            plans.record_outcomes(tx, made, frame, clock())
        for outcome in batch:
            done.cells[outcome.outcome] += size[outcome.source_id]
            if outcome.outcome in {"rejected", "retry"}:
                code = outcome.code or "UNKNOWN"
                done.faults[code] += 1
                if outcome.message:
                    done.hints.setdefault(code, outcome.message)
        progress(f"{made.source} write", number, len(writes))


def _still_as_planned(
    connector: Connector,
    store: Store,
    made: PublishPlan,
    cells: pl.DataFrame,
    fields: Sequence[CustomField],
    *,
    progress: Progress,
) -> tuple[pl.DataFrame, int]:
    """The cells that hold what the plan found, or what it wants already; and how many others were given up."""
    now = fields_now(connector, cells["source_id"].unique(), fields, progress)
    held = now.unpivot(index="source_id", variable_name="field", value_name="now").with_columns(is_there=True)
    judged = cells.join(held, on=["source_id", "field"], how="left")
    is_same = pl.col("now").eq_missing(pl.col("before")) | pl.col("now").eq_missing(pl.col("after"))
    # An account that is not there any more is for the CRM to tell.
    kept = judged.filter(is_same | pl.col("is_there").is_null()).select(cells.columns)
    edited = judged.filter(~is_same & pl.col("is_there")).select("source_id", "field")
    with store.transaction() as tx:
        plans.give_up(tx, made.plan_id, edited)
        plans.add_to_compare(tx, edited["source_id"].unique(), made.source, made.source_instance)
    return kept, edited.height


def _writes(cells: pl.DataFrame, parents: pl.DataFrame) -> list[AccountWrite]:
    """One write per account. Children of one parent stand together, so that batches do not fight over its lock."""
    grouped = cells.group_by("source_id").agg("field", "after").join(parents, on="source_id", how="left")
    ordered = grouped.sort("parent_id", "source_id", nulls_last=True)
    return [
        AccountWrite(source_id, dict(zip(fields, values, strict=True)))
        for source_id, fields, values in ordered.select("source_id", "field", "after").iter_rows()
    ]


def _fields(cells: pl.DataFrame, ledger: pl.DataFrame, given: Given) -> tuple[CustomField, ...]:
    """The fields of the plan: ours, and those of rollups, declared still or not, that have a cell in it."""
    declared = written_fields(given.rollups)
    rolled = (*declared[len(OURS) :], *retired_fields(ledger, declared))
    return (*OURS, *(field for field in rolled if (cells["field"] == field.key).any()))


def _batches(
    connector: Connector, fields: Sequence[CustomField], writes: list[AccountWrite]
) -> Iterator[tuple[int, list[WriteOutcome]]]:
    done = 0
    for batch in connector.write_fields(fields, writes) if writes else ():
        done += len(batch)
        yield done, batch


def _no_plan(source: str, plan_id: str | None, latest: PublishPlan | None) -> str:
    if latest is None:
        return f"{source}: there is no plan yet; make one with: kam plan --crm {source}"
    return (
        f"{source}: plan {plan_id} is not the latest ({latest.plan_id}); a newer plan has looked at the same accounts"
    )
