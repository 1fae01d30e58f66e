"""Progress bars on standard error while a command works; nothing at all where that is no terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from flows.escaping import plain

MOST = 10
"""Bars on the screen at a time: the latest ones."""


class Bars:
    """One bar per step, in the order in which they begin, while the block lasts; then they are gone.

    Called by the pipeline after each chunk. Outside of the block nothing is drawn, so that whatever is printed
    there stands alone; entered again, it begins anew.
    """

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self._bars: dict[str, TaskID] = {}
        self._progress: Progress | None = None

    def __call__(self, step: str, done: int, total: int | None) -> None:
        if self._progress is None:
            return
        name = plain(step)
        if name not in self._bars:
            self._finish_all(self._progress)
            self._bars[name] = self._progress.add_task(name, total=total)
            for old in list(self._bars.values())[:-MOST]:
                self._progress.update(old, visible=False)
        self._progress.update(self._bars[name], completed=done, total=total)

    def __enter__(self) -> Self:
        self._bars = {}
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
            # Standard output may be a file: it must not be led into the bars.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._progress.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    @staticmethod
    def _finish_all(progress: Progress) -> None:
        """A step that never said how much there is ends when the next one begins."""
        for bar in progress.tasks:
            if not bar.finished:
                progress.update(bar.id, completed=bar.completed, total=bar.completed)
