"""A list that leaves a record out is found out, whatever people do to others meanwhile; a whole one is not accused."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import Slice
from connectors.hubspot import ranges, reading
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from tests.contract.hubspot_copy import Copy, connected, read_stream, stream_of
from tests.contract.hubspot_world import Front, company, open_front, portal, small_book
from tests.contract.test_hubspot_second_look import forgetful

LISTED, NOT_YET, SURVIVOR = (hubspot_id("companies", n) for n in (50, 280, 60))
SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)
EVERY = {str(hubspot_id("companies", n)) for n in range(1, 301)}
LIST = "/objects/companies"
_AFTER = re.compile(rb"&after=[^&]*")

Deed = Callable[[Portal], object]
DEEDS: dict[str, Deed] = {
    "nothing": lambda _: None,
    "an edit": lambda there: there.update("companies", LISTED, {"country": "Italy"}),
    "an edit ahead": lambda there: there.update("companies", NOT_YET, {"country": "Italy"}),
    "a purge": lambda there: there.purge("companies", LISTED),
    "a purge ahead": lambda there: there.purge("companies", NOT_YET),
    "an archival": lambda there: there.archive("companies", LISTED),
    "an archival ahead": lambda there: there.archive("companies", NOT_YET),
    "a merge": lambda there: there.merge("companies", SURVIVOR, LISTED),
    "a merge ahead": lambda there: there.merge("companies", SURVIVOR, NOT_YET),
    "a new one": lambda there: there.create("companies", {"name": "New"}),
    "a restoration": lambda there: there.restore("companies", hubspot_id("companies", 301)),
}
"""What people do between the second page and the third."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def companies(number: int = 300, **habits: int) -> Portal:
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, number + 1)]
    book.companies.append(company(301, "Old", deleted=True))
    book.deals, book.touches, book.people = [], [], []
    there = portal(book, **habits)
    there.clock.advance(HOUR)
    return there


def read(front: Front, there: Portal, deed: Deed, *, leaves_out: bool) -> tuple[Copy, int | None]:
    """A full load of three pages, during which something happens; what was held then, and how many were announced."""
    until = there.clock.now()
    there.clock.advance(10 * SECOND)
    app = forgetful(hubspot_app(there), LIST, times=int(leaves_out))
    pages = 0

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal pages
        if scope["path"].endswith(LIST) and b"limit=100" in scope["query_string"]:
            pages += 1
            if pages == 3:
                deed(there)
        await app(scope, receive, send)

    copy = Copy()
    with connected(front, parallel_calls=1) as connector:
        connector.streams()
        front.app = busy
        front.faults.log.clear()
        announced = read_stream(connector, copy, "accounts", Slice(None, until))[-1].announced
    return copy, announced


def hasty(app: ASGIApp, page: int) -> ASGIApp:
    """The portal, but one page of the list has the rows of the next page, and its own cursor."""
    seen = 0

    async def ahead(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal seen
        query = scope["query_string"]
        if not scope["path"].endswith(LIST) or b"limit=100" not in query or b"archived=true" in query:
            await app(scope, receive, send)
            return
        seen += 1
        plain = {**scope, "headers": [h for h in scope["headers"] if h[0] != b"accept-encoding"]}
        start, told = await _answer(app, plain, receive)
        if seen == page:
            after = str(told["paging"]["next"]["after"]).encode()
            next_query = _AFTER.sub(b"", query) + b"&after=" + after
            _, following = await _answer(app, {**plain, "query_string": next_query}, _nothing)
            told["results"] = following["results"]
        body = orjson.dumps(told)
        headers = [h for h in start["headers"] if h[0] != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return ahead


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _answer(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, Any]:
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, keep)
    return sent[0], orjson.loads(b"".join(message.get("body", b"") for message in sent))


def searches(front: Front) -> int:
    return sum(call.path.endswith("/companies/search") for call in front.faults.log)


def read_by_id(front: Front) -> int:
    return sum(call.path.endswith("/objects/companies/batch/read") for call in front.faults.log)


@pytest.mark.parametrize("deed", DEEDS)
def test_what_a_list_leaves_out_is_found(front: Front, deed: str) -> None:
    """An edit, a deletion, a restoration of another record does not stand in for it."""
    there = front.show(companies())
    copy, announced = read(front, there, DEEDS[deed], leaves_out=True)
    lost = EVERY - set(copy.rows("account"))
    assert lost <= ({str(NOT_YET)} if "ahead" in deed else set())
    assert announced == copy.read


@pytest.mark.parametrize(
    ("deed", "asked"),
    [
        ("nothing", 1),
        ("an edit", 1),
        ("an edit ahead", 2),
        ("a purge", 1),
        ("an archival", 2),
        ("an archival ahead", 2),
        ("a merge", 1),
        ("a merge ahead", 3),
        ("a new one", 2),
        ("a restoration", 2),
    ],
)
def test_a_whole_list_is_proven_by_a_count(front: Front, deed: str, asked: int) -> None:
    """By one more where something was seen to move, and one for merges; the index is not walked."""
    there = front.show(companies())
    read(front, there, DEEDS[deed], leaves_out=False)
    assert (searches(front), read_by_id(front)) == (asked, 0)


@pytest.mark.parametrize("deed", ["an edit", "an archival", "an archival ahead", "a merge ahead", "a new one"])
def test_an_index_that_trails_behind_accuses_nobody(front: Front, deed: str) -> None:
    """It still counts what is gone, and not yet what is new: nothing is sought for that."""
    there = front.show(companies(index_lag_s=600))
    read(front, there, DEEDS[deed], leaves_out=False)
    assert read_by_id(front) == (1 if deed == "a merge ahead" else 0)


def test_a_purge_that_nobody_could_see_costs_a_walk(front: Front) -> None:
    """HubSpot keeps no list of those: what the index still has came, so nothing is read, and the slice is closed. That
    is two searches for 300 records, beside the count and what was merged."""
    there = front.show(companies())
    copy, announced = read(front, there, DEEDS["a purge ahead"], leaves_out=False)
    assert copy.live("account") == EVERY - {str(NOT_YET)}
    assert announced == copy.read
    assert (searches(front), read_by_id(front)) == (4, 0)


@pytest.mark.parametrize("page", [1, 2])
def test_a_page_that_came_before_its_turn_stands_for_none(
    front: Front, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Nor does it where a portion ends with it: its rows come again with the next, and count once."""
    monkeypatch.setattr(reading, "ROWS", 100)
    there = front.show(companies())
    there.clock.advance(10 * SECOND)
    copy = Copy()
    with connected(front, parallel_calls=1) as connector:
        connector.streams()
        front.app = hasty(hubspot_app(there), page)
        read_stream(connector, copy, "accounts", Slice(None, there.clock.now() - 10 * SECOND))
    assert copy.live("account") == EVERY


@pytest.mark.parametrize("leaves_out", [True, False])
@pytest.mark.parametrize("deed", ["an edit", "a purge", "a merge", "an archival", "an archival ahead"])
def test_what_was_left_out_is_found_after_a_stop(
    front: Front, monkeypatch: pytest.MonkeyPatch, deed: str, *, leaves_out: bool
) -> None:
    """The place carries what the index counted at the beginning, and how many came; what came is held."""
    monkeypatch.setattr(reading, "ROWS", 100)
    there = front.show(companies())
    until = there.clock.now()
    there.clock.advance(10 * SECOND)
    copy = Copy()

    with connected(front, parallel_calls=1) as connector:
        stream = stream_of(connector, "accounts")
        front.app = forgetful(hubspot_app(there), LIST, times=int(leaves_out))
        first = next(iter(connector.read(stream, Slice(None, until), None, copy.known)))
        copy.take(stream, first)
    DEEDS[deed](there)
    front.faults.log.clear()
    with connected(front, parallel_calls=1) as connector:
        for page in connector.read(stream, Slice(None, until), first.resume, copy.known):
            copy.take(stream, page)
    assert set(copy.rows("account")) >= EVERY
    assert page.announced == copy.read
    assert (read_by_id(front) > 0) is leaves_out


@pytest.mark.parametrize("deed", DEEDS)
def test_ranges_side_by_side_are_proven_as_one(front: Front, monkeypatch: pytest.MonkeyPatch, deed: str) -> None:
    """Whichever of them leaves a record out."""
    monkeypatch.setattr(reading, "ROWS", 100)
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    there = front.show(companies())
    until = there.clock.now()
    there.clock.advance(10 * SECOND)
    app = forgetful(hubspot_app(there), LIST, times=1)
    copy = Copy()
    with connected(front, parallel_calls=4) as connector:
        stream = stream_of(connector, "accounts")
        front.app = app
        for number, page in enumerate(connector.read(stream, Slice(None, until))):
            if number == 0:
                DEEDS[deed](there)
            copy.take(stream, page)
    assert EVERY - set(copy.rows("account")) <= ({str(NOT_YET)} if "ahead" in deed else set())


@pytest.mark.parametrize("lag", [0, 600])
def test_an_increment_that_lists_is_not_accused_of_what_moved_on(
    front: Front, monkeypatch: pytest.MonkeyPatch, lag: int
) -> None:
    """A bulk edit goes on while its rows are listed: those edited again are in the next slice."""
    monkeypatch.setattr(reading, "SCAN_FROM", 100)
    there = front.show(companies(index_lag_s=lag))
    there.clock.advance(3 * HOUR)
    since = there.clock.now()
    for number in range(1, 251):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    there.clock.advance(dt.timedelta(seconds=lag + 1))
    until = there.clock.now()
    there.clock.advance(SECOND)
    for number in range(1, 51):
        there.update("companies", hubspot_id("companies", number), {"country": "Spain"})
    with connected(front) as connector:
        copy = Copy()
        front.faults.log.clear()
        pages = read_stream(connector, copy, "accounts", Slice(since, until))
    assert (pages[-1].announced, copy.read, read_by_id(front)) == (200, 200, 0)


def test_an_increment_that_lists_finds_what_the_list_left_out(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though another moved on meanwhile."""
    monkeypatch.setattr(reading, "SCAN_FROM", 100)
    there = front.show(companies())
    there.clock.advance(3 * HOUR)
    since = there.clock.now()
    for number in range(1, 251):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    there.clock.advance(SECOND)
    until = there.clock.now()
    there.clock.advance(SECOND)
    with connected(front) as connector:
        connector.streams()
        there.update("companies", LISTED, {"country": "Spain"})
        front.app = forgetful(hubspot_app(there), LIST, times=1)
        copy = Copy()
        read_stream(connector, copy, "accounts", Slice(since, until))
    assert len(copy.rows("account")) == 249


def test_a_search_whose_rows_move_on_is_walked_again(front: Front) -> None:
    """Fewer came than it counted at first: one may have been left out, and not have moved."""
    there = front.show(companies())
    there.clock.advance(3 * HOUR)
    since = there.clock.now()
    for number in range(1, 251):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    there.clock.advance(SECOND)
    until = there.clock.now()
    there.clock.advance(SECOND)
    app, asked = hubspot_app(there), 0

    async def trailing(scope: Scope, receive: Receive, send: Send) -> None:
        """The second answer comes of an index that does not know of one yet, while another moves on."""
        nonlocal asked
        asked += scope["path"].endswith("/companies/search")
        if not scope["path"].endswith("/companies/search") or asked != 2:
            await app(scope, receive, send)
            return
        there.update("companies", hubspot_id("companies", 249), {"country": "Spain"})

        async def without_the_last(message: Message) -> None:
            if message["type"] == "http.response.body":
                told = orjson.loads(message["body"])
                whole = told | {"total": told["total"] - 1, "results": told["results"][:-1]}
                message = {**message, "body": orjson.dumps(whole).ljust(len(message["body"]))}
            await send(message)

        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await app({**scope, "headers": headers}, receive, without_the_last)

    with connected(front, parallel_calls=1) as connector:
        connector.streams()
        front.app = trailing
        copy = Copy()
        read_stream(connector, copy, "accounts", Slice(since, until))
    assert len(copy.rows("account")) == 249
