"""What is held already is not read twice, and what an index or a list got wrong is found out record by record."""

import datetime as dt
from collections.abc import Iterator

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.contract import Page, Slice
from connectors.errors import NotConfigured, ShortAnswer
from connectors.hubspot.client import Client
from connectors.hubspot.settings import HubSpotSettings
from connectors.retry import Patience
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN
from tests.contract.hubspot_copy import Copy, connected, stream_of
from tests.contract.hubspot_world import NOW, Front, company, open_front, portal, small_book
from tests.unit.hubspot_script import FINE, Script, server

HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)
BATCH_READ = "/crm/v3/objects/companies/batch/read"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def companies(number: int) -> Portal:
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, number + 1)]
    book.deals, book.touches, book.people = [], [], []
    return portal(book)


def ids_of(*numbers: int) -> set[str]:
    return {str(hubspot_id("companies", n)) for n in numbers}


def read(front: Front, copy: Copy, span: Slice) -> list[Page]:
    """A slice of the companies, by one who holds the copy."""
    with connected(front) as connector:
        stream = stream_of(connector, "accounts")
        pages = []
        for page in connector.read(stream, span, None, copy.known):
            copy.take(stream, page)
            pages.append(page)
    return pages


def read_by_id(front: Front) -> int:
    return sum(call.path == BATCH_READ for call in front.faults.log)


def test_an_hour_that_is_looked_at_again_costs_its_search(front: Front) -> None:
    """What is held as the index shows it is not read; what came late is, and so is what was restored."""
    there = front.show(companies(300))
    copy = Copy()
    there.clock.set(dt.datetime(2026, 11, 2, 10, 20, tzinfo=dt.UTC))
    for number in range(1, 251):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    read(front, copy, Slice(None, there.clock.now() + SECOND))
    late, binned = (str(hubspot_id("companies", n)) for n in (7, 8))
    copy.tables["account"][late]["updated_at"] -= SECOND
    copy.tables["account"][binned]["deleted"] = True
    front.faults.log.clear()
    until = dt.datetime(2026, 11, 2, 12, 5, tzinfo=dt.UTC)
    there.clock.set(until)
    pages = read(front, copy, Slice(until - dt.timedelta(minutes=20), until))
    assert {i for page in pages for i in page.raw["account"]["@id"]} == {late, binned}
    assert (sum(page.known for page in pages), pages[-1].announced) == (248, 250)
    assert read_by_id(front) == 1


def test_what_the_slice_itself_shows_is_read(front: Front) -> None:
    """Whom a record is linked with may have changed a moment after it was read, and moves no stamp."""
    there = front.show(companies(3))
    copy = Copy()
    there.clock.advance(2 * HOUR)
    there.update("companies", hubspot_id("companies", 1), {"country": "Italy"})
    read(front, copy, Slice(None, there.clock.now() + SECOND))
    pages = read(front, copy, Slice(there.clock.now() - SECOND, there.clock.now() + SECOND))
    assert [page.known for page in pages] == [0] * len(pages)
    assert {i for page in pages for i in page.raw["account"]["@id"]} == ids_of(1)


def test_an_index_that_still_shows_what_was_purged_stops_no_full_load(front: Front) -> None:
    """It counts more than there is: each that it shows is asked for by its id, and is not there."""
    there = front.show(companies(120))
    copy = Copy()
    read(front, copy, Slice(None, there.clock.now() + SECOND))
    there.settings.index_lag_s = 7200
    for number in range(1, 41):
        there.purge("companies", hubspot_id("companies", number))
    there.clock.advance(HOUR)
    pages = read(front, Copy(), Slice(None, there.clock.now() + SECOND))
    assert pages[-1].announced == 80
    assert pages[-1].resume is None


def forgetful(app: ASGIApp, path: str, *, times: int) -> ASGIApp:
    """The portal, but for the first record of so many answers that begin a list or a search."""
    left = [times]

    async def less(scope: Scope, receive: Receive, send: Send) -> None:
        is_meant = scope["path"].endswith(path) and b"archived" not in scope["query_string"]

        async def cut(message: Message) -> None:
            body = message.get("body", b"")
            if is_meant and left[0] and body.count(b'{"id"') > 1:
                first = body.index(b'{"id"')
                second = body.index(b'{"id"', first + 1)
                message = {**message, "body": body[:first] + b" " * (second - first) + body[second:]}
                left[0] -= 1
            await send(message)

        headers = [(name, value) for name, value in scope.get("headers", ()) if name != b"accept-encoding"]
        await app({**scope, "headers": headers}, receive, cut)

    return less


@pytest.mark.parametrize("is_held", [False, True])
def test_a_list_that_leaves_records_out_is_made_up_for(front: Front, *, is_held: bool) -> None:
    """They are counted by the index, were not seen in the list, and come by their ids: whether they are held or not,
    for what is held may be an older version."""
    there = front.show(companies(30))
    copy = Copy()
    if is_held:
        read(front, copy, Slice(None, NOW + SECOND))
        there.update("companies", hubspot_id("companies", 1), {"country": "Italy"})
    front.app = forgetful(hubspot_app(there), "/objects/companies", times=100)
    pages = read(front, copy, Slice(None, NOW + SECOND))
    assert copy.live("account") == ids_of(*range(1, 31))
    assert pages[-1].announced == 30
    assert copy.rows("account")[str(hubspot_id("companies", 1))]["country"] == ("Italy" if is_held else None)


def test_a_search_that_leaves_a_record_out_is_made_up_for(front: Front) -> None:
    """It showed fewer than it counted: it is asked again."""
    there = front.show(companies(30))
    copy = Copy()
    read(front, copy, Slice(None, NOW + SECOND))
    there.clock.advance(6 * HOUR)
    for number in range(1, 6):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    front.app = forgetful(hubspot_app(there), "/companies/search", times=1)
    pages = read(front, copy, Slice(there.clock.now() - HOUR, there.clock.now() + SECOND))
    assert [row["country"] for row in copy.rows("account").values()].count("Italy") == 5
    assert pages[-1].announced == 5


def test_a_bin_that_once_came_empty_is_made_up_for(front: Front) -> None:
    """What is in it and lives on here is taken, however long ago it was put there; what is deleted here is not."""
    there = front.show(companies(30))
    copy = Copy()
    for number in (1, 2):
        there.archive("companies", hubspot_id("companies", number))
    read(front, copy, Slice(None, there.clock.now() + SECOND))
    there.restore("companies", hubspot_id("companies", 2))
    read(front, copy, Slice(None, there.clock.now() + SECOND))
    there.clock.advance(HOUR)
    there.archive("companies", hubspot_id("companies", 2))
    there.clock.advance(72 * HOUR)
    pages = read(front, copy, Slice(there.clock.now() - HOUR, there.clock.now()))
    assert {i for page in pages for i in page.raw["account"]["@id"]} == ids_of(2)
    assert copy.live("account") == ids_of(*range(3, 31))
    again = read(front, copy, Slice(there.clock.now() - HOUR, there.clock.now()))
    assert (sum(page.raw["account"].height for page in again), again[-1].announced) == (0, 0)


def test_an_increment_of_which_the_index_does_not_show_all_closes_nothing(front: Front) -> None:
    """A short slice must not pass for a whole one: of an increment the index is the only source."""
    there = front.show(companies(30))
    there.clock.advance(6 * HOUR)
    for number in range(1, 6):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    front.app = forgetful(hubspot_app(there), "/companies/search", times=100)
    with pytest.raises(ShortAnswer, match="counts 1 companies more than it shows; nothing was closed"):
        read(front, Copy(), Slice(there.clock.now() - HOUR, there.clock.now() + SECOND))


def test_a_fast_clock_is_refused() -> None:
    """By more than is read twice: what changes until then would be in no later increment."""
    with server(Script(FINE)) as client:
        ahead = HubSpotSettings(base_url=client._host, access_token=ACCESS_TOKEN)  # type: ignore[arg-type]
        fast = Client(ahead, Patience(tries=1), clock=lambda: dt.datetime.now(dt.UTC).timestamp() + 3600)
        with pytest.raises(NotConfigured, match="is 60 minutes ahead of HubSpot's"):
            fast.get("/x")
        fast.close()
        assert client.get("/x").results
