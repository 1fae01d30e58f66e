"""Estimates, and the past of CRMs as it was read, as rows for a terminal and as Markdown pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flows.escaping import markdown
from flows.results import (
    CrmBackfillReceipt,
    EstimateReceipt,
    FillReceipt,
    NotCounted,
    ScoresEstimate,
    StreamEstimate,
    WindowReceipt,
    WriteBackEstimate,
)

ESTIMATE = ("stream", "why", "rows", "calls")
WINDOW = ("month", "stream", "read", "inserted", "changed", "unchanged", "set aside", "gone", "calls", "state")
MOST_WINDOWS = 300
"""Rows of a page: Prefect's UI renders it in one go."""

_KINDS = {"increment": "the next pull", "full": "the next pull, in full,", "backfill": "a backfill"}


def estimate_lines(receipt: EstimateReceipt | NotCounted) -> list[str]:
    """What a run will take, in a few lines, or why that was not found out."""
    if isinstance(receipt, NotCounted):
        told = f"{receipt.source}: not counted beforehand: of the {receipt.calls:,} calls that it may make, signing in"
        return [f"{told} took {receipt.spent:,}, and counting would take about {receipt.asks:,}"]
    windows = f" in {_windows(receipt.windows)}" if receipt.windows is not None else ""
    told = f"{receipt.source}: {_KINDS[receipt.kind]} takes about {receipt.rows:,} rows{windows}"
    lines = [f"{told}, {receipt.calls:,} calls, {_minutes(receipt.minutes)} ({receipt.basis})"]
    counting = f", {receipt.asked:,} for counting" if receipt.kind == "backfill" else ""
    told = f"{receipt.source}: of the calls {receipt.setup:,} are for signing in{counting}; rows are those of the"
    lines.append(f"{told} streams, without the links and stage changes that come with them")
    lines += _write_back_lines(receipt.source, receipt.write_back) if receipt.write_back is not None else ()
    if receipt.day_limit is not None and receipt.left is not None:
        share = f"{100 * (receipt.day_share or 0):.1f} % of the {receipt.day_limit:,} calls of a day"
        more = "" if receipt.is_enough else ": it will end in part, and further runs go on"
        lines.append(f"{receipt.source}: {share}; one run may make {receipt.left:,} more{more}")
    return lines


def _write_back_lines(source: str, after: WriteBackEstimate) -> list[str]:
    scoring = " and what scoring takes" if after.scoring_minutes is None else ", scoring as long as the last time"
    whole = f"{after.run_calls:,} calls, {_minutes(after.run_minutes)}{scoring}"
    told = f"{source}: planning then looks at about {after.accounts:,} accounts, {after.planning:,} calls; writing"
    writes = f"about {after.written:,} of them, {after.writing:,} calls" if after.written else "none of them"
    known = f"{after.writing_at_most:,} calls at most, known once planned"
    return [f"{told} {writes} as things stand ({known})", f"{source}: the whole run takes about {whole}"]


def scores_lines(receipt: ScoresEstimate) -> list[str]:
    """What scoring past days will take, in a line."""
    days = "1 past day" if receipt.days == 1 else f"{receipt.days:,} past days"
    told = f"scores: {days} of {receipt.accounts:,} accounts, no calls"
    if receipt.minutes is None:
        return [f"{told}; nothing was scored yet, so that nobody can say how long it takes"]
    return [f"{told}, {_minutes(receipt.minutes)} at most (as long as the last {receipt.like} took for each)"]


def estimate_cells(one: StreamEstimate) -> tuple[str, ...]:
    """A stream as cells of ESTIMATE."""
    return (one.stream, one.note or "", "-" if one.rows is None else f"{one.rows:,}", f"{one.calls:,}")


def fill_title(receipt: FillReceipt) -> str:
    """What was done for one CRM, in one line."""
    closed = sum(w.state == "closed" for w in receipt.windows)
    kept = f", {receipt.kept:,} were closed before" if receipt.kept else ""
    left = f", {receipt.left:,} are left" if receipt.left else ""
    told = f"{receipt.source}, {receipt.first.isoformat()} to {receipt.last.isoformat()}: {_windows(closed)} closed"
    return f"{told}{kept}{left}; {receipt.rows:,} rows, {receipt.calls:,} calls, {receipt.seconds:,.1f} s"


def window_cells(one: WindowReceipt) -> tuple[str, ...]:
    """A window as cells of WINDOW."""
    figures = (one.read, one.inserted, one.changed, one.unchanged, one.rejected, one.gone, one.calls)
    return (f"{one.first:%Y-%m}", one.stream, *(f"{figure:,}" for figure in figures), one.state)


def told_windows(receipt: FillReceipt) -> list[WindowReceipt]:
    """Those that had something in them, or were stopped."""
    return [w for w in receipt.windows if w.read or w.gone or w.state == "stopped"]


def crm_backfill_page(receipt: CrmBackfillReceipt) -> str:
    """A backfill of CRMs as Markdown."""
    parts = ["# Backfill", *receipt.passed_over]
    for one in receipt.crms:
        parts += [f"## {fill_title(one)}", *(estimate_lines(one.estimate) if one.estimate else ())]
        windows = told_windows(one)
        if windows:
            parts.append(_table(WINDOW, map(window_cells, windows[:MOST_WINDOWS])))
    if receipt.left:
        parts += ["## Left", _table(("what is left to do",), [(line,) for line in receipt.left])]
    return "\n\n".join(parts)


def _windows(windows: int) -> str:
    return "1 window" if windows == 1 else f"{windows:,} windows"


def _minutes(minutes: float) -> str:
    return "less than 0.1 min" if minutes < 0.05 else f"about {minutes:,.1f} min"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *([markdown(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
