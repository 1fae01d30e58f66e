"""Fills an org from a book: the company's business as Salesforce would hold it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from connectors.sandbox.book import Book, Company, Deal, Person, Seller, Stage
from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.filling_marks import Record, stamps
from connectors.sandbox.salesforce.filling_sales import STANDARD_BOOK, fill_sales
from connectors.sandbox.salesforce.filling_service import fill_field_history, fill_service
from connectors.sandbox.salesforce.filling_touches import event, is_event, task
from connectors.sandbox.salesforce.ids import ACCOUNT, CONTACT, HISTORY, OPPORTUNITY, USER, salesforce_id
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.salesforce.setup import CROSS_REFERENCE, use_rates, use_stages

STRATEGIC_VALUE = "KAM_Strategic_Value__c"
"""Account field, once it is made, that holds the strategic value which the book knows."""

_PROFILE = salesforce_id("00e", 1)


def filled_org(
    book: Book, clock: Clock, cross_reference: Mapping[int, str], settings: OrgSettings | None = None
) -> Org:
    """The org of a company whose business is `book`, in the book's currencies and time zone."""
    currencies = list(dict.fromkeys([book.home_currency, *sorted(rate.currency for rate in book.rates)]))
    org = Org(clock, settings, currencies=currencies, timezone=book.timezone)
    if org.multi_currency:
        use_rates(org, _rates(book, org.settings.rate_scale))
    use_stages(org, [_stage(stage) for stage in book.stages])
    org.load("User", (_user(seller, book) for seller in book.sellers))
    org.load("Account", (_account(org, c, cross_reference.get(c.id)) for c in book.companies))
    org.load("Contact", (_contact(org, person, book) for person in book.people))
    stages = {stage.key: stage for stage in book.stages}
    with_items = {item.deal for item in book.around.items} if "product2" in org.tables else set()
    deals = (_opportunity(org, deal, stages, has_items=deal.id in with_items) for deal in book.deals)
    org.load("Opportunity", deals)
    org.load("OpportunityHistory", _history(org, book.deals, stages))
    fill_field_history(org, book, stages)
    fill_service(org, book)
    fill_sales(org, book)
    zone = ZoneInfo(book.timezone)
    org.load("Task", (task(touch, zone) for touch in book.touches if not is_event(touch)))
    org.load("Event", (event(touch) for touch in book.touches if is_event(touch)))
    org.waiting["Account", STRATEGIC_VALUE] = {
        salesforce_id(ACCOUNT, c.id): float(c.strategic_value) for c in book.companies if c.strategic_value is not None
    }
    return org


def _rates(book: Book, scale: int) -> dict[str, list[tuple[str, float]]]:
    """Salesforce's rates divide: units of the currency for one unit of the corporate one."""
    rates: dict[str, list[tuple[str, float]]] = {book.home_currency: [("1900-01-01", 1.0)]}
    for rate in sorted(book.rates, key=lambda one: one.valid_from):
        steps = rates.setdefault(rate.currency, [])
        if rate.currency != book.home_currency:
            steps.append((rate.valid_from.isoformat(), float(round(1 / rate.in_home, scale))))
    return rates


def _stage(stage: Stage) -> tuple[str, int, str, bool, bool]:
    category = {"won": "Closed", "lost": "Omitted", "open": "Pipeline"}[stage.kind]
    return stage.label, round(stage.probability * 100), category, stage.kind != "open", stage.kind == "won"


def _user(seller: Seller, book: Book) -> Record:
    first, _, last = seller.name.rpartition(" ")
    since = stamp(book.now - dt.timedelta(days=2000))
    return {
        "Id": salesforce_id(USER, seller.id),
        "Username": f"seller{seller.id}@sandbox.example",
        "Email": f"seller{seller.id}@sandbox.example",
        "FirstName": first,
        "LastName": last,
        "Name": seller.name,
        "Alias": f"s{seller.id}"[:8],
        "IsActive": seller.active,
        "TimeZoneSidKey": book.timezone,
        "LocaleSidKey": "en_US",
        "LanguageLocaleKey": "en_US",
        "UserType": "Standard",
        "ProfileId": _PROFILE,
        "CreatedDate": since,
    }


def _account(org: Org, company: Company, hubspot_id: str | None) -> Record:
    record = {
        "Id": salesforce_id(ACCOUNT, company.id),
        "Name": company.name,
        "Type": company.kind,
        "Industry": company.industry,
        "BillingCountry": company.country,
        "Website": company.domain,
        "NumberOfEmployees": company.employees,
        "AnnualRevenue": company.annual_revenue,
        "ParentId": _id(ACCOUNT, company.parent),
        "OwnerId": salesforce_id(USER, company.owner),
        "MasterRecordId": _id(ACCOUNT, company.merged_into),
        "IsDeleted": company.deleted or company.merged_into is not None,
        CROSS_REFERENCE: hubspot_id,
        **stamps(company.created_at, company.updated_at, company.owner),
    }
    return record | _currency(org, company.currency)


def _contact(org: Org, person: Person, book: Book) -> Record:
    first, _, last = person.name.rpartition(" ")
    since = stamp(book.now - dt.timedelta(days=1000))
    record = {
        "Id": salesforce_id(CONTACT, person.id),
        "AccountId": salesforce_id(ACCOUNT, person.company),
        "FirstName": first,
        "LastName": last,
        "Name": person.name,
        "Title": person.title,
        "Department": person.department,
        "CreatedDate": since,
    }
    return record | _currency(org, None)


def _opportunity(org: Org, deal: Deal, stages: Mapping[str, Stage], *, has_items: bool) -> Record:
    last = deal.changes[-1]
    moves = [c.at for before, c in zip(deal.changes, deal.changes[1:], strict=False) if before.stage != c.stage]
    record = {
        "Id": salesforce_id(OPPORTUNITY, deal.id),
        "Name": deal.name,
        "AccountId": _id(ACCOUNT, deal.company),
        "OwnerId": salesforce_id(USER, deal.owner),
        "StageName": stages[last.stage].label,
        "Amount": last.amount,
        "CloseDate": last.close_on,
        "Type": deal.kind,
        "LastStageChangeDate": max(moves, default=None),
        "IsDeleted": deal.deleted,
        **stamps(deal.created_at, deal.updated_at, deal.owner),
    }
    if deal.lost_reason is not None:
        record["Description"] = deal.lost_reason
    if has_items:
        record["Pricebook2Id"] = STANDARD_BOOK
    return record | _currency(org, deal.currency)


def _history(org: Org, deals: Iterable[Deal], stages: Mapping[str, Stage]) -> Iterator[Record]:
    number = 0
    for deal in deals:
        before = None
        for change in deal.changes:
            number += 1
            stage = stages[change.stage]
            probability = float(stage.probability * 100)
            amount = None if change.amount is None else float(change.amount)
            yield {
                "Id": salesforce_id(HISTORY, number),
                "OpportunityId": salesforce_id(OPPORTUNITY, deal.id),
                "StageName": stage.label,
                "Amount": amount,
                "CloseDate": change.close_on,
                "Probability": probability,
                "ExpectedRevenue": None if amount is None else round(amount * probability / 100, 2),
                "ForecastCategory": _stage(stage)[2],
                "PrevAmount": before.amount if before else None,
                "PrevCloseDate": before.close_on if before else None,
                "CreatedDate": change.at,
                "CreatedById": salesforce_id(USER, deal.owner),
                "IsDeleted": deal.deleted,
                "SystemModstamp": deal.updated_at if deal.deleted else change.at,
            } | _currency(org, deal.currency)
            before = change


def _currency(org: Org, code: str | None) -> Record:
    return {"CurrencyIsoCode": code or org.home_currency} if org.multi_currency else {}


def _id(prefix: str, number: int | None) -> str | None:
    return None if number is None else salesforce_id(prefix, number)
