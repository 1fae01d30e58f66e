"""SOQL of the sandbox: what a statement finds, in which order, and how a wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import Refusal
from connectors.sandbox.salesforce.soql.running import World, run
from tests.contract.salesforce_small_org import ACME, BETA, GONE, OPEN, WON, ZOE, small_org


@pytest.fixture(scope="module")
def org() -> Org:
    """An org with one task of each kind, that nobody writes to."""
    made = small_org()
    made.create("Task", {"WhatId": OPEN, "WhoId": ZOE, "Subject": "100% sure_thing", "ActivityDate": "2026-04-24"})
    made.create("Task", {"WhatId": ACME, "Subject": "it's", "Status": "Completed", "ActivityDate": "2026-05-01"})
    return made


def found(org: Org, soql: str, *, everything: bool = False) -> list[dict[str, Any]]:
    """The records of a statement without their attributes."""
    base = "/services/data/v66.0/sobjects"
    world = World(org.tables, org.access(org.integration_user_id), org.clock.now(), org.zone, base)
    answer = run(world, soql, everything=everything)
    records = [answer.record(key) for key in answer.keys]
    return [{name: value for name, value in (record or {}).items() if name != "attributes"} for record in records]


def refused(org: Org, soql: str) -> tuple[str, str]:
    """The code and the last line of the message of a refused statement."""
    with pytest.raises(Refusal) as caught:
        found(org, soql)
    return caught.value.code, caught.value.message.rsplit("\n", maxsplit=1)[-1]


ACCOUNTS = {"Acme": ACME, "beta": BETA, "Gone": GONE}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("Name = 'ACME'", "Acme"),
        ("Name != 'acme'", "beta"),
        ("Name LIKE 'BE%'", "beta"),
        ("Name LIKE '_cm_'", "Acme"),
        ("Name = 'beta\\'s \\\"best\\\"'", "beta"),
        ("Industry = null", "beta"),
        ("Industry != null", "Acme"),
        ("Industry != 'Energy'", "Acme beta"),
        ("AnnualRevenue >= 1000", "Acme"),
        ("AnnualRevenue < 1000.0", ""),
        ("AnnualRevenue IN (1, 1e3)", "Acme"),
        ("Name IN ('acme', 'none')", "Acme"),
        ("Name NOT IN ('acme', 'none')", "beta"),
        ("NOT Name = 'acme'", "beta"),
        ("NOT (Name = 'acme' OR Industry = null)", ""),
        ("(Name = 'acme' OR Industry = null) AND IsDeleted = false", "Acme beta"),
        ("Parent.Name = 'acme'", "beta"),
        ("Owner.IsActive = false", "beta"),
        ("Parent.Owner.Name = 'Ann Lee'", "beta"),
        (f"Id > '{ACME}'", "beta"),
        (f"Id >= '{ACME[:15]}'", "Acme beta"),
        (f"Id = '{ACME}' OR Id >= '{BETA}'", "Acme beta"),
        (f"Id = '{BETA}' OR Id <= '{ACME}'", "Acme beta"),
        (f"Id IN ('{ACME}', '{BETA[:15]}')", "Acme beta"),
        ("CreatedDate >= 2026-04-01T08:00:00Z", "Acme beta"),
        ("CreatedDate > 2026-04-01T08:00:00Z", ""),
        ("CreatedDate = 2026-04-01T10:00:00+02:00", "Acme beta"),
        ("SystemModstamp < 2026-04-01T08:00:01.000Z", "beta"),
        ("SystemModstamp >= 2026-05-01T12:00:00Z AND SystemModstamp < 2026-05-01T12:00:01Z", "Acme"),
        ("LastActivityDate = 2026-05-01", "Acme"),
        ("LastActivityDate = TODAY", "Acme"),
        ("Id IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)", "beta"),
        ("Id NOT IN (SELECT AccountId FROM Opportunity WHERE IsWon = true)", "Acme"),
    ],
)
def test_a_condition_finds_its_accounts(org: Org, where: str, names: str) -> None:
    """Text without regard to case, null as a value, instants in UTC, ids in either length."""
    got = {record["Id"] for record in found(org, f"SELECT Id FROM Account WHERE {where}")}
    assert got == {ACCOUNTS[name] for name in names.split()}


@pytest.mark.parametrize(
    ("where", "subjects"),
    [
        ("Subject LIKE '100\\%%'", ["100% sure_thing"]),
        ("Subject LIKE '100\\_%'", []),
        ("Subject = 'it\\'s'", ["it's"]),
        ("ActivityDate = LAST_N_DAYS:7", ["100% sure_thing", "it's"]),
        ("ActivityDate = LAST_N_DAYS:6", ["it's"]),
        ("ActivityDate < TODAY", ["100% sure_thing"]),
        ("ActivityDate = LAST_MONTH", ["100% sure_thing"]),
        ("ActivityDate = THIS_YEAR", ["100% sure_thing", "it's"]),
        ("What.Type = 'Opportunity'", ["100% sure_thing"]),
        ("What.Type IN ('Account', 'Opportunity') AND Who.Name = 'Zoe Zed'", ["100% sure_thing"]),
    ],
)
def test_a_condition_finds_its_tasks(org: Org, where: str, subjects: list[str]) -> None:
    """Escapes of LIKE, date literals in the org's zone (today included), lookups to several objects."""
    got = found(org, f"SELECT Subject FROM Task WHERE {where} ORDER BY Id")
    assert [record["Subject"] for record in got] == subjects


def test_deleted_rows_are_seen_by_query_all_only(org: Org) -> None:
    """With IsDeleted to tell them."""
    soql = "SELECT Name, IsDeleted FROM Account ORDER BY Name"
    assert [record["Name"][:4] for record in found(org, soql)] == ["Acme", "beta"]
    both = [(record["Name"][:4], record["IsDeleted"]) for record in found(org, soql, everything=True)]
    assert both == [("Acme", False), ("beta", False), ("Gone", True)]


def test_archived_activities_are_seen_by_query_all_only() -> None:
    """A task closed more than a year ago."""
    org = small_org()
    old = {"Id": salesforce_id("00T", 77), "Status": "Completed", "ActivityDate": "2025-01-01"}
    org.load("Task", [{**old, "CreatedDate": "2025-01-01T00:00:00Z"}])
    assert found(org, "SELECT Id FROM Task") == []
    assert found(org, "SELECT Id, IsArchived FROM Task", everything=True) == [{"Id": old["Id"], "IsArchived": True}]


def test_parents_come_nested_and_missing_ones_null(org: Org) -> None:
    """Each level has the fields that were asked of it."""
    soql = "SELECT Id, Parent.Name, Parent.Owner.Name, Owner.Name FROM Account ORDER BY Name"
    acme, beta = found(org, soql)
    assert acme["Parent"] is None
    assert acme["Owner"]["Name"] == "Ann Lee"
    assert (beta["Parent"]["Name"], beta["Parent"]["Owner"]["Name"]) == ("Acme", "Ann Lee")
    assert beta["Parent"]["attributes"]["url"] == f"/services/data/v66.0/sobjects/Account/{ACME}"


def test_a_lookup_to_several_objects_is_a_name(org: Org) -> None:
    """With the type of the record it points to."""
    task = found(org, "SELECT What.Name, What.Type, Who.Type FROM Task ORDER BY Id LIMIT 1")[0]
    assert (task["What"]["Name"], task["What"]["Type"], task["Who"]["Type"]) == ("Open deal", "Opportunity", "Contact")


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("ORDER BY Name", ["Acme", "beta"]),
        ("ORDER BY Name DESC", ["beta", "Acme"]),
        ("ORDER BY Industry", ["beta", "Acme"]),
        ("ORDER BY Industry NULLS LAST", ["Acme", "beta"]),
        ("ORDER BY Industry DESC NULLS LAST", ["Acme", "beta"]),
        ("ORDER BY CreatedDate, Id DESC", ["beta", "Acme"]),
        ("ORDER BY SystemModstamp, Id", ["beta", "Acme"]),
        ("ORDER BY Id LIMIT 1", ["Acme"]),
        ("ORDER BY Id LIMIT 5 OFFSET 1", ["beta"]),
    ],
)
def test_rows_come_in_the_order_asked(org: Org, order: str, names: list[str]) -> None:
    """Text without regard to case, nulls first unless told otherwise, ties by the next term."""
    assert [record["Name"][:4] for record in found(org, f"SELECT Name FROM Account {order}")] == names


def test_a_keyset_over_stamp_and_id_reads_every_row_once() -> None:
    """Also where all rows share one stamp."""
    org = small_org()
    for n in range(7):
        org.create("Account", {"Name": f"n{n}"})
    stamp, last, names = "1970-01-01T00:00:00Z", "000000000000000AAA", []
    while True:
        after = f"SystemModstamp > {stamp} OR (SystemModstamp = {stamp} AND Id > '{last}')"
        soql = f"SELECT Id, Name, SystemModstamp FROM Account WHERE ({after}) ORDER BY SystemModstamp, Id LIMIT 2"
        page = found(org, soql)
        if not page:
            break
        names += [record["Name"] for record in page]
        stamp, last = page[-1]["SystemModstamp"].replace("+0000", "Z"), page[-1]["Id"]
    assert names == ["Acme", 'beta\'s "best"', "n0", "n1", "n2", "n3", "n4", "n5", "n6"]


def test_aggregates_fold_groups(org: Org) -> None:
    """Named by their alias, or expr0, expr1."""
    soql = "SELECT IsWon, COUNT(Id) deals, SUM(Amount), MAX(CloseDate) FROM Opportunity GROUP BY IsWon ORDER BY IsWon"
    assert found(org, soql) == [
        {"IsWon": False, "deals": 1, "expr0": 100.0, "expr1": "2026-06-30"},
        {"IsWon": True, "deals": 1, "expr0": 250.5, "expr1": "2026-06-30"},
    ]


def test_fields_functions_list_what_the_user_sees(org: Org) -> None:
    """ALL and CUSTOM need a LIMIT of at most 200."""
    assert "Industry" in found(org, "SELECT FIELDS(STANDARD) FROM Account LIMIT 1")[0]
    assert set(found(org, "SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")[0]) == {"HubSpot_Company_Id__c"}
    assert refused(org, "SELECT FIELDS(ALL) FROM Account")[0] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code", "part"),
    [
        ("SELECT Id FRM Account", "MALFORMED_QUERY", "unexpected token: 'FRM'"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY", "mismatched character"),
        ("SELECT Id FROM Account WHERE Name = 'a\\q'", "MALFORMED_QUERY", "Illegal escape"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
        ("SELECT Id FROM Account WHERE Name='a' AND Name='b' OR Name='c'", "MALFORMED_QUERY", "'OR'"),
        ("SELECT Id FROM Account ALL ROWS", "MALFORMED_QUERY", "ALL ROWS not allowed"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped"),
        (f"SELECT Id FROM Account WHERE Name = '{'x' * 100_001}'", "MALFORMED_QUERY", "100000"),
        ("SELECT Id FROM Account LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT Id, KAM_Tier__c FROM Account", "INVALID_FIELD", "No such column 'KAM_Tier__c' on entity 'Account'"),
        ("SELECT Nix.Name FROM Account", "INVALID_FIELD", "Didn't understand relationship 'Nix'"),
        ("SELECT Owner.Nix FROM Account", "INVALID_FIELD", "No such column 'Nix' on entity 'User'"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026'", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered"),
        ("SELECT Id FROM Account ORDER BY Description", "INVALID_FIELD", "can not be sorted"),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"),
        ("SELECT Id FROM DatedConversionRate", "INVALID_TYPE", "'DatedConversionRate' is not supported"),
        ("SELECT CurrencyIsoCode FROM Account", "INVALID_FIELD", "No such column 'CurrencyIsoCode'"),
        ("SELECT Id FROM Lead", "SANDBOX_UNKNOWN", "sandbox: unknown object Lead"),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "SANDBOX_UNKNOWN", "sandbox: unknown SOQL subquery"),
        ("SELECT toLabel(Name) FROM Account", "SANDBOX_UNKNOWN", "sandbox: unknown SOQL function toLabel"),
        ("SELECT Id FROM Account WITH SECURITY_ENFORCED", "SANDBOX_UNKNOWN", "sandbox: unknown SOQL WITH"),
    ],
)
def test_a_wrong_statement_is_refused_as_the_real_one_does(org: Org, soql: str, code: str, part: str) -> None:
    """And a gap of the sandbox is named as such."""
    got = refused(org, soql)
    assert got[0] == code
    assert part in got[1]


def test_the_error_points_to_its_place(org: Org) -> None:
    """Row and column, and a caret under the token."""
    with pytest.raises(Refusal) as caught:
        found(org, "SELECT Id,\n Nix FROM Account")
    assert "ERROR at Row:2:Column:2" in caught.value.message
    assert WON not in caught.value.message
