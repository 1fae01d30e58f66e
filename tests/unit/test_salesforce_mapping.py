"""What the Salesforce connector makes of what it reads, and how it asks: ids, queries, mappings."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from connectors.mapping import normalize
from connectors.salesforce import soql
from connectors.salesforce.codecs import widened
from connectors.salesforce.frames import as_text, text_frame
from connectors.salesforce.mapping import EVENTS, TASKS, accounts, cut, opportunities


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
    assert soql.between("SystemModstamp", since, until) == (
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
