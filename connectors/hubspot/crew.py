"""Threads that each make calls of their own, so that a slow answer holds up one of them and not the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")
_JOIN_S = 10.0
"""How long the end of a reading waits for calls under way. Then they are left to themselves: the threads are daemons,
so that a process that was told to stop does not wait for an answer."""


class Job(Generic[T]):
    """Work that was given to a crew; it is done in the context in which it was given."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work, self._context = work, copy_context()
        self.future: Future[T] = Future()

    def run(self) -> None:
        try:
            self.future.set_result(self._context.run(self._work))
        except BaseException as fault:  # noqa: BLE001  raised where the result is asked for
            self.future.set_exception(fault)

    @property
    def is_done(self) -> bool:
        return self.future.done()

    def result(self) -> T:
        return self.future.result()


def at_once(size: int, works: Sequence[Callable[[], T]]) -> list[T]:
    """The results of all works, in their order, by as many threads as `size` says. Raises the first fault in that
    order; then what was not begun is left."""
    with Crew(min(size, len(works))) as crew:
        jobs = [crew.begin(work) for work in works]
        return [crew.first([job]).result() for job in jobs]


class Crew:
    """As many threads as calls may be under way. With one there is no thread: work is done when it is asked for.

    `room`: what a thread has to hold while it works, where several crews share the memory that work takes.
    """

    def __init__(self, size: int, room: AbstractContextManager[object] | None = None) -> None:
        self.size = size
        self._room = room or nullcontext()
        self._stopped = threading.Event()
        self._orders: SimpleQueue[Job[object] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            thread.join(_JOIN_S)

    def stop(self) -> None:
        """Asks all work to end after the call under way."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    def begin(self, work: Callable[[], T]) -> Job[T]:
        """Gives work to a thread that is free, or will be."""
        job = Job(work)
        if self.size > 1:
            self._orders.put(job)  # type: ignore[arg-type]
            if len(self._threads) < self.size:
                thread = threading.Thread(target=self._obey, name="hubspot", daemon=True)
                self._threads.append(thread)
                thread.start()
        return job

    def first(self, jobs: Sequence[Job[T]]) -> Job[T]:
        """One of them that is done, as soon as there is one; the earliest begun where there are several."""
        if self.size == 1 and not jobs[0].is_done:
            jobs[0].run()
        elif self.size > 1:
            wait([job.future for job in jobs], return_when=FIRST_COMPLETED)
        return next(job for job in jobs if job.is_done)

    def _obey(self) -> None:
        while (job := self._orders.get()) is not None:
            with self._room:
                if self.is_stopped:
                    job.future.cancel()
                    # Only that tells those who wait for it: without it they would do so for ever.
                    job.future.set_running_or_notify_cancel()
                else:
                    job.run()
