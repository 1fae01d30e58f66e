"""Plans the undo of a plan, as a plan of its own that `apply` writes like any other."""

from __future__ import annotations

import datetime as dt
import logging
import time
import uuid
from dataclasses import dataclass, replace

import polars as pl

from connectors.contract import Connector
from flows.pipeline.cells import held_now, known_fields, spelled_apart
from flows.pipeline.kept_jobs import writing_alone
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.unclear import IS_OPEN, end_as_found, look_back, with_theirs
from flows.results import PlanReceipt
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.deciding import CELL
from kammodel.publish.fields import CustomField
from kammodel.publish.plan import canonical_frame, plan_hash
from kammodel.publish.rules import PublishRules, load_rules
from kammodel.publish.undo import taken_back, unfinished
from kammodel.store import Store, plans
from kammodel.store.approving import plans_named

_log = logging.getLogger(__name__)
_SAME = [*CELL, "before", "after"]
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
    """The plan that takes another back, worked out and stored nowhere. `undone`: that other one. `cells`: those of
    `taken_back`, with outcome, code and message as of a plan that is not written yet. `now`: what `fields` of
    their accounts hold. `given_up`: how many cells of the other one are still to be written, and will not be."""

    receipt: PlanReceipt
    made: PublishPlan
    undone: PublishPlan
    cells: pl.DataFrame
    fields: tuple[CustomField, ...]
    now: pl.DataFrame
    given_up: int

    @property
    def to_write(self) -> pl.DataFrame:
        return self.cells.filter(decision="write")

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to take back that people look at: kept, it would overtake what another plan has
        still to write."""
        shown = [field.key for field in self.fields if field.for_people]
        return self.given_up == 0 and self.to_write.filter(pl.col("field").is_in(shown)).is_empty()


def keep_undo(
    connector: Connector,
    store: Store,
    undo: Undo,
    clock: Clock,
    *,
    given: Given = NOTHING_GIVEN,
    rules: PublishRules | None = None,
    progress: Progress = quiet,
) -> PlanReceipt:
    """Stores an undo: the next `apply` writes it. It overtakes what is still pending of older plans, which is why one
    that is only looked at is not stored.

    Who looked at it took their time, and others may have written, planned or erased somebody: it is worked out once
    more while nobody else can. What holds something else by now is left alone. Raises KamError where it would take
    back anything that was not looked at; Taken while another run writes, or plans.
    """
    made, of = undo.made, {"source": undo.made.source, "instance": undo.made.source_instance}
    with writing_alone(connector, store, clock) as lease:
        again = undo_of(connector, store, undo.undone, clock, given=given, rules=rules, progress=progress)
        unseen = again.to_write.join(undo.to_write, on=_SAME, how="anti", nulls_equal=True)
        if unseen.height or (again.is_empty and not undo.is_empty):
            raise KamError(
                f"{made.source}: what there is to take back of plan {made.undoes} has changed since it was looked at, "
                f"and nothing was taken back; look at it again: kam undo {made.undoes}"
            )
        fewer = undo.to_write.height - again.to_write.height
        if fewer:
            _log.warning(
                "%s: %d cells hold something else than when they were looked at: left alone", made.source, fewer
            )
        again.made.plan_id = made.plan_id
        look_back(connector, store, again.made, again.now, again.fields)
        with store.transaction() as tx:
            lease.renew(tx)
            # What is overtaken here was to be written, and the next plan has to see what is there.
            looked_at = pl.concat([again.cells["source_id"], plans.pending_accounts(tx, **of)]).unique()
            end_as_found(tx, again.now, **of)
            plans.supersede_pending(tx, **of, plan_id=made.plan_id)
            plans.save_plan(tx, PublishPlan(**again.made.model_dump()), again.cells)
            plans.add_to_compare(tx, looked_at, **of)
    return replace(again.receipt, plan_id=made.plan_id)


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
    """What takes another plan back. Cells whose write has no known outcome are looked at like those that were written;
    where that write went over what a person had entered, theirs is given back."""
    began, calls = time.perf_counter(), connector.calls.total
    identity = connector.identify()
    if (identity.source, identity.instance) != (undone.source, undone.source_instance):
        raise KamError(f"plan {undone.plan_id} was written into another org than {identity.source} leads to now")
    with store.transaction() as tx:
        cells = plans.cells_of(tx, undone.plan_id)
        ours = plans.ledger(tx, undone.source, undone.source_instance, undoing=undone.plan_id)
        unclear = plans.pending_accounts(tx, undone.source, undone.source_instance)
        broken = plans.pending_undo(tx, undone.source, undone.source_instance)
    # What goes on with another undo that broke off; not where it is that one which is taken back, be it that a plan
    # went on with it and has its cells now.
    broken = broken.filter(pl.col("plan_id") != undone.plan_id)
    is_undo, carried = undone.kind != "publish", 0
    if is_undo:
        own = broken.join(cells, on=_SAME, how="semi", nulls_equal=True)
        broken, carried = broken.join(own, on=_SAME, how="anti", nulls_equal=True), own.height
    ended = pl.col("outcome").is_in(["written", "superseded"] if is_undo else ["written"])
    written = cells.filter(IS_OPEN | ((pl.col("decision") == "write") & ended))
    fields = known_fields(pl.concat([written["field"], broken["field"]]), ours, given)
    texts = held_now(connector, pl.concat([written["source_id"], unclear]).unique(), fields, progress)
    now = canonical_frame(texts, fields)
    rest = unfinished(broken, now)
    own = taken_back(with_theirs(connector, written, now, fields), rest.now(now), ours)
    back = spelled_apart(rest.with_rest(own), texts)
    made = _plan(
        connector,
        undone,
        back,
        equal=written.height - own.height,
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
    return Undo(receipt, made, undone, cells, fields, now, given_up=written.filter(IS_OPEN).height + carried)


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
