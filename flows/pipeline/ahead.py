"""Reads ahead: the pages of the next streams come in while those of a stream are stored."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from contextvars import copy_context
from queue import Empty, Queue
from typing import Protocol, runtime_checkable

from connectors.contract import CallCount, Connector, Page

_PAGES = 8
"""Pages that are kept until they are asked for: what is read ahead, with what its calls under way bring, takes no more
memory however long the stream. A run that is killed has to read that once again."""
_JOIN_S = 10.0
"""How long `close` waits for calls under way. Then the thread is left to itself: it is a daemon."""


@runtime_checkable
class ReadsSideBySide(Protocol):
    """A connector of which several streams may be read at a time, each from a thread of its own."""

    @property
    def streams_at_once(self) -> int: ...

    def counting(self, calls: CallCount) -> AbstractContextManager[None]:
        """Counts in `calls`, too, what is called in the block and by threads that are started in it."""
        ...


def streams_at_once(connector: Connector) -> int:
    return connector.streams_at_once if isinstance(connector, ReadsSideBySide) else 1


@contextmanager
def counting(connector: Connector, calls: CallCount) -> Iterator[None]:
    """Counts the calls of the block apart from those that are made for other streams meanwhile."""
    if isinstance(connector, ReadsSideBySide):
        with connector.counting(calls):
            yield
        return
    before = connector.calls.total
    try:
        yield
    finally:
        calls.read += connector.calls.total - before


class Ahead:
    """Pages that a thread reads from now on, in their order. What reading them raises comes where it came up.

    `close` ends the reading after the page under way, and forgets what was read; it may be called at any time.
    """

    def __init__(self, read: Callable[[], Generator[Page]]) -> None:
        self._read = read
        self._closed = threading.Event()
        self._pages: Queue[Page | BaseException | None] = Queue(_PAGES)
        work = copy_context()
        self._thread = threading.Thread(target=lambda: work.run(self._run), name="ahead", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[Page]:
        while (page := self._pages.get()) is not None:
            if isinstance(page, BaseException):
                raise page
            yield page

    def stop(self) -> None:
        """Asks the reading to end, without waiting for it as `close` does."""
        self._closed.set()

    def close(self) -> None:
        self.stop()
        # The thread may wait for room. After this it puts one thing more at most, for which there is.
        while True:
            try:
                self._pages.get_nowait()
            except Empty:
                break
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        end: BaseException | None = None
        try:
            with closing(self._read()) as pages:
                for page in pages:
                    self._pages.put(page)
                    if self._closed.is_set():
                        return
        except BaseException as fault:  # noqa: BLE001  raised where the page is asked for
            end = fault
        if not self._closed.is_set():
            self._pages.put(end)
