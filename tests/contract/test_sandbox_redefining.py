"""What an administrator does to fields in use: what the APIs of the sandboxes then say, and what stays as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from simple_salesforce.exceptions import SalesforceMalformedRequest

from connectors.sandbox.hubspot.definitions import PropertyDefinition
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.redefining import (
    archive_property,
    replace_property,
    restore_property,
    retype_property,
)
from connectors.sandbox.salesforce.fields import Type, number, text
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.redefining import rename_field, retype_field
from tests.contract import hubspot_world
from tests.contract.hubspot_world import Front, open_front
from tests.contract.salesforce_client import signed_in
from tests.contract.salesforce_small_org import ACME, LATER, Desk, open_desk, small_org

RATING = "Rating_Value__c"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with open_desk() as opened:
        yield opened


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def rated_org() -> Org:
    """Acme is rated 7.5, and has a note."""
    org = small_org()
    org.add_field("Account", number(RATING, "Rating", 4, 1, custom=True))
    org.add_field("Account", text("Note__c", "Note", custom=True))
    for name in (RATING, "Note__c"):
        org.grant_field("Account", name)
    org.update("Account", ACME, {RATING: 7.5, "Note__c": "12"})
    return org


def test_a_renamed_field_goes_by_its_new_name_only(desk: Desk) -> None:
    """Describe and SOQL know the new one, with its values and for those who could see it; no stamp moves."""
    org = desk.show(rated_org())
    before = org.record("Account", ACME)
    org.clock.advance(LATER)
    rename_field(org, "Account", RATING, "Worth__c")
    with signed_in(desk.url) as sf:
        names = {one["name"] for one in sf.Account.describe()["fields"]}
        (row,) = sf.query(f"SELECT Worth__c, SystemModstamp FROM Account WHERE Id = '{ACME}'")["records"]
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
            sf.query(f"SELECT {RATING} FROM Account")
    assert (RATING in names, "Worth__c" in names) == (False, True)
    assert before is not None
    assert (row["Worth__c"], row["SystemModstamp"]) == (7.5, before["SystemModstamp"])


@pytest.mark.parametrize(
    ("field", "type_", "kept"),
    [
        (RATING, "string", "7.5"),
        (RATING, "currency", 7.5),
        (RATING, "percent", 7.5),
        (RATING, "date", None),
        (RATING, "boolean", False),
        ("Note__c", "picklist", "12"),
        ("Note__c", "double", 12.0),
    ],
)
def test_a_new_type_keeps_what_can_be_kept(desk: Desk, field: str, type_: Type, kept: object) -> None:
    """Describe tells the type; no stamp moves."""
    org = desk.show(rated_org())
    before = org.record("Account", ACME)
    retype_field(org, "Account", field, type_)
    with signed_in(desk.url) as sf:
        told = next(one for one in sf.Account.describe()["fields"] if one["name"] == field)
        (row,) = sf.query(f"SELECT {field}, SystemModstamp FROM Account WHERE Id = '{ACME}'")["records"]
    assert before is not None
    assert (told["type"], row[field], row["SystemModstamp"]) == (type_, kept, before["SystemModstamp"])


def test_standard_fields_stay_as_they_are() -> None:
    """And no name is given twice."""
    org = rated_org()
    with pytest.raises(LookupError, match="Account has no custom field Industry"):
        rename_field(org, "Account", "Industry", "Branch__c")
    with pytest.raises(LookupError, match="Account has no custom field AnnualRevenue"):
        retype_field(org, "Account", "AnnualRevenue", "string")
    with pytest.raises(ValueError, match="is taken"):
        rename_field(org, "Account", RATING, "Note__c")


COMPANY = "/crm/v3/objects/companies"
PROPERTIES = "/crm/v3/properties/companies"


def rated_portal(front: Front) -> tuple[Portal, str]:
    """A portal, and one of its companies that is rated 7.5."""
    portal = front.show(hubspot_world.portal())
    companies = portal.known("companies")
    group = portal.catalog.groups(companies)[0].name
    rating = PropertyDefinition("rating", "Rating", "number", "number", group, hubspot_defined=False)
    portal.catalog.put(companies, rating)
    return portal, str(portal.create("companies", {"name": "Acme", "rating": "7.5"}).id)


def held(front: Front, company: str, *names: str) -> dict[str, str]:
    told = front.get(f"{COMPANY}/{company}?properties={','.join(names)}").json()["properties"]
    return {name: told[name] for name in names if name in told}


def listed(front: Front) -> dict[str, str]:
    return {one["name"]: one["type"] for one in front.get(PROPERTIES).json()["results"]}


def test_an_archived_property_is_nowhere_until_it_is_restored(front: Front) -> None:
    portal, company = rated_portal(front)
    archive_property(portal, "companies", "rating")
    assert (held(front, company, "rating"), "rating" in listed(front)) == ({}, False)
    restore_property(portal, "companies", "rating")
    assert (held(front, company, "rating"), listed(front)["rating"]) == ({"rating": "7.5"}, "number")


def test_another_name_is_another_property(front: Front) -> None:
    """It is empty; the old one waits in the archive."""
    portal, company = rated_portal(front)
    replace_property(portal, "companies", "rating", "worth")
    assert held(front, company, "rating", "worth") == {"worth": None}
    assert ("rating" in listed(front), listed(front)["worth"]) == (False, "number")


def test_a_property_of_another_type_keeps_its_values(front: Front) -> None:
    portal, company = rated_portal(front)
    retype_property(portal, "companies", "rating", "string", field_type="text")
    assert (held(front, company, "rating"), listed(front)["rating"]) == ({"rating": "7.5"}, "string")


def test_hubspots_own_properties_stay_as_they_are(front: Front) -> None:
    portal, _ = rated_portal(front)
    with pytest.raises(LookupError, match="no property industry of the portal's own"):
        archive_property(portal, "companies", "industry")
    with pytest.raises(ValueError, match="cannot have the field type select"):
        retype_property(portal, "companies", "rating", "number", field_type="select")


def test_a_hidden_property_is_left_out_without_a_word(front: Front) -> None:
    """In lists, on records, and by its name."""
    portal, company = rated_portal(front)
    portal.settings.hidden_properties = frozenset({"companies.rating"})
    assert (held(front, company, "rating"), "rating" in listed(front)) == ({}, False)
    assert front.get(f"{PROPERTIES}/rating").status_code == 404
