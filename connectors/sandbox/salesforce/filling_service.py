"""Issues, contact roles, second accounts of contacts and teams of a book as an org holds them; and field history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from connectors.sandbox.book import Book, Deal, Person, Stage
from connectors.sandbox.salesforce.field_history import DATA_TYPES
from connectors.sandbox.salesforce.filling_marks import Record, put, stamps
from connectors.sandbox.salesforce.ids import ACCOUNT, CASE, CONTACT, OPPORTUNITY, USER, salesforce_id
from connectors.sandbox.salesforce.instants import stamp
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.surroundings import Affiliation, Issue, Member, Role

_TRACKED_FOR = dt.timedelta(days=30)
_STATUS = {"new": "New", "working": "Working", "escalated": "Escalated", "closed": "Closed"}


def fill_service(org: Org, book: Book) -> None:
    """Everything; what the org has no feature for is left out. Accounts, contacts and deals are there already."""
    around, currency = book.around, _currency_of_accounts(book)
    put(org, "Case", (_case(one, currency) for one in around.issues))
    deals = {deal.id: deal for deal in book.deals}
    put(org, "OpportunityContactRole", (_role(one, deals[one.deal]) for one in around.roles))
    since = stamp(book.now - dt.timedelta(days=1_000))
    put(org, "AccountContactRelation", _relations(book.people, around.affiliations, since))
    put(org, "AccountTeamMember", (_member(one, currency) for one in around.members))


def fill_field_history(org: Org, book: Book, stages: Mapping[str, Stage]) -> None:
    """Changes of the last thirty days: from then on the fields were tracked."""
    put(org, "OpportunityFieldHistory", _history(book.deals, stages, book.now - _TRACKED_FOR))


def _currency_of_accounts(book: Book) -> dict[int, str]:
    return {company.id: company.currency or book.home_currency for company in book.companies}


def _case(issue: Issue, currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id(CASE, issue.id),
        "AccountId": salesforce_id(ACCOUNT, issue.company),
        "ContactId": None if issue.person is None else salesforce_id(CONTACT, issue.person),
        "Subject": issue.subject,
        "Status": _STATUS[issue.state],
        "Priority": issue.priority,
        "Origin": ("Email", "Phone", "Web")[issue.id % 3],
        "IsEscalated": issue.escalated,
        "ClosedDate": None if issue.closed_at is None else stamp(issue.closed_at),
        "OwnerId": salesforce_id(USER, issue.owner),
        "CurrencyIsoCode": currency[issue.company],
        **stamps(issue.opened_at, issue.updated_at, issue.owner),
    }


def _role(role: Role, deal: Deal) -> Record:
    return {
        "Id": salesforce_id("00K", role.id),
        "OpportunityId": salesforce_id(OPPORTUNITY, role.deal),
        "ContactId": salesforce_id(CONTACT, role.person),
        "Role": role.name,
        "IsPrimary": role.primary,
        "CurrencyIsoCode": deal.currency,
        **stamps(role.at, role.at, deal.owner),
    }


def _relations(people: Iterable[Person], affiliations: Iterable[Affiliation], since: str) -> Iterator[Record]:
    """A direct one per contact, as the org makes it by itself, and after these the others."""
    last = 0
    for person in people:
        last = max(last, person.id)
        yield {
            "Id": salesforce_id("07k", person.id),
            "AccountId": salesforce_id(ACCOUNT, person.company),
            "ContactId": salesforce_id(CONTACT, person.id),
            "CreatedDate": since,
        }
    for one in affiliations:
        yield {
            "Id": salesforce_id("07k", last + one.id),
            "AccountId": salesforce_id(ACCOUNT, one.company),
            "ContactId": salesforce_id(CONTACT, one.person),
            "Roles": ";".join(one.roles),
            "CreatedDate": stamp(one.at),
        }


def _member(member: Member, currency: Mapping[int, str]) -> Record:
    return {
        "Id": salesforce_id("01M", member.id),
        "AccountId": salesforce_id(ACCOUNT, member.company),
        "UserId": salesforce_id(USER, member.seller),
        "TeamMemberRole": member.role,
        "AccountAccessLevel": "Edit",
        "OpportunityAccessLevel": "Edit",
        "CaseAccessLevel": "Read",
        "ContactAccessLevel": "Edit",
        "CurrencyIsoCode": currency[member.company],
        "CreatedDate": stamp(member.at),
    }


def _history(deals: Iterable[Deal], stages: Mapping[str, Stage], since: dt.datetime) -> Iterator[Record]:
    number = 0
    for deal in deals:
        if deal.changes[-1].at < since:
            continue
        for before, after in zip(deal.changes, deal.changes[1:], strict=False):
            if after.at < since:
                continue
            values: tuple[tuple[str, str, Any, Any], ...] = (
                ("StageName", "picklist", stages[before.stage].label, stages[after.stage].label),
                ("Amount", "currency", before.amount, after.amount),
                ("CloseDate", "date", before.close_on, after.close_on),
            )
            for name, kind, old, new in values:
                if old != new:
                    number += 1
                    yield {
                        "Id": salesforce_id("017", number),
                        "OpportunityId": salesforce_id(OPPORTUNITY, deal.id),
                        "CreatedById": salesforce_id(USER, deal.owner),
                        "CreatedDate": stamp(after.at),
                        "Field": name,
                        "DataType": DATA_TYPES[kind],
                        "OldValue": old,
                        "NewValue": new,
                        "IsDeleted": deal.deleted,
                    }
