"""The HubSpot connector reads a portal in full: every stream, every oddity, resumable at every page."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.contract import Slice
from connectors.errors import PermissionMissing, SliceLost
from connectors.hubspot import reading
from connectors.sandbox.book import Book
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.settings import ALL_SCOPES
from tests.contract.hubspot_copy import Copy, connected, read_all, read_stream, stream_of
from tests.contract.hubspot_world import (
    HOSTILE,
    NOW,
    Front,
    change,
    company,
    day,
    deal,
    open_front,
    portal,
    small_book,
    touch,
)

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (str(hubspot_id("companies", n)) for n in range(1, 7))
DEALS = [str(hubspot_id("deals", n)) for n in range(1, 8)]
ANA = str(hubspot_id("owners", 1))
EVERYTHING = Slice(None, NOW + dt.timedelta(seconds=1))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture(scope="module")
def copied(front: Front) -> Copy:
    """The small portal, read in full once: only looked at by the tests."""
    front.show(portal())
    with connected(front) as connector:
        return read_all(connector, Copy(), EVERYTHING)


def test_who_we_are(front: Front) -> None:
    """Portal id, home currency and zone."""
    front.show(portal())
    with connected(front) as connector:
        identity = connector.identify()
        assert connector.record_url(ALPHA) == f"https://app-eu1.hubspot.com/contacts/145000001/record/0-2/{ALPHA}"
    assert (identity.source, identity.instance) == ("hubspot", "145000001")
    assert (identity.currency, identity.timezone, identity.calls_left) == ("EUR", "Europe/Madrid", 624_999)


def test_clean_rows_give_no_rejects(copied: Copy) -> None:
    """Everything the portal holds can be read."""
    assert copied.rejects == []


def test_companies(copied: Copy) -> None:
    """Deleted ones are read, merged ones are not there; their text is not touched."""
    rows = copied.rows("account")
    assert set(rows) == {ALPHA, IBERIA, BETA, GONE, ACME}
    assert [i for i, row in rows.items() if row["deleted"]] == [GONE]
    assert rows[ACME]["name"] == HOSTILE
    alpha = rows[ALPHA]
    assert (alpha["name"], alpha["domain"], alpha["type"], alpha["industry"]) == (
        "Alpha",
        "alpha.example",
        "customer",
        "MACHINE_TOOLS",
    )
    assert (alpha["employees"], alpha["owner_id"], alpha["currency"]) == (250, ANA, "EUR")
    assert (alpha["cross_reference"], alpha["parent_id"]) == ("001A0000000001AAA", None)
    assert (alpha["created_at"], alpha["updated_at"]) == (day(900), day(100))
    iberia = rows[IBERIA]
    assert (iberia["parent_id"], iberia["annual_revenue"], iberia["country"]) == (ALPHA, 12_000_005_000, "Spain")


def test_deals(copied: Copy) -> None:
    """The close date is a day in the portal's zone; status and probability are the stage's."""
    rows = copied.rows("opportunity")
    won = rows[DEALS[0]]
    assert (won["account_id"], won["status"], won["probability"], won["stage_id"]) == (ALPHA, "won", 1.0, "closedwon")
    assert (won["amount"], won["currency"], won["kind"]) == (15_000_000, "EUR", "new")
    assert won["close_on"] == dt.date(2026, 10, 13)
    dollars = rows[DEALS[1]]
    assert (dollars["account_id"], dollars["currency"], dollars["kind"]) == (BETA, "USD", "renewal")
    assert (dollars["status"], dollars["probability"], dollars["close_on"]) == ("open", 0.6, dt.date(2026, 12, 31))
    lost = rows[DEALS[2]]
    assert (lost["status"], lost["probability"], lost["loss_reason"]) == ("lost", 0.0, "Price")


def test_a_deal_without_a_company_or_amount_is_read(copied: Copy) -> None:
    """Missing is null."""
    row = copied.rows("opportunity")[DEALS[3]]
    assert (row["account_id"], row["amount"], row["status"]) == (None, None, "open")


def test_a_deal_of_several_companies_belongs_to_its_primary_one(copied: Copy) -> None:
    """Not to the first in the answer."""
    assert copied.rows("opportunity")[DEALS[6]]["account_id"] == IBERIA


def test_a_deleted_deal_is_read_as_deleted(copied: Copy) -> None:
    """Out of the bin."""
    assert copied.live("opportunity") == {DEALS[n] for n in (0, 1, 2, 3, 5, 6)}


def test_stage_history(copied: Copy) -> None:
    """One event for each moment in which stage, amount or close date changed, with the state from then on."""
    events = [e for e in copied.rows("opportunity_stage_event").values() if e["opportunity_id"] == DEALS[0]]
    told = [(e["changed_at"], e["stage_id"], e["status"], e["amount"], e["close_on"]) for e in events]
    assert sorted(told) == [
        (day(60), "qualified", "open", 10_000_000, dt.date(2026, 10, 31)),
        (day(40), "proposal", "open", 15_000_000, dt.date(2026, 10, 31)),
        (day(20), "closedwon", "won", 15_000_000, dt.date(2026, 10, 13)),
    ]


def test_activities(copied: Copy) -> None:
    """Five kinds in one table, each with whom it was, when, and whether it took place."""
    rows = copied.rows("activity")
    call = rows[f"call:{hubspot_id('calls', 1)}"]
    assert (call["kind"], call["status"], call["direction"], call["account_ids"]) == ("call", "done", "out", ALPHA)
    assert (call["starts_at"], call["ends_at"]) == (day(1), day(1) + dt.timedelta(minutes=30))
    assert call["person_ids"] == str(hubspot_id("contacts", 1))
    meeting = rows[f"meeting:{hubspot_id('meetings', 2)}"]
    assert (meeting["opportunity_id"], meeting["account_ids"], meeting["status"]) == (DEALS[0], ALPHA, "done")
    email = rows[f"email:{hubspot_id('emails', 3)}"]
    assert (email["direction"], email["account_ids"]) == ("in", BETA)
    task = rows[f"task:{hubspot_id('tasks', 5)}"]
    assert (task["status"], task["completed_at"], task["account_ids"]) == ("planned", None, IBERIA)
    assert len(rows) == 5


def test_owners_who_left_are_read_too(copied: Copy) -> None:
    """Records still name them."""
    told = {row["name"]: row["is_active"] for row in copied.rows("crm_user").values()}
    assert told == {"Ana Ruiz": True, "Ben Ochs": False}


def test_stages_and_rates(copied: Copy) -> None:
    """The pipeline's stages in order; a rate from its day in the portal's zone, as an exact fraction."""
    stages = copied.rows("pipeline_stage")
    assert [(s["stage_id"], s["status"], s["probability"]) for s in stages.values()] == [
        ("qualified", "open", 0.2),
        ("proposal", "open", 0.6),
        ("closedwon", "won", 1.0),
        ("closedlost", "lost", 0.0),
    ]
    [rate] = copied.rows("exchange_rate").values()
    assert (rate["source_id"], rate["valid_from"]) == ("USD@2026-01-01", dt.date(2026, 1, 1))


def test_a_missing_scope_costs_a_stream_and_is_told(front: Front) -> None:
    """What cannot be read is named with the scope to grant, the rest is read."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.objects.owners.read", "settings.currencies.read"}))
    with connected(front) as connector:
        names = {stream.name for stream in connector.streams()}
        unavailable = connector.unavailable()
    assert "accounts" in names
    assert names.isdisjoint({"owners", "exchange_rates"})
    assert "crm.objects.owners.read" in unavailable["owners"]
    assert "settings.currencies.read" in unavailable["exchange_rates"]


def test_what_is_lacking_is_told_in_the_order_of_streams(front: Front) -> None:
    """By one call at a time as by eight, whichever answer comes first."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.objects.deals.read", "tickets", "crm.objects.line_items.read"}))
    with connected(front, parallel_calls=1) as alone, connected(front, parallel_calls=8) as together:
        told = list(alone.unavailable())
        assert list(together.unavailable()) == told
        assert [stream.name for stream in together.streams()] == [stream.name for stream in alone.streams()]
    assert {"opportunities", "tickets"} <= set(told)


def test_without_companies_nothing_can_be_done(front: Front) -> None:
    """Their scope missing is an error that names it."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.objects.companies.read"}))
    with connected(front) as connector, pytest.raises(PermissionMissing, match=r"crm\.objects\.companies\.read"):
        connector.streams()


def test_without_deals_activities_are_still_read(front: Front) -> None:
    """They then know their companies and no deal."""
    front.show(portal(scopes=ALL_SCOPES - {"crm.objects.deals.read"}))
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING)
        assert "crm.objects.deals.read" in connector.unavailable()["opportunities"]
    meeting = copy.rows("activity")[f"meeting:{hubspot_id('meetings', 2)}"]
    assert (meeting["account_ids"], meeting["opportunity_id"]) == (ALPHA, None)


def test_deals_of_a_portal_with_one_currency_are_in_it(front: Front) -> None:
    """It has no property for a deal's currency."""
    book = small_book()
    book.rates = []
    front.show(portal(book))
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING, ("opportunities",))
    assert {row["currency"] for row in copy.rows("opportunity").values()} == {"EUR"}


@pytest.mark.parametrize(
    "habits",
    [
        {"shuffled_results": False},
        {"stage_date_properties": False},
        {"link_base": "https://api.hubapi.com"},
        {"association_page_limit": 1},
        {"search_disorder_every": 1},
    ],
)
def test_a_portal_of_other_habits_gives_the_same_rows(front: Front, copied: Copy, habits: dict[str, Any]) -> None:
    """What is not documented must not matter."""
    front.show(portal(**habits))
    with connected(front) as connector:
        assert read_all(connector, Copy(), EVERYTHING).tables == copied.tables


@pytest.mark.parametrize("name", ["accounts", "opportunities", "calls"])
@pytest.mark.parametrize("since", [None, day(1000)])
def test_a_slice_can_be_resumed_after_every_page(
    front: Front, monkeypatch: pytest.MonkeyPatch, name: str, since: dt.datetime | None
) -> None:
    """Pages before a stop and pages after it make up the whole, in a full load and in an increment."""
    monkeypatch.setattr(reading, "ROWS", 50)
    front.show(portal(_larger_book()))
    span = Slice(since, NOW + dt.timedelta(seconds=1))
    with connected(front) as connector:
        whole = Copy()
        pages = read_stream(connector, whole, name, span)
        assert len(pages) > 1
        for stop, page in enumerate(pages[:-1]):
            parts = Copy()
            for before in pages[: stop + 1]:
                parts.take(stream_of(connector, name), before)
            rest = read_stream(connector, parts, name, span, resume=page.resume)
            assert parts.tables == whole.tables
            assert rest[-1].announced == whole.read


def test_a_place_that_is_not_ours_is_lost(front: Front) -> None:
    """The slice then starts again."""
    front.show(portal())
    with connected(front) as connector, pytest.raises(SliceLost):
        read_stream(connector, Copy(), "accounts", EVERYTHING, resume="{}[")


def test_links_are_read_in_the_portions_that_a_server_takes(front: Front) -> None:
    """A thousand records a call, a hundred where more is refused; a page of links is followed to the next."""
    front.show(portal(_larger_book(), association_batch_limit=100, association_page_limit=1))
    with connected(front) as connector:
        copy = Copy()
        read_stream(connector, copy, "opportunities", EVERYTHING)
    owners = {i: row["account_id"] for i, row in copy.rows("opportunity").items()}
    assert owners[str(hubspot_id("deals", 349))] == str(hubspot_id("companies", 349))
    assert (owners[DEALS[6]], len(owners)) == (IBERIA, 257)


def _larger_book() -> Book:
    """More than a page of everything that the test reads, and something in each bin."""
    book = small_book()
    numbers = range(100, 350)
    book.companies += [company(n, f"C{n}") for n in numbers] + [company(20, "Old", deleted=True)]
    book.deals += [deal(n, n, change(9, "qualified", n, "2026-12-01")) for n in numbers]
    book.touches += [touch(n, "call", company=n) for n in numbers]
    return book
