"""Random books of business for rollups: rows with holes, ties, currencies, merges, twins and deletions, and where each
account belongs, as the one who made them knows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kammodel.entities import Account, AccountPerson, Contract, LineItem, Product
from kammodel.facts.cut import cut
from kammodel.identity import AccountGroups, account_groups
from kammodel.inputs import Inputs
from kammodel.rollups import Rollup
from kammodel.rollups.computing import Rolled, roll_up
from tests.unit.kam_world import AS_OF, CONFIG, STAMP, Row, World, at, crm

NOON = dt.time(12, tzinfo=dt.UTC)
CURRENCIES = ("EUR", "EUR", "USD", "GBP", None)
"""Pounds have no rate; none at all is the home currency."""


@dataclass
class Book:
    """`places`: source and id of an account -> its company, its group, and whether its rows count."""

    world: World = field(default_factory=World)
    places: dict[tuple[str, str], tuple[str, str, bool]] = field(default_factory=dict)

    @property
    def companies(self) -> dict[str, str]:
        """Company -> group."""
        return {company: group for company, group, _ in self.places.values()}


def some_book(seed: int, groups: int) -> Book:
    """Groups of up to four accounts, each with a few rows of every kind."""
    chance, book = Random(seed), Book()
    book.world.rate("USD", "2020-01-01", 9, 10)
    book.world.rate("USD", "2026-03-01", 7, 8)
    for family in ("Pumps", "Valves"):
        book.world.add(Product, family, family=family, name=family.lower(), is_active=chance.random() < 0.5)
    for number in range(groups):
        _group(book, f"g{number:05}", chance)
    return book


def _group(book: Book, root: str, chance: Random) -> None:
    world, places = book.world, book.places
    world.account(root)
    places["salesforce", root] = (root, root, True)
    if chance.random() < 0.4:
        child = f"{root}c"
        world.account(child, parent_id=root)
        places["salesforce", child] = (child, root, True)
    if chance.random() < 0.2:
        world.account(f"{root}m", deleted=True, merged_into_id=root)
        places["salesforce", f"{root}m"] = (root, root, True)
    if chance.random() < 0.2:
        world.account(f"{root}t", "hubspot", cross_reference=root)
        places["hubspot", f"{root}t"] = (root, root, False)
    own = [key for key in places if key[1].startswith(root)]
    for number in range(chance.choice((0, 1, 2, 4, 7))):
        _rows(world, f"{root}-{number}", own, chance)


def _rows(world: World, name: str, accounts: list[tuple[str, str]], chance: Random) -> None:
    source, account = chance.choice(accounts)
    for make in (_deal, _case, _contract, _activity, _contact):
        if chance.random() < 0.8:
            make(world, name, source, [account, *(a for s, a in accounts if s == source)], chance)


def _envelope(chance: Random) -> Row:
    """Some were made after the day, some are gone."""
    made = chance.choice(
        (at("2024-02-29T23:30"), at("2026-06-30T21:59"), at("2026-06-30T22:01"), at("2026-07-09T01:00"))
    )
    return {"created_at": made if chance.random() < 0.3 else at("2024-01-01T12:00"), "deleted": chance.random() < 0.1}


def some_day(chance: Random) -> dt.date | None:
    """Near the edges of windows, and often the same."""
    edges = (0, 0, 1, 29, 30, 31, 89, 90, 91, 181, 365, 366, -1, -30, -31, -92)
    return None if chance.random() < 0.1 else AS_OF - dt.timedelta(days=chance.choice(edges))


def _moment(chance: Random) -> dt.datetime | None:
    day, hour = some_day(chance), chance.choice((0, 12, 21, 22, 23))
    return None if day is None else dt.datetime.combine(day, dt.time(hour, 30), dt.UTC)


def _amount(chance: Random) -> int | None:
    return chance.choice((None, 0, 1, -5, 10_000, 10_000, 123_456_789, 33_333, chance.randrange(10**9)))


def _money(chance: Random) -> Row:
    return {"amount": _amount(chance), "currency": chance.choice(CURRENCIES)}


def _number(chance: Random) -> float | None:
    return chance.choice((None, 0.0, 0.1, 0.2, 0.1, 2.5, -1.25, 1 / 3))


def _flag(chance: Random) -> bool | None:
    return chance.choice((True, False, None))


def _deal(world: World, name: str, source: str, accounts: list[str], chance: Random) -> None:
    words = {"kind": chance.choice(("new", "renewal", None)), "name": chance.choice(("Ünï", "b", "A long name", None))}
    flags = {"is_omitted": _flag(chance), "probability": chance.choice((None, 0.5, 0.25))}
    status, stage = chance.choice(("won", "lost", "open")), chance.choice(("s1", "s2", None))
    row = {**_money(chance), **_envelope(chance), **words, **flags, "status": status, "stage_id": stage}
    place = {"source_id": name, "account_id": accounts[0], "close_on": some_day(chance), "updated_at": STAMP}
    world.deals.append({**crm(source), **row, **place})
    for number in range(chance.randrange(3)):
        line = {**_money(chance), **_envelope(chance), "quantity": _number(chance), "service_on": some_day(chance)}
        product = chance.choice(("Pumps", "Valves", "gone", None)) if source == "salesforce" else None
        world.add(LineItem, f"{name}-{number}", source, opportunity_id=name, product_id=product, **line)


def _case(world: World, name: str, source: str, accounts: list[str], chance: Random) -> None:
    words = {"priority": chance.choice(("High", "Low", None)), "is_escalated": _flag(chance)}
    times = {
        "opened_at": _moment(chance),
        "closed_at": _moment(chance),
        "is_closed": _flag(chance),
    }
    world.case(name, accounts[0], source)
    world.cases[-1] |= {**words, **times, **_envelope(chance)}


def _contract(world: World, name: str, source: str, accounts: list[str], chance: Random) -> None:
    more = {"term_months": chance.choice((None, 12, 12, 36, 1)), "status": chance.choice(("Activated", "Draft", None))}
    days = {"starts_on": some_day(chance), "ends_on": some_day(chance)}
    world.add(Contract, name, source, account_id=accounts[0], **more, **days, **_money(chance), **_envelope(chance))


def _activity(world: World, name: str, source: str, accounts: list[str], chance: Random) -> None:
    """Of one account or of several, of groups or not."""
    named = ";".join(sorted({accounts[0], chance.choice(accounts)}))
    more: dict[str, Any] = {
        "source_id": name,
        "account_ids": named,
        "kind": chance.choice(("call", "email", "note")),
        "direction": chance.choice(("in", "out", None)),
        "occurred_on": some_day(chance),
        "starts_at": _moment(chance),
        "status": chance.choice(("done", "planned")),
        "is_counted": chance.random() < 0.9,
    }
    world.activities.append({**crm(source), "owner_id": "o", "is_calendar": False, **more, **_envelope(chance)})


def _contact(world: World, name: str, source: str, accounts: list[str], chance: Random) -> None:
    world.person(name, accounts[0] if chance.random() < 0.8 else None, source)
    world.persons[-1] |= {**_envelope(chance), "title": chance.choice(("CEO", "Head of IT", None))}
    world.persons[-1] |= {"has_opted_out": _flag(chance)}
    if chance.random() < 0.3:
        place = {"account_id": chance.choice(accounts), "person_id": name, "is_active": True}
        world.add(AccountPerson, f"{name}-r", source, created_at=at("2024-01-01T12:00"), **place)


def roll(rollups: Sequence[Rollup], world: World) -> tuple[Rolled, AccountGroups]:
    """The rollups of a book on the day, and its groups."""
    return roll_inputs(rollups, world.inputs())


def roll_inputs(rollups: Sequence[Rollup], inputs: Inputs, day: dt.date = AS_OF) -> tuple[Rolled, AccountGroups]:
    """The same of what is known."""
    moment = cut(day, CONFIG.timezone, inputs.synced_at)
    known = inputs.as_known(moment)
    grouping = account_groups(known.of(Account), "salesforce")
    return roll_up(rollups, known, known.sources(grouping, moment, "EUR")), grouping
