"""A small org for tests: three accounts, two contacts, two opportunities, a clock that stands still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from starlette.types import Receive, Scope, Send

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.app import SalesforceApp, refuse
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import CLIENT_ID, CLIENT_SECRET, OrgSettings
from connectors.sandbox.serving import served

NOW = dt.datetime(2026, 5, 1, 12, 0, 0, tzinfo=dt.UTC)
LATER = dt.timedelta(hours=1)
ACME, BETA, GONE = (salesforce_id("001", n) for n in (1, 2, 3))
ZOE, YAN = (salesforce_id("003", n) for n in (1, 2))
OPEN, WON = (salesforce_id("006", n) for n in (1, 2))
ANN, BOB = (salesforce_id("005", n) for n in (1, 2))

_SELLER = {"TimeZoneSidKey": "Europe/Madrid", "LocaleSidKey": "en_US", "LanguageLocaleKey": "en_US"}
_PROFILE = salesforce_id("00e", 1)


def small_org(clock: Clock | None = None, **knobs: Any) -> Org:
    """The org at NOW. Acme is Beta's parent; Gone is in the recycle bin; Bob left."""
    org = Org(clock or Clock(NOW), OrgSettings(**knobs), timezone="Europe/Madrid")
    day = "2026-04-01T08:00:00.000+0000"
    sellers = (
        {"Id": ANN, "Username": "ann@x.example", "FirstName": "Ann", "LastName": "Lee", "IsActive": True},
        {"Id": BOB, "Username": "bob@x.example", "LastName": "Bob", "IsActive": False},
    )
    org.load(
        "User", [{**one, **_SELLER, "Email": one["Username"], "Alias": "x", "ProfileId": _PROFILE} for one in sellers]
    )
    org.load(
        "Account",
        [
            {
                "Id": ACME,
                "Name": "Acme",
                "OwnerId": ANN,
                "Industry": "Retail",
                "AnnualRevenue": 1000,
                "CreatedDate": day,
            },
            {"Id": BETA, "Name": 'beta\'s "best"', "OwnerId": BOB, "ParentId": ACME, "CreatedDate": day},
            {"Id": GONE, "Name": "Gone", "OwnerId": ANN, "IsDeleted": True, "CreatedDate": "2026-04-20T08:00:00Z"},
        ],
    )
    org.load(
        "Contact",
        [
            {"Id": ZOE, "FirstName": "Zoe", "LastName": "Zed", "AccountId": ACME, "CreatedDate": day},
            {"Id": YAN, "LastName": "Yan", "AccountId": BETA, "CreatedDate": day},
        ],
    )
    deals: tuple[dict[str, Any], ...] = (
        {"Id": OPEN, "Name": "Open deal", "AccountId": ACME, "StageName": "Prospecting", "Amount": 100},
        {"Id": WON, "Name": "Won deal", "AccountId": BETA, "StageName": "Closed Won", "Amount": "250.50"},
    )
    org.load("Opportunity", [{**deal, "CloseDate": "2026-06-30", "CreatedDate": day} for deal in deals])
    return org


@dataclass
class Desk:
    """A server whose org is changed between tests, with a plain client that is signed in to it."""

    url: str = ""
    faults: Faults = field(default_factory=Faults)
    app: SalesforceApp | None = None
    session: requests.Session = field(default_factory=requests.Session)
    version: str = "v66.0"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        await self.app(scope, receive, send)

    def show(self, org: Org, **form: str) -> Org:
        """Serve an org from now on, signed in as its integration user."""
        self.app = SalesforceApp(org)
        self.faults.clear()
        self.session.headers["Authorization"] = f"Bearer {self.token(**form).json()['access_token']}"
        return org

    def token(self, **form: str) -> requests.Response:
        """Ask for a token; by client credentials unless told otherwise."""
        how = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **form}
        return self.session.post(f"{self.url}/services/oauth2/token", data=how, timeout=30)

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        """A call below the version."""
        return self.session.request(method, f"{self.url}/services/data/{self.version}/{path}", timeout=30, **more)

    def get(self, path: str, **params: str) -> Any:
        """The JSON of a GET, whatever its status."""
        return self.call("GET", path, params=params).json()

    def query(self, soql: str, resource: str = "query") -> list[dict[str, Any]]:
        """The records of the first page."""
        records: list[dict[str, Any]] = self.get(resource, q=soql)["records"]
        return records


@contextmanager
def open_desk() -> Iterator[Desk]:
    """The server, until the block ends."""
    desk = Desk()
    desk.session.trust_env = False
    with served(desk, refuse) as there, desk.session:
        desk.url, desk.faults = there.url, there.faults
        yield desk
