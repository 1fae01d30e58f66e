"""Receipts as cells of text: what the terminal's tables and the artifacts' have in common."""

from __future__ import annotations

from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, StreamReceipt

Cells = tuple[str, ...]

STREAM = ("stream", "read", "new", "changed", "ours", "re-stamped", "again", "set aside", "gone", "calls", "seconds")
STREAM_LEGEND = (
    "ours: our own last writes coming back; re-stamped: the CRM moved the change stamp and nothing that we keep; "
    "again: known as they are, and read once more on purpose, so that nothing late is lost and no link is missed"
)
PLAN = (
    "CRM",
    "plan",
    "hash",
    "accounts",
    "cells",
    "held",
    "to review",
    "equal",
    "compared",
    "known",
    "calls",
    "write calls",
)
APPLIED = ("CRM", "plan", "cells written", "refused", "gone", "again", "edited since", "left", "calls", "seconds")


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


def unfinished(pull: PullReceipt) -> str:
    """The streams that a partial pull did not read to the end: where it stopped, and what it did not come to."""
    at = next((s for s in pull.streams if s.state == "stopped"), None)
    row = f", which resumes at row {at.next_row:,}" if at is not None and at.next_row is not None else ""
    stopped = [f"{at.stream}{row}"] if at is not None else []
    later = ", ".join(s.stream for s in pull.streams if s.state == "not_begun")
    return "; ".join([*stopped, *([f"not begun: {later}"] if later else [])]) or "no stream was begun"


def plan_cells(plan: PlanReceipt) -> Cells:
    """Under PLAN."""
    counts = (
        plan.accounts_to_write,
        plan.cells_to_write,
        plan.cells_held,
        plan.cells_to_review,
        plan.cells_equal,
        plan.compared,
        plan.known,
        plan.calls,
        plan.write_calls,
    )
    return (plan.source, plan.plan_id, plan.hash, *_spelled(*counts))


def applied_cells(applied: ApplyReceipt) -> Cells:
    """Under APPLIED."""
    one = applied
    counts = (one.written, one.rejected, one.gone, one.retry, one.edited, one.pending, one.calls)
    return (applied.source, applied.plan_id, *_spelled(*counts), f"{applied.seconds:.1f}")


def _spelled(*counts: int) -> Cells:
    return tuple(f"{count:,}" for count in counts)
