"""Thins older daily snapshots out to one a month, and takes out what is kept for a time only."""

from __future__ import annotations

import datetime as dt
import time
import uuid

import polars as pl

from flows.pipeline.progress import Clock
from flows.pipeline.scoring import THIN
from flows.results import ThinReceipt
from kammodel.entities import KEY, Account, Run
from kammodel.identity import account_groups
from kammodel.scoring import ScoringConfig
from kammodel.store import Store
from kammodel.store.control import end_run, start_run
from kammodel.store.retention import drop_old_cells, drop_old_rejects
from kammodel.store.thinning import thin_snapshots, tiers_written


def thin(
    store: Store,
    config: ScoringConfig,
    keep_days: int,
    clock: Clock,
    *,
    ledger_days: int | None = None,
    reject_days: int | None = None,
) -> ThinReceipt:
    """Takes out the snapshots of days more than `keep_days` before `config.as_of` that are neither the last of their
    group and month, nor in force, nor published in a CRM as a tier. Of plans more than `ledger_days` old it takes out
    the cells, of rows set aside more than `reject_days` ago what came, see `store.retention`; null keeps them."""
    began, at, before = time.perf_counter(), clock(), config.as_of - dt.timedelta(days=keep_days)
    grouping = account_groups(store.read(Account), config.system_of_record)
    run_id = f"{THIN}-{uuid.uuid4().hex[:12]}"
    with store.transaction() as tx:
        start_run(tx, Run(run_id=run_id, kind=THIN, started_at=at, as_of=before))
        written = tiers_written(tx)
        gone = thin_snapshots(tx, before, _by_group(written, grouping.accounts, grouping.groups))
        cells = drop_old_cells(tx, at - dt.timedelta(days=ledger_days)) if ledger_days is not None else 0
        rejects = drop_old_rejects(tx, at - dt.timedelta(days=reject_days)) if reject_days is not None else 0
        end_run(tx, run_id, "done", {"snapshots": gone, "cells": cells, "rejects": rejects}, clock())
    # What was deleted is to be gone from the files as well.
    store.wipe(["rejected_record"] if rejects else [])
    return ThinReceipt(before, gone, round(time.perf_counter() - began, 3), cells=cells, rejects=rejects)


def _by_group(written: pl.DataFrame, accounts: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """group_id and as_of. An account may have been its own group, or another's, when it was written: both stay."""
    today = written.join(accounts, on=KEY).join(groups.select("group", "group_id"), on="group")
    own = written.select(pl.format("{}:{}:{}", *KEY).alias("group_id"), "as_of")
    return pl.concat([today.select("group_id", "as_of"), own]).unique(maintain_order=True)
