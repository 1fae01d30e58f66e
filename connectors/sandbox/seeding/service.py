"""Invents who has to do with accounts and deals: issues, contact roles, second companies of a person, teams."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from connectors.sandbox.book import Book, Deal
from connectors.sandbox.seeding.companies import Account
from connectors.sandbox.seeding.segments import STAR
from connectors.sandbox.seeding.timeline import Timeline
from connectors.sandbox.seeding.words import ISSUES, ROLES, TEAM_ROLES
from connectors.sandbox.surroundings import Affiliation, Issue, IssueState, Member, Role

People = Mapping[int, Sequence[int]]
_STATES: tuple[IssueState, ...] = ("new", "working", "escalated")
# One account in so many has a team, one person in so many a second company, one deal in so many roles in it.
_TEAM_EVERY, _AFFILIATED_EVERY, _ROLES_EVERY = 10, 40, 6


def issues(live: Sequence[Account], people_of: People, line: Timeline) -> list[Issue]:
    """Two of three customers had issues; a fifth of these is still open, among them the ones that escalated."""
    made: list[Issue] = []
    for account in live:
        if account.segment.kind != "Customer" or (account.segment is not STAR and not account.company.id % 3):
            continue
        for _ in range(4 if account.segment is STAR else 1):
            made.append(_issue(len(made) + 1, account, people_of.get(account.company.id, ()), line))
    return made


def roles(deals: Sequence[Deal], people_of: People) -> list[Role]:
    """Every sixth deal names who decides, and every second of these another person too."""
    made: list[Role] = []
    for deal in deals:
        people = people_of.get(deal.company or 0, ())
        if deal.deleted or deal.id % _ROLES_EVERY or not people:
            continue
        first = deal.id // _ROLES_EVERY % len(people)
        chosen = [people[first]]
        if len(people) > 1 and not deal.id % (2 * _ROLES_EVERY):
            chosen.append(people[first - 1])
        for place, person in enumerate(chosen):
            name = ROLES[(deal.id + place) % len(ROLES)]
            made.append(Role(len(made) + 1, deal.id, person, name, deal.created_at, primary=not place))
    return made


def affiliations(book: Book, live: Sequence[Account]) -> list[Affiliation]:
    """Some people have to do with the parent of their company, or else with the next one in the list."""
    parents = {account.company.id: account.company.parent for account in live}
    made: list[Affiliation] = []
    for person in book.people:
        if person.id % _AFFILIATED_EVERY:
            continue
        parent = parents.get(person.company)
        other = parent if parent in parents and parent != person.company else person.company % len(live) + 1
        if other is not None:
            role = ROLES[person.id % len(ROLES)]
            at = book.now - dt.timedelta(days=person.id % 700)
            made.append(Affiliation(len(made) + 1, person.id, other, at, (role,)))
    return made


def members(live: Sequence[Account], active: Sequence[int]) -> list[Member]:
    """Stars, and every tenth account, have a team: two sellers who are still there."""
    made: list[Member] = []
    for account in live:
        company = account.company
        if account.segment is not STAR and company.id % _TEAM_EVERY:
            continue
        first = active.index(company.owner) if company.owner in active else 0
        for place in (0, 1):
            seller = active[(first + place) % len(active)]
            role = TEAM_ROLES[(company.id + place) % len(TEAM_ROLES)]
            made.append(Member(len(made) + 1, company.id, seller, role, company.created_at))
    return made


def _issue(number: int, account: Account, people: Sequence[int], line: Timeline) -> Issue:
    company = account.company
    opened = line.at(line.plain_day(account.segment.halves))
    ends = opened + dt.timedelta(days=1 + number % 23, minutes=number % 600)
    closed = number % 5 != 0 and ends <= line.now
    escalated = not closed and number % 3 == 0
    return Issue(
        id=number,
        company=company.id,
        person=people[number % len(people)] if people and number % 7 else None,
        owner=company.owner,
        opened_at=opened,
        updated_at=ends if closed else opened,
        state="closed" if closed else "escalated" if escalated else _STATES[number % 2],
        subject=ISSUES[number % len(ISSUES)],
        priority=("Low", "Medium", "High", "Medium")[number % 4],
        escalated=escalated,
        closed_at=ends if closed else None,
    )
