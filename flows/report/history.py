"""Receipts of the history of tiers, as rows for a terminal and as a Markdown page. No text from a CRM is in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from flows.results import BackfilledDay, BackfillReceipt

HEAD = ("day", "account groups", "ranked", "moved", "recorded", "reconstructed", "strategic", "key", "growth")


def day_cells(day: BackfilledDay) -> tuple[str, ...]:
    """A past day as cells of HEAD; a day that was there already has dashes."""
    figures = (day.groups, day.population, day.moves, day.appended, day.reconstructed)
    tiers = (day.tiers.get(tier, 0) for tier in HEAD[-3:])
    told = ["-" if day.is_kept else f"{figure:,}" for figure in (*figures, *tiers)]
    return (day.as_of.isoformat(), *told)


class Changed(Protocol):
    """A value of the rules, before and now."""

    @property
    def name(self) -> str: ...
    @property
    def before(self) -> str | None: ...
    @property
    def now(self) -> str | None: ...


def changes_text(changes: Iterable[Changed]) -> str:
    """`weights.volume 30.0 -> 40.0, ...`."""
    return ", ".join(f"{one.name} {one.before or '-'} -> {one.now or '-'}" for one in changes)


def backfill_title(receipt: BackfillReceipt) -> str:
    """What was done, in one line."""
    kept = len(receipt.days) - receipt.computed
    passed = f", {kept:,} were there already" if kept else ""
    return f"{receipt.computed:,} past days computed{passed}, {receipt.seconds:,.1f} s"


def backfill_page(receipt: BackfillReceipt) -> str:
    """The days as a Markdown table."""
    lines = [HEAD, tuple("---" for _ in HEAD), *map(day_cells, receipt.days)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"# {backfill_title(receipt)}\n\n{table}"
