"""Finds what was recorded of an account group and a day; computes no score."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from kammodel.entities import Account
from kammodel.errors import KamError
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.identity import account_groups
from kammodel.rules import RuleChange, rule_changes, rules_text
from kammodel.scoring import ScoringConfig, find_group
from kammodel.store import Store
from kammodel.store.rules import load_rules
from kammodel.store.snapshots import days_stored, latest_snapshots, stored_snapshot
from kammodel.tiering.explained import Explanation, RuleChanged

_SHOWN = 5


@dataclass(frozen=True)
class Recorded:
    """A stored snapshot's columns by name, and what the rules of today have otherwise than those it was made by; null
    where nobody kept these."""

    row: dict[str, Any]
    rules_since: tuple[RuleChange, ...] | None


def recorded(
    store: Store,
    config: ScoringConfig,
    sought: str,
    *,
    day: dt.date | None = None,
    recorded_until: dt.datetime | None = None,
    given: Given = NOTHING_GIVEN,
) -> Recorded:
    """What was recorded of a group (see `find_group`) and a day, its latest one without it: the last record, or the
    one that was the last at an instant. Raises KamError where there is none."""
    with store.transaction() as tx:
        row = stored_snapshot(tx, sought.strip(), day=day, recorded_until=recorded_until)
    group_id = sought.strip() if row else _group_id(store, config, sought, given)
    with store.transaction() as tx:
        row = row or stored_snapshot(tx, group_id, day=day, recorded_until=recorded_until)
        days = days_stored(tx, group_id)
        if row is None:
            raise KamError(_nothing(group_id, day, recorded_until, days))
        known = dict(load_rules(tx, pl.Series([row["config_hash"]])).iter_rows())
    made_by = known.get(row["config_hash"])
    return Recorded(row, None if made_by is None else rule_changes(made_by, rules_text(config)))


def with_rule_changes(store: Store, config: ScoringConfig, found: Explanation) -> Explanation:
    """The explanation with what the rules have otherwise than those of the day before, where they changed."""
    before = found.since_last_run
    if before is None or not before.rules_changed:
        return found
    with store.transaction() as tx:
        until = config.as_of - dt.timedelta(days=1)
        last = latest_snapshots(tx, until=until).filter(pl.col("group_id") == found.group_id)
        known = dict(load_rules(tx, last["config_hash"]).iter_rows())
    changes = [
        RuleChanged(name=one.name, before=one.before, now=one.now)
        for text in known.values()
        for one in rule_changes(text, rules_text(config))
    ]
    told = before.model_copy(update={"rule_changes": tuple(changes)})
    return found.model_copy(update={"since_last_run": told})


def _group_id(store: Store, config: ScoringConfig, sought: str, given: Given) -> str:
    accounts = store.read(Account)
    return find_group(account_groups(accounts, config.system_of_record, given.frames.get("matches")), sought)


def _nothing(group_id: str, day: dt.date | None, recorded_until: dt.datetime | None, days: list[dt.date]) -> str:
    of = f" of {day.isoformat()}" if day else ""
    until = f" up to {recorded_until.isoformat()}" if recorded_until else ""
    if not days:
        return f"{group_id}: nothing was recorded{of}{until}; kam score and kam backfill do that"
    near = sorted(days, key=lambda one: abs((one - (day or one)).days))[:_SHOWN]
    return f"{group_id}: nothing was recorded{of}{until}; there is {', '.join(d.isoformat() for d in sorted(near))}"
