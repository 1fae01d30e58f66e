"""The objects around accounts and opportunities in the sandbox org: what they are, and what follows from what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.sandbox.salesforce.fields import number
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.refusals import RowRefused
from tests.contract.salesforce_small_org import ACME, ANN, BETA, LATER, OPEN, YAN, ZOE, Desk, open_desk, small_org

AT, HOUR_LATER = "2026-05-01T12:00:00.000+0000", "2026-05-01T13:00:00.000+0000"
BEFORE = "2026-04-01T08:00:00.000+0000"

PREFIXES = {
    "Case": "500", "OpportunityContactRole": "00K", "AccountContactRelation": "07k", "AccountTeamMember": "01M",
    "Contract": "800", "Order": "801", "Asset": "02i", "OpportunityLineItem": "00k", "Product2": "01t",
    "Pricebook2": "01s", "PricebookEntry": "01u", "OpportunityFieldHistory": "017",
}  # fmt: skip
FEATURES = {
    "contacts_to_multiple_accounts": "AccountContactRelation",
    "account_teams": "AccountTeamMember",
    "account_plans": "AccountPlanObjective",
    "products": "OpportunityLineItem",
    "contracts": "Contract",
    "orders": "Order",
    "assets": "Asset",
    "opportunity_field_history": "OpportunityFieldHistory",
}
MADE: dict[str, dict[str, Any]] = {
    "Case": {"AccountId": ACME},
    "OpportunityContactRole": {"OpportunityId": OPEN, "ContactId": YAN},
    "AccountContactRelation": {"AccountId": BETA, "ContactId": ZOE},
    "AccountTeamMember": {"AccountId": ACME, "UserId": ANN},
    "Contract": {"AccountId": ACME, "StartDate": "2026-01-01", "ContractTerm": 12},
    "Order": {"AccountId": ACME, "EffectiveDate": "2026-01-01"},
    "Asset": {"AccountId": ACME, "Name": "Pump"},
    "Product2": {"Name": "Pump"},
    "AccountPlan": {"AccountId": ACME, "Name": "Plan"},
    "OpportunityLineItem": {"OpportunityId": OPEN, "Quantity": 1, "UnitPrice": 5},
}
"""A record that each object takes."""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


def of(org: Org, sobject: str, record_id: str, *names: str) -> tuple[Any, ...]:
    """Values of a record."""
    record = org.record(sobject, record_id)
    assert record is not None
    return tuple(record[name] for name in names)


def live(org: Org, sobject: str, **wanted: Any) -> list[dict[str, Any]]:
    """The live records of an object that hold these values."""
    rows = [row for row in org.records(sobject) if not row["IsDeleted"]]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def with_product(org: Org, price: float = 20) -> str:
    """Gives the org a product; returns the id of its entry in the standard price book."""
    book = org.create("Pricebook2", {"Name": "Standard"})
    product = org.create("Product2", {"Name": "Pump", "ProductCode": "P-1"})
    return org.create("PricebookEntry", {"Pricebook2Id": book, "Product2Id": product, "UnitPrice": price})


# What there is.


def test_describe_knows_the_objects_with_their_prefixes_and_lookups(desk: Desk) -> None:
    """Each is queryable, and its lookups name objects and relationships as the vendor does."""
    desk.show(small_org())
    listed = {one["name"]: one for one in desk.get("sobjects")["sobjects"]}
    assert {name: listed[name]["keyPrefix"] for name in PREFIXES} == PREFIXES
    fields = {one["name"]: one for one in desk.get("sobjects/Case/describe")["fields"]}
    assert (fields["CaseNumber"]["autoNumber"], fields["Subject"]["autoNumber"]) == (True, False)
    assert (fields["ClosedDate"]["createable"], fields["OwnerId"]["referenceTo"]) == (False, ["User", "Group"])
    account = desk.get("sobjects/Account/describe")["childRelationships"]
    children = {(one["childSObject"], one["relationshipName"], one["cascadeDelete"]) for one in account}
    assert {("Case", "Cases", True), ("AccountTeamMember", "AccountTeamMembers", True)} <= children
    history = {one["name"]: one for one in desk.get("sobjects/OpportunityFieldHistory/describe")["fields"]}
    assert "SystemModstamp" not in history
    assert (history["OldValue"]["type"], history["OldValue"]["filterable"]) == ("anyType", False)


@pytest.mark.parametrize(("knob", "sobject"), FEATURES.items())
def test_an_org_without_a_feature_has_none_of_its_objects(desk: Desk, knob: str, sobject: str) -> None:
    """Not in the list, 404 for describe, INVALID_TYPE in a query."""
    off: dict[str, Any] = {knob: False}
    desk.show(small_org(**off))
    assert sobject not in {one["name"] for one in desk.get("sobjects")["sobjects"]}
    assert desk.call("GET", f"sobjects/{sobject}/describe").status_code == 404
    assert desk.get("query", q=f"SELECT Id FROM {sobject}")[0]["errorCode"] == "INVALID_TYPE"


def test_lookups_to_an_object_that_is_not_there_go_with_it(desk: Desk) -> None:
    """Without products an asset has no Product2Id, without contracts an order no ContractId."""
    desk.show(small_org(products=False, contracts=False))
    names = {s: {one["name"] for one in desk.get(f"sobjects/{s}/describe")["fields"]} for s in ("Asset", "Order")}
    assert "Product2Id" not in names["Asset"]
    assert "ContractId" not in names["Order"]
    assert "OpportunityId" in names["Order"]


@pytest.mark.parametrize(("version", "status"), [("v61.0", 404), ("v62.0", 200)])
def test_plans_are_known_from_version_62_on(desk: Desk, version: str, status: int) -> None:
    """Before it they are no object, whatever the org has turned on."""
    desk.show(small_org())
    there = f"{desk.url}/services/data/{version}"
    assert desk.session.get(f"{there}/sobjects/AccountPlan/describe", timeout=30).status_code == status
    asked = desk.session.get(f"{there}/query", params={"q": "SELECT Id FROM AccountPlan"}, timeout=30)
    assert asked.status_code == (200 if status == 200 else 400)


def test_currency_is_a_column_where_the_vendor_has_it(desk: Desk) -> None:
    """Only in an org with several currencies, and not on a contact's relation to an account."""
    asked = ("Case", "Contract", "OpportunityLineItem", "AccountTeamMember", "AccountContactRelation")
    for several, has in ((False, set()), (True, set(asked[:4]))):
        desk.show(small_org(multi_currency=several))
        names = {s: {one["name"] for one in desk.get(f"sobjects/{s}/describe")["fields"]} for s in asked}
        assert {s for s in asked if "CurrencyIsoCode" in names[s]} == has


# What follows from what.


def test_a_case_closes_with_its_status() -> None:
    """ClosedDate is set when it closes and cleared when it opens again; its account comes from the contact."""
    org = small_org()
    case = org.create("Case", {"ContactId": ZOE, "Subject": "Leak"})
    assert of(org, "Case", case, "AccountId", "IsClosed", "ClosedDate", "Status") == (ACME, False, None, "New")
    org.clock.advance(LATER)
    org.update("Case", case, {"Status": "Closed"})
    assert of(org, "Case", case, "IsClosed", "ClosedDate") == (True, HOUR_LATER)
    org.clock.advance(LATER)
    org.update("Case", case, {"Subject": "Leak, again"})
    assert of(org, "Case", case, "ClosedDate") == (HOUR_LATER,)
    org.update("Case", case, {"Status": "Working"})
    assert of(org, "Case", case, "IsClosed", "ClosedDate") == (False, None)


@pytest.mark.parametrize(("what", "account"), [("Case", None), ("Contract", ACME), ("Order", None), ("Asset", None)])
def test_the_account_of_a_task_comes_from_what_leads_to_it(what: str, account: str | None) -> None:
    """From a contract it does, from a case, an order or an asset it does not; then the contact may say it."""
    org = small_org()
    about = org.create(what, MADE[what])
    task, with_whom = org.create("Task", {"WhatId": about}), org.create("Task", {"WhatId": about, "WhoId": YAN})
    assert of(org, "Task", task, "AccountId") == (account,)
    assert of(org, "Task", with_whom, "AccountId") == (account or BETA,)


def test_line_items_make_up_the_amount() -> None:
    """With the first item the amount is theirs, history is left, and a written amount changes nothing."""
    org = small_org()
    entry = with_product(org)
    first = org.create("OpportunityLineItem", {"OpportunityId": OPEN, "PricebookEntryId": entry, "Quantity": 3})
    assert of(org, "OpportunityLineItem", first, "UnitPrice", "TotalPrice", "Name") == (20.0, 60.0, "Open deal Pump")
    names = ("Amount", "HasOpportunityLineItem", "TotalOpportunityQuantity", "ExpectedRevenue", "SystemModstamp")
    assert of(org, "Opportunity", OPEN, *names) == (60.0, True, 3.0, 6.0, AT)
    org.update("Opportunity", OPEN, {"Amount": 999, "NextStep": "call"})
    assert of(org, "Opportunity", OPEN, "Amount", "NextStep") == (60.0, "call")
    second = {"OpportunityId": OPEN, "PricebookEntryId": entry, "Quantity": 2, "TotalPrice": 15.5}
    other = org.create("OpportunityLineItem", second)
    assert of(org, "OpportunityLineItem", other, "UnitPrice") == (7.75,)
    assert of(org, "Opportunity", OPEN, "Amount") == (75.5,)
    org.update("OpportunityLineItem", first, {"Quantity": 1})
    org.delete("OpportunityLineItem", other)
    assert of(org, "Opportunity", OPEN, "Amount") == (20.0,)
    org.delete("OpportunityLineItem", first)
    assert of(org, "Opportunity", OPEN, "Amount", "HasOpportunityLineItem") == (20.0, False)
    history = [(row["PrevAmount"], row["Amount"]) for row in org.records("OpportunityHistory")]
    assert history == [(100.0, 60.0), (60.0, 75.5), (75.5, 35.5), (35.5, 20.0)]


def test_an_item_without_any_price_is_refused() -> None:
    """Neither its own nor a list price."""
    with pytest.raises(RowRefused, match="UnitPrice"):
        small_org().create("OpportunityLineItem", {"OpportunityId": OPEN, "Quantity": 1})


def test_a_tracked_field_leaves_history_when_it_changes() -> None:
    """Old and new value with their type; two rows for an owner, by name and by id; none for other fields."""
    org = small_org()
    org.update("Opportunity", OPEN, {"Amount": 120, "CloseDate": "2026-07-15", "OwnerId": ANN, "NextStep": "call"})
    names = ("Field", "DataType", "OldValue", "NewValue", "CreatedDate")
    admin = org.admin_user_id
    assert [tuple(row[name] for name in names) for row in org.records("OpportunityFieldHistory")] == [
        ("Amount", "Currency", 100.0, 120.0, AT),
        ("CloseDate", "DateOnly", "2026-06-30", "2026-07-15", AT),
        ("Owner", "Text", of(org, "User", admin, "Name")[0], "Ann Lee", AT),
        ("Owner", "EntityId", admin, ANN, AT),
    ]
    new = org.create("Opportunity", {"Name": "n", "StageName": "Prospecting", "CloseDate": "2026-08-01"})
    assert [row["Field"] for row in live(org, "OpportunityFieldHistory", OpportunityId=new)] == ["created"]


def test_only_tracked_fields_leave_history() -> None:
    """Which ones is the org's setting."""
    org = small_org(tracked_fields=frozenset({"NextStep"}))
    org.update("Opportunity", OPEN, {"Amount": 120, "NextStep": "call"})
    assert [row["Field"] for row in org.records("OpportunityFieldHistory")] == ["NextStep"]


def test_a_contract_expires_by_date_and_no_stamp_moves(desk: Desk) -> None:
    """The day after its end it reads Expired, also in a filter; with the knob off it stays activated."""
    org = desk.show(small_org())
    values = {"AccountId": ACME, "StartDate": "2025-05-02", "ContractTerm": 12, "Status": "Activated"}
    contract = org.create("Contract", values)
    names = ("Status", "StatusCode", "EndDate", "SystemModstamp", "ActivatedDate")
    assert of(org, "Contract", contract, *names) == ("Activated", "Activated", "2026-05-01", AT, AT)
    org.clock.advance(dt.timedelta(days=1))
    [row] = desk.query("SELECT Status, SystemModstamp FROM Contract WHERE StatusCode = 'Expired'")
    assert (row["Status"], row["SystemModstamp"]) == ("Expired", AT)
    assert not desk.get("sobjects/Contract/describe")["fields"][0]["calculated"]
    org.settings.contracts_expire = False
    assert of(org, "Contract", contract, "Status", "SystemModstamp") == ("Activated", AT)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-01-01", 12, "2026-12-31"), ("2024-01-31", 1, "2024-02-28"), ("2025-11-15", 3, "2026-02-14")],
)
def test_a_contract_ends_the_day_before_its_term_is_over(start: str, months: int, end: str) -> None:
    """Also where the month has no such day."""
    org = small_org()
    contract = org.create("Contract", {"AccountId": ACME, "StartDate": start, "ContractTerm": months})
    assert of(org, "Contract", contract, "EndDate", "Status") == (end, "Draft")


def test_an_order_is_activated_once() -> None:
    """With the moment and the user; later changes leave them."""
    org = small_org()
    order = org.create("Order", {"AccountId": ACME, "EffectiveDate": "2026-05-01"})
    org.update("Order", order, {"Status": "Activated"}, by=ANN)
    org.clock.advance(LATER)
    org.update("Order", order, {"Description": "x"})
    names = ("StatusCode", "ActivatedDate", "ActivatedById", "TotalAmount")
    assert of(org, "Order", order, *names) == ("Activated", AT, ANN, 0.0)


def test_a_measure_shows_its_value_as_the_number_it_is() -> None:
    """In the field that fits its type; what is not known stays null."""
    org = small_org()
    plan = org.create("AccountPlan", MADE["AccountPlan"])
    objective = org.create("AccountPlanObjective", {"AccountPlanId": plan, "Name": "Grow"})
    values = {"AccountPlanObjectiveId": objective, "Name": "m", "ValueType": "Percent", "TargetValue": "40"}
    measure = org.create("AccountPlanObjectiveMeasure", values)
    names = ("TargetPercentValue", "TargetNumberValue", "CurrentPercentValue")
    assert of(org, "AccountPlanObjectiveMeasure", measure, *names) == (40.0, None, None)


def test_a_contact_is_related_to_its_account() -> None:
    """A direct relation comes with the contact and moves with it; one that was there already becomes direct."""
    org = small_org()
    contact = org.create("Contact", {"LastName": "New", "AccountId": ACME})
    [direct] = live(org, "AccountContactRelation", ContactId=contact)
    assert (direct["AccountId"], direct["IsDirect"]) == (ACME, True)
    other = org.create("AccountContactRelation", {"AccountId": BETA, "ContactId": contact})
    assert of(org, "AccountContactRelation", other, "IsDirect") == (False,)
    org.update("Contact", contact, {"AccountId": BETA})
    [kept] = live(org, "AccountContactRelation", ContactId=contact)
    assert (kept["Id"], kept["AccountId"], kept["IsDirect"]) == (other, BETA, True)
    org.update("Contact", contact, {"AccountId": ACME})
    [moved] = live(org, "AccountContactRelation", ContactId=contact)
    assert (moved["Id"], moved["AccountId"]) == (other, ACME)


def test_a_formula_follows_other_rows_and_moves_no_stamp(desk: Desk) -> None:
    """Described as calculated, read by SOQL, in a filter and by id, written by nobody."""
    org = desk.show(small_org())

    def open_cases(account: Any) -> float:
        return float(len(live(org, "Case", AccountId=account["Id"], IsClosed=False)))

    org.add_formula("Account", number("Open_Cases__c", "Open Cases", custom=True), open_cases)
    org.grant_field("Account", "Open_Cases__c", edit=False)
    case = org.create("Case", {"AccountId": ACME})
    [row] = desk.query("SELECT Id, Open_Cases__c, SystemModstamp FROM Account WHERE Open_Cases__c > 0")
    assert (row["Id"], row["Open_Cases__c"], row["SystemModstamp"]) == (ACME, 1.0, BEFORE)
    org.update("Case", case, {"Status": "Closed"})
    assert desk.get(f"sobjects/Account/{ACME}")["Open_Cases__c"] == 0.0
    fields = {one["name"]: one for one in desk.get("sobjects/Account/describe")["fields"]}
    assert [fields["Open_Cases__c"][key] for key in ("calculated", "updateable", "createable")] == [True, False, False]
    refused = desk.call("PATCH", f"sobjects/Account/{ACME}", json={"Open_Cases__c": 5})
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


# Rows that come late, and rows that come together.


@pytest.mark.parametrize("sobject", MADE)
def test_a_late_write_is_late_for_every_object(desk: Desk, sobject: str) -> None:
    """With a commit lag a new row is seen only after it, under the stamp it was written with."""
    org = desk.show(small_org(commit_lag_s=300))
    made = org.create(sobject, MADE[sobject])
    soql = f"SELECT SystemModstamp FROM {sobject} WHERE Id = '{made}'"
    assert desk.query(soql) == []
    org.clock.advance(dt.timedelta(seconds=301))
    assert [row["SystemModstamp"] for row in desk.query(soql)] == [AT]


def test_thousands_of_rows_share_one_stamp(desk: Desk) -> None:
    """As a bulk load leaves them; ids are given in order, and all are found by the stamp."""
    org = desk.show(small_org())
    ids = org.bulk_insert("Case", ({"Subject": f"{n}", "AccountId": ACME} for n in range(3_000)), by=ANN)
    assert ids == sorted(set(ids))
    assert desk.get("query", q=f"SELECT COUNT() FROM Case WHERE SystemModstamp = {AT[:19]}Z")["totalSize"] == 3_000
    assert of(org, "Case", ids[-1], "CreatedById", "IsClosed") == (ANN, False)
    assert ids[0] == salesforce_id("500", 1)
