"""One invented company's book of business, in no vendor's words: what the sandbox CRMs are filled from.

A book is neutral so that the same business can be served as a Salesforce org, as a HubSpot portal, or as
both at once under different ids. Ids here are small integers, unique within their list.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from connectors.sandbox.surroundings import Surroundings

StageKind = Literal["open", "won", "lost"]
TouchKind = Literal["call", "email", "meeting", "note", "task"]


@dataclass(frozen=True, slots=True)
class Seller:
    """A user or owner of records. One who left stays as owner of old records."""

    id: int
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Stage:
    """A step of the one sales pipeline. `probability` is a share, 0..1."""

    key: str
    label: str
    probability: Decimal
    kind: StageKind


@dataclass(frozen=True, slots=True)
class Person:
    """A contact of a company."""

    id: int
    company: int
    name: str
    title: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A customer, prospect or partner. `merged_into` and `deleted` are how a record ends."""

    id: int
    name: str
    created_at: dt.datetime
    updated_at: dt.datetime
    owner: int
    domain: str | None = None
    kind: str | None = "Customer"
    industry: str | None = None
    country: str | None = None
    currency: str | None = None
    employees: int | None = None
    annual_revenue: Decimal | None = None
    parent: int | None = None
    merged_into: int | None = None
    deleted: bool = False
    strategic_value: int | None = None


@dataclass(frozen=True, slots=True)
class StageChange:
    """The state of a deal from `at` on: one entry per change of stage, amount or expected close."""

    at: dt.datetime
    stage: str
    amount: Decimal | None
    close_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity. Its present stage, amount and close date are those of its last change."""

    id: int
    name: str
    company: int | None
    owner: int
    created_at: dt.datetime
    updated_at: dt.datetime
    changes: tuple[StageChange, ...]
    currency: str | None = None
    kind: str | None = None
    lost_reason: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Touch:
    """Something done, or planned, with a customer. `minutes` is the length of a call or meeting.

    One about an `issue`, or logged `on_person` alone, says no company where the CRM has one link for what it is about.
    """

    id: int
    kind: TouchKind
    at: dt.datetime
    owner: int
    created_at: dt.datetime
    updated_at: dt.datetime
    subject: str
    done: bool = True
    company: int | None = None
    deal: int | None = None
    people: tuple[int, ...] = ()
    minutes: int | None = None
    inbound: bool | None = None
    issue: int | None = None
    on_person: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `currency` is worth `in_home` units of the home currency from `valid_from` on."""

    currency: str
    valid_from: dt.date
    in_home: Decimal


@dataclass
class Book:
    """Everything the invented company knows, as of `now`."""

    now: dt.datetime
    home_currency: str
    timezone: str
    stages: tuple[Stage, ...]
    sellers: list[Seller] = field(default_factory=list)
    companies: list[Company] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    touches: list[Touch] = field(default_factory=list)
    rates: list[Rate] = field(default_factory=list)
    around: Surroundings = field(default_factory=Surroundings)
