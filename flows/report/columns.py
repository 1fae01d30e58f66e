"""Receipts as cells of text: what the terminal's tables and the artifacts' have in common."""

from __future__ import annotations

from flows.results import ApplyReceipt, PlanReceipt, StreamReceipt

Cells = tuple[str, ...]

STREAM = ("stream", "read", "new", "changed", "ours", "re-stamped", "again", "set aside", "gone", "calls", "seconds")
STREAM_LEGEND = (
    "ours: our own last writes coming back; re-stamped: the CRM moved the change stamp and nothing that we keep; "
    "again: read twice on purpose, so that nothing late is lost"
)
PLAN = ("CRM", "plan", "accounts", "cells", "held for a person", "equal", "compared", "known", "calls", "write calls")
APPLIED = ("CRM", "plan", "cells written", "refused", "gone", "again", "edited since", "calls", "seconds")


def stream_cells(stream: StreamReceipt) -> Cells:
    """Under STREAM."""
    counts = (
        stream.read,
        stream.inserted,
        stream.changed,
        stream.own_writes,
        stream.restamped,
        stream.overlap,
        stream.rejected,
        stream.gone,
        stream.calls,
    )
    return (stream.stream, *_spelled(*counts), f"{stream.seconds:.1f}")


def plan_cells(plan: PlanReceipt) -> Cells:
    """Under PLAN."""
    counts = (
        plan.accounts_to_write,
        plan.cells_to_write,
        plan.cells_held,
        plan.cells_equal,
        plan.compared,
        plan.known,
        plan.calls,
        plan.write_calls,
    )
    return (plan.source, plan.plan_id, *_spelled(*counts))


def applied_cells(applied: ApplyReceipt) -> Cells:
    """Under APPLIED."""
    counts = (applied.written, applied.rejected, applied.gone, applied.retry, applied.edited, applied.calls)
    return (applied.source, applied.plan_id, *_spelled(*counts), f"{applied.seconds:.1f}")


def _spelled(*counts: int) -> Cells:
    return tuple(f"{count:,}" for count in counts)
