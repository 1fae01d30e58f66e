"""Plans what to write into one CRM: compares what we want with what it holds, and stores the difference."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import polars as pl

from connectors.contract import Connector
from flows.pipeline.cells import check_fields, held_now, spelled_apart, there
from flows.pipeline.kept_jobs import writing_alone
from flows.pipeline.leasing import Held
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.scoring import score_day_of
from flows.pipeline.unclear import FOUND, end_as_found, look_back
from flows.results import PlanReceipt
from kammodel.entities import Account, PublishPlan
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.inputs import asked
from kammodel.publish.deciding import CELL
from kammodel.publish.guard import scored_measures, tripped, wanted_measures
from kammodel.publish.plan import Comparison, Terms, canonical_frame, compare, plan_hash, with_inherited
from kammodel.publish.rules import PublishRules, load_rules
from kammodel.publish.undo import Unfinished, unfinished
from kammodel.rollups.fields import all_fields, written_fields
from kammodel.rollups.retired import retired_fields
from kammodel.scoring import ScoringConfig, wanted_values
from kammodel.store import Store, Transaction, plans
from kammodel.store.approving import approval_of, approve, last_written
from kammodel.store.measuring import measured
from kammodel.tiering.policy import TIERS, Cadence, Policy


def plan(
    connector: Connector,
    store: Store,
    config: ScoringConfig,
    clock: Clock,
    *,
    full: bool = False,
    given: Given = NOTHING_GIVEN,
    rules: PublishRules | None = None,
    made_by: str | None = None,
    progress: Progress = quiet,
) -> PlanReceipt:
    """Compares what we want with what the CRM holds, and stores what is to be written. `given`: as for the score.

    Read from the CRM are only accounts whose wanted values differ from what we last wrote, that the CRM
    showed us again since, or whose last write has no known outcome; `full` reads all. A plan that goes beyond the
    limits of `rules` is stored all the same, with what tripped, and `apply` refuses it until it is approved. `made_by`:
    the run of a scheduler. Raises FieldsNotProvisioned where a field of ours is missing or hidden; Taken while another
    run writes, or plans.
    """
    began, calls = time.perf_counter(), connector.calls.total
    rules = rules or load_rules()
    identity = connector.identify()
    fields = written_fields(given.rollups)
    rules.check_names(fields)
    terms = Terms(fields, config.as_of, cadence_days(config.policy), rules)
    # First of all, so that who waits for it has done nothing in vain.
    with writing_alone(connector, store, clock) as lease:
        check_fields(connector, all_fields(given.rollups))
        day = score_day_of(store, config, given)
        wanted = wanted_values(
            day,
            source=identity.source,
            instance=identity.instance,
            fields=fields,
            keeps_leavers=rules.scope.leaving == "keep",
        )
        measures = scored_measures(day.counts)
        planned = _plan_of(
            connector, store, wanted, terms, lease, full=full, made_by=made_by, measures=measures, progress=progress
        )
    calls, seconds = connector.calls.total - calls, round(time.perf_counter() - began, 3)
    return replace(planned, calls=calls, seconds=seconds)


def plan_of(
    connector: Connector,
    store: Store,
    wanted: pl.DataFrame,
    terms: Terms,
    clock: Clock,
    *,
    full: bool = False,
    made_by: str | None = None,
    measures: Mapping[str, float] = MappingProxyType({}),
    progress: Progress = quiet,
) -> PlanReceipt:
    """The plan for what is `wanted`: source_id and a canonical text column per field of `terms`. What was taken back
    before is read from the store. `measures`: what the guard looks at beside what the store holds. Raises Taken while
    another run writes, or plans."""
    with writing_alone(connector, store, clock) as lease:
        return _plan_of(
            connector, store, wanted, terms, lease, full=full, made_by=made_by, measures=measures, progress=progress
        )


def _plan_of(
    connector: Connector,
    store: Store,
    wanted: pl.DataFrame,
    terms: Terms,
    lease: Held,
    *,
    full: bool,
    made_by: str | None,
    measures: Mapping[str, float],
    progress: Progress,
) -> PlanReceipt:
    """As `plan_of`, by whoever has the lease."""
    began, calls = time.perf_counter(), connector.calls.total
    identity = connector.identify()
    of = {"source": identity.source, "instance": identity.instance}
    made = PublishPlan(
        plan_id=f"{identity.source}-{uuid.uuid4().hex[:12]}",
        source=identity.source,
        source_instance=identity.instance,
        planned_at=lease.clock(),
        as_of=terms.as_of,
        made_by=made_by,
    )
    with store.transaction() as tx:
        ours, undone = plans.ledger(tx, **of), plans.undone(tx, **of)
        shown, unclear = plans.to_compare(tx, **of), plans.pending_accounts(tx, **of)
        undo = plans.pending_undo(tx, **of)
        last = last_written(tx, **of)
        held, before = measured(tx, **of, columns=asked()), dict(last.measures) if last else {}
    retired = there(connector, retired_fields(ours, terms.fields))
    terms = replace(terms, fields=(*terms.fields, *retired), undone=undone)
    wanted = wanted.with_columns(pl.lit(None, pl.String).alias(f.key) for f in retired)
    ids = wanted["source_id"] if full else candidates(wanted, ours, pl.concat([shown, unclear]), terms)["source_id"]
    ids = pl.concat([ids, undo["source_id"]]).unique(maintain_order=True)
    texts = held_now(connector, ids, terms.fields, progress)
    now = canonical_frame(texts, terms.fields)
    ours = with_inherited(ours, accounts_of(store, made, "merged_into_id"))
    # An undo that broke off is taken for done, and what is left of it is written along.
    rest = unfinished(undo, now)
    found = compare(wanted, rest.now(now), ours, replace(terms, undone=rest.undone(undone)))
    # Fields that nothing declares any more are cleared on purpose.
    declared = wanted.drop(f.key for f in retired)
    made.measures = {**held, **measures, **wanted_measures(declared)}
    made.tripped = tripped(found, declared, made.measures, before, terms.rules.limits)
    found = _with_rest(found, rest, texts)
    made.write_calls = connector.write_calls(found.to_write["source_id"].n_unique())
    made.expires_at = made.planned_at + terms.rules.expires_after
    look_back(connector, store, made, now, terms.fields)
    freed = _save(store, made, found, now, pl.concat([ids, shown]).unique(), lease=lease)
    calls, seconds = connector.calls.total - calls, round(time.perf_counter() - began, 3)
    known = wanted.filter(~pl.col("source_id").is_in(ids.implode())).height
    return _receipt(made, found, freed, compared=now.height, known=known, calls=calls, seconds=seconds)


def _with_rest(found: Comparison, rest: Unfinished, texts: pl.DataFrame) -> Comparison:
    """With what is left of an undo: of those cells the CRM does not hold yet what the comparison took it to hold."""
    equal, confirmed = (cells.join(rest.left, on=CELL, how="anti") for cells in (found.equal, found.confirmed))
    return Comparison(spelled_apart(rest.with_rest(found.cells), texts), equal, confirmed)


def cadence_days(policy: Policy) -> dict[str, int]:
    """Tier to the days after which no touch is late: the stricter of its cadence's targets. Tiers without any
    target are left out."""
    days = {tier: _targets(getattr(policy.cadence, tier)) for tier in TIERS}
    return {tier: min(known) for tier, known in days.items() if known}


def _targets(cadence: Cadence) -> list[int]:
    return [days for days in (cadence.meeting_every_days, cadence.touch_every_days) if days is not None]


def candidates(wanted: pl.DataFrame, ours: pl.DataFrame, shown: pl.Series, terms: Terms) -> pl.DataFrame:
    """source_id of the accounts worth a look into the CRM: the ledger stands in for what it holds. `is_due`: by the
    ledger they need a write, or it does not know them."""
    known = ours.group_by("source_id", "field").agg(pl.col("value").last()).pivot("field", index="source_id")
    absent = [pl.lit(None, pl.String).alias(f.key) for f in terms.fields if f.key not in known.columns]
    supposed = wanted.select("source_id").join(known.with_columns(absent), on="source_id", how="left")
    guess = compare(wanted, supposed, ours, terms)
    differs = wanted["source_id"].is_in(pl.concat([guess.to_write, guess.to_review])["source_id"].implode())
    unknown = ~wanted["source_id"].is_in(ours["source_id"].implode())
    seen = wanted["source_id"].is_in(shown.implode())
    due = wanted["source_id"].is_in(guess.to_write["source_id"].implode()) | unknown
    return wanted.select("source_id", is_due=due).filter(differs | unknown | seen)


def _save(
    store: Store, made: PublishPlan, found: Comparison, now: pl.DataFrame, looked_at: pl.Series, *, lease: Held
) -> int:
    """The plan, what we learned to be ours, and which accounts need no further look, in one transaction. Returns how
    many cells need no review, because a person has approved an equal plan. Raises Overtaken where the lease ran out and
    another run has it: what was looked at may be written over by now."""
    of = {"source": made.source, "instance": made.source_instance}
    made.cells_equal, made.cells_held = found.equal.height, found.cells.height - found.to_write.height
    made.hash = plan_hash(**of, cells=found.cells.filter(pl.col("decision") != "held"))
    with store.transaction() as tx:
        lease.renew(tx)
        learned = pl.concat([found.equal, found.confirmed])
        end_as_found(tx, now, **of)
        plans.adopt(tx, learned, **of, plan_id=made.plan_id, at=FOUND)
        plans.supersede_pending(tx, **of, plan_id=made.plan_id)
        saved = PublishPlan(**made.model_dump())
        plans.save_plan(tx, saved, found.cells)
        plans.compared(tx, looked_at, **of)
        return _approved_before(tx, made, saved)


def _approved_before(tx: Transaction, made: PublishPlan, saved: PublishPlan) -> int:
    """A hash is approved, not an hour: a run that comes to the same plan once more need not ask again."""
    known = approval_of(tx, saved)
    if known is None or known.approved_by is None or known.approved_at is None:
        return 0
    made.approved_by, made.approved_at = known.approved_by, known.approved_at
    return approve(tx, saved.plan_id, known.approved_by, known.approved_at)


def _receipt(
    made: PublishPlan, found: Comparison, freed: int, *, compared: int, known: int, calls: int, seconds: float
) -> PlanReceipt:
    to_write = pl.concat([found.to_write, found.to_review]) if freed else found.to_write
    return PlanReceipt(
        plan_id=made.plan_id,
        source=made.source,
        as_of=made.as_of,
        compared=compared,
        known=known,
        accounts_to_write=to_write["source_id"].n_unique(),
        cells_to_write=to_write.height,
        cells_held=found.held.height,
        cells_to_review=found.to_review.height - freed,
        cells_equal=found.equal.height,
        calls=calls,
        write_calls=made.write_calls,
        seconds=seconds,
        hash=made.hash,
        expires_at=made.expires_at,
        tripped=() if made.approved_at is not None else tuple(made.tripped),
    )


def accounts_of(store: Store, made: PublishPlan, column: str) -> pl.DataFrame:
    """source_id and another column of the accounts of the plan's CRM."""
    accounts = store.read(Account, ["source", "source_instance", "source_id", column])
    own = (pl.col("source") == made.source) & (pl.col("source_instance") == made.source_instance)
    return accounts.filter(own).select("source_id", column)
