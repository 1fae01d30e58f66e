"""Thins older daily snapshots out to one a month."""

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
from kammodel.store.thinning import thin_snapshots, tiers_written


def thin(store: Store, config: ScoringConfig, keep_days: int, clock: Clock) -> ThinReceipt:
    """Takes out the snapshots of days more than `keep_days` before `config.as_of` that are neither the last of their
    group and month, nor in force, nor published in a CRM as a tier."""
    began, at, before = time.perf_counter(), clock(), config.as_of - dt.timedelta(days=keep_days)
    grouping = account_groups(store.read(Account), config.system_of_record)
    run_id = f"{THIN}-{uuid.uuid4().hex[:12]}"
    with store.transaction() as tx:
        start_run(tx, Run(run_id=run_id, kind=THIN, started_at=at, as_of=before))
        written = tiers_written(tx)
        gone = thin_snapshots(tx, before, _by_group(written, grouping.accounts, grouping.groups))
        end_run(tx, run_id, "done", {"snapshots": gone}, clock())
    return ThinReceipt(before, gone, round(time.perf_counter() - began, 3))


def _by_group(written: pl.DataFrame, accounts: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """group_id and as_of. An account may have been its own group, or another's, when it was written: both stay."""
    today = written.join(accounts, on=KEY).join(groups.select("group", "group_id"), on="group")
    own = written.select(pl.format("{}:{}:{}", *KEY).alias("group_id"), "as_of")
    return pl.concat([today.select("group_id", "as_of"), own]).unique(maintain_order=True)
