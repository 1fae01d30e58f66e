"""How accounts and the persons at them come, change and go."""

from __future__ import annotations

import datetime as dt

from kammodel.entities import Account, AccountPerson, Person
from tests.oracle.acts import ROLES, TITLES, Life, Row


def accounts(life: Life) -> None:
    born = life.instant(life.book.config.as_of - dt.timedelta(days=1100))
    for _ in range(life.random.randint(1, 6)):
        account(life, life.random.choice(life.sources), born)
    moments = life.moments(life.random.randint(0, 5), born + dt.timedelta(days=1))
    for at in moments:
        source, source_id = life.random.choice(life.keys(Account))
        act = life.random.choice((reparent, reparent, merge, delete, undelete))
        act(life, source, source_id, at)
    for _ in range(life.random.choice((0, 2, 4))):
        person(life)


def account(life: Life, source: str, born: dt.datetime) -> None:
    random = life.random
    source_id = life.id("A")
    at = born if life.chance(0.8) else min(life.instant(), life.book.last_sync)
    values: Row = {
        "name": f"Firm {source_id}",
        "type": random.choice(("customer", None)),
        "industry": random.choice(("Steel", "Food", None)),
        "country": random.choice(("ES", "US", None)),
        "owner_id": random.choice(("ana", "luis", None)),
        "parent_id": life.some(Account, source, none=0.5),
    }
    twins = [key for key in life.keys(Account) if key[0] != source]
    if twins and life.chance(0.5):
        values |= twin(life, source, source_id, life.today[Account][random.choice(twins)])
    life.put(Account, source, source_id, at, **values)


def twin(life: Life, source: str, source_id: str, other: Row) -> Row:
    """The same company as an account of the other CRM, by a reference or by its web address: in one way only."""
    if other.get("is_twin") or life.chance(0.5):
        return {"cross_reference": other["source_id"]}
    return {"cross_reference": other["source_id"]}


def reparent(life: Life, source: str, source_id: str, at: dt.datetime) -> None:
    parent = life.random.choice((None, "nobody", source_id, *(key[1] for key in life.keys(Account, source))))
    life.edit(Account, source, source_id, at, parent_id=parent)


def merge(life: Life, source: str, source_id: str, at: dt.datetime) -> None:
    others = [key[1] for key in life.keys(Account, source) if key[1] != source_id]
    if others:
        values = {"merged_into_id": life.random.choice(others)}
        if life.chance(0.5):
            life.edit(Account, source, source_id, at, deleted=True, **values)
        elif life.exists(Account, source, source_id, at):
            life.gone(Account, source, source_id, at, **values)


def delete(life: Life, source: str, source_id: str, at: dt.datetime) -> None:
    if life.chance(0.5):
        life.edit(Account, source, source_id, at, deleted=True)
    elif life.exists(Account, source, source_id, at):
        life.gone(Account, source, source_id, at)


def undelete(life: Life, source: str, source_id: str, at: dt.datetime) -> None:
    gone = [key for key in life.keys(Account) if life.today[Account][key]["deleted"]]
    for own, own_id in gone[:1]:
        life.edit(Account, own, own_id, at, deleted=False, merged_into_id=None)


def person(life: Life) -> None:
    random = life.random
    source = random.choice(life.sources)
    source_id = life.id("P")
    at = min(life.instant(life.day(900, 10)), life.book.last_sync)
    own = {"account_id": life.some(Account, source, none=0.1), "title": random.choice(TITLES)}
    life.put(Person, source, source_id, at, **own)
    for moment in life.moments(random.choice((0, 0, 1)), at):
        change = random.choice(({"title": random.choice(TITLES)}, {"deleted": True}))
        life.edit(Person, source, source_id, moment, **change)
    if life.chance(0.4):
        tie = {"account_id": life.some(Account, source), "person_id": source_id, "roles": random.choice(ROLES)}
        days = {"since_on": random.choice((None, life.day())), "until_on": random.choice((None, None, life.day()))}
        made = min(at + dt.timedelta(hours=1), life.book.last_sync)
        active = random.choice((True, True, False, None))
        life.put(AccountPerson, source, life.id("R"), made, **tie, is_direct=False, is_active=active, **days)
