"""A small book served as a HubSpot portal, one server for many portals."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests
from hubspot import HubSpot
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.sandbox.book import Book, Company, Deal, Person, Rate, Seller, Stage, StageChange, Touch
from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.hubspot.app import hubspot_app, refuse
from connectors.sandbox.hubspot.portal import Portal
from connectors.sandbox.hubspot.settings import ACCESS_TOKEN, PortalSettings
from connectors.sandbox.serving import served

NOW = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
HOSTILE = "[red]\u202eAcme\x1b[31m; =HYPERLINK(\"x\") 'O''Neil' <b>\n株式会社"


def day(days_ago: float) -> dt.datetime:
    return NOW - dt.timedelta(days=days_ago)


def company(number: int, name: str, ago: float = 100, **more: Any) -> Company:
    return Company(id=number, name=name, created_at=day(900), updated_at=day(ago), owner=1, **more)


def deal(number: int, at_company: int | None, *changes: StageChange, ago: float = 10, **more: Any) -> Deal:
    made = changes[0].at
    return Deal(number, f"Deal {number}", at_company, 1, made, day(ago), changes, **more)


def change(ago: float, stage: str, amount: int | None, close: str) -> StageChange:
    return StageChange(day(ago), stage, None if amount is None else Decimal(amount), dt.date.fromisoformat(close))


def touch(number: int, kind: Any, **more: Any) -> Touch:
    moment = day(number)
    return Touch(number, kind, moment, 1, moment, moment, f"Touch {number}", **more)


STAGES = (
    Stage("qualified", "Qualified", Decimal("0.2"), "open"),
    Stage("proposal", "Proposal", Decimal("0.6"), "open"),
    Stage("won", "Won", Decimal(1), "won"),
    Stage("lost", "Lost", Decimal(0), "lost"),
)


def small_book() -> Book:
    """Six companies (a parent, a merged and a deleted one), seven deals, five touches."""
    return Book(
        now=NOW,
        home_currency="EUR",
        timezone="Europe/Madrid",
        stages=STAGES,
        sellers=[Seller(1, "Ana Ruiz"), Seller(2, "Ben Ochs", active=False)],
        companies=[
            company(1, "Alpha", domain="alpha.example", industry="Machine Tools", employees=250, strategic_value=7),
            company(2, "Alpha Iberia", parent=1, annual_revenue=Decimal("1200000.50"), country="Spain"),
            company(3, "Beta SL", merged_into=4),
            company(4, "Beta Group", kind="Prospect"),
            company(5, "Gone Ltd", deleted=True),
            company(6, HOSTILE, kind=None),
        ],
        people=[Person(1, 1, "Carla Diaz", "CFO"), Person(2, 3, "Dan Wu")],
        deals=[
            deal(
                1,
                1,
                change(60, "qualified", 1000, "2026-10-31"),
                change(40, "proposal", 1500, "2026-10-31"),
                change(20, "won", 1500, "2026-10-13"),
                kind="New Business",
            ),
            deal(2, 3, change(30, "proposal", 2000, "2026-12-31"), currency="USD", kind="Renewal"),
            deal(
                3,
                1,
                change(50, "qualified", 300, "2026-09-30"),
                change(25, "lost", 300, "2026-10-08"),
                lost_reason="Price",
            ),
            deal(4, None, change(15, "qualified", None, "2027-01-31")),
            deal(5, 1, change(90, "qualified", 10, "2026-08-31"), deleted=True),
            deal(6, 6, change(10, "qualified", 50, "2026-11-30")),
            deal(7, 2, change(12, "qualified", 700, "2026-11-30")),
        ],
        touches=[
            touch(1, "call", company=1, people=(1,), minutes=30, inbound=False),
            touch(2, "meeting", deal=1, minutes=60),
            touch(3, "email", people=(2,), inbound=True),
            touch(4, "note", company=6),
            touch(5, "task", company=2, done=False),
        ],
        rates=[Rate("USD", dt.date(2026, 1, 1), Decimal("0.9"))],
    )


def portal(book: Book | None = None, **settings: Any) -> Portal:
    """The portal of a book, its clock standing at the book's now."""
    found = book or small_book()
    return Portal.from_book(found, Clock(found.now), {1: "001A0000000001AAA"}, PortalSettings(**settings))


@dataclass
class Front:
    """A server whose portal is changed between tests: starting one takes longer than most tests."""

    url: str = ""
    faults: Faults = field(default_factory=Faults)
    app: ASGIApp | None = None
    session: requests.Session = field(default_factory=requests.Session)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def show(self, portal: Portal) -> Portal:
        self.app = hubspot_app(portal)
        self.faults.clear()
        return portal

    def api(self, pick: Callable[[Any], Any], token: str = ACCESS_TOKEN) -> Any:
        """A part of hubspot-api-client that speaks to this server."""
        return pick(HubSpot(access_token=token, host=self.url, base_url=self.url, retry=False))

    def call(
        self, method: str, path: str, body: Any = None, token: str = ACCESS_TOKEN, **more: Any
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
        return self.session.request(method, self.url + path, json=body, headers=headers, timeout=30, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> requests.Response:
        return self.call("POST", path, body, **more)


@contextmanager
def open_front() -> Iterator[Front]:
    front = Front()
    with served(front, refuse) as there, front.session:
        front.url, front.faults = there.url, there.faults
        yield front
