"""Says what planning and writing will take, by what the store holds and what reading is about to bring."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from connectors.contract import Connector
from flows.pipeline.estimating import estimates_of, minutes_of_last
from flows.pipeline.planning import cadence_days, candidates
from flows.pipeline.scoring import score_day_of
from flows.results import EstimateReceipt, WriteBackEstimate
from kammodel.dependents import ACCOUNTS
from kammodel.entities import Account
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.publish.plan import Terms
from kammodel.publish.rules import PublishRules, load_rules
from kammodel.rollups.fields import written_fields
from kammodel.rollups.retired import retired_fields
from kammodel.scoring import ScoringConfig, wanted_values
from kammodel.store import Store, plans

FIELD_CHECKS = 2
"""Whether our fields are there is asked before the first row is read, and by the plan."""


@dataclass(frozen=True)
class _Accounts:
    """Of one CRM: those `held`, the share of them that are `wanted` to have values, those `looked` at and those `due`
    a write, as the store stands."""

    held: int = 0
    wanted: float = 1.0
    looked: int = 0
    due: int = 0


def with_write_back(
    receipt: EstimateReceipt,
    connector: Connector,
    store: Store,
    config: ScoringConfig,
    *,
    given: Given = NOTHING_GIVEN,
    rules: PublishRules | None = None,
) -> EstimateReceipt:
    """The estimate of reading, and what comes after it in the same run. The day is scored as it stands, which takes as
    long as a plan does. Raises KamError where the plan would: an unreadable policy, a rule for no field."""
    now, found = _as_it_stands(receipt, store, config, given, rules or load_rules()), estimates_of(connector)
    came = next((one.rows or 0 for one in receipt.streams if one.stream == ACCOUNTS), 0)
    new = max(0, came - now.held)
    # What is read again just as it is known is no reason to look at it.
    moved = came - new if receipt.kind == "increment" else 0
    shown = new + round(moved * now.wanted)
    # Which of those that are about to come are among those that are waiting already, nobody knows.
    accounts = min(now.looked + shown, new + round(now.held * now.wanted))
    written = min(now.due + new, accounts)
    looking, writing = found.looking(accounts), found.writing(written)
    planning = looking.calls + FIELD_CHECKS
    calls = receipt.calls + planning + writing.calls
    most = found.writing(accounts).calls
    seconds = looking.seconds + writing.seconds + found.alone(FIELD_CHECKS)
    scoring = minutes_of_last(store, "score")
    minutes = receipt.minutes + receipt.pace * seconds / 60 + (scoring or 0)
    return replace(
        receipt,
        write_back=WriteBackEstimate(
            accounts, written, planning, writing.calls, most, calls, round(minutes, 2), _rounded(scoring)
        ),
        day_share=round(calls / receipt.day_limit, 4) if receipt.day_limit else None,
        is_enough=receipt.left is None or calls <= receipt.left,
    )


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 2)


def _as_it_stands(
    receipt: EstimateReceipt, store: Store, config: ScoringConfig, given: Given, rules: PublishRules
) -> _Accounts:
    of = {"source": receipt.source, "instance": receipt.instance}
    fields = written_fields(given.rollups)
    rules.check_names(fields)
    with store.transaction() as tx:
        held = tx.live_ids(Account, **of).len()
        if held == 0:
            return _Accounts()
        ours, undone = plans.ledger(tx, **of), plans.undone(tx, **of)
        shown = pl.concat([plans.to_compare(tx, **of), plans.pending_accounts(tx, **of)])
    day = score_day_of(store, config, given)
    wanted = wanted_values(day, **of, fields=fields, keeps_leavers=rules.scope.leaving == "keep")
    retired = retired_fields(ours, fields)
    wanted = wanted.with_columns(pl.lit(None, pl.String).alias(f.key) for f in retired)
    terms = Terms((*fields, *retired), config.as_of, cadence_days(config.policy), rules, undone)
    worth = candidates(wanted, ours, shown, terms)
    return _Accounts(held, wanted.height / held, worth.height, int(worth["is_due"].sum()))
