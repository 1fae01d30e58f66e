"""Plans the undo of a plan, as a plan of its own that `apply` writes like any other."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from dataclasses import dataclass

import polars as pl

from connectors.contract import Connector
from flows.pipeline.cells import held_now, known_fields, spelled_apart
from flows.pipeline.leasing import sole_writer
from flows.pipeline.planning import end_as_found
from flows.pipeline.progress import Clock, Progress, quiet
from flows.results import PlanReceipt
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.plan import canonical_frame, plan_hash
from kammodel.publish.rules import PublishRules, load_rules
from kammodel.publish.undo import taken_back
from kammodel.store import Store, plans
from kammodel.store.approving import plans_named

MOST_NAMED = 5
"""Plans that a fault names."""


def plans_to_undo(store: Store, name: str) -> list[PublishPlan]:
    """The plans of that id or hash, or of that run of the scheduler. Raises KamError where there is none, or where it
    could mean several of one CRM."""
    with store.transaction() as tx:
        found = plans_named(tx, name)
    exact = [plan for plan in found if name in {plan.plan_id, plan.hash, plan.made_by}] or found
    if not exact:
        raise KamError(f"there is no plan that is called {name!r}; kam plans lists them")
    by_crm = {(plan.source, plan.source_instance): plan for plan in exact}
    if len(by_crm) != len(exact):
        names = ", ".join(plan.plan_id for plan in exact[:MOST_NAMED])
        raise KamError(f"{name!r} could be any of {len(exact):,} plans, such as {names}: tell it in full")
    return list(by_crm.values())


@dataclass(frozen=True)
class Undo:
    """The plan that takes another back, worked out and stored nowhere. `cells`: those of `taken_back`, with outcome,
    code and message as of a plan that is not written yet. `now`: what their accounts hold; `looked_at`: the ids of
    those that the next plan has to look at."""

    receipt: PlanReceipt
    made: PublishPlan
    cells: pl.DataFrame
    now: pl.DataFrame
    looked_at: pl.Series


def keep_undo(store: Store, undo: Undo, clock: Clock) -> PlanReceipt:
    """Stores an undo: the next `apply` writes it. It overtakes what is still pending of older plans, which is why one
    that is only looked at is not stored. Raises Taken while another run writes, or plans."""
    made, of = undo.made, {"source": undo.made.source, "instance": undo.made.source_instance}
    with sole_writer(store, made.source, made.source_instance, clock) as lease, store.transaction() as tx:
        lease.renew(tx)
        end_as_found(tx, undo.now, **of)
        plans.supersede_pending(tx, **of, plan_id=made.plan_id)
        plans.save_plan(tx, PublishPlan(**made.model_dump()), undo.cells)
        # What is overtaken here was to be written, and the next plan has to see what is there.
        plans.add_to_compare(tx, undo.looked_at, **of)
    return undo.receipt


def undo_of(
    connector: Connector,
    store: Store,
    undone: PublishPlan,
    clock: Clock,
    *,
    given: Given = NOTHING_GIVEN,
    rules: PublishRules | None = None,
    progress: Progress = quiet,
) -> Undo:
    """What takes another plan back. Cells whose write has no known outcome are looked at like those that were
    written."""
    began, calls = time.perf_counter(), connector.calls.total
    identity = connector.identify()
    if (identity.source, identity.instance) != (undone.source, undone.source_instance):
        raise KamError(f"plan {undone.plan_id} was written into another org than {identity.source} leads to now")
    with store.transaction() as tx:
        cells = plans.cells_of(tx, undone.plan_id)
        ours = plans.ledger(tx, undone.source, undone.source_instance, undoing=undone.plan_id)
        unclear = plans.pending_accounts(tx, undone.source, undone.source_instance)
    is_open = pl.col("outcome").is_null() | (pl.col("outcome") == "waiting")
    written = cells.filter((pl.col("decision") == "write") & (is_open | (pl.col("outcome") == "written")))
    fields = known_fields(written["field"], ours, given)
    texts = held_now(connector, pl.concat([written["source_id"], unclear]).unique(), fields, progress)
    now = canonical_frame(texts, fields)
    back = spelled_apart(taken_back(written, now, ours), texts)
    made = _plan(
        connector,
        undone,
        back,
        equal=written.height - back.height,
        at=clock(),
        good_for=(rules or load_rules()).expires_after,
    )
    receipt = _receipt(
        made,
        back,
        compared=now.height,
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
    )
    nothing_yet = dict.fromkeys(("code", "message"), pl.lit(None, pl.String))
    cells = back.with_columns(outcome=pl.when(pl.col("decision") != "write").then(pl.lit("held")), **nothing_yet)
    return Undo(receipt, made, cells, now, pl.concat([back["source_id"], unclear]).unique())


def _plan(
    connector: Connector,
    undone: PublishPlan,
    back: pl.DataFrame,
    *,
    equal: int,
    at: dt.datetime,
    good_for: dt.timedelta,
) -> PublishPlan:
    """The plan that takes `undone` back by these cells."""
    to_write = back.filter(decision="write")
    return PublishPlan(
        plan_id=f"{undone.source}-{uuid.uuid4().hex[:12]}",
        source=undone.source,
        source_instance=undone.source_instance,
        planned_at=at,
        as_of=undone.as_of,
        # What an undo took back may be written again once that is undone in turn.
        kind="redo" if undone.kind == "undo" else "undo",
        undoes=undone.plan_id,
        hash=plan_hash(source=undone.source, instance=undone.source_instance, cells=to_write),
        expires_at=at + good_for,
        cells_equal=equal,
        cells_held=back.height - to_write.height,
        write_calls=connector.write_calls(to_write["source_id"].n_unique()),
    )


def _receipt(made: PublishPlan, back: pl.DataFrame, *, compared: int, calls: int, seconds: float) -> PlanReceipt:
    to_write = back.filter(decision="write")
    return PlanReceipt(
        plan_id=made.plan_id,
        source=made.source,
        as_of=made.as_of,
        compared=compared,
        known=0,
        accounts_to_write=to_write["source_id"].n_unique(),
        cells_to_write=to_write.height,
        cells_held=made.cells_held,
        cells_equal=made.cells_equal,
        calls=calls,
        write_calls=made.write_calls,
        seconds=seconds,
        hash=made.hash,
        expires_at=made.expires_at,
    )
