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
    """Passes progress on to whoever watches, and now and then to Prefect. Stops the work once `stop` is set.

    `detail`: says in a line how the work stands, where that is more than the name of a step.
    """

    def __init__(self, key: str, watcher: Progress, detail: Callable[[], str] | None = None) -> None:
        self.stop = threading.Event()
        self._key, self._watcher, self._detail = key, watcher, detail
        self._artifact: UUID | None = None
        self._told_at = float("-inf")
        self._told_step = ""
        self._share = 0.0
        self._waits_for = ""

    def __call__(self, step: str, done: int, total: int | None) -> None:
        if self.stop.is_set():
            raise Stopped(f"cancelled during {step}; run again, it resumes")
        self._watcher(step, done, total)
        if step == self._told_step and time.monotonic() - self._told_at < SECONDS_BETWEEN:
            return
        self._told_at, self._told_step = time.monotonic(), step
        told = self._detail() if self._detail else f"{done:,}" + (f" of {total:,}" if total else "")
        get_run_logger().info("%s: %s", step, told)
        if self._artifact is not None:
            share = self._share = min(99.0, 100.0 * done / total) if total else 0.0
            named = f"{step}: {told}" if self._detail else step
            update_progress_artifact(artifact_id=self._artifact, progress=share, description=named, _sync=True)  # type: ignore[call-arg]

    def wait(self, why: str, seconds: float) -> None:
        """Waits for another run, and says so once in the log. Ends at once where the flow is cancelled."""
        if why != self._waits_for:
            self._waits_for = why
            get_run_logger().info("waiting: %s", why)
            self._watcher(f"waiting: {why}", 0, None)
        if self.stop.wait(seconds):
            raise Stopped(f"cancelled while it waited: {why}")

    def begin(self) -> None:
        """Creates the artifact. Inside the run's own thread: it belongs to the run of the context."""
        self._artifact = create_progress_artifact(progress=0.0, key=self._key, _sync=True)  # type: ignore[call-arg,assignment]

    def end(self, *, is_whole: bool) -> None:
        """All done, or as much as was possible."""
        if self._artifact is not None:
            share, how = (100.0, "done") if is_whole else (self._share, "stopped")
            named = f"{how}: {self._detail()}" if self._detail else how
            update_progress_artifact(artifact_id=self._artifact, progress=share, description=named, _sync=True)  # type: ignore[call-arg]


async def in_thread(
    key: str, watcher: Progress, work: Callable[[Progress], T], detail: Callable[[], str] | None = None
) -> T:
    """Runs blocking work in a thread. `key` names its progress artifact: lower case, digits and dashes."""
    progress = TaskProgress(key, watcher, detail)

    def run() -> T:
        progress.begin()
        result = work(progress)
        progress.end(is_whole=not getattr(result, "is_partial", False))
        return result

    try:
        return await asyncio.to_thread(run)
    except asyncio.CancelledError:
        progress.stop.set()
        raise
