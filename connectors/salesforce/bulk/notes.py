"""Notes which jobs are about to write, so that none of them does so behind a later run.

Salesforce carries out what it was given though nobody waits any more: hours later, where many jobs queue up. The values
of then would stand over newer ones, and pass for a person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from connectors.contract import JobBook


class JobNotes:
    """The jobs that may not have ended: those of this process, and those in the book of the block at hand."""

    def __init__(self) -> None:
        self._book: JobBook | None = None
        self._open: dict[str, None] = {}
        self._met: set[str] = set()

    @property
    def open(self) -> list[str]:
        return list(self._open)

    @contextmanager
    def kept_in(self, book: JobBook) -> Iterator[None]:
        """Until the block ends, what is noted stands in the book as well."""
        self._book = book
        self._open |= dict.fromkeys(book.noted())
        try:
            yield
        finally:
            self._book = None

    def note(self, job_id: str) -> None:
        """Called before the job is told to begin."""
        if self._book is not None:
            self._book.note(job_id)
        self._open[job_id] = None

    def strike(self, job_ids: Iterable[str]) -> None:
        """Called for jobs that write no more."""
        over = list(job_ids)
        if self._book is not None and over:
            self._book.strike(over)
        for job_id in over:
            self._open.pop(job_id, None)

    def is_new(self, job_id: str) -> bool:
        """Whether this was not asked of the job before."""
        is_new = job_id not in self._met
        self._met.add(job_id)
        return is_new
