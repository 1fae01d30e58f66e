"""An org out of a folder of CSV files: what is held, what is set aside, and why."""

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.company import Company
from connectors.sandbox.salesforce.from_csv import LoadReport, NotAnExport, latest_event_date, org_from_csv
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.story import let_time_pass
from tests.data import maven

ACCOUNT, OTHER = salesforce_id("001", 1), salesforce_id("001", 2)
DEAL, USER = salesforce_id("006", 1), salesforce_id("005", 1)


@pytest.fixture(scope="module")
def maven_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Maven's data as an export."""
    if not maven.SOURCE.is_dir():
        pytest.skip(f"no {maven.SOURCE.name} beside the project")
    folder = tmp_path_factory.mktemp("maven")
    maven.convert(folder)
    return folder


@pytest.fixture(scope="module")
def maven_org(maven_folder: Path) -> tuple[Org, LoadReport]:
    """The org it makes."""
    return org_from_csv(maven_folder, home_currency=maven.CURRENCY)


def test_maven_is_held_whole(maven_org: tuple[Org, LoadReport]) -> None:
    """The known facts: 85 accounts, 15 with a parent; 8,800 deals, 4,238 won worth 10,005,534."""
    org, report = maven_org
    accounts, deals = org.records("Account"), org.records("Opportunity")
    assert (len(accounts), sum(a["ParentId"] is not None for a in accounts)) == (85, 15)
    assert Counter(d["StageName"] for d in deals) == {
        "Won": 4_238,
        "Lost": 2_473,
        "Engaging": 1_589,
        "Prospecting": 500,
    }
    assert sum(d["Amount"] for d in deals if d["IsWon"]) == 10_005_534
    assert sum(d["IsClosed"] for d in deals) == 6_711
    assert sum(d["AccountId"] is None for d in deals) == 1_425
    assert not report.set_aside
    assert not report.references_left_out


def test_maven_is_seen_from_its_last_day(maven_folder: Path, maven_org: tuple[Org, LoadReport]) -> None:
    """The last deal closed on the last day of 2017; the org's clock stands on the morning after."""
    org, report = maven_org
    assert latest_event_date(maven_folder) == report.as_of == dt.date(2017, 12, 31)
    assert org.clock.now() == dt.datetime(2018, 1, 1, 6, tzinfo=dt.UTC)
    assert max(d["SystemModstamp"] for d in org.records("Opportunity")) < "2018-01-01"


def test_maven_keeps_its_dirt_but_for_the_product(maven_org: tuple[Org, LoadReport]) -> None:
    """`technolgy` stays, `GTXPro` is mended, open deals without engage date are held, dated to the last day."""
    org, _ = maven_org
    assert "technolgy" in {a["Industry"] for a in org.records("Account")}
    assert not [d for d in org.records("Opportunity") if "GTXPro" in d["Name"]]
    prospecting = [d for d in org.records("Opportunity") if d["StageName"] == "Prospecting"]
    assert {d["CreatedDate"][:10] for d in prospecting} == {"2017-12-31"}
    assert {d["CloseDate"] for d in prospecting} == {None}


def test_time_passes_in_a_loaded_org_too(maven_folder: Path) -> None:
    """A story needs neither contacts nor activities."""
    org, _ = org_from_csv(maven_folder, home_currency=maven.CURRENCY)
    told = let_time_pass(Company(org, None, org.clock))
    assert sum("signed two deals" in line for line in told) == 1
    assert len(org.records("Opportunity")) == 8_802


def test_real_ids_are_kept_and_widened(tmp_path: Path) -> None:
    """Ids of 15 and of 18 characters are one id."""
    _write(tmp_path, "Account", "Id,Name,ParentId", f"{ACCOUNT[:15]},Alfa,", f"{OTHER},Beta,{ACCOUNT}")
    org, _ = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert _column(org, "Account", "ParentId") == {ACCOUNT: None, OTHER: ACCOUNT}


def test_other_keys_become_ids_that_keep_relations(tmp_path: Path) -> None:
    """Any text may be a key; the id made of it is the same in every load, whatever rows there are."""
    _write(tmp_path, "Account", "Id,Name,ParentId", "acme,Acme,", "1,Acme Sur,acme")
    _write(tmp_path, "Opportunity", "Id,AccountId,StageName,CloseDate", "1,1,Closed Won,2025-03-01")
    org, report = org_from_csv(tmp_path)
    accounts = {row["Name"]: row for row in org.records("Account")}
    assert accounts["Acme Sur"]["ParentId"] == accounts["Acme"]["Id"]
    (deal,) = org.records("Opportunity")
    assert deal["AccountId"] == accounts["Acme Sur"]["Id"]
    assert (deal["Id"][:3], deal["Name"]) == ("006", "1")
    assert not report.set_aside
    _write(tmp_path, "Account", "Id,Name", "another,Another", "acme,Acme", "1,Acme Sur")
    again, _ = org_from_csv(tmp_path)
    assert {r["Name"]: r["Id"] for r in again.records("Account") if r["Name"] != "Another"} == {
        name: row["Id"] for name, row in accounts.items()
    }


def test_rows_that_cannot_be_held_are_set_aside_with_the_reason(tmp_path: Path) -> None:
    """Bad date, bad number, no Id, a second row of one Id, a reference to nothing, a short row; the rest is held."""
    _write(
        tmp_path,
        "Account",
        "Id,Name,NumberOfEmployees",
        "a,Alfa,10",
        "b,Beta,many",
        ",Nobody,1",
        "a,Again,1",
        "c,,5",
        "d,Delta",
    )
    _write(
        tmp_path,
        "Opportunity",
        "Id,AccountId,StageName,CloseDate,Amount",
        "1,a,Closed Won,2025-03-01,100.50",
        "2,a,Closed Won,01/03/2025,100",
        "3,a,Closed Won,2025-03-01,1.000,50",
        "4,a,Closed Won,2025-03-01,lots",
        "5,zz,Closed Won,2025-03-01,1",
        "6,b,Closed Won,2025-03-01,1",
        "7,,Prospecting,2025-04-01,",
        "8,a,,2025-04-01,",
    )
    org, report = org_from_csv(tmp_path)
    assert report.loaded["Account"] == 1
    assert sorted(d["Name"] for d in org.records("Opportunity")) == ["1", "7"]
    assert report.set_aside == {
        ("Account", "NumberOfEmployees is not a whole number"): 1,
        ("Account", "no Id"): 1,
        ("Account", "an Id that another row has"): 1,
        ("Account", "no Name"): 1,
        ("Account", "another number of values than the first line has"): 1,
        ("Opportunity", "CloseDate is not a date"): 1,
        ("Opportunity", "another number of values than the first line has"): 1,
        ("Opportunity", "Amount is not a number"): 1,
        ("Opportunity", "AccountId names a record that is not there"): 2,
        ("Opportunity", "no StageName"): 1,
    }
    assert "Opportunity: 2 rows set aside: AccountId names a record that is not there." in report.lines()
    assert not [line for line in report.lines() if "lots" in line or "zz" in line]


def test_what_is_unknown_is_left_out_and_told(tmp_path: Path) -> None:
    """Columns, files, and references to objects that are not in the folder."""
    _write(tmp_path, "Account", "Id,Name,Favourite_Colour__c,OwnerId", f"a,Alfa,red,{USER}")
    _write(tmp_path, "Case", "Id", "1")
    _write(tmp_path, "Task", "Id,WhatId,WhoId,Subject,Status", "1,500000000000001AAA,003000000000001AAA,Hola,Completed")
    org, report = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert report.unknown_columns == {"Account": ("Favourite_Colour__c",)}
    assert report.unknown_files == ("Case.csv",)
    assert report.references_left_out == {("Task", "WhatId"): 1, ("Task", "WhoId"): 1}
    (task,) = org.records("Task")
    assert (task["WhatId"], task["WhoId"], task["IsClosed"]) == (None, None, True)


def test_owners_without_a_user_file_are_told_apart(tmp_path: Path) -> None:
    """Each id that a row names as owner is a user."""
    _write(tmp_path, "Account", "Id,Name,OwnerId", f"a,Alfa,{USER}", "b,Beta,maria")
    org, _ = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    owners = set(_column(org, "Account", "OwnerId").values())
    assert len(owners) == 2
    assert USER in owners
    assert owners <= set(_column(org, "User", "Name"))


@pytest.mark.parametrize(
    "encoded",
    [
        "Id,Name\r\na,Ñandú €\r\n".encode("utf-8-sig"),
        "Id,Name\na,Ñandú €\n".encode("cp1252"),
        "ID;NAME\na;Ñandú €\n".encode(),
        "id\tname\na\tÑandú €".encode("utf-16"),
    ],
    ids=["utf-8 with mark", "cp1252", "semicolons, other case", "utf-16 with tabs"],
)
def test_files_are_read_as_tools_write_them(tmp_path: Path, encoded: bytes) -> None:
    """Encodings, separators and the case of names differ; the text is the same."""
    (tmp_path / "ACCOUNT.CSV").write_bytes(encoded)
    org, _ = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert [row["Name"] for row in org.records("Account")] == ["Ñandú €"]


def test_quoted_newlines_and_quotes_are_text(tmp_path: Path) -> None:
    """A description may have lines, commas and quotes."""
    _write(tmp_path, "Account", "Id,Name,Description", 'a,Alfa,"line 1\nline 2, ""quoted"""')
    org, _ = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert [row["Description"] for row in org.records("Account")] == ['line 1\nline 2, "quoted"']


@pytest.mark.parametrize(
    ("header", "won", "lost", "open_"),
    [
        ("StageName", "Closed Won", "Closed Lost", "Negotiation"),
        ("StageName", "Ganada", "Perdida", "Propuesta"),
        ("StageName,IsClosed,IsWon", "Firmado,1,1", "Archivado,true,false", "Hablando,0,0"),
        ("StageName,IsWon", "Firmado,true", "Lost,false", "Hablando,false"),
    ],
    ids=["well-known", "Spanish", "columns", "won column only"],
)
def test_stages_are_derived(tmp_path: Path, header: str, won: str, lost: str, open_: str) -> None:
    """From IsClosed and IsWon where they are there, else from what the stage is called."""
    _write(tmp_path, "Account", "Id,Name", "a,Alfa")
    rows = [f"{number},2025-03-0{number},{stage}" for number, stage in enumerate((won, lost, open_), start=1)]
    _write(tmp_path, "Opportunity", f"Id,CloseDate,{header}", *rows)
    org, _ = org_from_csv(tmp_path)
    found = {row["Name"]: (row["IsClosed"], row["IsWon"]) for row in org.records("Opportunity")}
    assert found == {"1": (True, True), "2": (True, False), "3": (False, False)}


def test_declared_stages_win(tmp_path: Path) -> None:
    """OpportunityStage.csv says what a stage means and how probable it is."""
    _write(tmp_path, "Account", "Id,Name", "a,Alfa")
    _write(tmp_path, "OpportunityStage", "Id,MasterLabel,DefaultProbability,IsClosed,IsWon", "1,Won,60,false,false")
    _write(tmp_path, "Opportunity", "Id,CloseDate,StageName,CreatedDate", "1,2025-03-01,Won,2025-01-01")
    org, report = org_from_csv(tmp_path)
    (deal,) = org.records("Opportunity")
    assert (deal["IsClosed"], deal["Probability"]) == (False, 60)
    assert report.as_of == dt.date(2025, 1, 1)


def test_stamps_are_derived_where_they_are_absent(tmp_path: Path) -> None:
    """A closed deal was last changed when it closed; what states its stamps keeps them."""
    _write(tmp_path, "Account", "Id,Name", "a,Alfa")
    _write(
        tmp_path,
        "Opportunity",
        "Id,StageName,CreatedDate,CloseDate,LastModifiedDate",
        "1,Closed Won,2025-01-10,2025-03-01,",
        "2,Closed Won,,2025-03-02,",
        "3,Prospecting,,,",
        "4,Closed Won,2025-01-10 08:30:00,2025-02-01,2025-02-03T09:00:00.000Z",
    )
    org, _ = org_from_csv(tmp_path)
    stamps = {
        row["Name"]: (row["CreatedDate"][:16], row["LastModifiedDate"][:16], row["SystemModstamp"][:16])
        for row in org.records("Opportunity")
    }
    assert stamps == {
        "1": ("2025-01-10T12:00", "2025-03-01T12:00", "2025-03-01T12:00"),
        "2": ("2025-03-02T12:00", "2025-03-02T12:00", "2025-03-02T12:00"),
        "3": ("2025-03-02T12:00", "2025-03-02T12:00", "2025-03-02T12:00"),
        "4": ("2025-01-10T08:30", "2025-02-03T09:00", "2025-02-03T09:00"),
    }


def test_the_latest_event_is_no_plan_and_no_slip(tmp_path: Path) -> None:
    """Open deals, planned tasks and events do not count, nor a close date after the last change of any row."""
    _write(tmp_path, "Account", "Id,Name,CreatedDate,LastModifiedDate", "a,Alfa,2024-01-01,2025-06-30")
    _write(
        tmp_path,
        "Opportunity",
        "Id,StageName,CloseDate,SystemModstamp",
        "1,Closed Won,2025-05-20,2025-05-21",
        "2,Closed Won,2205-05-20,2025-05-21",
        "3,Prospecting,2025-12-31,2025-05-21",
    )
    _write(tmp_path, "Task", "Id,Status,ActivityDate", "1,Completed,2025-05-25", "2,Not Started,2025-06-29")
    _write(tmp_path, "Event", "Id,ActivityDate", "1,2025-06-28")
    assert latest_event_date(tmp_path) == dt.date(2025, 5, 25)


def test_currencies_without_rates_have_none(tmp_path: Path) -> None:
    """A currency that only rows name gets no rate, and the report says so; it is never one to one."""
    _write(tmp_path, "Account", "Id,Name,CurrencyIsoCode", "a,Alfa,EUR", "b,Beta,CHF")
    org, report = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert [row["IsoCode"] for row in org.records("CurrencyType")] == ["EUR"]
    assert report.notes == ["No rate for CHF: CurrencyType.csv does not say one."]


def test_currencies_come_with_their_rates(tmp_path: Path) -> None:
    """The corporate currency and dated rates are the export's."""
    _write(tmp_path, "Account", "Id,Name,CurrencyIsoCode", "a,Alfa,EUR")
    _write(tmp_path, "CurrencyType", "Id,IsoCode,ConversionRate,IsCorporate", "1,USD,1,true", "2,EUR,0.9,false")
    _write(
        tmp_path,
        "DatedConversionRate",
        "Id,IsoCode,ConversionRate,StartDate",
        "1,EUR,0.8,2025-01-01",
        "2,EUR,0.7,2024-01-01",
        "3,EUR,x,2024-06-01",
    )
    org, report = org_from_csv(tmp_path, dt.date(2026, 1, 1))
    assert org.home_currency == "USD"
    dated = [r for r in org.records("DatedConversionRate") if r["IsoCode"] == "EUR"]
    assert [(r["StartDate"], r["NextStartDate"], r["ConversionRate"]) for r in dated] == [
        ("2024-01-01", "2025-01-01", 0.7),
        ("2025-01-01", "9999-12-31", 0.8),
    ]
    assert sum(report.set_aside.values()) == 1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "holds no Account.csv"),
        ({"Account": "Name\nAlfa"}, "has no column Id"),
        ({"Account": ""}, "has no column Id"),
        ({"Account": "Id,Name\na,Alfa"}, "no date of anything that happened"),
    ],
    ids=["no accounts", "no Id", "empty", "no dates"],
)
def test_a_folder_that_is_no_export_is_refused_in_one_line(tmp_path: Path, files: dict[str, str], says: str) -> None:
    """The message says what is missing."""
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    with pytest.raises(NotAnExport, match=says) as refused:
        org_from_csv(tmp_path)
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """So is a path that leads nowhere."""
    with pytest.raises(NotAnExport, match="is not a folder"):
        org_from_csv(tmp_path / "nowhere")


def _write(folder: Path, name: str, *lines: str) -> None:
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _column(org: Org, sobject: str, field: str) -> dict[str, Any]:
    return {row["Id"]: row[field] for row in org.records(sobject)}


def test_an_export_that_says_nothing_of_cases_has_none_to_count(tmp_path: Path) -> None:
    """What stands around accounts and is in no file is hidden from the API: none said is not none there."""
    (tmp_path / "Account.csv").write_text("Id,Name\na1,Acme\n")
    org, _ = org_from_csv(tmp_path, dt.date(2026, 1, 31))
    access = org.access(org.integration_user_id)
    asked = ("Account", "Contact", "Case", "CaseStatus", "Contract", "Asset", "AccountPlan", "OpportunityLineItem")
    assert {name for name in asked if access.may(org.table(name).sobject, "Read")} == {"Account", "Contact"}
