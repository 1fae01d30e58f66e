"""A Salesforce org as its people use it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.telling.deeds import SeenAccount, SeenDeal

_CURRENCY = "CurrencyIsoCode"


class SalesforceDeeds:
    """Everything is written as one of the company's own people."""

    crm = "Salesforce"

    def __init__(self, org: Org) -> None:
        self.org = org

    @property
    def currency(self) -> str:
        """The company's own currency."""
        return self.org.home_currency

    def accounts(self) -> list[SeenAccount]:
        """Live accounts, those who bought most first, equals by id."""
        live = [account for account in self.org.records("Account") if not account["IsDeleted"]]
        parents = {account["ParentId"] for account in live}
        won: dict[str, list[Decimal]] = defaultdict(list)
        foreign: set[str] = set()
        for deal in self._deals():
            if deal["IsWon"] and deal["Amount"]:
                won[deal["AccountId"]].append(Decimal(str(deal["Amount"])))
            if not self._at_home(deal):
                foreign.add(deal["AccountId"])
        seen = [
            SeenAccount(
                id=account["Id"],
                name=account["Name"],
                won=sum(won[account["Id"]], Decimal(0)),
                wins=len(won[account["Id"]]),
                alone=account["ParentId"] is None and account["Id"] not in parents,
                counted=True,
                at_home=self._at_home(account) and account["Id"] not in foreign,
            )
            for account in live
        ]
        return sorted(seen, key=lambda account: (-account.won, account.id))

    def open_deals(self) -> list[SeenDeal]:
        """Open deals with an amount, in the company's own currency, largest first, equals by id."""
        live = {account["Id"] for account in self.org.records("Account") if not account["IsDeleted"]}
        seen = [
            SeenDeal(deal["Id"], deal["Name"], deal["AccountId"], Decimal(str(deal["Amount"])))
            for deal in self._deals()
            if not deal["IsClosed"] and deal["Amount"] and deal["AccountId"] in live and self._at_home(deal)
        ]
        return sorted(seen, key=lambda deal: (-deal.amount, deal.id))

    def add_deal(self, account: str, name: str, amount: Decimal) -> str:
        """Open a deal, expected to close in two weeks; gives its id."""
        values = {
            "Name": name,
            "AccountId": account,
            "OwnerId": self._owner_of(account),
            "Amount": str(amount),
            "StageName": self._stage(closed=False, won=False),
            "CloseDate": self._day(14),
        }
        return self.org.create("Opportunity", values)

    def win(self, deal: str) -> None:
        """Close a deal as won, today."""
        self._close(deal, won=True)

    def lose(self, deal: str) -> None:
        """Close a deal as lost, today."""
        self._close(deal, won=False)

    def set_amount(self, deal: str, amount: Decimal) -> None:
        """Change a deal's amount."""
        self.org.update("Opportunity", deal, {"Amount": str(amount)})

    def log_call(self, account: str, subject: str) -> None:
        """Log a call that was made, with one of the account's people if it has any."""
        call = {"TaskSubtype": "Call", "Type": "Call", "CallType": "Outbound", "CallDurationInSeconds": 1_200}
        values = {"Subject": subject, "Status": "Completed", "ActivityDate": self._day(0), **call}
        self.org.create("Task", {**values, **self._about(account)})

    def plan_meeting(self, account: str, subject: str) -> None:
        """Plan a meeting in a week, with one of the account's people if it has any."""
        start = self.org.clock.now() + dt.timedelta(days=7)
        values = {"Subject": subject, "Type": "Meeting", "StartDateTime": start, "DurationInMinutes": 60}
        self.org.create("Event", {**values, **self._about(account)})

    def move(self, account: str, parent: str) -> None:
        """Put an account under another parent."""
        self.org.update("Account", account, {"ParentId": parent})

    def hand_over(self, account: str) -> str | None:
        """Give an account to another active owner; gives the name, None where there is no other."""
        record = self.org.record("Account", account) or {}
        others = [user for user in self._sellers() if user["Id"] != record.get("OwnerId")]
        if not others:
            return None
        self.org.update("Account", account, {"OwnerId": others[0]["Id"]})
        return str(others[0]["Name"])

    def delete_deal(self, deal: str) -> None:
        """Put a deal into the recycle bin."""
        self.org.delete("Opportunity", deal)

    def merge(self, winner: str, loser: str) -> None:
        """Merge an account into another."""
        self.org.merge("Account", winner, [loser])

    def _deals(self) -> list[dict[str, Any]]:
        return [d for d in self.org.records("Opportunity") if not d["IsDeleted"] and d["AccountId"]]

    def _at_home(self, record: Mapping[str, Any]) -> bool:
        return record.get(_CURRENCY) in {None, self.org.home_currency}

    def _sellers(self) -> list[dict[str, Any]]:
        """Active users but the administrator and the integration."""
        apart = {self.org.admin_user_id, self.org.integration_user_id}
        return [user for user in self.org.records("User") if user["IsActive"] and user["Id"] not in apart]

    def _owner_of(self, account: str) -> str:
        owner = (self.org.record("Account", account) or {}).get("OwnerId")
        active = [user["Id"] for user in self._sellers()]
        return str(owner if owner in active else next(iter(active), self.org.admin_user_id))

    def _about(self, account: str) -> dict[str, Any]:
        with self.org.lock:
            contacts = self.org.table("Contact")
            people = [row[0] for row in contacts.where("AccountId", account) if not contacts.deleted(row)]
        who = {"WhoId": min(people)} if people else {}
        return {"WhatId": account, "OwnerId": self._owner_of(account), **who}

    def _stage(self, *, closed: bool, won: bool) -> str:
        """The furthest stage of that kind."""
        stages = sorted(self.org.records("OpportunityStage"), key=lambda stage: stage["SortOrder"] or 0)
        labels = [s["MasterLabel"] for s in stages if (s["IsClosed"], s["IsWon"]) == (closed, won)]
        if not labels:
            raise LookupError("the org has no stage in which a deal is " + ("won" if won else "lost or open"))
        return str(labels[-1])

    def _close(self, deal: str, *, won: bool) -> None:
        values = {"StageName": self._stage(closed=True, won=won), "CloseDate": self._day(0)}
        self.org.update("Opportunity", deal, values)

    def _day(self, ahead: int) -> str:
        today = self.org.clock.now().astimezone(self.org.zone).date()
        return (today + dt.timedelta(days=ahead)).isoformat()
