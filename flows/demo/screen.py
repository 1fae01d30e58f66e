"""How the demo looks: receipts and accounts as tables of the terminal's width. CRM text never becomes markup."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from flows.cli.show import tier_text
from flows.demo.held import Held
from flows.escaping import plain
from flows.results import PullReceipt, RunReceipt, ScoreReceipt, WriteBackReceipt
from flows.runtime import registered
from flows.words import Words

TIERS = ("strategic", "key", "growth", "standard", "provisional")
BAR = 40
WIDTH = 120
_NAME = 26
"""Cells of an account's name: the longer ones are cut."""
_WORDS = 3
"""So many columns are words, the others numbers."""
_LEAST_FIRST = (8, 7, 5, 6)
"""Columns that go first on a narrow terminal: days since touch, win rate, growth, pipeline."""


class Screen:
    """The demo's output, in one language."""

    def __init__(self, say: Words, currency: str) -> None:
        self.console = Console(highlight=False)
        if not self.console.is_terminal and "COLUMNS" not in os.environ:
            # A file or a pipe has no width of its own.
            self.console = Console(highlight=False, width=WIDTH)
        self.say, self.currency = say, currency

    def show(self, *parts: RenderableType) -> None:
        """Each part with a line of air below."""
        for part in parts:
            self.console.print(Padding(part, (0, 0, 1, 1)))

    def heading(self, text: str) -> None:
        """The beginning of a part."""
        self.console.print(Rule(Text(plain(text), style="bold"), align="left", style="cyan", characters="─"))
        self.console.print()

    def story(self, sentences: Sequence[str]) -> None:
        """What happened between two runs."""
        lines = Table.grid(padding=(0, 1))
        for sentence in sentences:
            lines.add_row(Text(" •", style="cyan"), Text(plain(sentence)))
        self.show(Group(Text(self.say("story"), style="bold"), lines))

    def pulled(self, receipts: Sequence[PullReceipt]) -> None:
        """Totals per stream."""
        say = self.say
        heads = (
            "col_crm",
            "col_stream",
            "col_read",
            "col_new",
            "col_changed",
            "col_unchanged",
            "col_aside",
            "col_calls",
        )
        made = self._table("read_title", heads, words=2)
        for receipt in receipts:
            label = registered(receipt.source).label
            for s in receipt.streams:
                numbers = (s.read, s.inserted, s.changed, s.unchanged, s.rejected, s.calls)
                aside = Text(say.number(s.rejected), style="yellow" if s.rejected else "default")
                cells: list[str | Text] = [say.number(n) for n in numbers]
                cells[4] = aside
                made.add_row(label, plain(s.stream), *cells)
                label = ""
        self.show(made)
        for receipt in receipts:
            for what, why in sorted(receipt.unavailable.items()):
                self.show(Text(say("hidden", what=plain(what), why=plain(why)), style="yellow"))

    def tiers(self, receipt: ScoreReceipt) -> None:
        """How many account groups are in each tier, as bars."""
        say = self.say
        title = say("tiers_title", groups=say.number(receipt.groups), population=say.number(receipt.population))
        made = Table(title=title, title_justify="left", title_style="bold", box=None, show_header=False, pad_edge=False)
        most = max(receipt.tiers.values(), default=1)
        for tier in TIERS:
            if tier in receipt.tiers:
                count = receipt.tiers[tier]
                bar = "█" * max(1, round(BAR * count / most))
                made.add_row(tier_text(tier, say.tier(tier)), say.number(count), Text(bar, style=tier_text(tier).style))
        self.show(made)

    def held(self, held: Held, before: Held | None, limit: int) -> None:
        """The highest accounts of a CRM as it holds them now."""
        say, ranked = self.say, held.ranked(before)
        shown = ranked.head(limit)
        title = say(
            "held_title",
            crm=registered(held.crm).label,
            shown=say.number(shown.height),
            total=say.number(ranked.height),
        )
        self.show(Accounts(title, shown, say, self.currency))

    def moved(self, held: Held, before: Held, limit: int) -> None:
        """The accounts whose tier moved, as the CRM holds them now."""
        say, moved = self.say, held.moved(before)
        title = say("moved_title", crm=registered(held.crm).label)
        if moved.is_empty():
            self.show(Text.assemble((title, "bold"), "\n", (say("moved_none"), "dim")))
            return
        parts: list[RenderableType] = [Accounts(title, moved.head(limit), say, self.currency)]
        if moved.height > limit:
            parts.append(Text(say("moved_more", n=say.number(moved.height - limit)), style="dim"))
        self.show(Group(*parts))

    def agreement(self, helds: Iterable[Held]) -> None:
        """Whether the CRMs hold what was computed."""
        for held in helds:
            crm, say = registered(held.crm).label, self.say
            if held.differing:
                self.console.print(Text(f" {say('disagree', n=say.number(held.differing), crm=crm)}", style="bold red"))
            else:
                text = Text("✓ ", style="green")
                text.append(say("agree", n=say.number(held.accounts.height), crm=crm), style="default")
                self.console.print(Padding(text, (0, 0, 0, 1)))
            if held.spared:
                self.console.print(Text(f" {say('spared', n=say.number(held.spared), crm=crm)}", style="yellow"))
        self.console.print()

    def written(self, receipts: Sequence[WriteBackReceipt]) -> None:
        """Cells written, and what that cost."""
        say = self.say
        heads = ("col_crm", "col_accounts", "col_cells", "col_held", "col_write_calls", "col_calls")
        made = self._table("written_title", heads, words=1)
        for one in receipts:
            numbers = (
                one.plan.accounts_to_write,
                one.applied.written,
                one.plan.cells_held,
                one.plan.write_calls,
                one.plan.calls + one.applied.calls,
            )
            made.add_row(registered(one.plan.source).label, *(say.number(n) for n in numbers))
        self.show(made)
        for one in receipts:
            for code, accounts in sorted(one.applied.faults.items()):
                self.show(Text(f"{registered(one.plan.source).label}: {plain(code)}: {accounts}", style="yellow"))

    def seconds(self, before: dict[str, float], rounds: Sequence[RunReceipt]) -> None:
        """Where the time went."""
        say = self.say
        heads = ("col_step", "col_first", "col_second", "col_third")[: len(rounds) + 1]
        made = self._table("seconds_title", heads, words=1)
        for step, seconds in before.items():
            made.add_row(Text(step, style="dim"), say.number(seconds, 1))
        columns = [_seconds_of(receipt) for receipt in rounds]
        for step in columns[0]:
            made.add_row(step, *(say.number(column.get(step, 0.0), 1) for column in columns))
        made.add_row(Text(say("total"), style="bold"), *(say.number(receipt.seconds, 1) for receipt in rounds))
        self.show(made)

    def _table(self, title: str, heads: Sequence[str], *, words: int) -> Table:
        made = Table(
            title=self.say(title),
            title_justify="left",
            title_style="bold",
            header_style="dim",
            box=None,
            pad_edge=False,
        )
        for place, head in enumerate(heads):
            text = self.say(head)
            # Only words give way on a narrow terminal, never digits.
            made.add_column(
                text,
                justify="left" if place < words else "right",
                no_wrap=place >= words,
                overflow="fold" if place < words else "ellipsis",
                min_width=None if place < words else max(6, cell_len(text)),
            )
        return made


def _seconds_of(receipt: RunReceipt) -> dict[str, float]:
    """Seconds by step; what remains of the run is Prefect's own bookkeeping."""
    seconds = {f"pull {registered(pull.source).label}": pull.seconds for pull in receipt.pulls}
    if receipt.score is not None:
        seconds["score"] = receipt.score.seconds
    for one in receipt.write_backs:
        label = registered(one.plan.source).label
        seconds[f"plan {label}"] = one.plan.seconds
        seconds[f"apply {label}"] = one.applied.seconds
    seconds["Prefect"] = max(0.0, receipt.seconds - sum(seconds.values()))
    return seconds


class Accounts:
    """Accounts with their figures on one line and the reason, dimmed, below it."""

    def __init__(self, title: str, rows: pl.DataFrame, say: Words, currency: str) -> None:
        self.title, self.rows, self.say, self.currency = title, rows, say, currency

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.title, style="bold")
        table = [[Text(head, style="dim") for head in self._heads()]]
        table += [self._cells(row) for row in self.rows.iter_rows(named=True)]
        shown = self._fitting(table, options.max_width)
        yield self._line(table[0], shown)
        for cells, reason in zip(table[1:], self.rows["reason"], strict=True):
            yield self._line(cells, shown)
            yield Padding(Text(plain(reason), style="dim"), (0, 0, 0, 2))

    def _heads(self) -> list[str]:
        keys = ("account", "before", "tier", "score", "revenue", "growth", "pipeline", "win", "touch")
        return [self.say(f"col_{key}", currency=self.currency) for key in keys]

    def _fitting(self, table: Sequence[Sequence[Text]], width: int) -> dict[int, int]:
        """Columns and their widths; figures of least interest are left out where the terminal is narrow."""
        widths = [max(cell_len(cell.plain) for cell in column) for column in zip(*table, strict=True)]
        shown = {0: min(widths[0], _NAME), **dict(enumerate(widths[1:], start=1))}
        for place in _LEAST_FIRST:
            if sum(shown.values()) + 2 * (len(shown) - 1) > width:
                del shown[place]
        return shown

    def _cells(self, row: dict[str, Any]) -> list[Text]:
        say = self.say
        return [
            _name(row),
            tier_text(row["tier_before"], say.tier(row["tier_before"])),
            tier_text(row["tier"], say.tier(row["tier"])),
            Text(say.number(_float(row["score"]), 1)),
            Text(say.number(_float(row["revenue_ttm"]))),
            Text(say.percent(_float(row["revenue_growth"]))),
            Text(say.number(_float(row["weighted_pipeline"]))),
            Text(say.percent(_float(row["win_rate"]))),
            Text(say.number(_float(row["days_since_touch"]))),
        ]

    @staticmethod
    def _line(cells: Sequence[Text], shown: Mapping[int, int]) -> Text:
        line = Text(no_wrap=True, overflow="crop")
        for place, width in shown.items():
            cell = cells[place]
            words = set_cell_size(cell.plain, width) if place < _WORDS else cell.plain
            line.append(" " * (width - cell_len(words)) + words, style=cell.style)
            line.append("  ")
        return line


def _name(row: Mapping[str, object]) -> Text:
    """The account's name, and how many others of its group hold the same."""
    text = Text(plain(str(row["name"] or "")) or "-", style="bold")
    more = f" +{row['others']}" if row["others"] else ""
    if more:
        text.truncate(_NAME - len(more), overflow="ellipsis")
        text.append(more, style="dim")
    return text


def _float(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
