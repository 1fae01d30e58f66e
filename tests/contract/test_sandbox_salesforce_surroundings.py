"""What the seeded book puts around accounts and opportunities of the sandbox org."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import two_crms
from connectors.sandbox.salesforce.objects import AROUND, FEATURES
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book

NOW = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def seeded() -> Org:
    """The org of the seeded book of eighty accounts."""
    return Org.from_book(seeded_book(80, NOW), Clock(NOW))


def test_the_same_book_gives_the_same_rows_of_every_object(seeded: Org) -> None:
    """And each object has some."""
    again = Org.from_book(seeded_book(80, NOW), Clock(NOW))
    for name in AROUND:
        assert seeded.records(name), name
        assert seeded.records(name) == again.records(name), name


def test_items_add_up_to_the_amount_of_their_opportunity(seeded: Org) -> None:
    """To the cent, in the opportunity's currency; the opportunity says that it has items."""
    currencies = {row["Id"]: row["CurrencyIsoCode"] for row in seeded.records("Opportunity")}
    totals: dict[str, float] = {}
    for item in seeded.records("OpportunityLineItem"):
        assert item["TotalPrice"] == round(item["Quantity"] * item["UnitPrice"], 2)
        assert item["CurrencyIsoCode"] == currencies[item["OpportunityId"]]
        totals[item["OpportunityId"]] = totals.get(item["OpportunityId"], 0) + item["TotalPrice"]
    deals = [row for row in seeded.records("Opportunity") if row["HasOpportunityLineItem"]]
    assert {row["Id"]: row["Amount"] for row in deals} == {key: round(value, 2) for key, value in totals.items()}
    assert len(totals) > 20


def test_cases_are_open_closed_and_escalated(seeded: Org) -> None:
    """A closed one has a closing date, an open one has none."""
    cases = seeded.records("Case")
    assert {row["Status"] for row in cases} >= {"Closed", "Escalated", "Working"}
    assert all((row["ClosedDate"] is None) != row["IsClosed"] for row in cases)
    assert any(row["IsEscalated"] for row in cases if not row["IsClosed"])


def test_some_activities_are_linked_to_a_case_or_a_contact_alone(seeded: Org) -> None:
    """Those of a case have no account; those of a contact have the contact's."""
    rows = [row for row in seeded.records("Task") if not row["IsDeleted"]]
    of_cases = [row for row in rows if (row["WhatId"] or "").startswith("500")]
    alone = [row for row in rows if row["WhatId"] is None and row["WhoId"] is not None]
    assert of_cases
    assert alone
    assert {(row["AccountId"], row["WhoId"], row["TaskSubtype"]) for row in of_cases} == {(None, None, "Task")}
    contacts = {row["Id"]: row["AccountId"] for row in seeded.records("Contact")}
    assert all(row["AccountId"] == contacts[row["WhoId"]] for row in alone)


def test_every_contact_has_one_direct_relation_and_a_few_have_others(seeded: Org) -> None:
    """The direct one leads to the contact's own account."""
    rows = seeded.records("AccountContactRelation")
    contacts = {row["Id"]: row["AccountId"] for row in seeded.records("Contact")}
    assert {row["ContactId"]: row["AccountId"] for row in rows if row["IsDirect"]} == contacts
    assert all(row["AccountId"] != contacts[row["ContactId"]] for row in rows if not row["IsDirect"])
    assert 0 < sum(not row["IsDirect"] for row in rows) < len(contacts) / 10


def test_a_book_is_told_to_an_org_that_lacks_features() -> None:
    """What it has no object or field for is left out."""
    without: dict[str, Any] = dict.fromkeys(set(FEATURES.values()), False)
    org = Org.from_book(seeded_book(40, NOW), Clock(NOW), settings=OrgSettings(**without))
    assert org.records("Case")
    assert not set(org.tables) & {sobject.lower() for sobject in FEATURES}


def test_what_stands_around_a_company_is_in_the_crm_that_holds_it() -> None:
    """Of a book that is split over two CRMs no row refers to one that the org does not have."""
    org = two_crms(seeded_book(80, NOW), Clock(NOW)).org
    assert org is not None
    for name in AROUND:
        table = org.table(name)
        lookups = [field for field in table.fields if field.refers_to]
        for row in table.rows.values():
            for field in lookups:
                held = (org.tables[one.lower()].rows for one in field.refers_to if one.lower() in org.tables)
                value = table.value(row, field.name)
                assert value is None or any(value in rows for rows in held), f"{name}.{field.name}"
    assert len(org.records("OpportunityLineItem")) > 10
