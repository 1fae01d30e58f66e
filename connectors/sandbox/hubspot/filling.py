"""Fills a portal from a book: the company's business as HubSpot would hold it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from connectors.sandbox.book import Book, Company, Person, Seller
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot.builtin import industry_value
from connectors.sandbox.hubspot.calculated import ENTERED, ENTERED_CURRENT, EXITED
from connectors.sandbox.hubspot.definitions import PropertyDefinition
from connectors.sandbox.hubspot.filling_deals import deal_records, link_deals
from connectors.sandbox.hubspot.filling_sales import load_sales
from connectors.sandbox.hubspot.filling_service import buying_roles, link_affiliations, link_roles, load_tickets
from connectors.sandbox.hubspot.filling_touches import load_touches
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.instants import ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS
from connectors.sandbox.hubspot.merging import MERGED_IDS
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.hubspot.reference import Account, ExchangeRate, Owner, Pipeline, PipelineStage
from connectors.sandbox.hubspot.settings import PortalSettings
from connectors.sandbox.hubspot.stages import PIPELINE, stage_ids
from connectors.sandbox.hubspot.values import plain

_CHILD, _PRIMARY_OF_CONTACT = 13, 1


def filled_portal(
    book: Book, clock: Clock, cross_reference: Mapping[int, str], settings: PortalSettings | None = None
) -> Portal:
    """The portal of a company whose business is `book`, ids by `ids.hubspot_id`.

    `cross_reference`: book's company -> id of its Salesforce account, kept in `salesforceaccountid`. A strategic
    value of the book stands under `kam_strategic_value` and shows once a property of that name is made.
    """
    account = Account(book.home_currency, ZoneInfo(book.timezone), book.timezone)
    portal = Portal(account, clock, settings)
    _reference(portal, book)
    survivors = _survivors(book.companies)
    _choices(portal, book.companies)
    portal.load(COMPANIES, _companies(book.companies, cross_reference, survivors))
    portal.shelf(COMPANIES).aliases.update(
        (hubspot_id("companies", c.id), hubspot_id("companies", c.merged_into))
        for c in book.companies
        if c.merged_into is not None
    )
    roles = buying_roles(book.around.roles)
    portal.load(CONTACTS, (_contact(person, book.now, roles.get(person.id, "")) for person in book.people))
    portal.load(DEALS, deal_records(book))
    _link_families(portal, book.companies, survivors)
    _link_people(portal, book.people, survivors)
    link_deals(portal, book, survivors)
    link_roles(portal, book.around.roles)
    link_affiliations(portal, book.around.affiliations, survivors)
    load_tickets(portal, book, survivors)
    load_sales(portal, book)
    load_touches(portal, book, survivors)
    return portal


def _reference(portal: Portal, book: Book) -> None:
    portal.owners = [_owner(seller, book.now) for seller in book.sellers]
    ids = stage_ids(book.stages)
    stages = [
        PipelineStage(ids[stage.key], stage.label, order, stage.kind != "open", stage.probability)
        for order, stage in enumerate(book.stages)
    ]
    portal.pipelines[DEALS.name] = [Pipeline(PIPELINE, "Sales Pipeline", stages)]
    portal.rates = [
        ExchangeRate(number, rate.currency, book.home_currency, rate.in_home, _midnight(portal, rate.valid_from))
        for number, rate in enumerate(book.rates, start=1)
    ]
    if not portal.rates:
        # Deals have a currency of their own only where more than one is set up.
        portal.catalog.remove(DEALS, "deal_currency_code")
    if any("renew" in (deal.kind or "").lower() for deal in book.deals):
        portal.catalog.allow(DEALS, "dealtype", {"renewal": "Renewal"})
    if portal.settings.stage_date_properties:
        for definition in _stage_dates(stages):
            portal.catalog.put(DEALS, definition)


def _midnight(portal: Portal, day: dt.date) -> int:
    return ms_of(dt.datetime.combine(day, dt.time(), portal.account.timezone))


def _stage_dates(stages: Iterable[PipelineStage]) -> Iterable[PropertyDefinition]:
    names = {ENTERED_CURRENT: "Date entered current stage"}
    for stage in stages:
        names[ENTERED + stage.id] = f'Date entered "{stage.label} (Sales Pipeline)"'
        names[EXITED + stage.id] = f'Date exited "{stage.label} (Sales Pipeline)"'
    for name, label in names.items():
        yield PropertyDefinition(name, label, "datetime", "date", "dealinformation", calculated=True)


def _owner(seller: Seller, now: dt.datetime) -> Owner:
    first, _, last = seller.name.partition(" ")
    return Owner(
        id=hubspot_id("owners", seller.id),
        user_id=70_000_000 + seller.id,
        first_name=first,
        last_name=last,
        email=f"seller{seller.id}@example.com",
        created=ms_of(now - dt.timedelta(days=2000)),
        active=seller.active,
    )


def _choices(portal: Portal, companies: Iterable[Company]) -> None:
    """The book's words for kind and industry are options; those HubSpot does not know, an admin has added."""
    industries = sorted({c.industry for c in companies if c.industry})
    portal.catalog.allow(COMPANIES, "industry", {industry_value(word): word for word in industries})
    kinds = sorted({c.kind for c in companies if c.kind})
    portal.catalog.allow(COMPANIES, "type", {kind.upper(): kind for kind in kinds})


def _survivors(companies: Iterable[Company]) -> dict[int, int]:
    """Each merged company of the book -> the one that is left of it, through all its merges."""
    into = {c.id: c.merged_into for c in companies if c.merged_into is not None}
    ends: dict[int, int] = {}
    for loser in into:
        at, seen = loser, {loser}
        while at in into and into[at] not in seen:
            at = into[at]
            seen.add(at)
        ends[loser] = at
    return ends


def _companies(
    companies: Iterable[Company], cross_reference: Mapping[int, str], survivors: Mapping[int, int]
) -> Iterable[Record]:
    swallowed: dict[int, list[str]] = {}
    for loser, survivor in survivors.items():
        swallowed.setdefault(survivor, []).append(str(hubspot_id("companies", loser)))
    for company in companies:
        if company.id in survivors:
            continue
        values = {
            "name": company.name,
            "domain": company.domain,
            "type": company.kind.upper() if company.kind else None,
            "industry": industry_value(company.industry) if company.industry else None,
            "country": company.country,
            "numberofemployees": None if company.employees is None else str(company.employees),
            "annualrevenue": None if company.annual_revenue is None else plain(company.annual_revenue),
            "hubspot_owner_id": str(hubspot_id("owners", company.owner)),
            "salesforceaccountid": cross_reference.get(company.id),
            "kam_strategic_value": None if company.strategic_value is None else str(company.strategic_value),
            MERGED_IDS: ";".join(swallowed.get(company.id, ())),
        }
        updated = ms_of(company.updated_at)
        yield Record(
            COMPANIES,
            hubspot_id("companies", company.id),
            ms_of(company.created_at),
            updated,
            {name: value for name, value in values.items() if value},
            archived_at=updated if company.deleted else None,
        )


def _contact(person: Person, now: dt.datetime, role: str) -> Record:
    first, _, last = person.name.partition(" ")
    values = {"firstname": first, "lastname": last, "jobtitle": person.title or "", "hs_buying_role": role}
    at = ms_of(now - dt.timedelta(days=1000))
    kept = {name: value for name, value in values.items() if value}
    return Record(CONTACTS, hubspot_id("contacts", person.id), at, at, kept)


def _link_families(portal: Portal, companies: Iterable[Company], survivors: Mapping[int, int]) -> None:
    for company in companies:
        if company.parent is None or company.id in survivors:
            continue
        parent = hubspot_id("companies", survivors.get(company.parent, company.parent))
        child = hubspot_id("companies", company.id)
        portal.associations.add(COMPANIES, parent, COMPANIES, child, (_CHILD,))


def _link_people(portal: Portal, people: Iterable[Person], survivors: Mapping[int, int]) -> None:
    for person in people:
        company = hubspot_id("companies", survivors.get(person.company, person.company))
        portal.associations.add(CONTACTS, hubspot_id("contacts", person.id), COMPANIES, company, (_PRIMARY_OF_CONTACT,))
