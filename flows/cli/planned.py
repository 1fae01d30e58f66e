"""`kam plans` and `kam approve`: stored plans, cell by cell, and a person's word for one of them."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.text import Text

from flows.cli.session import session
from flows.cli.show import print_json, printed, table
from flows.escaping import plain
from flows.pipeline import gating
from flows.pipeline.cells import known_fields
from flows.report.cells import COLUMNS, cell_rows, cells_csv, plain_row, state_of
from flows.runtime import Runtime
from kammodel.entities import PublishPlan
from kammodel.errors import KamError
from kammodel.store import Transaction, approving, plans

MOST_PLANS, MOST_CELLS = 20, 60
HEAD = ("plan", "CRM", "made (UTC)", "as of", "kind", "state", "hash", "written", "held", "refused", "waiting", "equal")


@dataclass(frozen=True)
class Stored:
    """A stored plan, how many of its cells ended how, how many a person may set free still, and when that was so."""

    plan: PublishPlan
    outcomes: dict[str, int]
    to_review: int
    now: dt.datetime

    @classmethod
    def of(cls, tx: Transaction, plan: PublishPlan, now: dt.datetime) -> Stored:
        """Read within a transaction."""
        return cls(plan, approving.outcomes(tx, plan.plan_id), approving.to_review(tx, plan.plan_id), now)

    @property
    def state(self) -> str:
        return state_of(self.plan, self.outcomes, self.to_review, self.now)


def list_plans(*, as_json: bool) -> None:
    """The newest plans of all CRMs."""
    with session() as at, at.runtime.store.transaction() as tx:
        found = [Stored.of(tx, plan, at.runtime.clock()) for plan in approving.recent_plans(tx, MOST_PLANS)]
    if as_json:
        print_json([_facts(one) for one in found])
        return
    if not found:
        printed(Text("There is no plan yet; make one with: kam plan", style="dim"))
        return
    # No hash is folded: it is what a person copies.
    printed(table("Plans", HEAD, map(_row, found), words=6))


def show_plan(name: str, into: Path | None, *, as_json: bool) -> None:
    """One plan in full; its cells go into a file where one is named."""
    with session() as at:
        plan = the_plan(at.runtime, name)
        with at.runtime.store.transaction() as tx:
            cells, stored = plans.cells_of(tx, plan.plan_id), Stored.of(tx, plan, at.runtime.clock())
        texts = texts_of(at.runtime, plan, cells)
    if into is not None:
        _write(into, cells_csv(cells, texts))
    if as_json:
        # A cell that is empty is null for programs: no value of ours is the empty text.
        rows = [dict(zip(COLUMNS, (text or None for text in row), strict=True)) for row in cell_rows(cells, texts)]
        print_json(_facts(stored) | {"cells": rows})
        return
    printed(_head(stored))
    show_cells(cells, texts, f"kam plans {plan.plan_id} --csv FILE")
    if into is not None:
        printed(Text(f"{cells.height:,} cells written to {into}"))


def show_cells(cells: pl.DataFrame, texts: frozenset[str], in_full: str) -> None:
    """The first cells of a plan as a table, with those in front that a person should look at; `in_full` is the command
    that gives all of them."""
    if cells.is_empty():
        return
    order = {"review": 0, "write": 1, "held": 2}
    first = cells.sort(pl.col("decision").replace_strict(order, default=3, return_dtype=pl.Int8), maintain_order=True)
    rows = [plain_row(row[:7]) for row in cell_rows(first.head(MOST_CELLS), texts)]
    printed(table(f"{cells.height:,} cells", COLUMNS[:7], rows, words=7))
    if cells.height > MOST_CELLS:
        printed(Text(f"the first {MOST_CELLS} of {cells.height:,}; all of them: {in_full}", style="dim"))


def approve_plan(name: str, by: str, *, as_json: bool) -> None:
    """Approves a plan by its hash."""
    with session() as at:
        receipt = gating.approve(at.runtime.store, name, by, at.runtime.clock)
    if as_json:
        print_json(receipt)
        return
    told = Text(f"Plan {receipt.plan_id} (hash {receipt.hash}) is approved by {plain(receipt.by)}.", style="green")
    printed(told)
    for line in receipt.tripped:
        printed(Text(f"although {plain(line)}", style="yellow"))
    printed(Text(f"Write it with: kam apply --crm {receipt.source}", style="dim"))


def the_plan(runtime: Runtime, name: str) -> PublishPlan:
    """The newest plan of that id or hash; raises KamError where there is none."""
    with runtime.store.transaction() as tx:
        found = approving.plans_named(tx, name)
    if not found:
        raise KamError(f"there is no plan that is called {name!r}; kam plans lists them")
    return found[0]


def texts_of(runtime: Runtime, plan: PublishPlan, cells: pl.DataFrame) -> frozenset[str]:
    """The keys of those fields of the cells that hold text."""
    with runtime.store.transaction() as tx:
        ledger = plans.ledger(tx, plan.source, plan.source_instance)
    return frozenset(f.key for f in known_fields(cells["field"], ledger, runtime.given) if f.kind == "text")


def _row(one: Stored) -> tuple[str, ...]:
    plan, count = one.plan, Counter(one.outcomes)
    at = f"{plan.planned_at:%Y-%m-%d %H:%M}"
    waiting = count["pending"] + count["waiting"]
    numbers = (count["written"], count["held"], count["rejected"], waiting, plan.cells_equal)
    told = (plan.plan_id, plan.source, at, plan.as_of.isoformat(), plan.kind, one.state, plan.hash)
    return (*told, *(f"{n:,}" for n in numbers))


def _head(one: Stored) -> Text:
    plan = one.plan
    text = Text(f"Plan {plan.plan_id}, hash {plan.hash}: {one.state}", style="bold")
    told = ", ".join(f"{n:,} {outcome}" for outcome, n in one.outcomes.items() if n)
    told += f"; {one.to_review:,} of those held wait for an approval" if one.to_review else ""
    text.append(f"\n{plan.kind} as of {plan.as_of.isoformat()}, made {plan.planned_at:%Y-%m-%d %H:%M} UTC", "default")
    if plan.expires_at is not None:
        text.append(f", good until {plan.expires_at:%Y-%m-%d %H:%M} UTC; {plan.write_calls:,} calls", "default")
    text.append(f"\ncells: {told or 'none'}", "default")
    if plan.undoes is not None:
        text.append(f"\ntakes back plan {plan.undoes}", "default")
    for line in plan.tripped:
        text.append(f"\nbeyond a limit: {plain(line)}", "yellow")
    if plan.approved_by is not None and plan.approved_at is not None:
        text.append(f"\napproved by {plain(plan.approved_by)}, {plan.approved_at:%Y-%m-%d %H:%M} UTC", "green")
    return text


def _facts(one: Stored) -> dict[str, Any]:
    told = one.plan.model_dump(mode="json", exclude={"number", "measures", "cells_equal", "cells_held"})
    return told | {"state": one.state, "outcomes": one.outcomes}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as fault:
        raise KamError(f"{path} cannot be written: {fault.strerror}") from None
