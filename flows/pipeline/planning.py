"""Plans what to write into one CRM: compares what we want with what it holds, and stores the difference."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial

import polars as pl

from connectors.contract import Connector
from connectors.errors import FieldsNotProvisioned
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.scoring import score_day_of
from flows.results import PlanReceipt
from kammodel.entities import Account, PublishPlan
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.fields import FIELDS, CustomField
from kammodel.publish.plan import Comparison, canonical_frame, compare, with_inherited
from kammodel.rollups.fields import all_fields, written_fields
from kammodel.rollups.retired import retired_fields
from kammodel.scoring import ScoringConfig, wanted_values
from kammodel.store import Store, plans
from kammodel.tiering.policy import TIERS, Cadence, Policy

_OUTCOMES = {"source_id": pl.String, "outcome": pl.String, "code": pl.String, "message": pl.String}

FOUND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""When a value was written that we only found in the CRM: not lately, so that its account is no echo of ours."""


def plan(
    connector: Connector,
    store: Store,
    config: ScoringConfig,
    clock: Clock,
    *,
    full: bool = False,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> PlanReceipt:
    """Compares what we want with what the CRM holds, and stores what is to be written. `given`: as for the score.

    Read from the CRM are only accounts whose wanted values differ from what we last wrote, that the CRM
    showed us again since, or whose last write has no known outcome; `full` reads all. Raises
    FieldsNotProvisioned where a field of ours is missing or hidden.
    """
    began, calls = time.perf_counter(), connector.calls.total
    identity = connector.identify()
    fields = written_fields(given.rollups)
    check_fields(connector, all_fields(given.rollups))
    wanted = wanted_values(score_day_of(store, config, given), identity.source, identity.instance, fields)
    made = PublishPlan(
        plan_id=f"{identity.source}-{uuid.uuid4().hex[:12]}",
        source=identity.source,
        source_instance=identity.instance,
        planned_at=clock(),
        as_of=config.as_of,
    )
    cadence = cadence_days(config.policy)
    with store.transaction() as tx:
        ours = plans.ledger(tx, identity.source, identity.instance)
        shown = plans.to_compare(tx, identity.source, identity.instance)
        unclear = plans.pending_accounts(tx, identity.source, identity.instance)
    retired = there(connector, retired_fields(ours, fields))
    fields, wanted = (*fields, *retired), wanted.with_columns(pl.lit(None, pl.String).alias(f.key) for f in retired)
    looked = partial(compare, fields=fields, as_of=config.as_of, cadence_days=cadence)
    ids = wanted["source_id"] if full else _candidates(wanted, ours, pl.concat([shown, unclear]), fields, looked)
    now = fields_now(connector, ids, fields, progress)
    ours = with_inherited(ours, accounts_of(store, made, "merged_into_id"))
    comparison = looked(wanted, now, ours)
    _save(store, made, comparison, pl.concat([ids, shown]).unique())
    return _receipt(
        made,
        comparison,
        connector,
        compared=now.height,
        known=wanted.height - ids.len(),
        calls=connector.calls.total - calls,
        seconds=round(time.perf_counter() - began, 3),
    )


def cadence_days(policy: Policy) -> dict[str, int]:
    """Tier to the days after which no touch is late: the stricter of its cadence's targets. Tiers without any
    target are left out."""
    days = {tier: _targets(getattr(policy.cadence, tier)) for tier in TIERS}
    return {tier: min(known) for tier, known in days.items() if known}


def _targets(cadence: Cadence) -> list[int]:
    return [days for days in (cadence.meeting_every_days, cadence.touch_every_days) if days is not None]


def check_fields(connector: Connector, fields: Sequence[CustomField] = FIELDS) -> None:
    """Raises FieldsNotProvisioned, with the command to run, where a field of ours is missing or hidden."""
    missing = connector.missing_fields(fields)
    if missing:
        raise FieldsNotProvisioned(
            f"{connector.name}: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or hidden from "
            f"this user; an admin runs: kam provision --crm {connector.name}"
        )


def there(connector: Connector, fields: Sequence[CustomField]) -> tuple[CustomField, ...]:
    """Those of the fields that the CRM has, and lets us write."""
    missing = connector.missing_fields(fields) if fields else []
    return tuple(f for f in fields if not {f.salesforce_name, f.hubspot_name} & set(missing))


def _candidates(
    wanted: pl.DataFrame,
    ours: pl.DataFrame,
    shown: pl.Series,
    fields: Sequence[CustomField],
    looked: Callable[[pl.DataFrame, pl.DataFrame, pl.DataFrame], Comparison],
) -> pl.Series:
    """Accounts worth a look into the CRM: the ledger stands in for what it holds."""
    known = ours.group_by("source_id", "field").agg(pl.col("value").last()).pivot("field", index="source_id")
    absent = [pl.lit(None, pl.String).alias(f.key) for f in fields if f.key not in known.columns]
    supposed = wanted.select("source_id").join(known.with_columns(absent), on="source_id", how="left")
    guess = looked(wanted, supposed, ours)
    differs = wanted["source_id"].is_in(guess.to_write["source_id"].implode())
    unknown = ~wanted["source_id"].is_in(ours["source_id"].implode())
    seen = wanted["source_id"].is_in(shown.implode())
    return wanted["source_id"].filter(differs | unknown | seen)


def fields_now(connector: Connector, ids: pl.Series, fields: Sequence[CustomField], progress: Progress) -> pl.DataFrame:
    """What these fields hold: source_id and a canonical text column per field; accounts that are gone are absent."""
    empty = pl.DataFrame(schema=dict.fromkeys(("source_id", *(f.key for f in fields)), pl.String))
    frames, rows = [empty], 0
    for frame in connector.read_fields(fields, ids.to_list()) if ids.len() else ():
        frames.append(frame.select(empty.columns))
        rows += frame.height
        progress(f"{connector.name} compare", rows, ids.len())
    return canonical_frame(pl.concat(frames), fields)


def _save(store: Store, made: PublishPlan, comparison: Comparison, looked_at: pl.Series) -> None:
    """The plan, what we learned to be ours, and which accounts need no further look, in one transaction."""
    of = {"source": made.source, "instance": made.source_instance}
    made.cells_equal, made.cells_held = comparison.equal.height, comparison.held.height
    cells = comparison.cells.with_columns(
        plan_id=pl.lit(made.plan_id), outcome=pl.lit(None), code=pl.lit(None), message=pl.lit(None)
    )
    with store.transaction() as tx:
        learned = pl.concat([comparison.equal, comparison.confirmed])
        plans.adopt(tx, learned, **of, plan_id=made.plan_id, at=FOUND)
        plans.supersede_pending(tx, **of, plan_id=made.plan_id)
        plans.save_plan(tx, PublishPlan(**made.model_dump()), cells)
        plans.compared(tx, looked_at, **of)


def _receipt(
    made: PublishPlan,
    comparison: Comparison,
    connector: Connector,
    *,
    compared: int,
    known: int,
    calls: int,
    seconds: float,
) -> PlanReceipt:
    accounts = comparison.to_write["source_id"].n_unique()
    return PlanReceipt(
        plan_id=made.plan_id,
        source=made.source,
        as_of=made.as_of,
        compared=compared,
        known=known,
        accounts_to_write=accounts,
        cells_to_write=comparison.to_write.height,
        cells_held=comparison.held.height,
        cells_equal=comparison.equal.height,
        calls=calls,
        write_calls=-(-accounts // connector.write_batch),
        seconds=seconds,
    )


def accounts_of(store: Store, made: PublishPlan, column: str) -> pl.DataFrame:
    """source_id and another column of the accounts of the plan's CRM."""
    accounts = store.read(Account, ["source", "source_instance", "source_id", column])
    own = (pl.col("source") == made.source) & (pl.col("source_instance") == made.source_instance)
    return accounts.filter(own).select("source_id", column)
