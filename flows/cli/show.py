"""Receipts on the terminal, or as one JSON document. Text from a CRM never becomes markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.escaping import plain
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
from flows.report.history import HEAD, backfill_title, day_cells
from flows.report.written_over import over_rows
from flows.results import (
    FIRST_LOAD,
    ApplyReceipt,
    BackfillReceipt,
    PlanReceipt,
    PullReceipt,
    RunReceipt,
    ScoreReceipt,
    ThinReceipt,
    as_json,
)

TIER_STYLE = {
    "strategic": "bold magenta",
    "key": "bold cyan",
    "growth": "green",
    "standard": "white",
    "provisional": "yellow",
}
TIERS = tuple(TIER_STYLE)
MOST_MOVES = 20
NARROWEST, WIDE, LONGEST_NAME = 118, 160, 60
WORTH_A_WORD = {
    "amounts_without_rate": "amounts have no exchange rate to KAM_REPORTING_CURRENCY: figures they enter are empty",
    "opportunities_orphaned": "opportunities have no live account and count for nobody",
    "amount_missing_n": "won opportunities have no amount",
    "matches_ambiguous": "pairs of accounts of two CRMs may be one company: kam matches shows them",
    "rings": "account hierarchies run in a ring; the smallest id was taken as the top",
}
"""Counts of a scoring run that an ops engineer should see, and what to say of them."""


def print_json(value: Any) -> None:
    """One JSON document on standard output, in signs of ASCII: no terminal is steered by it."""
    plain_value = [_plain(one) for one in value] if isinstance(value, list | tuple) else value
    document = plain_value if isinstance(plain_value, list | dict) else as_json(plain_value)
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _plain(one: Any) -> Any:
    return one if isinstance(one, dict) else as_json(one)


def printed(*parts: RenderableType) -> None:
    """Each part on standard output, with some air."""
    for part in parts:
        console = Console(highlight=False)
        console.width = _room(console, part)
        console.print(Padding(part, (0, 0, 1, 1), expand=False))


def _room(console: Console, part: RenderableType) -> int:
    """Columns for a part. A table line that a terminal breaks is better than a table without its names or digits."""
    if not console.is_terminal:
        return WIDE
    if isinstance(part, Text):
        return console.width
    needed = Measurement.get(console, console.options.update_width(WIDE), part).minimum + 1
    return max(console.width, NARROWEST, min(needed, WIDE))


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str | Text]], *, words: int = 1) -> Group:
    """A table of plain text under its title; the first `words` columns are words, the others numbers.

    The first column, which tells the rows apart, and the numbers are not shrunk; other words are folded.
    """
    cells = [[cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows]
    made = Table(header_style="dim", box=None, pad_edge=False)
    for place, name in enumerate(head):
        longest = max([cell_len(name), *(row[place].cell_len for row in cells)])
        if place < words:
            made.add_column(name, overflow="fold", min_width=min(longest, LONGEST_NAME) if place == 0 else None)
        else:
            made.add_column(name, justify="right", no_wrap=True, min_width=longest)
    for row in cells:
        made.add_row(*row)
    # Not as the table's own title, which wraps at the width of a narrow table.
    return Group(Text(title, style="bold"), made)


def tier_text(tier: str | None, label: str | None = None) -> Text:
    """A tier in its colour."""
    return Text(plain(label or tier or "-"), style=TIER_STYLE.get(tier or "", "dim"))


def show_pulled(receipts: Sequence[PullReceipt]) -> None:
    """What was read, stream by stream, and what the CRM hides."""
    for receipt in receipts:
        title = f"Read from {plain(receipt.organisation or receipt.source)}, {receipt.calls:,} calls"
        begun = [s for s in receipt.streams if s.state != "not_begun"]
        if begun:
            # Most increments bring nothing in most streams: a line for all of these is enough.
            told = [s for s in begun if not s.is_quiet]
            printed(table(title, STREAM, map(stream_cells, told)) if told else Text(title))
            quiet = ", ".join(s.stream for s in begun if s.is_quiet)
            if quiet:
                printed(Text(f"nothing new in {quiet}", style="dim"))
        notes = dict.fromkeys(s.note for s in receipt.streams if s.note and s.note != FIRST_LOAD)
        for note in notes:
            names = ", ".join(s.stream for s in receipt.streams if s.note == note)
            printed(Text(f"{plain(note)}: {names}", style="dim"))
        if receipt.is_partial:
            printed(Text(f"{receipt.source} is not read to the end: {plain(unfinished(receipt))}", style="yellow"))
        kept_out = sum(s.suppressed for s in receipt.streams)
        if kept_out:
            printed(Text(f"{kept_out:,} rows of what was forgotten are not stored: kam forget --list", style="dim"))
        for note, times in receipt.notes.items():
            printed(Text(f"{times:,} {plain(note)}", style="dim"))
        for what, why in sorted(receipt.unavailable.items()):
            printed(Text(f"not available: {plain(what)}: {plain(why)}", style="yellow"))
    if any(stream.unchanged for receipt in receipts for stream in receipt.streams):
        printed(Text(STREAM_LEGEND, style="dim"))


def show_scored(receipt: ScoreReceipt) -> None:
    """Tiers and what moved."""
    title = f"{receipt.groups:,} account groups scored as of {receipt.as_of.isoformat()}, {receipt.seconds:.1f} s"
    rows = [(tier_text(tier), f"{receipt.tiers[tier]:,}") for tier in TIERS if tier in receipt.tiers]
    printed(table(title, ("tier", "account groups"), rows))
    if receipt.unavailable_criteria:
        printed(Text(f"criteria without any input: {', '.join(receipt.unavailable_criteria)}", style="yellow"))
    for code, text in WORTH_A_WORD.items():
        if receipt.counts.get(code):
            printed(Text(f"{receipt.counts[code]:,} {text}", style="yellow"))
    for file, names in receipt.unknown_accounts.items():
        printed(Text(f"{file} names accounts that no CRM knows: {plain(', '.join(names))}", style="yellow"))
    moves = [
        (Text(plain(m.name or m.group_id)), tier_text(m.before), tier_text(m.after), Text(plain(m.reason)))
        for m in receipt.moves[:MOST_MOVES]
    ]
    if moves:
        printed(table(f"{len(receipt.moves):,} moved", ("account group", "before", "now", "why"), moves, words=4))


def show_backfilled(receipt: BackfillReceipt) -> None:
    """Past days, one by one."""
    printed(table(backfill_title(receipt), HEAD, map(day_cells, receipt.days)))


def show_thinned(receipt: ThinReceipt) -> None:
    """What was taken out."""
    told = f"{receipt.snapshots:,} snapshots of days before {receipt.before.isoformat()} taken out"
    printed(Text(f"{told}, {receipt.seconds:.1f} s"))
    if receipt.cells or receipt.rejects:
        printed(Text(f"{receipt.cells:,} cells of old plans and {receipt.rejects:,} rows set aside taken out"))


def show_planned(receipts: Sequence[PlanReceipt]) -> None:
    """What would be written."""
    if not receipts:
        return
    # No hash is folded: it is what a person copies.
    printed(table("Planned", PLAN, map(plan_cells, receipts), words=2))
    for receipt in receipts:
        for line in receipt.tripped:
            printed(Text(f"{receipt.source}: beyond a limit: {plain(line)}", style="yellow"))
        if receipt.tripped or receipt.cells_to_review:
            told = f"look at it: kam plans {receipt.plan_id}; then: kam approve {receipt.hash} --by NAME, and kam apply"
            printed(Text(told, style="dim"))


def show_applied(receipts: Sequence[ApplyReceipt]) -> None:
    """What was written, and what the CRM refused."""
    if not receipts:
        return
    printed(table("Written", APPLIED, map(applied_cells, receipts), words=2))
    for receipt in receipts:
        for code, accounts in sorted(receipt.faults.items()):
            told = f"{receipt.source}: {plain(code)} for {accounts:,} accounts"
            hint = receipt.hints.get(code)
            printed(Text(f"{told}; {plain(hint)}" if hint else told, style="yellow"))
    for crm, account, fields, became in over_rows(receipts):
        printed(Text(f"{crm}: {plain(account)}, {plain(fields)}: {became}", style="yellow"))


def show_run(receipt: RunReceipt) -> None:
    """All of a run."""
    show_pulled(receipt.pulls)
    if receipt.score is None:
        return
    show_scored(receipt.score)
    show_planned(receipt.stopped or [one.plan for one in receipt.write_backs])
    if receipt.stopped:
        printed(Text("Nothing was written: a person has to approve it.", style="bold yellow"))
        return
    show_applied([one.applied for one in receipt.write_backs])
    if not receipt.left and not any(one.applied.written or not one.applied.is_complete for one in receipt.write_backs):
        told, is_done = _nothing_written([one.plan for one in receipt.write_backs])
        printed(Text(told, style="green" if is_done else "bold yellow"))


def _nothing_written(planned: Sequence[PlanReceipt]) -> tuple[str, bool]:
    """Why nothing was, in words, and whether nobody has to do anything about it."""
    held, to_review = sum(one.cells_held for one in planned), sum(one.cells_to_review for one in planned)
    if to_review:
        return f"Nothing was written: {to_review:,} cells wait for a person to approve them.", False
    but = f", but for {held:,} cells that are held" if held else ""
    return f"Nothing to write: the CRMs hold what we want already{but}.", True
