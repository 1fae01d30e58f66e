"""Rebuilds the ledger from a CRM: what stands there and is ours, by the stamps that were written with it."""

from __future__ import annotations

import polars as pl

from connectors.contract import Connector
from flows.pipeline.cells import fields_now, there
from flows.pipeline.kept_jobs import writing_alone
from flows.pipeline.progress import Clock, Progress, quiet
from flows.pipeline.unclear import FOUND
from flows.results import AdoptReceipt
from kammodel.entities import Account
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.deciding import CELL
from kammodel.publish.plan import beyond_ledger, proven_ours
from kammodel.rollups.fields import written_fields
from kammodel.store import Store, plans

BY = "adopted"
"""In place of a plan's name, in the ledger."""


def adopt(
    connector: Connector,
    store: Store,
    clock: Clock,
    *,
    everything: bool = False,
    dry_run: bool = False,
    given: Given = NOTHING_GIVEN,
    progress: Progress = quiet,
) -> AdoptReceipt:
    """Reads our fields of every account, and enters what is proven to be ours. `everything`: also the values without
    proof, of which a person then says that none was typed by anybody. `dry_run`: only counts. Raises Taken while
    another run writes, or plans: what that wrote it has not entered yet."""
    identity = connector.identify()
    of = {"source": identity.source, "instance": identity.instance}
    fields = there(connector, written_fields(given.rollups))
    with writing_alone(connector, store, clock) as lease:
        with store.transaction() as tx:
            ids = tx.live_ids(Account, **of)
            known = plans.ledger(tx, **of)
        now = fields_now(connector, ids, fields, progress)
        held = now.unpivot(index="source_id", variable_name="field", value_name="value").drop_nulls("value")
        told = proven_ours(now, fields).unique()
        proven = pl.concat([beyond_ledger(told, known), told.join(known, on=[*CELL, "value"], how="semi")]).unique()
        unproven = held.join(proven, on=CELL, how="anti")
        ours = pl.concat([proven, unproven.select(proven.columns)]) if everything else proven
        new = ours.join(known, on=[*CELL, "value"], how="anti").sort(CELL)
        if not dry_run:
            with store.transaction() as tx:
                lease.renew(tx)
                plans.adopt(tx, new, **of, plan_id=BY, at=FOUND)
    return AdoptReceipt(
        source=identity.source,
        accounts=now.height,
        filled=held.height,
        proven=proven.height,
        unproven=unproven.height,
        adopted=new.height,
        is_dry_run=dry_run,
    )
