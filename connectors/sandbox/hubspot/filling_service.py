"""Makes tickets, the parts people play, and second companies of people, out of a book's surroundings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from connectors.sandbox.book import Book
from connectors.sandbox.hubspot.ids import hubspot_id
from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS, TICKETS, Kind
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.record import BY_USER, Record, Version
from connectors.sandbox.hubspot.reference import SUPPORT_STAGES, support_pipeline
from connectors.sandbox.surroundings import Affiliation, Issue, Role

_PRIMARY_OF_TICKET = 26
_SOURCES = ("EMAIL", "PHONE", "FORM")
_BUYING_ROLES = {
    "Decision Maker": "DECISION_MAKER",
    "Economic Buyer": "BUDGET_HOLDER",
    "Evaluator": "INFLUENCER",
    "Executive Sponsor": "EXECUTIVE_SPONSOR",
    "Influencer": "INFLUENCER",
    "Business User": "END_USER",
}


def load_tickets(portal: Portal, book: Book, survivors: Mapping[int, int]) -> None:
    """The book's issues, each with its company as primary one, and the person who raised it."""
    issues = book.around.issues
    if not issues:
        return
    portal.pipelines[TICKETS.name] = [support_pipeline()]
    portal.load(TICKETS, map(_ticket, issues))
    for issue in issues:
        ticket = hubspot_id("tickets", issue.id)
        company = hubspot_id("companies", survivors.get(issue.company, issue.company))
        portal.associations.add(TICKETS, ticket, COMPANIES, company, (_PRIMARY_OF_TICKET,))
        if issue.person is not None:
            portal.associations.add(TICKETS, ticket, CONTACTS, hubspot_id("contacts", issue.person), ())


def link_roles(portal: Portal, roles: Iterable[Role]) -> None:
    """Who is what in a deal: a label of the portal's own on the link of deal and contact."""
    for role in roles:
        deal, person = hubspot_id("deals", role.deal), hubspot_id("contacts", role.person)
        portal.associations.add(DEALS, deal, CONTACTS, person, (_label(portal, DEALS, CONTACTS, role.name),))


def link_affiliations(portal: Portal, affiliations: Iterable[Affiliation], survivors: Mapping[int, int]) -> None:
    """Companies that are not a person's own: never the primary one, labelled with what the person is there."""
    for one in affiliations:
        person = hubspot_id("contacts", one.person)
        company = hubspot_id("companies", survivors.get(one.company, one.company))
        labels = [_label(portal, CONTACTS, COMPANIES, role) for role in one.roles]
        portal.associations.add(CONTACTS, person, COMPANIES, company, labels)


def buying_roles(roles: Iterable[Role]) -> dict[int, str]:
    """Person of the book -> the options of `hs_buying_role`, joined by `;`: all that the person is in any deal."""
    found: dict[int, list[str]] = defaultdict(list)
    for role in roles:
        found[role.person].append(_BUYING_ROLES.get(role.name, "OTHER"))
    return {person: ";".join(dict.fromkeys(options)) for person, options in found.items()}


def _label(portal: Portal, source: Kind, target: Kind, words: str) -> int:
    types = portal.associations.types
    return (types.labelled(source, target, words) or types.define(source, target, words)).key


def _ticket(issue: Issue) -> Record:
    opened, updated = ms_of(issue.opened_at), ms_of(issue.updated_at)
    stages = list(_stages(issue, opened, updated))
    values = {
        "subject": issue.subject,
        "hs_pipeline": "0",
        "hs_pipeline_stage": stages[-1].value,
        "hs_ticket_priority": issue.priority.upper(),
        "source_type": _SOURCES[issue.id % 3],
        "closed_date": None if issue.closed_at is None else iso(ms_of(issue.closed_at)),
        "hubspot_owner_id": str(hubspot_id("owners", issue.owner)),
    }
    kept = {name: value for name, value in values.items() if value}
    history = {"hs_pipeline_stage": stages} if len(stages) > 1 else None
    return Record(TICKETS, hubspot_id("tickets", issue.id), opened, updated, kept, history)


def _stages(issue: Issue, opened: int, updated: int) -> Iterator[Version]:
    """A ticket begins as a new one, whatever has become of it."""
    yield Version(SUPPORT_STAGES["new"], opened, BY_USER)
    if issue.state != "new":
        yield Version(SUPPORT_STAGES[issue.state], updated, BY_USER)
