"""Invents the companies of a book: names, owners, families, and the records that were merged or deleted."""

from __future__ import annotations

import datetime as dt
import random
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.sandbox.book import Company, Person, Seller
from connectors.sandbox.seeding import hostile
from connectors.sandbox.seeding.segments import STAR, Segment, segments_of
from connectors.sandbox.seeding.timeline import Timeline
from connectors.sandbox.seeding.words import (
    COUNTRIES,
    DEPARTMENTS,
    FIRST_NAMES,
    HOME,
    LAST_NAMES,
    STEMS,
    TITLES,
    TRADES,
    Country,
)

LEFT = 2
"""The seller who left; old records and forgotten accounts are still theirs."""

_COUNTRY_WEIGHTS = [country.weight for country in COUNTRIES]
_INDUSTRIES = tuple(TRADES)


@dataclass(frozen=True, slots=True)
class Account:
    """A live company of the book, with what decides how it buys. `size` multiplies its segment's amounts."""

    company: Company
    segment: Segment
    size: float


def sellers(accounts: int, rng: random.Random) -> list[Seller]:
    """The sales team: one per 150 accounts, at least six, and one of them has left."""
    count = max(6, accounts // 150)
    return [Seller(n, _person_name(rng), active=n != LEFT) for n in range(1, count + 1)]


def live_accounts(accounts: int, team: list[Seller], line: Timeline) -> list[Account]:
    """`accounts` companies, numbered from 1. Sixteen carry hostile names, the first of them a star."""
    rng = line.rng
    segments = segments_of(accounts)
    rng.shuffle(segments)
    taken: set[str] = set()
    made = [_account(number, segment, team, line, taken) for number, segment in enumerate(segments, start=1)]
    _give_hostile_names(made)
    _give_one_name_twice(made)
    return made


def ended_companies(live: list[Account], line: Timeline) -> tuple[list[Company], list[Company]]:
    """Records that were merged (into live ones, one of them by way of another), and records that were deleted."""
    rng, each = line.rng, max(3, len(live) // 200)
    first = len(live) + 1
    merged = [_duplicate(first + n, rng.choice(live).company, line) for n in range(each)]
    merged[0] = replace(merged[0], merged_into=merged[1].id)
    deleted = [_deleted(first + each + n, rng.choice(live).company, line) for n in range(each)]
    return merged, deleted


def people(live: list[Account], rng: random.Random) -> list[Person]:
    """One to five people per company; one of them has a hostile name, many no title."""
    made: list[Person] = []
    for account in live:
        count = rng.randint(1, 3) + (2 if account.segment is STAR else 0)
        for _ in range(count):
            name, title = _person_name(rng), rng.choice(TITLES)
            made.append(Person(len(made) + 1, account.company.id, name, title, DEPARTMENTS.get(title or "")))
    made[0] = replace(made[0], name=hostile.PERSON)
    return made


def _account(number: int, segment: Segment, team: list[Seller], line: Timeline, taken: set[str]) -> Account:
    rng = line.rng
    country = rng.choices(COUNTRIES, _COUNTRY_WEIGHTS)[0]
    industry = rng.choice(_INDUSTRIES)
    name = _name(rng, country, industry, taken)
    size = rng.lognormvariate(0, 0.7)
    created = _created(number, segment, line)
    owner = LEFT if number % 40 == 7 else rng.choice(team).id
    company = Company(
        id=number,
        name=name,
        created_at=created,
        updated_at=_updated(number, created, line),
        owner=owner,
        domain=f"{_slug(name)}.{country.domain}" if number % 9 else None,
        kind=segment.kind if number % 53 else None,
        industry=industry if number % 12 else None,
        country=country.name if number % 31 else None,
        currency=country.currency,
        employees=max(3, int(size * 180)) if number % 7 else None,
        annual_revenue=Decimal(int(size * segment.amount / 500) * 10_000) if number % 5 and segment.amount else None,
        strategic_value=_strategic_value(number, segment, rng),
    )
    return Account(company, segment, size)


def _strategic_value(number: int, segment: Segment, rng: random.Random) -> int | None:
    if segment is STAR:
        return rng.randint(7, 10)
    return rng.randint(1, 8) if segment.kind == "Customer" and not number % 3 else None


def _created(number: int, segment: Segment, line: Timeline) -> dt.datetime:
    """Older accounts came with the bulk load, all under one stamp; some others were entered long after."""
    if not any(segment.halves[:4]):
        return line.at(line.today - dt.timedelta(days=line.rng.randint(160, 330)))
    if segment.kind == "Customer" or number % 2:
        return line.loaded_at
    return line.at(line.plain_day((0, 2, 1, 1, 1, 1)))


def _updated(number: int, created: dt.datetime, line: Timeline) -> dt.datetime:
    if not number % 3:
        return max(created, line.mass_update_at)
    return max(created, line.at(line.plain_day((0, 0, 0, 0, 1, 3))))


def _name(rng: random.Random, country: Country, industry: str, taken: set[str]) -> str:
    while True:
        stem = f"{rng.choice(STEMS)} {rng.choice(TRADES[industry])}"
        for name in (f"{stem} {rng.choice(country.forms)}", f"{stem} {rng.randint(2, 99)} {country.forms[0]}"):
            if name not in taken:
                taken.add(name)
                return name


def _person_name(rng: random.Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return "".join(c for c in plain if c.isalnum()) or "company"


def _give_hostile_names(live: list[Account]) -> None:
    """A star first, so that a table of the best accounts has to cope; then customers that buy."""
    stars = [i for i, account in enumerate(live) if account.segment is STAR]
    others = [i for i, a in enumerate(live) if a.segment.name in {"steady", "growing", "prospect", "declining"}]
    for place, name in zip([stars[0], *others], hostile.NAMES.values(), strict=False):
        live[place] = replace(live[place], company=replace(live[place].company, name=name[:255].strip()))


def _give_one_name_twice(live: list[Account]) -> None:
    """Two live accounts may have one name without being one company."""
    one, other = live[-1], live[-2]
    live[-1] = replace(one, company=replace(one.company, name=other.company.name))


def _duplicate(number: int, of: Company, line: Timeline) -> Company:
    merged_at = max(of.created_at, line.at(line.plain_day((0, 0, 0, 1, 1, 1))))
    name = of.name.rpartition(" ")[0].upper() or of.name
    return replace(
        of,
        id=number,
        name=f"{name} (dup)"[:255],
        domain=None,
        updated_at=merged_at,
        merged_into=of.id,
        strategic_value=None,
    )


def _deleted(number: int, like: Company, line: Timeline) -> Company:
    gone_at = max(like.created_at, line.at(line.plain_day((0, 0, 0, 1, 1, 1))))
    return replace(
        like,
        id=number,
        name=f"Test {like.name}"[:255],
        domain=None,
        currency=HOME,
        kind="Customer",
        updated_at=gone_at,
        deleted=True,
        strategic_value=None,
    )
