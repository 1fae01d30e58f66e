"""A small org for tests: three accounts, two contacts, two opportunities, a clock that stands still."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connectors.sandbox.clock import Clock
from connectors.sandbox.salesforce.ids import salesforce_id
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings

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
            {"Id": ACME, "Name": "Acme", "OwnerId": ANN, "Industry": "Retail", "AnnualRevenue": 1000, "CreatedDate": day},
            {"Id": BETA, "Name": "beta's \"best\"", "OwnerId": BOB, "ParentId": ACME, "CreatedDate": day},
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
