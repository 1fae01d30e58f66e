"""Notes which jobs are about to write, so that a later run takes up those whose run was killed.

Salesforce carries out what it was given though nobody waits any more: hours later, where many jobs queue up. The values
of then would stand over newer ones, and pass for a person's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, unquote

from connectors.locking import locks
from kammodel.digest import digest
from kammodel.errors import NotConfigured

FOLDER = "jobs"


class JobNotes:
    """An empty file for each job, locked for as long as the run lives that waits for the job.

    `state`: the directory of what is kept between runs; with None nothing is noted. Raises NotConfigured where it
    cannot be used: a job that nobody could end is not begun.
    """

    def __init__(self, state: Path | None, host: str) -> None:
        self._folder = state / FOLDER if state else None
        self._prefix = f"salesforce-{digest(host)}-"
        self._held: dict[str, int] = {}
        self._met: set[str] = set()

    def note(self, job_id: str) -> None:
        """Called before the job is told to begin."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._held[job_id] = os.open(self._path(self._folder, job_id), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise NotConfigured(
                f"a write job for Salesforce cannot be noted in {self._folder} ({fault.strerror}): kam has to read and "
                "write there; KAM_HOME moves it"
            ) from None
        locks(self._held[job_id])

    def strike(self, job_ids: Iterable[str]) -> None:
        """Called for jobs that are gone from Salesforce."""
        for job_id in job_ids:
            self._leave(job_id)
            if self._folder is not None:
                with suppress(OSError):
                    self._path(self._folder, job_id).unlink()

    def settle(self, give_up: Callable[[list[str]], list[str]]) -> None:
        """Has the jobs given up whose run has ended. `give_up`: of the ids it gets, those that are gone then; the
        others stay noted for the next run."""
        left = self._left()
        if left:
            self.strike(give_up(left))
        for job_id in left:
            self._leave(job_id)

    def new(self, job_ids: Iterable[str]) -> list[str]:
        """Those of the jobs that this was not asked of before."""
        new = [job_id for job_id in job_ids if job_id not in self._met]
        self._met.update(new)
        return new

    def elsewhere(self) -> list[str]:
        """Jobs that another process has in hand: its own, or some that it took up."""
        taken = []
        for job_id, path in self._noted():
            with suppress(OSError):
                handle = os.open(path, os.O_RDWR)
                if job_id not in self._held and not locks(handle):
                    taken.append(job_id)
                os.close(handle)
        return taken

    def close(self) -> None:
        """Gives the locks back: what is still noted is for the next run to end."""
        for job_id in list(self._held):
            self._leave(job_id)

    def _left(self) -> list[str]:
        left = []
        for job_id, path in self._noted():
            with suppress(OSError):
                handle = os.open(path, os.O_RDWR)
                if job_id not in self._held and locks(handle):
                    self._held[job_id] = handle
                    left.append(job_id)
                else:
                    os.close(handle)
        return left

    def _noted(self) -> list[tuple[str, Path]]:
        paths = sorted(self._folder.glob(f"{self._prefix}*")) if self._folder is not None else []
        return [(unquote(path.name.removeprefix(self._prefix)), path) for path in paths]

    def _leave(self, job_id: str) -> None:
        handle = self._held.pop(job_id, None)
        if handle is not None:
            os.close(handle)

    def _path(self, folder: Path, job_id: str) -> Path:
        return folder / f"{self._prefix}{quote(job_id, safe='')}"
