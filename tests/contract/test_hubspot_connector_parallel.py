"""A list that several threads read at once is read as by one: every row, once, resumable anywhere."""

import asyncio
import datetime as dt
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from connectors.contract import Page, Slice
from connectors.errors import QuotaSpent
from connectors.hubspot import ranges, reading
from connectors.hubspot.crew import at_once
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from tests.contract.hubspot_copy import Copy, connected, read_stream
from tests.contract.hubspot_world import NOW, Front, change, company, deal, open_front, portal, small_book

COMPANIES = 2_350
EVERYTHING = Slice(None, NOW + dt.timedelta(seconds=1))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 200)
    monkeypatch.setattr(ranges, "LEAST_PAGES", 2)


@pytest.fixture(scope="module")
def there() -> Portal:
    """A company a number, one in ten without a record between, and one in the bin."""
    book = small_book()
    numbers = [n for n in range(1, COMPANIES + 1) if n % 10]
    book.companies = [company(n, f"C{n}") for n in numbers] + [company(COMPANIES + 1, "Old", deleted=True)]
    book.deals = [deal(1, 1, change(9, "qualified", 1, "2026-12-01"))]
    book.touches, book.people = [], []
    return portal(book)


def read(front: Front, calls: int, resume: str | None = None) -> list[Page]:
    with connected(front, parallel_calls=calls) as connector:
        return read_stream(connector, Copy(), "accounts", EVERYTHING, resume)


def ids(pages: list[Page]) -> Counter[str]:
    return Counter(i for page in pages for i in page.raw["account"]["@id"])


def listed(front: Front) -> int:
    """Pages of living companies that were asked for, without the two looks at what is there."""
    lists = [c for c in front.faults.log if c.method == "GET" and c.path.endswith("/objects/companies")]
    return sum("archived" not in call.query and "limit=1&" not in call.query for call in lists)


def test_every_row_comes_once(front: Front, there: Portal) -> None:
    """By one call at a time as by eight, with a page more at most for each part."""
    front.show(there)
    alone = ids(read(front, 1))
    pages = -(-(COMPANIES - COMPANIES // 10) // 100)
    assert listed(front) == pages
    front.faults.log.clear()
    together = read(front, 8)
    assert ids(together) == alone
    assert set(alone.values()) == {1}
    assert together[-1].announced == COMPANIES - COMPANIES // 10 + 1
    assert pages <= listed(front) <= pages + 8


def test_a_cursor_may_be_the_last_id(front: Front, there: Portal) -> None:
    """Documents do not say which it is: it is tried out, so that no range loses the record that it begins with."""
    front.show(there)
    alone = ids(read(front, 1))
    there.settings.cursor_is_last_id = True
    front.faults.log.clear()
    pages = read(front, 8)
    rest = read(front, 8, pages[3].resume)
    assert ids(pages) == alone == ids(pages[:4]) + ids(rest)
    assert pages[-1].announced == sum(alone.values())
    there.settings.cursor_is_last_id = False


def test_any_page_can_be_resumed(front: Front, there: Portal) -> None:
    """With another number of threads, too: what came before a stop and what comes after it is all there is."""
    front.show(there)
    pages = read(front, 8)
    whole = ids(pages)
    assert len(pages) > 8
    for stop in range(0, len(pages) - 1, 3):
        place = pages[stop].resume
        rest = read(front, 4, place)
        assert ids(pages[: stop + 1]) + ids(rest) == whole
        assert rest[-1].announced == sum(whole.values())


def test_the_threads_end_with_the_reading(front: Front, there: Portal) -> None:
    """Whether it was read to its end or not, and nothing is asked for any more."""
    front.show(there)
    before = threading.active_count()
    with connected(front) as connector:
        stream = next(s for s in connector.streams() if s.name == "accounts")
        pages = connector.read(stream, EVERYTHING)
        next(pages)
        pages.close()  # type: ignore[attr-defined]
        made = len(front.faults.log)
        assert threading.active_count() <= before + 1
    assert len(front.faults.log) == made


def test_what_was_read_is_given_before_a_fault(front: Front, there: Portal) -> None:
    """A day whose calls end in the middle leaves every row that was read with them, and a place to go on from."""
    front.show(there)
    whole = ids(read(front, 8))
    pages: list[Page] = []
    front.show(there)
    there.settings.rate_limits, there.settings.daily_requests = True, 66
    there.settings.window_requests = there.settings.associations_window_requests = 10_000
    there.settings.search_per_second = 1000
    with connected(front, call_share=1, call_reserve=0) as connector:
        stream = next(s for s in connector.streams() if s.name == "accounts")
        with pytest.raises(QuotaSpent):
            pages.extend(connector.read(stream, EVERYTHING))
    there.settings.rate_limits, there.settings.daily_requests = False, 625_000
    assert pages
    assert ids(pages) + ids(read(front, 8, pages[-1].resume)) == whole


@pytest.mark.parametrize("habit", ["refuses", "ignores"])
def test_a_portal_that_takes_only_its_own_cursors_is_read_by_one_thread(
    front: Front, there: Portal, habit: str
) -> None:
    """That a cursor may be any id is not documented: it is tried out once, and not relied on."""
    front.show(there)
    whole = ids(read(front, 1))
    app = hubspot_app(there)
    living = sorted(hubspot_id("companies", n) for n in range(1, COMPANIES + 1) if n % 10)
    given = {str(i) for i in living[100::100]}

    async def strict(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope.get("query_string", b"").decode()
        after = dict(part.split("=", 1) for part in query.split("&") if "=" in part).get("after")
        if scope["path"].endswith("/objects/companies") and after and after not in given:
            word = "after=nonsense" if habit == "refuses" else "after=0"
            scope = {**scope, "query_string": query.replace(f"after={after}", word).encode()}
        await app(scope, receive, send)

    front.app = strict
    front.faults.log.clear()
    assert ids(read(front, 8)) == whole
    assert listed(front) == -(-len(living) // 100)


def test_a_probed_record_may_be_deleted_meanwhile(front: Front) -> None:
    """It then tells nothing of how cursors are meant: another is probed, and the list is split all the same."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, COMPANIES + 1)]
    book.deals, book.touches, book.people = [], [], []
    there = front.show(portal(book))
    app = hubspot_app(there)
    gone: list[str] = []

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        query = dict(part.split("=", 1) for part in scope.get("query_string", b"").decode().split("&") if "=" in part)
        if scope["path"].endswith("/objects/companies") and query["limit"] == "1" and "after" in query and not gone:
            gone.append(query["after"])
            there.archive("companies", gone[0])
        await app(scope, receive, send)

    front.app = busy
    pages = read(front, 8)
    # It was read before, and once more out of the bin.
    assert [one for one, times in ids(pages).items() if times > 1] == gone
    assert sum(ids(pages).values()) == COMPANIES + 1
    assert max(len(json.loads(page.resume)["ranges"]) for page in pages if page.resume) > 1


def test_kinds_of_links_are_read_side_by_side(front: Front) -> None:
    """The first is not answered before another of them is asked for."""
    app = hubspot_app(front.show(portal()))
    told: list[str] = []
    is_next = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        if "/associations/calls/" in scope["path"]:
            told.append("asked")
            if len(told) > 1:
                is_next.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(is_next.wait(), 10)
            told.append("answered")
        await app(scope, receive, send)

    with connected(front) as connector:
        connector.streams()
        front.app = waiting
        read_stream(connector, Copy(), "calls", EVERYTHING)
    assert told[:2] == ["asked", "asked"]


def test_no_more_calls_are_under_way_than_are_set(front: Front) -> None:
    """However many streams are read, and by however many threads each."""
    app = hubspot_app(front.show(portal()))
    under_way: list[int] = []
    most = 0

    async def counting(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal most
        under_way.append(1)
        most = max(most, len(under_way))
        for _ in range(100):
            # Lets those in that are on their way.
            await asyncio.sleep(0)
        under_way.pop()
        await app(scope, receive, send)

    with connected(front, parallel_calls=3) as connector:
        streams = connector.streams()
        front.app = counting
        pages = at_once(6, [lambda s=s: list(connector.read(s, EVERYTHING)) for s in streams])  # type: ignore[misc]
    assert sum(len(one) for one in pages) >= len(streams)
    assert most == 3


def test_where_ids_are_dense_there_are_the_parts(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine rows in ten have low ids, the rest lie far above: the low ones are split among the threads all the same."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in (*range(1, 1401), *range(90_000, 90_100))]
    book.deals, book.touches, book.people = [], [], []
    front.show(portal(book))
    monkeypatch.setattr(reading, "ROWS", 100_000)
    pages = read(front, 8)
    assert sum(ids(pages).values()) == 1500
    assert max(page.raw["account"].height for page in pages) <= 400


def test_an_increment_of_many_rows_lists_them(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where most records changed, one page of a list shows a hundred; else the search finds those that did."""
    monkeypatch.setattr(reading, "SCAN_FROM", 300)
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 601)]
    book.deals, book.touches, book.people = [], [], []
    there = front.show(portal(book))
    there.clock.advance(dt.timedelta(hours=3))
    since = there.clock.now()
    for number in range(1, 501):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    there.clock.advance(dt.timedelta(minutes=5))
    copy = Copy()
    with connected(front) as connector:
        pages = read_stream(connector, copy, "accounts", Slice(since, there.clock.now()))
    assert (copy.read, pages[-1].announced) == (500, 500)
    assert not [call for call in front.faults.log if call.path.endswith("/objects/companies/batch/read")]
    with connected(front) as connector:
        front.faults.log.clear()
        monkeypatch.setattr(reading, "SCAN_FROM", 10_000)
        again = read_stream(connector, Copy(), "accounts", Slice(since, there.clock.now()))
    assert ids(again) == ids(pages)
    assert [call for call in front.faults.log if call.path.endswith("/objects/companies/batch/read")]


@pytest.mark.parametrize(
    ("since", "until", "looked_from"),
    [("10:20", "10:35", "10:20"), ("10:50", "11:05", "09:00"), ("01:45", "10:00", "00:00")],
)
def test_each_hour_is_looked_at_again(since: str, until: str, looked_from: str) -> None:
    """When it has been over for an hour at least; between the hours an increment asks for what is new alone."""
    at = [dt.datetime.fromisoformat(f"2026-11-02T{clock}:00+00:00") for clock in (since, until, looked_from)]
    assert reading.looked_at_again(Slice(at[0], at[1])) == Slice(at[2], at[1])
