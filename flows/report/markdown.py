"""Receipts as Markdown pages: the artifacts of the flows. Text from a CRM is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from flows.escaping import markdown
from flows.report.cells import COLUMNS as CELL
from flows.report.cells import cell_rows
from flows.report.columns import (
    APPLIED,
    PLAN,
    STREAM,
    STREAM_LEGEND,
    applied_cells,
    plan_cells,
    stream_cells,
    unfinished,
)
from flows.report.written_over import HEAD as WRITTEN_OVER
from flows.report.written_over import over_rows
from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, RunReceipt, ScoreReceipt, WriteBackReceipt

MOST_CELLS = 100
MOST_MOVES = 200
"""Rows shown of a table that may be long: Prefect's UI renders the page in one go."""

TOLD = {"accounts", "groups", "population", "criteria_unavailable"}
"""Counts that stand in the receipt under a name of their own."""

TIERS = ("strategic", "key", "growth", "standard", "provisional")


def run_page(receipt: RunReceipt) -> str:
    """The whole run."""
    return "\n\n".join(
        [
            f"# Run as of {receipt.as_of.isoformat()}, {receipt.seconds:,.1f} s",
            *([pulls_page(receipt.pulls)] if receipt.pulls else []),
            *([score_page(receipt.score)] if receipt.score else []),
            *([write_backs_page(receipt.write_backs)] if receipt.write_backs else []),
            *(
                [f"## Left\n\n{_table(('what is left to do',), [(line,) for line in receipt.left])}"]
                if receipt.left
                else []
            ),
        ]
    )


def plans_page(receipts: Sequence[PlanReceipt]) -> str:
    """What would be written, per CRM."""
    lines = ["## Planned", _table(PLAN, map(plan_cells, receipts))]
    beyond = [(plan.source, plan.hash, line) for plan in receipts for line in plan.tripped]
    if beyond:
        lines += ["### Beyond a limit: waits for approval", _table(("CRM", "hash", "what"), beyond)]
    return "\n\n".join(lines)


def review_page(receipt: PlanReceipt, fields: Mapping[str, int]) -> str:
    """What of a plan waits for a person, because a field's rule is `review`. `fields`: cells by field."""
    rows = [(receipt.source, receipt.hash, key, f"{n:,}") for key, n in fields.items()]
    title = f"## Waits for review: {sum(fields.values()):,} cells"
    return f"{title}\n\n{_table(('CRM', 'hash', 'field', 'cells'), rows)}"


def plan_with_cells(receipt: PlanReceipt, cells: pl.DataFrame, texts: Iterable[str]) -> str:
    """One plan, and its first cells: those to be written in front."""
    first = cells.sort(pl.col("decision") != "held", descending=True, maintain_order=True).head(MOST_CELLS)
    lines = [plans_page([receipt]), "### Cells", _table(CELL[:7], [row[:7] for row in cell_rows(first, texts)])]
    if cells.height > MOST_CELLS:
        lines.append(
            f"The first {MOST_CELLS} of {cells.height:,}; all of them: `kam plans {receipt.plan_id} --csv FILE`"
        )
    return "\n\n".join(lines)


def applied_page(receipts: Sequence[ApplyReceipt]) -> str:
    """How the planned cells ended, per CRM."""
    lines = ["## Written", _table(APPLIED, map(applied_cells, receipts))]
    faults = [(a.source, code, f"{n:,}", a.hints.get(code)) for a in receipts for code, n in sorted(a.faults.items())]
    if faults:
        lines += ["### Refused by the CRM", _table(("CRM", "code", "accounts", "what it means"), faults)]
    if over := over_rows(receipts):
        lines += ["### Written over", _table(WRITTEN_OVER, over)]
    return "\n\n".join(lines)


def write_backs_page(receipts: Sequence[WriteBackReceipt]) -> str:
    """What was planned and written, per CRM."""
    return f"{plans_page([r.plan for r in receipts])}\n\n{applied_page([r.applied for r in receipts])}"


def pulls_page(receipts: Sequence[PullReceipt]) -> str:
    """What was read, per CRM and stream."""
    read = [(pull, s) for pull in receipts for s in pull.streams if s.state != "not_begun"]
    rows = [(pull.source, *stream_cells(s), s.note) for pull, s in read]
    lines = ["## Read", _table(("CRM", *STREAM, "note"), rows), STREAM_LEGEND]
    stopped = [(p.source, unfinished(p), p.stopped) for p in receipts if p.is_partial]
    if stopped:
        lines += ["### Not read to the end", _table(("CRM", "what", "why"), stopped)]
    hidden = [(p.source, what, why) for p in receipts for what, why in sorted(p.unavailable.items())]
    if hidden:
        lines += ["### Not available", _table(("CRM", "what", "why"), hidden)]
    noted = [(p.source, f"{times:,}", note) for p in receipts for note, times in p.notes.items()]
    if noted:
        lines += ["### Good to know", _table(("CRM", "how many", "what"), noted)]
    return "\n\n".join(lines)


def score_page(receipt: ScoreReceipt) -> str:
    """Tiers, and which groups moved."""
    facts = [
        ("as of", receipt.as_of.isoformat()),
        ("account groups", f"{receipt.groups:,} of {receipt.accounts:,} accounts"),
        ("ranked", f"{receipt.population:,}"),
        ("snapshots appended", f"{receipt.appended:,}"),
        ("seconds", f"{receipt.seconds:.1f}"),
        *(
            (code.replace("_", " "), f"{number:,}")
            for code, number in sorted(receipt.counts.items())
            if number and code not in TOLD
        ),
    ]
    if receipt.unavailable_criteria:
        facts.append(("criteria without any input", ", ".join(receipt.unavailable_criteria)))
    tiers = [(tier, f"{receipt.tiers[tier]:,}") for tier in TIERS if tier in receipt.tiers]
    lines = ["## Scored", _table(("", ""), facts), "### Tiers", _table(("tier", "account groups"), tiers)]
    lines += [f"### Moved: {len(receipt.moves):,}"]
    if receipt.moves:
        shown = receipt.moves[:MOST_MOVES]
        moves = [
            (m.name, m.before or "none", m.after or "none", "" if m.score is None else f"{m.score:.1f}", m.reason)
            for m in shown
        ]
        lines.append(_table(("account group", "before", "now", "score", "why"), moves))
        if len(shown) < len(receipt.moves):
            lines.append(f"The first {len(shown)} of {len(receipt.moves):,}, by score.")
    return "\n\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str | None]]) -> str:
    lines = [_row(head), "|" + " --- |" * len(head), *(_row([markdown(cell) for cell in row]) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str | None]) -> str:
    return "| " + " | ".join(cell or "" for cell in cells) + " |"
