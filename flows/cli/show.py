"""Receipts on the terminal, or as one JSON document. Text from a CRM never becomes markup."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.escaping import plain
from flows.results import ApplyReceipt, PlanReceipt, PullReceipt, RunReceipt, ScoreReceipt, as_json

TIER_STYLE = {
    "strategic": "bold magenta",
    "key": "bold cyan",
    "growth": "green",
    "standard": "white",
    "provisional": "yellow",
}
TIERS = tuple(TIER_STYLE)
MOST_MOVES = 20


def print_json(value: Any) -> None:
    """One JSON document on standard output, in signs of ASCII: no terminal is steered by it."""
    plain_value = [as_json(one) for one in value] if isinstance(value, list | tuple) else value
    document = plain_value if isinstance(plain_value, list | dict) else as_json(plain_value)
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def printed(*parts: RenderableType) -> None:
    """Each part on standard output, with some air."""
    console = Console(highlight=False)
    for part in parts:
        console.print(Padding(part, (0, 0, 1, 1)))


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str | Text]], *, words: int = 1) -> Table:
    """A table of plain text; the first `words` columns are words, the others numbers."""
    made = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for place, name in enumerate(head):
        made.add_column(name, justify="left" if place < words else "right", no_wrap=place >= words)
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row))
    return made


def tier_text(tier: str | None, label: str | None = None) -> Text:
    """A tier in its colour."""
    return Text(plain(label or tier or "-"), style=TIER_STYLE.get(tier or "", "dim"))


def show_pulled(receipts: Sequence[PullReceipt]) -> None:
    """What was read, stream by stream, and what the CRM hides."""
    head = ("stream", "read", "new", "changed", "unchanged", "set aside", "gone", "calls", "seconds")
    for receipt in receipts:
        rows = [
            (
                s.stream,
                f"{s.read:,}",
                f"{s.inserted:,}",
                f"{s.changed:,}",
                f"{s.unchanged:,}",
                f"{s.rejected:,}",
                f"{s.gone:,}",
                f"{s.calls:,}",
                f"{s.seconds:.1f}",
            )
            for s in receipt.streams
        ]
        printed(table(f"Read from {plain(receipt.organisation)}, {receipt.calls:,} calls", head, rows))
        for what, why in sorted(receipt.unavailable.items()):
            printed(Text(f"not available: {plain(what)}: {plain(why)}", style="yellow"))


def show_scored(receipt: ScoreReceipt) -> None:
    """Tiers and what moved."""
    title = f"{receipt.groups:,} account groups scored as of {receipt.as_of.isoformat()}, {receipt.seconds:.1f} s"
    rows = [(tier_text(tier), f"{receipt.tiers[tier]:,}") for tier in TIERS if tier in receipt.tiers]
    printed(table(title, ("tier", "account groups"), rows))
    if receipt.unavailable_criteria:
        printed(Text(f"criteria without any input: {', '.join(receipt.unavailable_criteria)}", style="yellow"))
    moves = [
        (Text(plain(m.name or m.group_id)), tier_text(m.before), tier_text(m.after), Text(plain(m.reason)))
        for m in receipt.moves[:MOST_MOVES]
    ]
    if moves:
        printed(table(f"{len(receipt.moves):,} moved", ("account group", "before", "now", "why"), moves, words=4))


def show_planned(receipts: Sequence[PlanReceipt]) -> None:
    """What would be written."""
    head = ("CRM", "plan", "accounts", "cells", "held for a person", "equal", "compared", "write calls")
    rows = [
        (
            p.source,
            p.plan_id,
            f"{p.accounts_to_write:,}",
            f"{p.cells_to_write:,}",
            f"{p.cells_held:,}",
            f"{p.cells_equal:,}",
            f"{p.compared:,}",
            f"{p.write_calls:,}",
        )
        for p in receipts
    ]
    printed(table("Planned", head, rows, words=2))


def show_applied(receipts: Sequence[ApplyReceipt]) -> None:
    """What was written, and what the CRM refused."""
    head = ("CRM", "plan", "cells written", "refused", "gone", "again", "calls", "seconds")
    rows = [
        (
            a.source,
            a.plan_id,
            f"{a.written:,}",
            f"{a.rejected:,}",
            f"{a.gone:,}",
            f"{a.retry:,}",
            f"{a.calls:,}",
            f"{a.seconds:.1f}",
        )
        for a in receipts
    ]
    printed(table("Written", head, rows, words=2))
    for receipt in receipts:
        for code, accounts in sorted(receipt.faults.items()):
            printed(Text(f"{receipt.source}: {plain(code)} for {accounts:,} accounts", style="yellow"))


def show_run(receipt: RunReceipt) -> None:
    """All of a run."""
    show_pulled(receipt.pulls)
    show_scored(receipt.score)
    show_planned([one.plan for one in receipt.write_backs])
    show_applied([one.applied for one in receipt.write_backs])
    if not any(one.applied.written or one.applied.retry for one in receipt.write_backs):
        printed(Text("Nothing to write: the CRMs hold what we want already.", style="green"))
