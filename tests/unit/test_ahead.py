"""Pages that are read before they are asked for: in their order, a few of them, and none after the end."""

import threading
from collections.abc import Generator
from contextvars import ContextVar

import pytest

from connectors.contract import Page
from connectors.errors import TryAgainLater
from flows.pipeline.ahead import Ahead

IN_HAND = 10
"""Eight that are kept, one that waits for room, and one that was just taken."""


class Reading:
    """A reading of so many pages, told apart by their places, and where it is."""

    def __init__(self, pages: int, fault: Exception | None = None) -> None:
        self.pages, self.fault = pages, fault
        self.read, self.has_ended = 0, threading.Event()
        self.is_full = threading.Event()

    def __call__(self) -> Generator[Page]:
        try:
            for number in range(self.pages):
                self.read += 1
                if self.read == IN_HAND - 1:
                    self.is_full.set()
                yield Page({}, str(number))
            if self.fault:
                raise self.fault
        finally:
            self.has_ended.set()


def test_pages_come_in_their_order_and_no_more_than_a_few_ahead() -> None:
    """However many there are, what is held does not grow."""
    reading = Reading(50)
    places = []
    for page in Ahead(reading):
        places.append(page.resume)
        assert reading.read <= len(places) + IN_HAND
    assert places == [str(number) for number in range(50)]


def test_a_fault_comes_where_it_came_up() -> None:
    """After the pages that were read before it."""
    ahead = iter(Ahead(Reading(2, TryAgainLater("not now"))))
    assert [next(ahead).resume, next(ahead).resume] == ["0", "1"]
    with pytest.raises(TryAgainLater, match="not now"):
        next(ahead)


def test_a_reading_that_is_closed_ends() -> None:
    """Though it waits for room; and a second time there is nothing to close."""
    reading = Reading(50)
    ahead = Ahead(reading)
    assert reading.is_full.wait(10)
    ahead.close()
    assert reading.read < 50
    assert reading.has_ended.is_set()
    assert "ahead" not in {thread.name for thread in threading.enumerate()}
    ahead.close()


def test_one_that_is_asked_to_end_reads_no_more() -> None:
    """As soon as there is room for the page in hand, and whether it is waited for or not."""
    reading = Reading(50)
    ahead = Ahead(reading)
    assert reading.is_full.wait(10)
    ahead.stop()
    assert next(iter(ahead)).resume == "0"
    assert reading.has_ended.wait(10)
    assert reading.read == IN_HAND - 1
    ahead.close()


def test_it_reads_in_the_context_in_which_it_was_begun() -> None:
    """So its calls are counted where those of its stream are."""
    name: ContextVar[str] = ContextVar("name", default="none")

    def read() -> Generator[Page]:
        yield Page({}, name.get())

    token = name.set("accounts")
    ahead = Ahead(read)
    name.reset(token)
    assert [page.resume for page in ahead] == ["accounts"]
