"""Splits one book over two CRMs, as where a sales team and an acquired business work with different ones.

Whole families of companies are in Salesforce only, in HubSpot only, or in both; of a family in both, one subsidiary
in four is in one CRM only. Of a company that is in both

- Salesforce holds every deal, HubSpot those with an even number: the ones that were synchronised;
- Salesforce holds every activity but emails with an odd number, HubSpot holds emails and meetings.

So Salesforce, as the system of record, has every figure of what is in both but a few emails. A deal or an activity of
no company is in Salesforce where its number is odd, else in HubSpot. One in ten open deals that only HubSpot holds has
no close date: HubSpot allows that, Salesforce does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from connectors.sandbox.book import Book, Company, Deal, Touch

Crm = Literal["salesforce", "hubspot"]
Places = Mapping[int, frozenset[Crm]]
"""Company of the book -> the CRMs that hold it."""

_SALESFORCE, _HUBSPOT = frozenset[Crm]({"salesforce"}), frozenset[Crm]({"hubspot"})
BOTH = _SALESFORCE | _HUBSPOT


def placed(book: Book, only_salesforce: float, only_hubspot: float, rng: random.Random) -> Places:
    """Where each company is, given the shares of families in one CRM only. What was merged is where its survivor is."""
    companies = {company.id: company for company in book.companies}
    of_family: dict[int, frozenset[Crm]] = {}
    where: dict[int, frozenset[Crm]] = {}
    for company in book.companies:
        top = _top(company, companies)
        if top not in of_family:
            chance = rng.random() - only_salesforce
            of_family[top] = _SALESFORCE if chance < 0 else _HUBSPOT if chance < only_hubspot else BOTH
        where[company.id] = of_family[top]
        if where[company.id] == BOTH and company.id != top and rng.random() < 0.25:
            where[company.id] = rng.choice((_SALESFORCE, _HUBSPOT))
    for company in book.companies:
        where[company.id] = where[_survivor(company, companies)]
    return where


def part_of(book: Book, crm: Crm, where: Places) -> Book:
    """What of a book one CRM holds. A parent that is not there is no parent."""
    held = {number for number, crms in where.items() if crm in crms}
    employers = {person.id: person.company for person in book.people}
    deals = [deal for deal in book.deals if _holds_deal(deal, crm, where)]
    numbers = {deal.id for deal in deals}
    touches = (touch for touch in book.touches if _holds_touch(touch, crm, where, employers))
    close_dates = _without_some_close_dates(book, where)
    people = [person for person in book.people if person.company in held]
    return replace(
        book,
        companies=[_placed_company(company, held) for company in book.companies if company.id in held],
        people=people,
        deals=[close_dates(deal) for deal in deals],
        touches=[t if t.deal is None or t.deal in numbers else replace(t, deal=None) for t in touches],
        around=book.around.part(held, {person.id for person in people}, numbers),
    )


def _top(company: Company, companies: Mapping[int, Company]) -> int:
    """The top of a company's family; in a ring the smallest number on the way, so that its members agree."""
    seen = {company.id}
    while company.parent is not None and company.parent in companies:
        if company.parent in seen:
            return min(seen)
        company = companies[company.parent]
        seen.add(company.id)
    return company.id


def _survivor(company: Company, companies: Mapping[int, Company]) -> int:
    while company.merged_into is not None:
        company = companies[company.merged_into]
    return company.id


def _placed_company(company: Company, held: set[int]) -> Company:
    return company if company.parent is None or company.parent in held else replace(company, parent=None)


def _holds_deal(deal: Deal, crm: Crm, where: Places) -> bool:
    if deal.company is None:
        return _holds_loose(deal.id, crm)
    crms = where[deal.company]
    return crm in crms and (crms != BOTH or crm == "salesforce" or deal.id % 2 == 0)


def _holds_touch(touch: Touch, crm: Crm, where: Places, employers: Mapping[int, int]) -> bool:
    company = touch.company or next((employers[person] for person in touch.people), None)
    if company is None:
        return _holds_loose(touch.id, crm)
    crms = where[company]
    if crms != BOTH:
        return crm in crms
    if crm == "salesforce":
        return touch.kind != "email" or touch.id % 2 == 0
    return touch.kind in {"email", "meeting"}


def _holds_loose(number: int, crm: Crm) -> bool:
    return (crm == "salesforce") == (number % 2 == 1)


def _without_some_close_dates(book: Book, where: Places) -> Callable[[Deal], Deal]:
    open_stages = {stage.key for stage in book.stages if stage.kind == "open"}

    def told(deal: Deal) -> Deal:
        alone = deal.company is None or where[deal.company] == _HUBSPOT
        if not alone or deal.id % 10 or deal.changes[-1].stage not in open_stages:
            return deal
        return replace(deal, changes=tuple(replace(change, close_on=None) for change in deal.changes))

    return told
