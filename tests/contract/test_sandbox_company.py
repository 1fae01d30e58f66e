"""One company's book in one CRM, in the other, in both, and split over them: over HTTP, and as time passes."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, ServedCompany, same_in, serving, two_crms
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.kinds import COMPANIES, DEALS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.seed import seeded_book
from connectors.sandbox.seeding import hostile
from connectors.sandbox.story import let_time_pass

NOW = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def book() -> Book:
    """A book of 80 accounts; four more were merged into them or deleted."""
    return seeded_book(80, NOW)


@pytest.fixture(scope="module")
def split(book: Book) -> Company:
    """The book over two CRMs, which no test changes."""
    return two_crms(book, Clock(NOW))


@pytest.fixture(scope="module")
def both(book: Book) -> Iterator[ServedCompany]:
    """The whole book in each, served."""
    with serving(same_in(book, Clock(NOW), "both")) as company:
        yield company


def test_the_environment_signs_in_to_salesforce(both: ServedCompany) -> None:
    """The variables of design.md, as they are given to kam, get a token and the accounts."""
    rows = _accounts(both)
    assert len(rows) == 80


def test_the_environment_signs_in_to_hubspot(both: ServedCompany) -> None:
    """The same for the portal."""
    assert len(_companies(both)) == 80


def test_hostile_names_survive_the_way_over_salesforce(both: ServedCompany) -> None:
    """What comes over HTTP is what was put in, character by character, but for blanks at the ends."""
    names = {row["Name"] for row in _accounts(both)}
    assert {name.strip() for name in hostile.NAMES.values()} <= names
    opportunities = _query(both, "SELECT Name, Description FROM Opportunity")
    assert hostile.DEAL in {row["Name"] for row in opportunities}
    assert hostile.LOST_REASON in {row["Description"] for row in opportunities}
    assert hostile.PERSON in {row["Name"] for row in _query(both, "SELECT Name FROM Contact")}
    queries = ("SELECT Subject FROM Task", "SELECT Subject FROM Event")
    subjects = {row["Subject"] for soql in queries for row in _query(both, soql, all_rows=True)}
    assert hostile.SUBJECT in subjects


def test_hostile_names_survive_the_way_over_hubspot(both: ServedCompany) -> None:
    """The same for the portal."""
    assert {name.strip() for name in hostile.NAMES.values()} <= {row["name"] for row in _companies(both)}
    deals = _objects(both, "deals", "dealname,closed_lost_reason")
    assert hostile.DEAL in {row["dealname"] for row in deals}
    assert hostile.LOST_REASON in {row["closed_lost_reason"] for row in deals}
    people = _objects(both, "contacts", "firstname,lastname")
    assert hostile.PERSON in {f"{row['firstname']} {row['lastname']}" for row in people}
    titles = ("calls", "hs_call_title"), ("emails", "hs_email_subject"), ("meetings", "hs_meeting_title")
    texts = (("tasks", "hs_task_subject"), ("notes", "hs_note_body"), *titles)
    assert hostile.SUBJECT in {row[name] for kind, name in texts for row in _objects(both, kind, name)}


def test_a_book_in_both_is_cross_referenced_throughout(both: ServedCompany) -> None:
    """Every account names its company, every company its account, under ids that have nothing in common."""
    accounts = {row["Id"]: row["HubSpot_Company_Id__c"] for row in _accounts(both)}
    companies = {row["hs_object_id"]: row["salesforceaccountid"] for row in _companies(both)}
    assert {there: here for here, there in accounts.items()} == companies


def test_one_crm_alone_gives_only_its_own_variables(book: Book) -> None:
    """A company without HubSpot has no portal, no server and no variables for one."""
    with serving(same_in(book, Clock(NOW), "salesforce")) as company:
        assert company.hubspot is None
        assert sorted(company.environment()) == [
            "KAM_SALESFORCE__CLIENT_ID",
            "KAM_SALESFORCE__CLIENT_SECRET",
            "KAM_SALESFORCE__INSTANCE_URL",
        ]
    with serving(same_in(book, Clock(NOW), "hubspot")) as company:
        assert company.salesforce is None
        assert sorted(company.environment()) == ["KAM_HUBSPOT__ACCESS_TOKEN", "KAM_HUBSPOT__BASE_URL"]


def test_a_split_book_loses_no_company(split: Company) -> None:
    """Each live company is in Salesforce, in HubSpot or in both, and each of the three happens often."""
    inside, outside = _numbers(split)
    assert inside | outside == set(range(1, 81))
    assert len(inside - outside) >= 15
    assert len(outside - inside) >= 15
    assert len(inside & outside) >= 10


def test_a_shared_company_is_cross_referenced_on_one_side_or_both(split: Company) -> None:
    """Some only in Salesforce, some only in HubSpot, some in both; never to a company that is not there."""
    org, portal = _crms(split)
    shared = set.intersection(*_numbers(split))
    in_salesforce = {n for n in range(1, 81) if _account(org, n).get("HubSpot_Company_Id__c")}
    in_hubspot = {n for n in range(1, 81) if _company_value(portal, n, "salesforceaccountid")}
    assert in_salesforce | in_hubspot == shared
    assert in_salesforce & in_hubspot
    assert in_salesforce - in_hubspot
    assert in_hubspot - in_salesforce
    one = min(in_hubspot)
    assert _company_value(portal, one, "salesforceaccountid") == salesforce_id("001", one)
    one = min(in_salesforce)
    assert _account(org, one)["HubSpot_Company_Id__c"] == str(hubspot_id("companies", one))


def test_deals_are_in_the_crm_of_their_company(split: Company, book: Book) -> None:
    """Salesforce has every deal of a shared company, HubSpot half; of others each deal is in exactly one."""
    org, portal = _crms(split)
    inside, outside = _numbers(split)
    for deal in book.deals:
        places = (
            org.record("Opportunity", salesforce_id("006", deal.id)) is not None,
            hubspot_id("deals", deal.id) in portal.shelf(DEALS).records,
        )
        if deal.company is None:
            assert places == (deal.id % 2 == 1, deal.id % 2 == 0)
        elif deal.company in inside & outside:
            assert places == (True, deal.id % 2 == 0)
        elif deal.company <= 80:
            assert places == (deal.company in inside, deal.company in outside)


def test_only_hubspot_has_deals_without_close_date(split: Company) -> None:
    """Salesforce asks for one."""
    org, portal = _crms(split)
    assert all(row["CloseDate"] for row in org.records("Opportunity"))
    assert any(not deal.values.get("closedate") for deal in portal.shelf(DEALS).records.values())


def test_a_parent_that_is_in_the_other_crm_is_no_parent(split: Company) -> None:
    """Whatever parent a record names is in the same CRM."""
    org, _ = _crms(split)
    accounts = {row["Id"]: row["ParentId"] for row in org.records("Account")}
    named = {parent for parent in accounts.values() if parent}
    assert named
    assert named <= set(accounts)


def test_time_passes_by_a_month_in_two_languages(book: Book) -> None:
    """The clock moves on; the same story is told in English and in Spanish."""
    english, spanish = (two_crms(book, Clock(NOW)) for _ in range(2))
    told, contado = let_time_pass(english, "en"), let_time_pass(spanish, "es")
    assert english.clock.now() == NOW + dt.timedelta(days=30)
    assert len(told) == len(contado) == 20
    assert [line.split(":")[0] for line in told] == ["Salesforce"] * 10 + ["HubSpot"] * 10
    assert sum("signed two deals" in line for line in told) == 2
    assert sum("firmó dos contratos" in line for line in contado) == 2
    assert english.org is not None
    assert spanish.org is not None
    assert english.org.records("Opportunity") == spanish.org.records("Opportunity")


def test_what_is_told_happened_in_salesforce(book: Book) -> None:
    """Every sentence has its rows, stamped after the story began, with history."""
    company = same_in(book, Clock(NOW), "salesforce")
    assert company.org is not None
    org = company.org
    before = {
        name: {r["Id"]: r for r in org.records(name)} for name in ("Account", "Opportunity", "OpportunityHistory")
    }
    let_time_pass(company)
    after = {name: {r["Id"]: r for r in org.records(name)} for name in before}
    new = [row for key, row in after["Opportunity"].items() if key not in before["Opportunity"]]
    assert [row["IsWon"] for row in new] == [True, True]
    assert len(after["OpportunityHistory"].keys() - before["OpportunityHistory"].keys()) == 7
    changed = {
        key: {name for name in row if row[name] != before["Account"][key][name]}
        for key, row in after["Account"].items()
    }
    assert sum("ParentId" in names for names in changed.values()) == 1
    assert sum("OwnerId" in names for names in changed.values()) == 1
    assert sum("MasterRecordId" in names for names in changed.values()) == 1
    deals = [row for key, row in after["Opportunity"].items() if key in before["Opportunity"]]
    ended = [r for r in deals if r["IsClosed"] and not before["Opportunity"][r["Id"]]["IsClosed"]]
    assert sorted(r["IsWon"] for r in ended) == [False, True]
    assert sum(r["IsDeleted"] and not before["Opportunity"][r["Id"]]["IsDeleted"] for r in deals) == 1
    assert all(row["SystemModstamp"] > "2026-11-24" for row in (*new, *ended))
    calls = [r for r in org.records("Task") if r["CreatedDate"] > "2026-11-25"]
    assert [(r["TaskSubtype"], r["IsClosed"]) for r in calls] == [("Call", True), ("Call", True)]


def test_an_account_rises_to_the_top(book: Book) -> None:
    """The one that signs two deals had won less than most buyers, and then is among the first four of eighty."""
    company = same_in(book, Clock(NOW), "salesforce")
    assert company.org is not None
    before = _won(company.org)
    let_time_pass(company)
    after = _won(company.org)
    rising = max(after, key=lambda account: after[account] - before.get(account, 0))
    assert sorted(before.values(), reverse=True).index(before[rising]) > 10
    assert sorted(after.values(), reverse=True).index(after[rising]) < 5


def test_what_is_told_happened_in_hubspot(book: Book) -> None:
    """Deals opened and won, one archived, one company gone in a merge, one under a new parent."""
    company = same_in(book, Clock(NOW), "hubspot")
    assert company.portal is not None
    portal = company.portal
    deals = set(portal.shelf(DEALS).records)
    companies = {number for number, r in portal.shelf(COMPANIES).records.items() if r.archived_at is None}
    children = sum(int(portal.value(portal.existing(COMPANIES, n), "hs_num_child_companies") or 0) for n in companies)
    let_time_pass(company)
    new = [record for number, record in portal.shelf(DEALS).records.items() if number not in deals]
    assert [portal.value(record, "hs_is_closed_won") for record in new] == ["true", "true"]
    assert len(companies - set(portal.shelf(COMPANIES).records)) == 1
    left = [n for n, r in portal.shelf(COMPANIES).records.items() if r.archived_at is None]
    assert sum(int(portal.value(portal.existing(COMPANIES, n), "hs_num_child_companies") or 0) for n in left) == (
        children + 1
    )


def test_a_story_leaves_linked_copies_alone(book: Book) -> None:
    """Where Salesforce's figures stand for a company, nothing is told of its copy in HubSpot."""
    told = let_time_pass(same_in(book, Clock(NOW), "both"))
    assert {line.split(":")[0] for line in told} == {"Salesforce"}


def _query(company: ServedCompany, soql: str, *, all_rows: bool = False) -> list[dict[str, Any]]:
    variables = company.environment()
    url = variables["KAM_SALESFORCE__INSTANCE_URL"]
    credentials = {
        "grant_type": "client_credentials",
        "client_id": variables["KAM_SALESFORCE__CLIENT_ID"],
        "client_secret": variables["KAM_SALESFORCE__CLIENT_SECRET"],
    }
    with requests.Session() as session:
        token = session.post(f"{url}/services/oauth2/token", data=credentials, timeout=30).json()["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        road = "queryAll" if all_rows else "query"
        page = session.get(f"{url}/services/data/v62.0/{road}/", params={"q": soql}, timeout=30).json()
        rows: list[dict[str, Any]] = page["records"]
        while not page["done"]:
            page = session.get(url + page["nextRecordsUrl"], timeout=30).json()
            rows += page["records"]
        return rows


def _accounts(company: ServedCompany) -> list[dict[str, Any]]:
    return _query(company, "SELECT Id, Name, HubSpot_Company_Id__c FROM Account")


def _objects(company: ServedCompany, kind: str, properties: str) -> list[dict[str, Any]]:
    variables = company.environment()
    rows: list[dict[str, Any]] = []
    asked: dict[str, str] = {"limit": "100", "properties": properties}
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {variables['KAM_HUBSPOT__ACCESS_TOKEN']}"
        while True:
            url = f"{variables['KAM_HUBSPOT__BASE_URL']}/crm/v3/objects/{kind}"
            page = session.get(url, params=asked, timeout=30).json()
            rows += [record["properties"] for record in page["results"]]
            if "paging" not in page:
                return rows
            asked["after"] = page["paging"]["next"]["after"]


def _companies(company: ServedCompany) -> list[dict[str, Any]]:
    return _objects(company, "companies", "name,salesforceaccountid")


def _crms(company: Company) -> tuple[Org, Portal]:
    assert company.org is not None
    assert company.portal is not None
    return company.org, company.portal


def _numbers(company: Company) -> tuple[set[int], set[int]]:
    """The book's live companies in Salesforce, and those in HubSpot."""
    org, portal = _crms(company)
    inside = {n for n in range(1, 81) if org.record("Account", salesforce_id("001", n)) is not None}
    return inside, {n for n in range(1, 81) if hubspot_id("companies", n) in portal.shelf(COMPANIES).records}


def _account(org: Org, number: int) -> dict[str, Any]:
    return org.record("Account", salesforce_id("001", number)) or {}


def _company_value(portal: Portal, number: int, name: str) -> str | None:
    record = portal.shelf(COMPANIES).records.get(hubspot_id("companies", number))
    return record.values.get(name) if record is not None else None


def _won(org: Org) -> dict[str, float]:
    won: dict[str, float] = {}
    for row in org.records("Opportunity"):
        if row["IsWon"] and not row["IsDeleted"] and row["CurrencyIsoCode"] == "EUR":
            won[row["AccountId"]] = won.get(row["AccountId"], 0) + (row["Amount"] or 0)
    return won
