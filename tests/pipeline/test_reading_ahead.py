"""Streams that are read while others are stored: stored in their order, each with its own calls, whatever happens."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.contract import CallCount, Known, Page, Slice, Stream
from connectors.errors import QuotaSpent, TryAgainLater
from flows.pipeline import pull
from flows.results import PullReceipt
from kammodel.entities import Account
from kammodel.store import Store
from tests.pipeline.scripted import ACCOUNTS, START, Row, ScriptedConnector

COUNTED: ContextVar[CallCount | None] = ContextVar("counted", default=None)
Meanwhile = Callable[[str, int], None]


class Several(ScriptedConnector):
    """Three streams that are read side by side: the accounts that begin with a, b and c. `meanwhile` is called with
    the stream and the number of a page that is asked for."""

    streams_at_once = 2

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Meanwhile = lambda *_: None
        self.rows = {f"{letter}{n}": Row(letter, START - dt.timedelta(days=n)) for letter in "abc" for n in (1, 2, 3)}

    @contextmanager
    def counting(self, calls: CallCount) -> Iterator[None]:
        before = COUNTED.set(calls)
        try:
            yield
        finally:
            COUNTED.reset(before)

    def streams(self) -> tuple[Stream, ...]:
        return tuple(Stream(letter, (ACCOUNTS,)) for letter in "abc")

    def read(
        self, stream: Stream, span: Slice, resume: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        own = ScriptedConnector()
        own.rows = {i: row for i, row in self.rows.items() if i.startswith(stream.name)}
        pages = own.read(stream, span, resume, known)
        for number in range(2):
            self.calls.read += 1
            if (counted := COUNTED.get()) is not None:
                counted.read += 1
            self.meanwhile(stream.name, number)
            page = next(pages, None)
            if page is None:
                return
            yield replace(page, announced=None)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as opened:
        yield opened


def pulled(crm: Several, store: Store) -> PullReceipt:
    return pull(crm, store, lambda: START)


def held(store: Store) -> set[str]:
    return set(store.read(Account, ["source_id"])["source_id"])


def test_the_next_stream_is_read_meanwhile(store: Store) -> None:
    """The first waits for it, and gets it; its calls are its own, and the receipts come in the order of streams."""
    crm, is_asked = Several(), threading.Event()

    def meanwhile(stream: str, number: int) -> None:
        if stream == "b":
            is_asked.set()
        elif stream == "a" and number == 0:
            assert is_asked.wait(10)

    crm.meanwhile = meanwhile
    receipt = pulled(crm, store)
    assert [(one.stream, one.read, one.calls) for one in receipt.streams] == [("a", 3, 2), ("b", 3, 2), ("c", 3, 2)]
    assert held(store) == set(crm.rows)
    assert receipt.calls == 6


def test_a_fault_ends_what_was_begun(store: Store) -> None:
    """Of the next stream nothing is stored, nobody reads on, and the run after it reads everything."""
    crm = Several()

    def meanwhile(stream: str, number: int) -> None:
        if stream == "a" and number == 1:
            raise TryAgainLater("not now")

    crm.meanwhile = meanwhile
    with pytest.raises(TryAgainLater, match="scripted a: not now"):
        pulled(crm, store)
    assert "ahead" not in {thread.name for thread in threading.enumerate()}
    assert held(store) == set()
    crm.meanwhile = lambda *_: None
    pulled(crm, store)
    assert held(store) == set(crm.rows)


def test_what_was_read_ahead_before_the_calls_were_spent_is_stored(store: Store) -> None:
    """The stream after it is not begun; and the next run goes on where each stopped."""
    crm, is_read = Several(), threading.Event()

    def meanwhile(stream: str, number: int) -> None:
        if (stream, number) == ("b", 1):
            is_read.set()
            raise QuotaSpent("no calls are left")
        if (stream, number) == ("a", 0):
            assert is_read.wait(10)
            raise QuotaSpent("no calls are left")

    crm.meanwhile = meanwhile
    receipt = pulled(crm, store)
    assert [(one.stream, one.state, one.read) for one in receipt.streams] == [
        ("a", "stopped", 0),
        ("b", "stopped", 2),
        ("c", "not_begun", 0),
    ]
    assert (receipt.is_partial, held(store)) == (True, {"b1", "b2"})
    crm.meanwhile = lambda *_: None
    pulled(crm, store)
    assert held(store) == set(crm.rows)
