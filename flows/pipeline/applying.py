"""Writes a stored plan into one CRM, and nothing that does not stand in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from connectors.contract import Connector, Identity, LooksBack
from connectors.errors import QuotaSpent, TryAgainLater
from flows.pipeline.cells import known_fields
from flows.pipeline.gating import check_may_be_written
from flows.pipeline.kept_jobs import writing_alone
from flows.pipeline.leasing import Held
from flows.pipeline.planning import accounts_of
from flows.pipeline.portions import Settling
from flows.pipeline.progress import Clock, Progress, quiet
from flows.results import ApplyReceipt, Overwritten
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.deciding import CELL
from kammodel.publish.fields import CustomField
from kammodel.store import Store, plans

MOST_IN_A_ROW = 3
"""Portions that may fail for now, one after the other, before the run stops: then it is not about the accounts."""
MOST_NAMED = 20
"""Accounts that a receipt names."""


class Replaced(KamError):
    """A newer plan has taken the place of the one that was to be written."""


@dataclass
class _Done:
    """What an apply has done so far: cells by outcome, accounts by the code of their fault, what it wrote over, and
    what stopped it."""

    cells: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    hints: dict[str, str] = field(default_factory=dict)
    overwritten: int = 0
    overwrites: list[Overwritten] = field(default_factory=list)
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
    """Writes the pending cells of a plan (None: the CRM's latest), portion by portion; each outcome is kept at once.

    What was interrupted goes on with what is still pending. However new the plan is, each portion is looked at right
    before it is written: cells that somebody has changed since are left to the next plan. Where no calls are left, the
    rest stays pending for the next apply. Raises KamError where there is no such plan, it is too old, or another run is
    writing; Replaced where a newer one has taken its place; NeedsApproval where the guard stopped it.
    """
    began, calls, unseen = time.perf_counter(), connector.calls.total, _unseen(connector)
    identity = connector.identify()
    with writing_alone(connector, store, clock) as lease:
        made, cells, known = _pending(store, identity, plan_id, clock)
        fields = known_fields(cells["field"], known, given)
        done = _Done()
        try:
            _write(connector, store, made, cells, done, fields=fields, lease=lease, progress=progress)
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
        edited=ended["held"],
        pending=cells.height - ended.total() if done.stopped else 0,
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
        faults=dict(done.faults),
        hints=done.hints,
        stopped=done.stopped,
        overwritten=done.overwritten,
        overwrites=tuple(done.overwrites),
        unseen=_unseen(connector) - unseen,
    )


def _unseen(connector: Connector) -> int:
    return connector.unseen if isinstance(connector, LooksBack) else 0


def _pending(
    store: Store, identity: Identity, plan_id: str | None, clock: Clock
) -> tuple[PublishPlan, pl.DataFrame, pl.DataFrame]:
    """The plan, its cells that are still to be written, and the ledger."""
    with store.transaction() as tx:
        latest = plans.latest_plan(tx, identity.source, identity.instance)
        if latest is None or (plan_id is not None and plan_id != latest.plan_id):
            raise _no_plan(identity.source, plan_id, latest)
        made = PublishPlan(**latest.model_dump())
        check_may_be_written(made, clock())
        cells = plans.cells_of(tx, made.plan_id, pending_only=True)
        known = plans.ledger(tx, identity.source, identity.instance)
    return made, cells, known


def _write(
    connector: Connector,
    store: Store,
    made: PublishPlan,
    cells: pl.DataFrame,
    done: _Done,
    *,
    fields: Sequence[CustomField],
    lease: Held,
    progress: Progress,
) -> None:
    """Settles the cells portion by portion, and keeps what became of them before the next ones are sent."""
    settling = Settling(connector, fields)
    failed = written = 0
    accounts = cells["source_id"].n_unique()
    for portion in _portions(connector, _in_order(cells, accounts_of(store, made, "parent_id"))):
        told: list[pl.DataFrame] = []
        for ended in settling.settle(portion):
            _keep(store, made, ended, lease)
            _count(done, ended)
            told.append(ended)
        written += portion["source_id"].n_unique()
        progress(f"{made.source} write", written, accounts)
        fault = _passing(pl.concat(told))
        failed = 0 if fault is None else failed + 1
        if fault is not None and failed >= MOST_IN_A_ROW:
            raise fault


def _keep(store: Store, made: PublishPlan, ended: pl.DataFrame, lease: Held) -> None:
    """Stores the outcomes of cells; accounts with one that is somebody's, or was refused, are looked at by the next
    plan: what the ledger says of them may be what we want, though the CRM holds something else. A run whose lease ran
    out keeps what it did all the same, and ends there."""
    held, refused = (ended.filter(pl.col("outcome") == outcome) for outcome in ("held", "rejected"))
    with store.transaction() as tx:
        plans.give_up(tx, made.plan_id, held.select("source_id", "field"))
        left = pl.concat([held, refused])["source_id"].unique()
        plans.add_to_compare(tx, left, made.source, made.source_instance)
        plans.record_cells(tx, made, ended.filter(pl.col("outcome") != "held"), lease.clock())
    with store.transaction() as tx:
        lease.renew(tx)


def _count(done: _Done, ended: pl.DataFrame) -> None:
    done.cells.update(dict(ended.group_by("outcome").len().iter_rows()))
    faults = ended.filter(pl.col("outcome").is_in(["rejected", "retry"])).with_columns(
        pl.col("code").fill_null("UNKNOWN")
    )
    by_code = faults.group_by("code").agg(pl.col("source_id").n_unique(), pl.col("message").drop_nulls().first())
    for code, accounts, message in by_code.sort("code").iter_rows():
        done.faults[code] += accounts
        if message:
            done.hints.setdefault(code, message)
    over = ended.filter("was_over")
    done.overwritten += over.height
    named = over.group_by("source_id", maintain_order=True).agg("field", pl.col("is_back").all())
    for source_id, fields, is_back in named.head(MOST_NAMED - len(done.overwrites)).iter_rows():
        done.overwrites.append(Overwritten(source_id, tuple(sorted(fields)), is_back=is_back))


def _passing(ended: pl.DataFrame) -> TryAgainLater | None:
    """The fault of a portion of which nothing was taken, for now; locked accounts are a matter of these accounts."""
    if ended["outcome"].is_in(["written", "rejected"]).any():
        return None
    waiting = ended.filter((pl.col("outcome") == "retry") & (pl.col("kind") != "lock"))
    return None if waiting.is_empty() else TryAgainLater(waiting["message"][-1], code=waiting["code"][-1])


def _in_order(cells: pl.DataFrame, parents: pl.DataFrame) -> pl.DataFrame:
    """The cells account by account, with the account's `place`. Children of one parent stand together, so that batches
    do not fight over its lock."""
    accounts = cells.select("source_id").unique().join(parents, on="source_id", how="left")
    placed = accounts.sort("parent_id", "source_id", nulls_last=True).select("source_id").with_row_index("place")
    wanted = cells.select(*CELL, "before", "after", "after_spelled").join(placed, on="source_id")
    return wanted.sort("place", "field")


def _portions(connector: Connector, cells: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """What is read and then written at once."""
    accounts = cells["source_id"].n_unique()
    first = 0
    while first < accounts:
        # Asked each time: a connector may learn that it has to take a slower road.
        last = first + connector.write_portion(accounts)
        begin, end = (cells["place"].search_sorted(place) for place in (first, last))
        yield cells.slice(begin, end - begin).drop("place")
        first = last


def _no_plan(source: str, plan_id: str | None, latest: PublishPlan | None) -> KamError:
    if latest is None:
        return KamError(f"{source}: there is no plan yet; make one with: kam plan --crm {source}")
    return Replaced(
        f"{source}: plan {plan_id} is not the latest ({latest.plan_id}); a newer plan has looked at the same accounts"
    )
