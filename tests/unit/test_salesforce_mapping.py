"""What the Salesforce connector makes of what it reads, and how it asks: ids, queries, mappings."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from connectors.mapping import normalize
from connectors.salesforce import soql
from connectors.salesforce.catalogue import objects
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import as_text, text_frame
from connectors.salesforce.mapping import EVENTS, HISTORY, TASKS, accounts, asked, cut, declared, opportunities


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("001D000000IRFma", "001D000000IRFmaIAH"),
        ("0013000000aaaaa", "0013000000aaaaaAAA"),
        ("001D000000IRFmaIAH", "001D000000IRFmaIAH"),
        (" ", None),
        ("0", "0"),
    ],
)
def test_ids_have_eighteen_characters(short: str, long: str | None) -> None:
    """Fifteen become eighteen; other texts stay, blank is null."""
    assert pl.DataFrame({"id": [short]}).select(widened(pl.col("id"))).item() == long


def test_queries_are_escaped_and_names_checked() -> None:
    """Quotes end no literal, and nothing that is no name is pasted."""
    assert soql.any_of("Id", ["a'b", "c\\"]) == r"Id IN ('a\'b','c\\')"
    assert soql.select(["Id", "Name"], "Account", "x = 1") == "SELECT Id,Name FROM Account WHERE x = 1"
    with pytest.raises(ValueError, match="not a Salesforce name"):
        soql.select(["Id FROM User--"], "Account")


def test_windows_are_whole_seconds_in_utc() -> None:
    """A window is never smaller than asked: its start is cut down, its end rounded up to the second."""
    zone = dt.timezone(dt.timedelta(hours=1))
    since = dt.datetime(2026, 1, 1, 13, 0, 0, 900_000, tzinfo=zone)
    until = dt.datetime(2026, 1, 1, 12, 0, 5, 1, tzinfo=dt.UTC)
    assert soql.within("SystemModstamp", since, until) == (
        "SystemModstamp >= 2026-01-01T12:00:00Z AND SystemModstamp < 2026-01-01T12:00:06Z"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), (True, "true"), (1, "1"), (12.5, "12.5"), (1e16, "10000000000000000"), (2.5e-7, "0.00000025")],
)
def test_json_values_as_text(value: Any, text: str | None) -> None:
    """Numbers have no exponent, truth values are words."""
    assert as_text(value) == text


def normal(mapping: Any, **row: Any) -> dict[str, Any]:
    fitting = cut(mapping, set(row) - {"@planned"})
    frame = text_frame([{"Id": "001D000000IRFma", **row}], fitting.raw_schema())
    done = normalize(frame, fitting)
    assert done.rejects.is_empty()
    return done.rows.to_dicts()[0]


def test_opportunity_as_ours() -> None:
    """Stage flags become a status, percent a share, dates stay plain, ids are widened."""
    row = normal(
        opportunities(many_currencies=True),
        Id="006D000000IRFma",
        AccountId="001D000000IRFma",
        StageName="Closed Won",
        IsClosed=True,
        IsWon=True,
        ForecastCategory="Omitted",
        Type="Existing Customer - Upgrade",
        Amount=1234.56789,
        Probability=70.0,
        CloseDate="2026-02-28",
        CurrencyIsoCode="EUR",
    )
    shown = ("account_id", "status", "is_omitted", "kind", "amount", "probability", "close_on", "currency")
    expected = ("001D000000IRFmaIAH", "won", True, "expansion", 12345679, 0.7, dt.date(2026, 2, 28), "EUR")
    assert tuple(row[name] for name in shown) == expected


@pytest.mark.parametrize(
    ("closed", "won", "status"), [(False, False, "open"), (True, False, "lost"), (True, True, "won")]
)
def test_status_of_a_stage(closed: bool, won: bool, status: str) -> None:
    """Open, lost and won are told apart by the two flags."""
    given = {"AccountId": None, "StageName": "s", "CloseDate": None}
    row = normal(opportunities(many_currencies=False), **given, IsClosed=closed, IsWon=won)
    assert row["status"] == status


def test_merge_loser_as_ours() -> None:
    """A loser is deleted and names its survivor."""
    row = normal(
        accounts("Hub__c", many_currencies=False),
        Name="x",
        IsDeleted=True,
        MasterRecordId="001D000000IRFmb",
        Website="https://WWW.Acme.example:8080/a?b",
        Type="Customer - Direct",
    )
    assert (row["deleted"], row["merged_into_id"]) == (True, "001D000000IRFmbIAH")
    assert (row["domain"], row["type"]) == ("acme.example", "customer")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"TaskSubtype": "Call", "Type": None}, {"kind": "call"}),
        ({"TaskSubtype": "Task", "Type": "Meeting"}, {"kind": "meeting"}),
        ({"TaskSubtype": "List Email"}, {"kind": "mass_email"}),
        ({"TaskSubtype": "Task", "Type": "Other"}, {"kind": "task"}),
        ({"WhatId": "006D000000IRFma"}, {"opportunity_id": "006D000000IRFmaIAH", "account_ids": None}),
        ({"WhatId": "001D000000IRFma"}, {"opportunity_id": None, "account_ids": "001D000000IRFmaIAH"}),
        ({"WhatId": "500D000000IRFma", "AccountId": "001D000000IRFma"}, {"account_ids": "001D000000IRFmaIAH"}),
        ({"WhatId": "500D000000IRFma"}, {"case_id": "500D000000IRFmaIAH", "account_ids": None, "opportunity_id": None}),
        ({"WhoId": "003D000000IRFma"}, {"person_ids": "003D000000IRFmaIAH"}),
        ({"WhoId": "00QD000000IRFma"}, {"person_ids": None}),
        ({"IsRecurrence": True}, {"is_counted": False}),
        ({"IsRecurrence": False}, {"is_counted": True}),
        ({"IsClosed": True}, {"status": "done"}),
        ({"ActivityDate": "2026-01-05T00:00:00.000+0000"}, {"occurred_on": dt.date(2026, 1, 5)}),
    ],
)
def test_task_as_ours(given: dict[str, Any], shown: dict[str, Any]) -> None:
    """Kind by subtype, then type; who and what by the kind of record that the id names."""
    row = normal(TASKS, **{"IsClosed": False, "ActivityDate": None, **given})
    assert {name: row[name] for name in shown} == shown


@pytest.mark.parametrize(
    ("child", "series", "counted"), [(False, False, True), (True, False, False), (None, True, False)]
)
def test_copies_and_series_masters_do_not_count(child: bool | None, series: bool, counted: bool) -> None:
    """An invitee's copy and the master of a series are no events of their own."""
    row = normal(EVENTS, ActivityDate="2026-01-05", IsChild=child, IsRecurrence=series, **{"@planned": "planned"})
    assert (row["is_counted"], row["status"], row["kind"]) == (counted, "planned", "meeting")


@pytest.mark.parametrize(
    ("stream", "given", "shown"),
    [
        (
            "contacts",
            {"AccountId": "001D000000IRFma", "HasOptedOutOfEmail": True, "MasterRecordId": "003D000000IRFmb"},
            {"account_id": "001D000000IRFmaIAH", "has_opted_out": True, "merged_into_id": "003D000000IRFmbIAH"},
        ),
        (
            "account_contact_relations",
            {
                "AccountId": "001D000000IRFma",
                "ContactId": "003D000000IRFma",
                "Roles": "User; Buyer;User",
                "IsDirect": 0,
            },
            {"person_id": "003D000000IRFmaIAH", "roles": "Buyer;User", "is_direct": False},
        ),
        (
            "cases",
            {"AccountId": None, "IsClosed": True, "Type": "Feature Request", "CreatedDate": "2026-01-05T09:00:00Z"},
            {"kind": "feature_request", "is_closed": True, "opened_at": dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)},
        ),
        ("cases", {"AccountId": None, "IsClosed": False, "Type": None}, {"kind": None, "is_closed": False}),
        (
            "contracts",
            {"AccountId": "001D000000IRFma", "ContractTerm": 12, "EndDate": "2026-12-31"},
            {"term_months": 12, "ends_on": dt.date(2026, 12, 31)},
        ),
        (
            "orders",
            {"AccountId": "001D000000IRFma", "TotalAmount": 99.5, "EffectiveDate": "2026-01-31", "Type": None},
            {"amount": 995_000, "effective_on": dt.date(2026, 1, 31), "kind": None},
        ),
        ("assets", {"AccountId": None, "Quantity": 2.5, "Price": 10}, {"quantity": 2.5, "price": 100_000}),
        (
            "opportunity_line_items",
            {"OpportunityId": "006D000000IRFma", "Discount": 12.5, "TotalPrice": 35.0, "UnitPrice": 20},
            {"discount_share": 0.125, "amount": 350_000, "unit_price": 200_000, "list_price": None},
        ),
        ("products", {"Name": "Base", "IsActive": False}, {"name": "Base", "is_active": False}),
        (
            "opportunity_field_history",
            {
                "OpportunityId": "006D000000IRFma",
                "Field": "Amount",
                "CreatedDate": "2026-01-05T09:00:00Z",
                "OldValue": 5.0,
            },
            {"field": "Amount", "old_value": "5.0", "new_value": None},
        ),
        (
            "account_plan_measures",
            {
                "AccountPlanObjectiveId": "1yB000000000001",
                "ValueType": "Percent",
                "TargetCurrencyValue": None,
                "TargetPercentValue": 45.5,
                "CurrentNumberValue": None,
            },
            {"unit": "percent", "target_value": 45.5, "current_value": None},
        ),
    ],
)
def test_other_records_as_ours(stream: str, given: dict[str, Any], shown: dict[str, Any]) -> None:
    """Money, shares, dates and ids as everywhere; what Salesforce does not say is null."""
    (one,) = (s for s in declared("Hub__c", many_currencies=True, insist=False) if s.name == stream)
    row = normal(one.mapping, **given)
    assert {name: row[name] for name in shown} == shown


def test_history_tells_what_was_before() -> None:
    """Amount and close date before a change, where Salesforce states them."""
    given = {"OpportunityId": "006D000000IRFma", "CreatedDate": "2026-01-05T09:00:00Z", "StageName": "s"}
    row = normal(HISTORY, **given, PrevAmount=7, PrevCloseDate="2026-01-31", **{"@status": "open"})
    assert (row["prev_amount"], row["prev_close_on"]) == (70_000, dt.date(2026, 1, 31))
    assert normal(HISTORY, **given, PrevAmount=None, **{"@status": "open"})["prev_amount"] is None


def test_no_name_or_address_of_a_person_is_asked_for() -> None:
    """Personal data is not read before a figure needs it, and neither is what people write."""
    streams = {s.name: asked(s.mapping) for s in declared("Hub__c", many_currencies=True, insist=False)}
    assert not {f for f in streams["contacts"] if "Name" in f or "Email" in f or "Phone" in f} - {"HasOptedOutOfEmail"}
    assert not {"Subject", "Description"} & {f for fields in streams.values() for f in fields}


def test_objects_are_declared_once() -> None:
    """Each stream reads an object of its own, and all of them fit into one call of describes."""
    streams = declared("Hub__c", many_currencies=True, insist=False)
    assert len({s.name for s in streams}) == len({s.kind for s in streams}) == len(streams)
    assert len(objects()) == len(set(objects())) <= 25
