"""The Salesforce connector reads an org: all of it, what changed in it, and what is gone from it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from connectors.contract import Slice
from connectors.errors import PermissionMissing, QuotaSpent, SignInRefused, SliceLost
from connectors.sandbox.book import Company
from connectors.sandbox.salesforce.ids import salesforce_id
from kammodel.errors import NotConfigured
from tests.contract.hubspot_copy import Copy, read_all, read_stream, stream_of
from tests.contract.hubspot_world import HOSTILE, NOW, small_book
from tests.contract.salesforce_connected import HOUR, SECOND, Front, connected, open_front, org

ALPHA, IBERIA, BETA_SL, BETA, GONE, ACME = (salesforce_id("001", n) for n in range(1, 7))
DEALS = [salesforce_id("006", n) for n in range(8)]
EVERYTHING = Slice(None, NOW + SECOND)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def full(front: Front, **settings: Any) -> Copy:
    front.show(org(**settings))
    with connected(front) as connector:
        return read_all(connector, Copy(), EVERYTHING)


def test_accounts_with_their_end(front: Front) -> None:
    """Deleted and merged accounts come too, each with what became of it; hostile text comes as it is."""
    accounts = full(front).rows("account")
    assert {i: row["deleted"] for i, row in accounts.items()} == {
        ALPHA: False,
        IBERIA: False,
        BETA_SL: True,
        BETA: False,
        GONE: True,
        ACME: False,
    }
    assert accounts[BETA_SL]["merged_into_id"] == BETA
    assert accounts[GONE]["merged_into_id"] is None
    assert accounts[ACME]["name"] == HOSTILE
    alpha, iberia = accounts[ALPHA], accounts[IBERIA]
    assert (alpha["domain"], alpha["employees"], alpha["cross_reference"]) == ("alpha.example", 250, "123456")
    assert (iberia["parent_id"], iberia["annual_revenue"], iberia["currency"]) == (ALPHA, 12_000_005_000, "EUR")
    assert accounts[BETA]["type"] == "prospect"


def test_opportunities_with_their_past(front: Front) -> None:
    """Status, share, plain dates and money; a row of history for each change, with what its stage means."""
    copy = full(front)
    deals = copy.rows("opportunity")
    shown = [(d["status"], d["amount"], d["probability"], d["close_on"]) for d in (deals[DEALS[1]], deals[DEALS[2]])]
    assert shown == [
        ("won", 15_000_000, 1.0, dt.date(2026, 10, 13)),
        ("open", 20_000_000, 0.6, dt.date(2026, 12, 31)),
    ]
    assert (deals[DEALS[1]]["kind"], deals[DEALS[2]]["kind"], deals[DEALS[2]]["currency"]) == ("new", "renewal", "USD")
    assert (deals[DEALS[3]]["status"], deals[DEALS[4]]["account_id"], deals[DEALS[5]]["deleted"]) == (
        "lost",
        None,
        True,
    )
    events = [e for e in copy.rows("opportunity_stage_event").values() if e["opportunity_id"] == DEALS[1]]
    past = [(e["status"], e["amount"]) for e in sorted(events, key=lambda e: e["changed_at"])]
    assert past == [("open", 10_000_000), ("open", 15_000_000), ("won", 15_000_000)]
    assert copy.rejects == []


def test_activities_and_who_took_part(front: Front) -> None:
    """Calls, mails and tasks are tasks, meetings events; a note is a task that never counts as a touch."""
    rows = full(front).rows("activity").values()
    shown = {(r["kind"], r["status"], r["account_ids"], r["opportunity_id"], r["person_ids"]) for r in rows}
    carla, dan = salesforce_id("003", 1), salesforce_id("003", 2)
    beta_s = salesforce_id("001", 3)
    assert shown == {
        ("call", "done", ALPHA, None, carla),
        ("meeting", "planned", ALPHA, DEALS[1], None),
        ("email", "done", beta_s, None, dan),
        ("task", "done", ACME, None, None),
        ("task", "planned", IBERIA, None, None),
    }


def test_archived_activities_are_read(front: Front) -> None:
    """What Salesforce leaves out of a plain query after a year is part of a year-on-year figure."""
    book = small_book()
    book.touches = [replace(t, at=NOW - dt.timedelta(days=800)) for t in book.touches]
    there = front.show(org(book))
    assert any(row["IsArchived"] for row in there.records("Event"))
    with connected(front) as connector:
        assert len(read_all(connector, Copy(), EVERYTHING).rows("activity")) == 5


def test_rates_and_identity(front: Front) -> None:
    """Rates to the corporate currency, exactly: 1.111111 units of USD buy one of EUR."""
    front.show(org())
    with connected(front) as connector:
        known = connector.identify()
        assert (known.currency, known.timezone, known.organisation) == ("EUR", "Europe/Madrid", "Sandbox Org (sandbox)")
        assert known.user == f"integration@sandbox.example ({salesforce_id('005', 900_002)})"
        assert known.calls_left is not None
        (rate,) = read_all(connector, Copy(), EVERYTHING, ("exchange_rates",)).rows("exchange_rate").values()
        assert connector.record_url(ALPHA) == f"{front.url}/lightning/r/Account/{ALPHA}/view"
    assert (rate["currency"], rate["numerator"], rate["denominator"]) == ("USD", 1_000_000, 1_111_111)


def test_org_with_one_currency(front: Front) -> None:
    """No rates, no currency field, and nothing is told to be missing for it."""
    front.show(org(multi_currency=False))
    with connected(front) as connector:
        assert "exchange_rates" not in {s.name for s in connector.streams()}
        assert not [name for name in connector.unavailable() if "urrency" in name or "rates" in name]
        assert read_all(connector, Copy(), EVERYTHING).rejects == []


def test_increment_sees_changes_deletions_and_merges(front: Front) -> None:
    """One window brings what was changed, made, deleted, restored and merged in it, and nothing else."""
    there = front.show(org())
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING)
        there.clock.advance(HOUR)
        there.update("Account", IBERIA, {"BillingCountry": "Portugal"})
        there.delete("Account", ACME)
        there.undelete("Account", GONE)
        there.merge("Account", ALPHA, [BETA])
        there.update("Opportunity", DEALS[7], {"StageName": "Won"})
        copy.read = 0
        read_all(connector, copy, Slice(NOW + SECOND, NOW + HOUR + SECOND), ("accounts",))
    accounts = copy.rows("account")
    assert accounts[IBERIA]["country"] == "Portugal"
    assert {i for i, row in accounts.items() if row["deleted"]} == {BETA_SL, BETA, ACME}
    assert accounts[BETA]["merged_into_id"] == ALPHA
    assert copy.read <= 5


def test_increment_equals_full_load(front: Front) -> None:
    """After any changes, full plus increment is what a full load would be."""
    there = front.show(org())
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING)
        there.clock.advance(HOUR)
        there.update("Opportunity", DEALS[7], {"StageName": "Won", "Amount": 800})
        there.create("Task", {"Subject": "s", "WhatId": ALPHA, "Status": "Completed", "ActivityDate": "2026-11-02"})
        there.delete("Opportunity", DEALS[6])
        there.merge("Account", ALPHA, [BETA])
        read_all(connector, copy, Slice(NOW + SECOND, NOW + HOUR + SECOND))
        again = read_all(connector, Copy(), Slice(None, NOW + HOUR + SECOND))
    assert copy.tables == again.tables
    assert again.rows("opportunity")[DEALS[7]]["status"] == "won"


def test_quiet_window_is_empty(front: Front) -> None:
    """Nothing changed: no rows, one call a stream, and a last page all the same."""
    front.show(org())
    with connected(front) as connector:
        connector.streams()
        front.faults.clear()
        copy = read_all(connector, Copy(), Slice(NOW + SECOND, NOW + HOUR), ("accounts", "opportunities", "tasks"))
        assert copy.read == 0
    assert len(front.faults.log) == 3


def crowd(number: int) -> Any:
    """A book with many more companies, all of one and the same change stamp."""
    book = small_book()
    at = NOW - dt.timedelta(days=5)
    book.companies += [Company(100 + n, f"Crowd {n}", at, at, 1) for n in range(number)]
    return book


def test_thousands_of_one_stamp_are_all_read(front: Front) -> None:
    """A bulk load gives all its rows one stamp: pages within it lose none, in an increment too."""
    front.show(org(crowd(1_500), query_page_rows=200))
    at = NOW - dt.timedelta(days=5)
    with connected(front) as connector:
        copy = Copy()
        pages = read_stream(connector, copy, "accounts", Slice(at, at + SECOND))
        assert (copy.read, pages[-1].announced) == (1_500, 1_500)
        assert len(copy.rows("account")) == 1_500


@pytest.fixture(scope="module")
def crowded() -> Any:
    return org(crowd(10_200), query_page_rows=2_000)


def test_slice_goes_on_where_it_stopped(front: Front, crowded: Any) -> None:
    """A new process goes on from the place after a page, reads the rest only, and still proves the whole."""
    front.show(crowded)
    with connected(front) as connector:
        stream = stream_of(connector, "accounts")
        first = next(iter(connector.read(stream, EVERYTHING)))
        assert first.raw["account"].height == 10_000
    with connected(front) as connector:
        front.faults.clear()
        (rest,) = connector.read(stream, EVERYTHING, first.resume)
        assert front.asked("/query/0r8") == 1
    assert (rest.raw["account"].height, rest.announced, rest.resume) == (206, 10_206, None)
    assert not set(rest.raw["account"]["Id"]) & set(first.raw["account"]["Id"])


def test_forgotten_place_is_told(front: Front, crowded: Any) -> None:
    """Two days later the place is gone: the slice has to be read from its start."""
    front.show(crowded)
    with connected(front) as connector:
        stream = stream_of(connector, "accounts")
        first = next(iter(connector.read(stream, EVERYTHING)))
        crowded.clock.advance(dt.timedelta(days=3))
        with pytest.raises(SliceLost):
            next(iter(connector.read(stream, EVERYTHING, first.resume)))


def test_late_rows_are_caught_by_the_overlap(front: Front) -> None:
    """A row that shows up after its stamp is inside of what the next window reads again."""
    there = front.show(org(commit_lag_s=240))
    with connected(front) as connector:
        copy = read_all(connector, Copy(), EVERYTHING, ("accounts",))
        there.clock.advance(HOUR)
        there.update("Account", IBERIA, {"BillingCountry": "Portugal"})
        until = NOW + HOUR + SECOND
        read_all(connector, copy, Slice(NOW, until), ("accounts",))
        assert copy.rows("account")[IBERIA]["country"] == "Spain"
        there.clock.advance(HOUR)
        since = until - connector.settle - connector.overlap
        read_all(connector, copy, Slice(since, until + HOUR), ("accounts",))
    assert copy.rows("account")[IBERIA]["country"] == "Portugal"


def test_hidden_objects_and_fields_are_told(front: Front) -> None:
    """A hidden object costs its stream, a hidden field its column; both are named with what is to be done."""
    hidden = {"hidden_objects": frozenset({"Event"}), "hidden_fields": frozenset({"Account.Industry"})}
    front.show(org(**hidden))
    with connected(front) as connector:
        assert "events" not in {s.name for s in connector.streams()}
        told = connector.unavailable()
        assert "Event" in told["events"]
        assert "field-level security" in told["accounts.Industry"]
        assert read_all(connector, Copy(), EVERYTHING).rejects == []


def test_hidden_accounts_are_an_error(front: Front) -> None:
    """Without accounts there is nothing to do: one line that names the object."""
    front.show(org(hidden_objects=frozenset({"Account"})))
    with connected(front) as connector, pytest.raises(PermissionMissing, match="Account"):
        connector.streams()


def test_cross_reference_that_was_asked_for_and_is_not_there(front: Front) -> None:
    """A field configured by name is told to be missing; the default one only where it exists."""
    front.show(org())
    with connected(front, cross_reference_field="Other_Id__c") as connector:
        assert "accounts.Other_Id__c" in connector.unavailable()


def test_session_that_ends_now_and_then(front: Front) -> None:
    """A session of five calls is renewed as often as it takes."""
    front.show(org(session_calls=5))
    with connected(front) as connector:
        assert len(read_all(connector, Copy(), EVERYTHING).rows("opportunity")) == 7
    assert front.asked("POST /services/oauth2/token") > 2


def test_wrong_secret_is_told_at_once(front: Front) -> None:
    """One line that names the variables, never the secret, after each of the two ways to say them."""
    front.show(org())
    told = "KAM_SALESFORCE__CLIENT_ID"
    with connected(front, client_secret="another-one") as connector, pytest.raises(SignInRefused, match=told) as caught:
        connector.identify()
    assert [call.path for call in front.faults.log] == ["/services/oauth2/token"] * 2
    assert "another" not in str(caught.value)


@pytest.mark.parametrize("version", ["99.0", "30.0"])
def test_version_that_the_org_does_not_serve(front: Front, version: str) -> None:
    """Not served yet or not any more: the variable is named, and what the org serves."""
    front.show(org())
    told = r"KAM_SALESFORCE__API_VERSION.*41\.0 to 68\.0"
    with connected(front, api_version=version) as connector, pytest.raises(NotConfigured, match=told):
        connector.streams()


def test_spent_day_stops_the_run(front: Front) -> None:
    """No spinning for a day."""
    front.show(org(daily_api_requests=3))
    with connected(front) as connector, pytest.raises(QuotaSpent):
        connector.streams()
