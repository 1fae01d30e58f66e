"""The list is the source, the index its witness: a page that went wrong is found, a witness that errs stops nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import Page, Slice
from connectors.hubspot import proof, ranges, reading
from connectors.hubspot.proof import HIDDEN, UNPROVEN
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_USER
from tests.contract.hubspot_copy import Copy, connected, read_stream, stream_of
from tests.contract.hubspot_world import Front, open_front
from tests.contract.test_hubspot_proof import EVERY, LIST, NOT_YET, SECOND, companies, read_by_id, searches

GONE, SURVIVOR = (hubspot_id("companies", n) for n in (150, 160))
Told = dict[str, Any]
Change = Callable[[Told, int], Told]
"""Another answer instead of one; with the number of the answer, from one on."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def changing(app: ASGIApp, change: Change, *, archived: bool = False) -> ASGIApp:
    """The portal, with other pages of its list of companies, or of its bin."""
    number = 0

    async def changed(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal number
        query = scope.get("query_string", b"")
        if not scope["path"].endswith(LIST) or b"limit=100" not in query or (b"archived" in query) is not archived:
            await app(scope, receive, send)
            return
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)

        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await app({**scope, "headers": plain}, receive, keep)
        number += 1
        body = orjson.dumps(change(orjson.loads(b"".join(m.get("body", b"") for m in sent)), number))
        headers = [(name, value) for name, value in sent[0]["headers"] if name.lower() != b"content-length"]
        await send({**sent[0], "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    return changed


def load(front: Front, there: Portal, app: ASGIApp | None = None, *, calls: int = 1) -> tuple[Copy, dict[str, int]]:
    """A full load that ends well: what was held then, and what was noted. Only its own calls are in the log."""
    until = there.clock.now()
    there.clock.advance(10 * SECOND)
    copy = Copy()
    with connected(front, parallel_calls=calls) as connector:
        connector.streams()
        front.app = app or hubspot_app(there)
        front.faults.log.clear()
        pages = read_stream(connector, copy, "accounts", Slice(None, until))
        assert pages[-1].announced is not None
        assert pages[-1].announced <= copy.read
        return copy, dict(connector.notes)


def lost(copy: Copy) -> int:
    return len(EVERY - set(copy.rows("account")))


def cut(told: Told, number: int) -> Told:
    """The second page without its last row."""
    return told | {"results": told["results"][:-1]} if number == 2 else told


def repeated() -> Change:
    """The second page with the rows of the first, and with its own cursor."""
    rows: list[Any] = []

    def change(told: Told, number: int) -> Told:
        rows.append(told["results"])
        return told | {"results": rows[0]} if number == 2 else told

    return change


def purging(there: Portal) -> Change:
    """A company is purged before its page is read."""

    def change(told: Told, number: int) -> Told:
        if number == 2:
            there.purge("companies", NOT_YET)
        return told

    return change


@pytest.mark.parametrize(("calls", "rows"), [(1, 2000), (4, 2000), (1, 100)])
def test_a_page_that_came_twice_stands_for_none(
    front: Front, monkeypatch: pytest.MonkeyPatch, calls: int, rows: int
) -> None:
    """Each record counts once, in one portion or in two: that the other page did not come is noticed, and made up
    for."""
    monkeypatch.setattr(reading, "ROWS", rows)
    there = front.show(companies())
    copy, _ = load(front, there, changing(hubspot_app(there), repeated()), calls=calls)
    assert lost(copy) == 0


def test_a_page_of_the_list_instead_of_one_of_the_bin_buries_nobody(front: Front) -> None:
    """It says that its records live: it is asked for again."""
    there = front.show(companies(50))
    app = changing(hubspot_app(there), lambda told, n: told | {"results": [ALIVE]} if n == 1 else told, archived=True)
    copy, _ = load(front, there, app)
    assert str(ALIVE["id"]) in copy.live("account")


ALIVE: Told = {"id": str(hubspot_id("companies", 1)), "properties": {"name": "C1"}, "archived": False}


@pytest.fixture
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that is too large to be looked through, in three ranges."""
    monkeypatch.setattr(reading, "ROWS", 100)
    monkeypatch.setattr(proof, "LOOKED_THROUGH", 0)


@pytest.mark.usefixtures("_large")
def test_one_purge_in_a_large_portal_costs_a_count_of_each_range(front: Front) -> None:
    """Beside the count and what was merged; no range is looked through, as none has more than came of it."""
    there = front.show(companies())
    load(front, there, changing(hubspot_app(there), purging(there)))
    assert (searches(front), read_by_id(front)) == (2 + 3, 0)


@pytest.mark.usefixtures("_large")
def test_what_a_large_portal_lost_is_sought_where_it_lacks(front: Front) -> None:
    """That range alone is looked through. There are two, since a portion goes on to the page that makes it full."""
    there = front.show(companies())
    copy, _ = load(front, there, changing(hubspot_app(there), cut))
    assert lost(copy) == 0
    assert (searches(front), read_by_id(front)) == (2 + 2 + 1, 1)


@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize("deed", ["an archival", "a merge"])
def test_what_left_after_it_came_hides_nothing_in_its_range(front: Front, deed: str) -> None:
    """It is no more among those that came."""
    there = front.show(companies())

    def change(told: Told, number: int) -> Told:
        if number == 3:
            there.archive("companies", GONE) if deed == "an archival" else there.merge("companies", SURVIVOR, GONE)
        return cut(told, number)

    copy, _ = load(front, there, changing(hubspot_app(there), change))
    assert lost(copy) == 0


@pytest.mark.parametrize("looked_through", [0, 51_200])
def test_what_an_earlier_process_stored_is_not_read_again(
    front: Front, monkeypatch: pytest.MonkeyPatch, looked_through: int
) -> None:
    """The page that lost one is, at most."""
    monkeypatch.setattr(reading, "ROWS", 100)
    monkeypatch.setattr(proof, "LOOKED_THROUGH", looked_through)
    there = front.show(companies())
    until = there.clock.now()
    there.clock.advance(10 * SECOND)
    copy = Copy()

    with connected(front, parallel_calls=1) as connector:
        stream = stream_of(connector, "accounts")
        begun: Iterator[Page] = iter(connector.read(stream, Slice(None, until), None, copy.known))
        resume = None
        for _ in range(2):
            page = next(begun)
            copy.take(stream, page)
            resume = page.resume
    front.app = changing(hubspot_app(there), lambda told, n: cut(told, n + 1))
    before = copy.read
    with connected(front, parallel_calls=1) as connector:
        for page in connector.read(stream, Slice(None, until), resume, copy.known):
            copy.take(stream, page)
    assert lost(copy) == 0
    assert copy.read - before == 100 + 1


@pytest.mark.parametrize("number", [0, 300])
def test_what_the_index_counts_and_never_shows_stops_no_load(front: Front, number: int) -> None:
    """The list came whole: that is noted, and the slice is closed."""
    there = front.show(companies(number))
    there.settings.index_ghosts = {"companies": (hubspot_id("companies", 150) + 1,)}
    copy, notes = load(front, there)
    assert len(copy.live("account")) == number
    assert notes == ({HIDDEN: 1} if number else {UNPROVEN: 1})
    assert read_by_id(front) == 0


@pytest.mark.parametrize("refused", ["hs_merged_object_ids", "createdate", "hs_object_id"])
def test_a_question_that_is_refused_stops_no_load(front: Front, refused: str) -> None:
    """What may be asked is documented in part: what lacked is not proven then, which is noted. It is without knowing of
    merges."""
    there = front.show(companies())
    there.settings.unsearchable_properties = frozenset({f"companies.{refused}"})
    copy, notes = load(front, there, changing(hubspot_app(there), purging(there)))
    assert copy.live("account") == EVERY - {str(NOT_YET)}
    assert set(notes) == (set() if refused == "hs_merged_object_ids" else {UNPROVEN})


@pytest.mark.parametrize("follows", [False, True])
@pytest.mark.parametrize("leaves_out", [False, True])
def test_when_it_was_made_is_what_its_property_says(front: Front, *, follows: bool, leaves_out: bool) -> None:
    """That can be entered, or be empty, and the index goes by it, whatever the list says beside the properties."""
    there = front.show(companies())
    there.settings.created_at_follows_property = follows
    kind = there.known("companies")
    for number, at in ((1, "2099-01-01T00:00:00Z"), (2, "2099-01-01T00:00:00Z"), (3, ""), (4, "2001-01-01T00:00:00Z")):
        there.write(there.existing(kind, hubspot_id("companies", number)), {"createdate": at}, BY_USER)
    there.clock.advance(SECOND)
    app = hubspot_app(there)
    copy, _ = load(front, there, changing(app, cut) if leaves_out else app)
    assert lost(copy) == 0
    assert searches(front) == (1 if not leaves_out else 4)


@pytest.mark.parametrize("status", [400, 500])
def test_a_cursor_that_is_not_taken_leaves_one_thread(
    front: Front, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """With whichever status it is answered."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    there = front.show(companies(900))
    for number in range(2, 901, 2):
        there.purge("companies", hubspot_id("companies", number))
    there.settings.strange_cursor_status = status
    copy, _ = load(front, there, calls=4)
    assert len(copy.live("account")) == 449


def test_a_list_that_is_not_in_order_is_read_by_one_thread(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same run, and each record counts though few are in order."""
    monkeypatch.setattr(ranges, "LEAST_PAGES", 1)
    there = front.show(companies())
    app = changing(hubspot_app(there), lambda told, n: told | {"results": told["results"][:: -1 if n > 1 else 1]})
    copy, _ = load(front, there, app, calls=4)
    assert lost(copy) == 0
    assert read_by_id(front) == 0
