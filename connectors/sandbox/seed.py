"""Invents one company's book of business over three years: the same one for the same size, moment and seed."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.sandbox.book import Book, Company, Deal, Rate, Touch
from connectors.sandbox.seeding import deals as deals_
from connectors.sandbox.seeding import hostile, sales, service
from connectors.sandbox.seeding.companies import Account, ended_companies, live_accounts, people, sellers
from connectors.sandbox.seeding.families import with_families
from connectors.sandbox.seeding.timeline import Timeline
from connectors.sandbox.seeding.touches import Diary
from connectors.sandbox.seeding.words import HOME, RATES
from connectors.sandbox.surroundings import Surroundings

DEALS_PER_ACCOUNT, TOUCHES_PER_ACCOUNT = 5, 20
FEWEST = 40
TIMEZONE = "Europe/Madrid"


def seeded_book(accounts: int, now: dt.datetime, seed: int = 7) -> Book:
    """The book of a company with so many live accounts (at least 40, so that there is one of each oddity).

    It has five deals and twenty activities per account, exactly; merged and deleted companies come on top. Ids
    of companies 1..accounts are the live ones. Nothing in it was created or changed after `now`.
    """
    if accounts < FEWEST:
        raise ValueError(f"a book with one of each oddity needs at least {FEWEST} accounts, not {accounts}")
    line = Timeline(now, random.Random(seed))  # noqa: S311 - an invented book, not a secret
    book = Book(line.now, HOME, TIMEZONE, deals_.STAGES, rates=_rates(line))
    book.sellers = sellers(accounts, line.rng)
    live = live_accounts(accounts, book.sellers, line)
    merged, deleted = ended_companies(live, line)
    live = with_families(live, deleted[0], line.rng)
    book.companies = [*(account.company for account in live), *merged, *deleted]
    book.people = people(live, line.rng)
    book.deals = _deals(live, deleted, line)
    people_of = _people_of(book)
    _write_diary(book, live, people_of, line)
    _surround(book, live, people_of, line)
    return book


def _rates(line: Timeline) -> list[Rate]:
    days = (line.start - dt.timedelta(days=400), line.today - dt.timedelta(days=500), line.today.replace(day=1))
    return [
        Rate(currency, day, worth)
        for currency, values in RATES.items()
        for day, worth in zip(days, values, strict=True)
    ]


def _deals(live: Sequence[Account], deleted: Sequence[Company], line: Timeline) -> list[Deal]:
    loose = list(deals_.loose_deals(max(4, len(live) // 20), line))
    total = DEALS_PER_ACCOUNT * len(live) - len(loose) - len(deleted)
    made = list(loose)
    for account, count in zip(live, allotted([a.segment.deals for a in live], total, line.rng), strict=True):
        made += deals_.deals_of(account, count, line)
    buyer = next(account for account in live if account.segment.name == "steady")
    for company in deleted:
        # A company takes its deals with it into the bin.
        deal = deals_.deals_of(replace(buyer, company=company), 1, line)[0]
        made.append(replace(deal, deleted=True, updated_at=max(deal.updated_at, company.updated_at)))
    return deals_.numbered(made)


def _people_of(book: Book) -> dict[int, list[int]]:
    people_of: dict[int, list[int]] = defaultdict(list)
    for person in book.people:
        people_of[person.company].append(person.id)
    return people_of


def _write_diary(book: Book, live: Sequence[Account], people_of: Mapping[int, Sequence[int]], line: Timeline) -> None:
    deals_of: dict[int | None, list[Deal]] = defaultdict(list)
    for deal in book.deals:
        deals_of[deal.company].append(deal)
    diary = Diary(line, book.sellers)
    counts = allotted([a.segment.touches for a in live], TOUCHES_PER_ACCOUNT * len(live), line.rng)
    for account, count in zip(live, counts, strict=True):
        number = account.company.id
        book.touches += diary.touches_of(account, count, people_of.get(number, ()), deals_of[number])
    book.touches[0] = replace(book.touches[0], subject=hostile.SUBJECT, deleted=False)


def _surround(book: Book, live: Sequence[Account], people_of: Mapping[int, Sequence[int]], line: Timeline) -> None:
    """After all else, so that accounts, deals and activities are those of a book without surroundings."""
    contracts = sales.contracts(live, line)
    book.around = Surroundings(
        issues=service.issues(live, people_of, line),
        roles=service.roles(book.deals, people_of),
        affiliations=service.affiliations(book, live),
        members=service.members(live, [seller.id for seller in book.sellers if seller.active]),
        products=sales.products(),
        items=sales.items(book.deals),
        contracts=contracts,
        orders=sales.orders(book.deals, contracts),
        assets=sales.assets(book.deals, line),
        plans=sales.plans(live, line),
    )
    issue_of = {issue.company: issue.id for issue in book.around.issues}
    book.touches = [_linked(touch, issue_of) for touch in book.touches]


def _linked(touch: Touch, issue_of: Mapping[int, int]) -> Touch:
    """Some plain tasks are about an issue, some activities of any kind were logged on the person alone."""
    if touch.deal is not None or touch.company is None:
        return touch
    if touch.kind == "task" and not touch.id % 4 and touch.company in issue_of:
        return replace(touch, issue=issue_of[touch.company], people=())
    return replace(touch, on_person=True) if touch.people and touch.id % 12 == 5 else touch


def allotted(weights: Sequence[float], total: int, rng: random.Random) -> list[int]:
    """`total` split into whole numbers by weight; what rounding leaves goes to places drawn by weight."""
    scale = total / sum(weights)
    counts = [int(weight * scale) for weight in weights]
    for place in rng.choices(range(len(weights)), weights, k=total - sum(counts)):
        counts[place] += 1
    return counts
