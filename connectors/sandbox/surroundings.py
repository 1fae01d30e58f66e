"""What a company knows around its accounts and deals, in no vendor's words: the other half of a book.

Ids are small integers, unique within their list. An object without rows here is one the company does not use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

IssueState = Literal["new", "working", "escalated", "closed"]
MeasureKind = Literal["money", "number", "percent"]


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a customer complained of or asked for. One that is closed says when."""

    id: int
    company: int
    person: int | None
    owner: int
    opened_at: dt.datetime
    updated_at: dt.datetime
    state: IssueState
    subject: str
    priority: str = "Medium"
    escalated: bool = False
    closed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is in a deal. One of a deal's roles at most is the primary one."""

    id: int
    deal: int
    person: int
    name: str
    at: dt.datetime
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Affiliation:
    """A person who has to do with a company that is not their own."""

    id: int
    person: int
    company: int
    at: dt.datetime
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """A seller who works with a company beside its owner, or as its owner."""

    id: int
    company: int
    seller: int
    role: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold, at a list price in the home currency."""

    id: int
    name: str
    code: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a product in a deal, at a price in the deal's currency. A deal's items add up to its amount."""

    id: int
    deal: int
    product: int
    quantity: int
    price: Decimal
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Contract:
    """An agreement with a company for so many months. It runs out by itself: nobody touches it then."""

    id: int
    company: int
    owner: int
    start_on: dt.date
    months: int
    at: dt.datetime
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """What a company ordered, for the whole amount of a deal."""

    id: int
    company: int
    deal: int
    owner: int
    on: dt.date
    amount: Decimal
    at: dt.datetime
    contract: int | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Asset:
    """A product that stands at a company."""

    id: int
    company: int
    product: int
    owner: int
    quantity: int
    price: int
    installed_on: dt.date
    at: dt.datetime
    ends_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """How far an objective is; a value that is not known yet is None."""

    id: int
    name: str
    kind: MeasureKind
    target: Decimal
    current: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Objective:
    """Something that is to be reached with a company."""

    id: int
    name: str
    state: Literal["new", "in progress", "closed"]
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What is intended with a company over a year."""

    id: int
    company: int
    owner: int
    name: str
    start_on: dt.date
    end_on: dt.date
    at: dt.datetime
    objectives: tuple[Objective, ...] = ()


@dataclass
class Surroundings:
    """All that a company knows around its accounts and deals."""

    issues: list[Issue] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    affiliations: list[Affiliation] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    def part(self, companies: AbstractSet[int], people: AbstractSet[int], deals: AbstractSet[int]) -> Surroundings:
        """What of it concerns these companies, people and deals only; products are everybody's."""
        return Surroundings(
            issues=[one for one in self.issues if one.company in companies],
            roles=[one for one in self.roles if one.deal in deals and one.person in people],
            affiliations=[one for one in self.affiliations if one.company in companies and one.person in people],
            members=[one for one in self.members if one.company in companies],
            products=self.products,
            items=[one for one in self.items if one.deal in deals],
            contracts=[one for one in self.contracts if one.company in companies],
            orders=[one for one in self.orders if one.company in companies and one.deal in deals],
            assets=[one for one in self.assets if one.company in companies],
            plans=[one for one in self.plans if one.company in companies],
        )
