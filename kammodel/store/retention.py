"""What is kept for a time only: how cells of old plans ended, and rows that could not be read."""

from __future__ import annotations

import datetime as dt

from kammodel.entities.types import to_micros
from kammodel.store.store import Transaction


def drop_old_cells(tx: Transaction, before: dt.datetime) -> int:
    """Takes out the cells of plans made before an instant, and the plans that have none left; returns how many cells.

    The last plan of each CRM stays, one with a cell that waits for its outcome, and one that is taken back by a plan
    that stays. So do tiers that were written, by which the snapshots are known that people have seen. What we last
    wrote into an account (the ledger) stays as long as there is the account: without it a value of ours would pass for
    a person's. Of accounts that were deleted before that instant it goes.
    """
    at = {"before": to_micros(before)}
    cells = tx.run(f"DELETE FROM planned_cell WHERE plan_id IN ({_OLD_PLANS}) AND NOT ({_SEEN})", [at])  # noqa: S608
    left = "SELECT 1 FROM planned_cell c WHERE c.plan_id=publish_plan.plan_id"
    tx.run(f"DELETE FROM publish_plan WHERE plan_id IN ({_OLD_PLANS}) AND NOT EXISTS ({left})", [at])  # noqa: S608
    return cells + tx.run(_LEDGER_OF_GONE, [at])


_SEEN = "field='tier' AND outcome IS NOT NULL AND outcome='written'"
_OLD_PLANS = (
    "SELECT p.plan_id FROM publish_plan p WHERE p.planned_at < :before "
    "AND p.number < (SELECT max(q.number) FROM publish_plan q WHERE q.source=p.source "
    "AND q.source_instance=p.source_instance) "
    "AND NOT EXISTS (SELECT 1 FROM planned_cell c WHERE c.plan_id=p.plan_id AND c.decision<>'held' "
    "AND (c.outcome IS NULL OR c.outcome='waiting')) "
    "AND NOT EXISTS (SELECT 1 FROM publish_plan u WHERE u.undoes=p.plan_id AND u.planned_at >= :before)"
)
_LEDGER_OF_GONE = (
    "DELETE FROM written_cell WHERE written_at < :before AND EXISTS (SELECT 1 FROM account a "
    "WHERE a.source=written_cell.source AND a.source_instance=written_cell.source_instance "
    "AND a.source_id=written_cell.source_id AND a.deleted AND a.content_changed_at < :before)"
)


def drop_old_rejects(tx: Transaction, before: dt.datetime) -> int:
    """Takes out what was set aside before an instant: the whole record where the row could be read since, else the raw
    row, of which field and reason stay. Returns how many rows that were. Such a row is read once the CRM sends it
    again."""
    at = {"before": to_micros(before)}
    healed = tx.run("DELETE FROM rejected_record WHERE resolved_at < :before", [at])
    emptied = "UPDATE rejected_record SET raw='' WHERE rejected_at < :before AND resolved_at IS NULL AND raw<>''"
    return healed + tx.run(emptied, [at])
