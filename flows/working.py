"""Blocking work inside an async flow: in a thread, with its progress in Prefect's UI and log."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.logging import get_run_logger

from flows.pipeline import Progress

T = TypeVar("T")

SECONDS_BETWEEN = 2.0
"""Between two updates of the artifact and two log lines: Prefect keeps each of them for weeks."""


class Stopped(Exception):
    """The flow was cancelled; the pipeline stops here, after a chunk, and the next run resumes."""


class TaskProgress:
    """Passes progress on to whoever watches, and now and then to Prefect. Stops the work once `stop` is set."""

    def __init__(self, key: str, watcher: Progress) -> None:
        self.stop = threading.Event()
        self._key, self._watcher = key, watcher
        self._artifact: UUID | None = None
        self._told_at = float("-inf")
        self._told_step = ""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        if self.stop.is_set():
            raise Stopped(f"cancelled during {step}; run again, it resumes")
        self._watcher(step, done, total)
        if step == self._told_step and time.monotonic() - self._told_at < SECONDS_BETWEEN:
            return
        self._told_at, self._told_step = time.monotonic(), step
        get_run_logger().info("%s: %s%s", step, f"{done:,}", f" of {total:,}" if total else "")
        if self._artifact is not None:
            share = min(99.0, 100.0 * done / total) if total else 0.0
            update_progress_artifact(artifact_id=self._artifact, progress=share, description=step, _sync=True)  # type: ignore[call-arg]

    def begin(self) -> None:
        """Creates the artifact. Inside the run's own thread: it belongs to the run of the context."""
        self._artifact = create_progress_artifact(progress=0.0, key=self._key, _sync=True)  # type: ignore[call-arg,assignment]

    def end(self) -> None:
        """All done."""
        if self._artifact is not None:
            update_progress_artifact(artifact_id=self._artifact, progress=100.0, description="done", _sync=True)  # type: ignore[call-arg]


async def in_thread(key: str, watcher: Progress, work: Callable[[Progress], T]) -> T:
    """Runs blocking work in a thread. `key` names its progress artifact: lower case, digits and dashes."""
    progress = TaskProgress(key, watcher)

    def run() -> T:
        progress.begin()
        result = work(progress)
        progress.end()
        return result

    try:
        return await asyncio.to_thread(run)
    except asyncio.CancelledError:
        progress.stop.set()
        raise
