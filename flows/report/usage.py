"""What a run has cost and what it set aside, as Markdown: calls of each CRM, its slowest steps, rows by reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flows.escaping import markdown
from flows.results import (
    ApplyReceipt,
    FillReceipt,
    PlanReceipt,
    PullReceipt,
    ReconcileReceipt,
    ScoreReceipt,
    WriteBackReceipt,
)
from flows.results.standing import Rejects

MOST_STEPS = 10
MOST_REJECTS = 50
"""Rows shown of a table that may be long."""

Receipt = (
    PullReceipt | ScoreReceipt | PlanReceipt | ApplyReceipt | WriteBackReceipt | FillReceipt | ReconcileReceipt | None
)

_NAMED = {PlanReceipt: "plan", ApplyReceipt: "apply", ReconcileReceipt: "reconcile"}


@dataclass(frozen=True)
class Work:
    """A step, or a stream of one: calls that it made, and seconds that it took. Streams that are read side by side
    take their seconds together."""

    crm: str | None
    step: str
    calls: int
    seconds: float


@dataclass(frozen=True)
class Left:
    """`calls` that one run may still make, of the `limit` that all clients of a CRM have for a day."""

    calls: int
    limit: int


def works_of(receipts: Iterable[Receipt]) -> tuple[Work, ...]:
    """What was done, in its order; null receipts are of steps that were not begun."""
    return tuple(work for receipt in receipts if receipt is not None for work in _works(receipt))


def usage_page(works: Sequence[Work], left: Mapping[str, Left], rejects: Mapping[str, Sequence[Rejects]]) -> str:
    """The sections below a run's own page; one without rows is left out. `left`, `rejects`: by CRM."""
    parts = []
    aside = [(crm, one.stream, one.field, one.reason, f"{one.rows:,}") for crm, of in rejects.items() for one in of]
    if aside:
        head = ("CRM", "stream", "field", "reason", "rows")
        parts += ["## Set aside, and tried again with each run", _table(head, aside[:MOST_REJECTS])]
        parts += [f"The first {MOST_REJECTS} of {len(aside):,} reasons."] * (len(aside) > MOST_REJECTS)
    calls = _calls(works, left)
    if calls:
        parts += ["## API calls", _table(("CRM", "calls", "most of them", "left for a run", "of a day"), calls)]
    slow = _slowest(works)
    if slow:
        parts += ["## Slowest steps", _table(("step", "seconds", "share", "calls"), slow)]
    return "\n\n".join(parts)


def _calls(works: Sequence[Work], left: Mapping[str, Left]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for crm in dict.fromkeys(work.crm for work in works if work.crm is not None):
        own = [work for work in works if work.crm == crm]
        most = max(own, key=lambda work: work.calls)
        named = f"{most.step}, {most.calls:,}" if most.calls else ""
        rest = left.get(crm)
        told = (f"{rest.calls:,}", f"{rest.limit:,}") if rest is not None else ("not stated", "")
        rows.append((crm, f"{sum(work.calls for work in own):,}", named, *told))
    return rows


def _slowest(works: Sequence[Work]) -> list[tuple[str, ...]]:
    """The longest first; of equal ones that which came first."""
    whole = sum(work.seconds for work in works)
    slow = sorted(works, key=lambda work: -work.seconds)[:MOST_STEPS]
    return [
        (
            f"{work.crm} {work.step}" if work.crm else work.step,
            f"{work.seconds:,.1f}",
            f"{100 * work.seconds / whole:.0f} %",
            f"{work.calls:,}" if work.crm else "",
        )
        for work in slow
        if whole and work.seconds > 0
    ]


def _works(receipt: Receipt) -> list[Work]:
    match receipt:
        case PullReceipt():
            done = [
                Work(receipt.source, f"pull {one.stream}", one.calls, one.seconds)
                for one in receipt.streams
                if one.state != "not_begun"
            ]
            others = receipt.calls - sum(work.calls for work in done)
            # Signing in, describing objects, proofs of counts.
            return done + [Work(receipt.source, "pull, around the streams", others, 0.0)] * (others > 0)
        case FillReceipt():
            streams = dict.fromkeys(window.stream for window in receipt.windows)
            return [_filled(receipt, stream) for stream in streams]
        case WriteBackReceipt():
            return [*_works(receipt.plan), *_works(receipt.applied)]
        case ScoreReceipt():
            return [Work(None, "score", 0, receipt.seconds)]
        case PlanReceipt() | ApplyReceipt() | ReconcileReceipt():
            return [Work(receipt.source, _NAMED[type(receipt)], receipt.calls, receipt.seconds)]
    return []


def _filled(receipt: FillReceipt, stream: str) -> Work:
    own = [window for window in receipt.windows if window.stream == stream]
    calls, seconds = sum(window.calls for window in own), sum(window.seconds for window in own)
    return Work(receipt.source, f"backfill {stream}", calls, round(seconds, 3))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *([markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
