"""Progress bars on standard error while a command works; nothing at all where that is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from flows.escaping import plain


class Bars:
    """One bar per step, in the order in which they begin. Called by the pipeline after each chunk."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def __call__(self, step: str, done: int, total: int | None) -> None:
        name = plain(step)
        if name not in self._bars:
            self._finish_all()
            self._bars[name] = self._progress.add_task(name, total=total)
        self._progress.update(self._bars[name], completed=done, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None) -> None:
        self._progress.stop()

    def _finish_all(self) -> None:
        """A step that never said how much there is ends when the next one begins."""
        for bar in self._progress.tasks:
            if not bar.finished:
                self._progress.update(bar.id, completed=bar.completed, total=bar.completed)
