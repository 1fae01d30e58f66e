"""Facts of groups as they were known at the cut, row by row: deals and what they brought."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kammodel.entities import Opportunity
from tests.oracle.known import Amount, Group, Key, Knowledge
from tests.oracle.world import Row


@dataclass
class Deal:
    """A deal that counts. `closed_on`: null while it is open, or if the day is not known."""

    key: Key
    group: Group
    status: str
    closed_on: dt.date | None
    expected_on: dt.date | None
    created_on: dt.date | None
    own: int | None
    amount: Amount
    probability: float | None
    kind: str | None
    is_omitted: bool
    category: str | None
    stage: str | None
    history: list[Row]
    row: Row


def deals(known: Knowledge) -> list[Deal]:
    """Deals at the cut. Readings 2-5, 7, 8 and 19."""
    found = []
    for row in known.rows(Opportunity):
        group = known.group_of(row["source"], row["account_id"])
        if group is not None and not row.get("merged_into_id"):
            found.append(_deal(known, row, group))
            group.rows["deals"].append(found[-1])
    return found


def _deal(known: Knowledge, row: Row, group: Group) -> Deal:
    key = (row["source"], row["source_id"])
    every = known.history.get(key, [])
    history = [step for step in every if step["changed_at"] <= known.cut]
    goes_on = row["unknown"] and len(every) > len(history)
    now = {**row, **({} if not (goes_on and history) else _told(history[-1]))}
    closed_on = expected_on = None
    status = now["status"]
    if status != "open":
        closed_on = _closing_day(known, now, history, every if row["unknown"] else history)
        if closed_on is not None and closed_on > known.t:
            status, closed_on, expected_on = "open", None, now["close_on"]
            if not (goes_on and history):
                # What it was like then, nobody knows.
                now["probability"] = now["stage_id"] = now["forecast_category"] = None
    else:
        expected_on = now["close_on"]
    # One that closed on an unknown day enters a few figures by its creation: at the rate of the as-of date.
    at = known.t if status == "open" else closed_on or known.t
    amount = known.reporting(now["amount"], now["currency"], at, row["source"])
    return Deal(
        key, group, status, closed_on, expected_on, known.day(row["created_at"]), now["amount"], amount,
        now["probability"], row["kind"], bool(row["is_omitted"]), now["forecast_category"], now["stage_id"], history,
        row,
    )  # fmt: skip


def _told(step: Row) -> Row:
    return {name: step[name] for name in ("status", "stage_id", "amount", "close_on", "probability")}


def _closing_day(known: Knowledge, now: Row, history: list[Row], every: list[Row]) -> dt.date | None:
    """The day on which a closed deal counts: its close date, else the day it was closed (readings 4 and 19)."""
    close_on: dt.date | None = now["close_on"]
    if close_on is not None and close_on <= known.t:
        return close_on
    steps = history or every[:1]
    began: dt.date | None = None
    for step in reversed(steps):
        if step["status"] != steps[-1]["status"]:
            break
        began = known.day(step["changed_at"])
    if began is not None:
        return began
    changed_on: dt.date | None = known.day(now["updated_at"])
    return None if close_on is None else changed_on
