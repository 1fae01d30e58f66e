"""The sandbox org itself: ids, stamps, history, activities, recycle bin, merges, rules."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from connectors.sandbox.book import Book, Company, Deal, Person, Rate, Seller, Stage, StageChange, Touch
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.ids import salesforce_id, widened
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import RowRefused
from connectors.sandbox.salesforce.settings import ValidationRule
from tests.contract.salesforce_small_org import ACME, ANN, BETA, BOB, GONE, LATER, NOW, OPEN, WON, YAN, ZOE, small_org

AT, HOUR_LATER = "2026-05-01T12:00:00.000+0000", "2026-05-01T13:00:00.000+0000"


def of(org: Org, sobject: str, record_id: str, *names: str) -> tuple[Any, ...]:
    """Values of a record."""
    record = org.record(sobject, record_id)
    assert record is not None
    return tuple(record[name] for name in names)


def refusal(org: Org, sobject: str, record_id: str, **values: Any) -> str:
    """The code with which an update is refused."""
    with pytest.raises(RowRefused) as refused:
        org.update(sobject, record_id, values)
    return refused.value.code


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("001000000000001", "001000000000001AAA"),
        ("0015000000VALDt", "0015000000VALDtAAP"),
        ("00550000001fJzD", "00550000001fJzDAAU"),
    ],
)
def test_the_suffix_of_an_id_tells_its_capitals(short: str, full: str) -> None:
    """Five characters make one of the suffix: bit n is set where the n-th is a capital."""
    assert widened(short) == full


def test_ids_sort_as_their_numbers_do() -> None:
    """So a keyset over ids walks records in the order in which they were made."""
    ids = [salesforce_id("001", n) for n in (1, 9, 10, 35, 36, 61, 62, 10_000)]
    assert ids == sorted(ids)


@pytest.mark.parametrize("text", ["", "001", "0015000000VALDtAAA", "0015000000VALD-", None, 5, ["001"]])
def test_what_is_no_id_is_not_taken_for_one(text: object) -> None:
    """Wrong length, characters, type or suffix."""
    assert widened(text) is None


def test_an_update_moves_all_three_stamps_and_names_the_writer() -> None:
    """LastModifiedDate, LastModifiedById and SystemModstamp come from the clock and the user."""
    org = small_org()
    org.clock.advance(LATER)
    org.update("Account", ACME, {"Industry": "Energy"}, by=ANN)
    names = ("Industry", "CreatedDate", "LastModifiedDate", "SystemModstamp", "LastModifiedById")
    assert of(org, "Account", ACME, *names) == ("Energy", "2026-04-01T08:00:00.000+0000", HOUR_LATER, HOUR_LATER, ANN)


@pytest.mark.parametrize(("bumps", "stamp"), [(True, AT), (False, "2026-04-01T08:00:00.000+0000")])
def test_writing_the_same_value_moves_the_stamp_if_the_knob_says_so(bumps: bool, stamp: str) -> None:
    """What a real org does is not confirmed, so both can be had."""
    org = small_org(same_value_bumps_stamp=bumps)
    org.update("Account", ACME, {"Industry": "Retail"})
    assert of(org, "Account", ACME, "SystemModstamp") == (stamp,)


def test_a_new_stage_sets_probability_forecast_and_closing() -> None:
    """They follow the stage unless they are written too."""
    org = small_org()
    org.update("Opportunity", OPEN, {"StageName": "Closed Won"})
    names = ("IsClosed", "IsWon", "Probability", "ForecastCategory", "ExpectedRevenue", "LastStageChangeDate")
    assert of(org, "Opportunity", OPEN, *names) == (True, True, 100.0, "Closed", 100.0, AT)
    org.update("Opportunity", OPEN, {"StageName": "Prospecting", "Probability": 33})
    assert of(org, "Opportunity", OPEN, "IsClosed", "Probability", "ExpectedRevenue") == (False, 33.0, 33.0)


def test_history_gets_a_row_when_stage_amount_date_or_probability_change() -> None:
    """One row per save, with what amount and date were before; other fields leave none."""
    org = small_org()
    org.update("Opportunity", OPEN, {"Amount": 120, "CloseDate": "2026-07-15"})
    org.update("Opportunity", OPEN, {"NextStep": "call"})
    rows = org.records("OpportunityHistory")
    got = [(r["Amount"], r["PrevAmount"], r["CloseDate"], r["PrevCloseDate"], r["StageName"]) for r in rows]
    assert got == [(120.0, 100.0, "2026-07-15", "2026-06-30", "Prospecting")]
    assert of(org, "Opportunity", OPEN, "PushCount") == (1,)


def test_a_completed_task_restamps_what_it_is_about() -> None:
    """LastActivityDate moves SystemModstamp of contact, opportunity and account, not their LastModifiedDate."""
    org = small_org()
    org.create("Task", {"WhatId": OPEN, "WhoId": ZOE, "Status": "Completed", "ActivityDate": "2026-04-30"})
    for sobject, record_id in (("Account", ACME), ("Opportunity", OPEN), ("Contact", ZOE)):
        got = of(org, sobject, record_id, "LastActivityDate", "SystemModstamp", "LastModifiedDate")
        assert got == ("2026-04-30", AT, "2026-04-01T08:00:00.000+0000")


def test_an_open_task_is_no_activity_yet_and_closing_it_is() -> None:
    """Only closed tasks and events count for LastActivityDate."""
    org = small_org()
    task = org.create("Task", {"WhatId": ACME, "ActivityDate": "2026-04-30"})
    assert of(org, "Account", ACME, "LastActivityDate") == (None,)
    org.update("Task", task, {"Status": "Completed"})
    assert of(org, "Account", ACME, "LastActivityDate") == ("2026-04-30",)
    assert of(org, "Task", task, "IsClosed", "CompletedDateTime") == (True, AT)


def test_deleting_the_latest_activity_falls_back_to_the_one_before() -> None:
    """LastActivityDate is that of what is left."""
    org = small_org()
    event = {"WhatId": ACME, "DurationInMinutes": 30}
    org.create("Event", {**event, "StartDateTime": "2026-04-10T09:00:00Z"})
    last = org.create("Event", {**event, "StartDateTime": "2026-04-20T22:30:00Z"})
    # Half past midnight in Madrid.
    assert of(org, "Account", ACME, "LastActivityDate") == ("2026-04-21",)
    org.delete("Event", last)
    assert of(org, "Account", ACME, "LastActivityDate") == ("2026-04-10",)


def test_the_account_of_an_activity_follows_what_then_who() -> None:
    """Opportunity's account, or else the contact's; none for an activity about nothing."""
    org = small_org()
    tasks = [org.create("Task", about) for about in ({"WhatId": WON, "WhoId": ZOE}, {"WhoId": ZOE}, {})]
    assert [of(org, "Task", task, "AccountId")[0] for task in tasks] == [BETA, ACME, None]


def test_a_deleted_account_takes_its_children_along_and_brings_them_back() -> None:
    """Contacts and opportunities go to the bin with it, subsidiaries do not; undelete restores all."""
    org = small_org()
    org.delete("Account", ACME)
    assert of(org, "Account", ACME, "IsDeleted", "SystemModstamp", "MasterRecordId") == (True, AT, None)
    assert [of(org, "Opportunity", o, "IsDeleted")[0] for o in (OPEN, WON)] == [True, False]
    assert of(org, "Account", BETA, "IsDeleted") == (False,)
    assert refusal(org, "Account", ACME, Name="x") == "ENTITY_IS_DELETED"
    org.undelete("Account", ACME)
    assert of(org, "Account", ACME, "IsDeleted") == of(org, "Contact", ZOE, "IsDeleted") == (False,)


def test_a_merge_moves_children_and_leaves_a_pointer() -> None:
    """The loser is deleted with MasterRecordId; its children are the winner's, re-stamped."""
    org = small_org()
    task = org.create("Task", {"WhatId": BETA, "Status": "Completed", "ActivityDate": "2026-04-30"})
    org.merge("Account", ACME, [BETA])
    assert of(org, "Task", task, "WhatId", "AccountId") == (ACME, ACME)
    assert of(org, "Account", ACME, "LastActivityDate") == ("2026-04-30",)
    assert of(org, "Account", BETA, "IsDeleted", "MasterRecordId", "SystemModstamp") == (True, ACME, AT)
    assert of(org, "Opportunity", WON, "AccountId", "SystemModstamp", "IsDeleted") == (ACME, AT, False)
    assert of(org, "Contact", YAN, "AccountId") == (ACME,)
    assert of(org, "Account", ACME, "SystemModstamp", "ParentId") == (AT, None)


def test_a_purged_record_is_gone() -> None:
    """No record, and an update finds no such id."""
    org = small_org()
    org.purge("Account", GONE)
    assert org.record("Account", GONE) is None
    assert refusal(org, "Account", GONE, Name="x") == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"Name": None}, "REQUIRED_FIELD_MISSING"),
        ({"Name": "x" * 256}, "STRING_TOO_LONG"),
        ({"AnnualRevenue": 10**16}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"ParentId": "nonsense"}, "MALFORMED_ID"),
        ({"ParentId": salesforce_id("001", 99)}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"ParentId": salesforce_id("003", 1)}, "FIELD_INTEGRITY_EXCEPTION"),
        ({"ParentId": GONE}, "ENTITY_IS_DELETED"),
        ({"ParentId": BETA}, "CIRCULAR_DEPENDENCY"),
        ({"OwnerId": BOB}, "INACTIVE_OWNER_OR_USER"),
        ({"Nothing__c": 1}, "INVALID_FIELD"),
    ],
)
def test_a_row_is_refused_with_the_code_of_its_fault(values: dict[str, Any], code: str) -> None:
    """Each rule has its own status code."""
    assert refusal(small_org(), "Account", ACME, **values) == code


def test_a_validation_rule_refuses_a_row_by_what_it_would_become() -> None:
    """Also for a field that the write does not touch: old data can fail a new rule."""
    rule = ValidationRule("Account", lambda row: row["Industry"] == "Retail", "Retail is closed.", "Industry")
    org = small_org(validation_rules=[rule])
    assert refusal(org, "Account", ACME, Phone="1") == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    org.update("Account", BETA, {"Phone": "1"})


def test_a_loaded_record_states_its_own_past() -> None:
    """Stamps stand as given, text is read by type, and an unknown column is named."""
    org = small_org()
    row = {"Id": salesforce_id("00T", 77)[:15], "Status": "Completed", "ActivityDate": "2024-01-01", "WhatId": ACME}
    org.load(
        "Task", [{**row, "CreatedDate": "2024-01-01T09:00:00Z", "IsDeleted": "false", "CallDurationInSeconds": "60"}]
    )
    got = of(org, "Task", salesforce_id("00T", 77), "IsClosed", "AccountId", "IsArchived", "CallDurationInSeconds")
    assert got == (True, ACME, True, 60)
    assert of(org, "Account", ACME, "LastActivityDate") == ("2024-01-01",)
    with pytest.raises(LookupError, match="Task has no field Colour"):
        org.load("Task", [{**row, "Colour": "red"}])


def test_a_late_write_is_seen_after_a_later_one() -> None:
    """With a commit lag on every second write, a row turns up below stamps that were seen before it."""
    org = small_org(commit_lag_s=300, commit_lag_every=2)
    accounts = org.table("Account")
    names = []
    while len(accounts.late) < 1:
        names.append(org.create("Account", {"Name": f"n{len(names)}"}))
    org.clock.advance(dt.timedelta(seconds=60))
    assert accounts.seen(names[-1], org.now()) is None
    org.clock.advance(dt.timedelta(seconds=300))
    assert accounts.seen(names[-1], org.now()) is not None


def test_an_org_is_filled_from_a_book() -> None:
    """Ids by number, currency per record, rates that divide, history, meetings as events, the HubSpot id."""

    def ago(days: int) -> dt.datetime:
        return NOW - dt.timedelta(days=days)

    stages = (
        Stage("a", "Open", Decimal("0.3"), "open"),
        Stage("w", "Signed", Decimal(1), "won"),
    )
    changes = (
        StageChange(ago(80), "a", Decimal("100.50"), dt.date(2026, 3, 1)),
        StageChange(ago(20), "w", Decimal(120), dt.date(2026, 4, 11)),
    )
    book = Book(NOW, "EUR", "Europe/Madrid", stages, [Seller(1, "Ann Lee"), Seller(2, "Bob", active=False)])
    book.companies = [
        Company(1, "Acme", ago(100), ago(10), 1, currency="USD", strategic_value=7),
        Company(2, "Twin", ago(100), ago(9), 1, merged_into=1),
    ]
    book.people = [Person(1, 1, "Zoe Zed")]
    book.deals = [Deal(1, "Deal", 1, 2, ago(80), ago(20), changes, currency="USD")]
    book.touches = [
        Touch(1, "call", ago(5), 1, ago(5), ago(5), "hello", people=(1,), minutes=5, inbound=True),
        Touch(2, "meeting", ago(3), 1, ago(5), ago(3), "met", deal=1),
    ]
    book.rates = [Rate("USD", dt.date(2024, 1, 1), Decimal("0.8"))]
    org = Org.from_book(book, Clock(NOW), {1: "9001"})
    assert of(org, "Account", ACME, "CurrencyIsoCode", "HubSpot_Company_Id__c", "LastActivityDate") == (
        "USD",
        "9001",
        "2026-04-28",
    )
    assert of(org, "Account", BETA, "IsDeleted", "MasterRecordId") == (True, ACME)
    assert of(org, "Opportunity", OPEN, "StageName", "Amount", "IsWon", "OwnerId") == ("Signed", 120.0, True, BOB)
    history = [(r["StageName"], r["Amount"], r["PrevAmount"]) for r in org.records("OpportunityHistory")]
    assert history == [("Open", 100.5, None), ("Signed", 120.0, 100.5)]
    task = of(org, "Task", salesforce_id("00T", 1), "AccountId", "TaskSubtype", "CallDurationInSeconds", "CallType")
    assert task == (ACME, "Call", 300, "Inbound")
    assert of(org, "Event", salesforce_id("00U", 2), "AccountId", "WhatId", "DurationInMinutes") == (ACME, OPEN, 30)
    rates = [(r["IsoCode"], r["ConversionRate"]) for r in org.records("DatedConversionRate")]
    assert rates == [("EUR", 1.0), ("USD", 1.25)]
