"""The HubSpot connector reads what changed: an increment ends where a full load would."""

import datetime as dt
from collections.abc import Iterator

import pytest

from connectors.contract import Slice
from connectors.hubspot import reading
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from tests.contract.hubspot_copy import Copy, connected, read_all, read_stream, stream_of
from tests.contract.hubspot_world import NOW, Front, change, company, day, deal, open_front, portal, small_book, touch

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
DEALS = [str(hubspot_id("deals", n)) for n in range(1, 8)]
SECOND, MINUTE, HOUR = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


SALES = ("accounts", "opportunities")
EVERY: tuple[str, ...] = ()


def full(front: Front, there: Portal, only: tuple[str, ...] = SALES) -> Copy:
    """A fresh copy of what is there now, of all streams or those named."""
    with connected(front) as connector:
        return read_all(connector, Copy(), Slice(None, there.clock.now() + SECOND), only)


def increment(front: Front, there: Portal, copy: Copy, since: dt.datetime = NOW, only: tuple[str, ...] = SALES) -> None:
    """Brings the copy up to now."""
    copy.read = 0
    with connected(front) as connector:
        read_all(connector, copy, Slice(since, there.clock.now() + SECOND), only)


def later(there: Portal, by: dt.timedelta = HOUR) -> None:
    there.clock.advance(by)


def test_nothing_changed_nothing_read(front: Front) -> None:
    """But for the small lists, which are read in full each time."""
    there = front.show(portal())
    copy = full(front, there, EVERY)
    later(there)
    increment(front, there, copy, only=EVERY)
    assert copy.read == 2 + 4 + 1


def test_created_edited_archived_restored(front: Front) -> None:
    """Each kind of change arrives, and the copy equals a fresh one."""
    there = front.show(portal())
    copy = full(front, there, EVERY)
    later(there)
    made = there.create("companies", {"name": "New", "country": "France"})
    there.create("deals", {"dealname": "First", "dealstage": "qualified"}, [("companies", made.id)])
    there.create("calls", {"hs_timestamp": "2026-11-02T13:00:00Z"}, [("companies", ALPHA)])
    there.update("companies", IBERIA, {"country": "Portugal"})
    there.update("deals", DEALS[5], {"dealstage": "closedwon"})
    there.archive("companies", ACME)
    there.archive("notes", hubspot_id("notes", 4))
    there.restore("companies", GONE)
    there.restore("deals", DEALS[4])
    later(there)
    increment(front, there, copy, only=EVERY)
    assert copy.live("account") == {ALPHA, IBERIA, BETA, GONE, str(made.id)}
    assert copy.rows("account")[IBERIA]["country"] == "Portugal"
    assert copy.rows("opportunity")[DEALS[5]]["status"] == "won"
    assert copy.rows("activity")[f"note:{hubspot_id('notes', 4)}"]["deleted"] is True
    assert copy.tables == full(front, there, EVERY).tables
    assert copy.rejects == []


@pytest.mark.parametrize("bumps", [True, False])
def test_a_restored_record_is_live_at_the_latest_after_a_full_load(front: Front, bumps: bool) -> None:
    """Whether restoring moves the modified date is not documented: if not, only a full load can see it."""
    there = front.show(portal(restore_bumps_modified=bumps))
    copy = full(front, there)
    later(there)
    there.restore("companies", GONE)
    increment(front, there, copy)
    assert (GONE in copy.live("account")) is bumps
    with connected(front) as connector:
        read_all(connector, copy, Slice(None, there.clock.now() + SECOND), SALES)
    assert GONE in copy.live("account")


@pytest.mark.parametrize("mints", [True, False])
def test_merged_records_lead_to_their_survivor(front: Front, mints: bool) -> None:
    """The loser is deleted and knows into what; its deals move on with the next change that re-reads them."""
    there = front.show(portal(merge_mints_new_id=mints))
    copy = full(front, there)
    later(there)
    survivor = str(there.merge("companies", ALPHA, ACME).id)
    deal_left = str(there.merge("deals", DEALS[2], DEALS[0]).id)
    increment(front, there, copy)
    lost = copy.rows("account")[ACME]
    assert (lost["deleted"], lost["merged_into_id"]) == (True, survivor)
    assert copy.live("account") == {survivor, IBERIA, BETA}
    assert copy.rows("opportunity")[DEALS[0]]["merged_into_id"] == deal_left
    assert (ALPHA in copy.live("account")) is not mints


def test_a_moved_stage_adds_to_the_history(front: Front) -> None:
    """What was known stays, the new state stands beside it."""
    there = front.show(portal())
    copy = full(front, there)
    later(there)
    there.update("deals", DEALS[1], {"dealstage": "closedlost", "closedate": "2026-11-02T13:00:00Z"})
    increment(front, there, copy)
    events = [e for e in copy.rows("opportunity_stage_event").values() if e["opportunity_id"] == DEALS[1]]
    assert [(e["changed_at"], e["status"], e["close_on"]) for e in events] == [
        (day(30), "open", dt.date(2026, 12, 31)),
        (NOW + HOUR, "lost", dt.date(2026, 11, 2)),
    ]


def test_a_link_that_changes_alone_is_in_no_increment(front: Front) -> None:
    """Associations move no modified date: an increment cannot see them, a look at all links can."""
    there = front.show(portal())
    copy = full(front, there)
    later(there)
    there.associate("deals", DEALS[3], "companies", ALPHA)
    increment(front, there, copy)
    assert copy.rows("opportunity")[DEALS[3]]["account_id"] is None
    there.update("deals", DEALS[3], {"description": "touched"})
    increment(front, there, copy)
    assert copy.rows("opportunity")[DEALS[3]]["account_id"] == ALPHA


@pytest.mark.parametrize("reads_as_empty", [True, False])
def test_a_cleared_value_is_null(front: Front, reads_as_empty: bool) -> None:
    """Whether HubSpot sends it as `""` or as null."""
    there = front.show(portal(cleared_reads_as_empty=reads_as_empty))
    copy = full(front, there)
    later(there)
    there.update("companies", IBERIA, {"annualrevenue": "", "country": ""})
    there.update("deals", DEALS[0], {"closedate": "", "amount": ""})
    increment(front, there, copy)
    row, sale = copy.rows("account")[IBERIA], copy.rows("opportunity")[DEALS[0]]
    assert (row["annual_revenue"], row["country"], sale["amount"], sale["close_on"]) == (None, None, None, None)
    assert copy.rejects == []


def test_what_the_index_shows_late_is_found_next_time(front: Front) -> None:
    """A change younger than the lag is missing from one slice and comes with the next, which overlaps it."""
    there = front.show(portal(index_lag_s=120))
    copy = full(front, there)
    later(there)
    there.update("companies", IBERIA, {"country": "Portugal"})
    there.create("companies", {"name": "New"})
    increment(front, there, copy)
    assert (copy.rows("account")[IBERIA]["country"], len(copy.live("account"))) == ("Spain", 4)
    with connected(front) as connector:
        since = there.clock.now() + SECOND - connector.settle - connector.overlap
    later(there, 3 * MINUTE)
    increment(front, there, copy, since)
    assert (copy.rows("account")[IBERIA]["country"], len(copy.live("account"))) == ("Portugal", 5)


def test_what_the_index_still_shows_is_deleted_all_the_same(front: Front) -> None:
    """An archived or merged record stays in the index for a while; asked by id it is not there any more. Into what
    it was merged is known as soon as the index shows the survivor."""
    there = front.show(portal(index_lag_s=120))
    copy = full(front, there)
    later(there)
    there.update("companies", BETA, {"country": "Italy"})
    there.update("companies", ACME, {"country": "Italy"})
    later(there, 3 * MINUTE)
    there.archive("companies", BETA)
    there.merge("companies", ALPHA, ACME)
    increment(front, there, copy)
    assert copy.live("account") == {ALPHA, IBERIA}
    later(there, 3 * MINUTE)
    increment(front, there, copy)
    assert copy.live("account") == {ALPHA, IBERIA}
    assert copy.rows("account")[ACME]["merged_into_id"] == ALPHA


def test_an_instant_with_more_rows_than_search_shows(front: Front) -> None:
    """A bulk update gives them all one millisecond: none is lost behind the cap of a query."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 502)]
    book.deals, book.touches, book.people = [], [], []
    there = front.show(portal(book, search_result_cap=200, search_disorder_every=2))
    copy = Copy()
    later(there)
    for number in range(1, 502):
        there.update("companies", hubspot_id("companies", number), {"country": "Italy"})
    later(there)
    with connected(front) as connector:
        pages = read_stream(connector, copy, "accounts", Slice(NOW, there.clock.now()))
    assert {row["country"] for row in copy.rows("account").values()} == {"Italy"}
    assert (len(copy.rows("account")), pages[-1].announced) == (501, 501)


def test_a_record_that_changes_while_it_is_read_is_not_missed(front: Front) -> None:
    """It leaves the window under our eyes and belongs to the next one; the slice still closes."""
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 451)]
    book.deals, book.touches, book.people = [], [], []
    there = front.show(portal(book))
    later(there)
    until = there.clock.now()
    last = hubspot_id("companies", 450)
    with connected(front) as connector:
        front.faults.on_path("/search", "429")
        stream = stream_of(connector, "accounts")
        pages = connector.read(stream, Slice(day(1000), until))
        # The first search has gone out with the first page asked for; then the last record moves on.
        there.update("companies", last, {"country": "Italy"})
        found = sum(page.raw["account"].height for page in pages)
        copy = Copy()
        later(there)
        read_stream(connector, copy, "accounts", Slice(until, there.clock.now()))
    assert found == 449
    assert set(copy.rows("account")) == {str(last)}


def test_rows_come_and_go_during_a_full_load(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record made or archived between two pages is in the increment that begins where the scan began."""
    monkeypatch.setattr(reading, "ROWS", 100)
    book = small_book()
    book.companies = [company(n, f"C{n}") for n in range(1, 251)]
    book.deals, book.touches, book.people = [], [], []
    there = front.show(portal(book))
    began = there.clock.now()
    copy = Copy()

    with connected(front) as connector:
        stream = stream_of(connector, "accounts")
        for number, page in enumerate(connector.read(stream, Slice(None, began)), start=1):
            copy.take(stream, page)
            later(there, MINUTE)
            for behind_or_ahead in (number, 250 - number):
                there.archive("companies", hubspot_id("companies", behind_or_ahead))
            there.create("companies", {"name": "New"})
    increment(front, there, copy, began)
    assert copy.rows("account") == full(front, there).rows("account")


@pytest.mark.parametrize("kind", ["calls", "meetings", "emails", "tasks"])
def test_every_kind_of_activity_has_increments(front: Front, kind: str) -> None:
    """An edit arrives under the activity's own id."""
    there = front.show(portal())
    copy = full(front, there, (kind,))
    later(there)
    numbers = {"calls": 1, "meetings": 2, "emails": 3, "tasks": 5}
    record = hubspot_id(kind, numbers[kind])
    there.update(kind, record, {"hs_timestamp": "2026-11-02T09:00:00Z", "hubspot_owner_id": ""})
    increment(front, there, copy, only=(kind,))
    assert copy.rows("activity")[f"{kind[:-1]}:{record}"]["owner_id"] is None


def test_deals_of_several_companies_without_a_primary(front: Front) -> None:
    """The lowest id is taken, and it is noted how often."""
    book = small_book()
    book.deals = [deal(1, None, change(5, "qualified", 10, "2026-12-01"))]
    book.touches = [touch(1, "call")]
    there = front.show(portal(book))
    for other in (BETA, IBERIA):
        there.associations.add(there.known("deals"), int(DEALS[0]), there.known("companies"), int(other), ())
    with connected(front) as connector:
        copy = read_all(connector, Copy(), Slice(None, NOW + SECOND), SALES)
        assert list(connector.notes.values()) == [1]
    assert copy.rows("opportunity")[DEALS[0]]["account_id"] == IBERIA
