"""One invented company's CRMs: a Salesforce org, a HubSpot portal, or both with some of the business in each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

from connectors.sandbox.book import Book
from connectors.sandbox.clock import Clock
from connectors.sandbox.hubspot.app import hubspot_app
from connectors.sandbox.hubspot.app import refuse as refuse_hubspot
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import SEARCHES_PER_SECOND, PortalSettings
from connectors.sandbox.salesforce.app import refuse as refuse_salesforce
from connectors.sandbox.salesforce.app import salesforce_app
from connectors.sandbox.salesforce.ids import ACCOUNT, salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.serving import Served, served
from connectors.sandbox.split import BOTH, part_of, placed


@dataclass(frozen=True)
class Company:
    """The CRMs of one company, on one clock. One that works with a single CRM has None for the other."""

    org: Org | None
    portal: Portal | None
    clock: Clock


@dataclass(frozen=True)
class ServedCompany:
    """The CRMs of a company while they are served: where, and with which faults."""

    company: Company
    salesforce: Served | None
    hubspot: Served | None

    def environment(self) -> dict[str, str]:
        """The variables that point kam at what is served."""
        variables: dict[str, str] = {}
        if self.salesforce is not None and self.company.org is not None:
            org = self.company.org.settings
            variables["KAM_SALESFORCE__INSTANCE_URL"] = self.salesforce.url
            variables["KAM_SALESFORCE__CLIENT_ID"] = org.client_id
            variables["KAM_SALESFORCE__CLIENT_SECRET"] = org.client_secret
        if self.hubspot is not None and self.company.portal is not None:
            variables["KAM_HUBSPOT__BASE_URL"] = self.hubspot.url
            variables["KAM_HUBSPOT__ACCESS_TOKEN"] = self.company.portal.settings.access_token
            if self.company.portal.settings.search_per_second > SEARCHES_PER_SECOND:
                # No answer of HubSpot's tells of this limit.
                variables["KAM_HUBSPOT__SEARCHES_PER_SECOND"] = str(self.company.portal.settings.search_per_second)
        return variables


@contextmanager
def serving(company: Company, ports: tuple[int, int] = (0, 0)) -> Iterator[ServedCompany]:
    """Serves a company's CRMs on loopback until the block ends. Ports: Salesforce's, HubSpot's; 0 takes a free one."""
    with ExitStack() as stack:
        salesforce = hubspot = None
        if company.org is not None:
            salesforce = stack.enter_context(served(salesforce_app(company.org), refuse_salesforce, port=ports[0]))
        if company.portal is not None:
            hubspot = stack.enter_context(served(hubspot_app(company.portal), refuse_hubspot, port=ports[1]))
        yield ServedCompany(company, salesforce, hubspot)


def same_in(
    book: Book,
    clock: Clock,
    crm: Literal["salesforce", "hubspot", "both"],
    *,
    org_settings: OrgSettings | None = None,
    portal_settings: PortalSettings | None = None,
) -> Company:
    """The whole book in one CRM, or the whole of it in each, every company with its id in the other one."""
    if crm == "salesforce":
        return Company(Org.from_book(book, clock, settings=org_settings), None, clock)
    if crm == "hubspot":
        return Company(None, Portal.from_book(book, clock, settings=portal_settings), clock)
    numbers = {company.id for company in book.companies}
    org = Org.from_book(book, clock, _hubspot_ids(numbers), org_settings)
    return Company(org, Portal.from_book(book, clock, _salesforce_ids(numbers), portal_settings), clock)


def two_crms(
    book: Book,
    clock: Clock,
    *,
    only_salesforce: float = 0.4,
    only_hubspot: float = 0.35,
    seed: int = 7,
    org_settings: OrgSettings | None = None,
    portal_settings: PortalSettings | None = None,
) -> Company:
    """A book split over two CRMs by the rules of `connectors.sandbox.split`: some companies are in one, some in both.

    A company that is in both has the other's id in HubSpot only (`salesforceaccountid`) in three of five cases, in
    Salesforce only (`HubSpot_Company_Id__c`) in one, and in both in one.
    """
    where = placed(book, only_salesforce, only_hubspot, random.Random(seed))  # noqa: S311 - an invented book
    shared = {number for number, crms in where.items() if crms == BOTH}
    in_salesforce, in_hubspot = part_of(book, "salesforce", where), part_of(book, "hubspot", where)
    org = Org.from_book(in_salesforce, clock, _hubspot_ids({n for n in shared if n % 5 >= 3}), org_settings)
    known = _salesforce_ids({n for n in shared if n % 5 != 3})
    return Company(org, Portal.from_book(in_hubspot, clock, known, portal_settings), clock)


def _salesforce_ids(numbers: set[int]) -> dict[int, str]:
    return {number: salesforce_id(ACCOUNT, number) for number in sorted(numbers)}


def _hubspot_ids(numbers: set[int]) -> dict[int, str]:
    return {number: str(hubspot_id("companies", number)) for number in sorted(numbers)}
