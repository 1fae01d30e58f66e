"""A HubSpot portal as its people use it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from connectors.sandbox.hubspot.instants import iso, ms_of
from connectors.sandbox.hubspot.kinds import COMPANIES, CONTACTS, DEALS
from connectors.sandbox.hubspot.portal import Link, Portal
from connectors.sandbox.hubspot.record import Record
from connectors.sandbox.telling.deeds import SeenAccount, SeenDeal

_CHILD = 13


class HubSpotDeeds:
    """`known_elsewhere`: ids of companies that another CRM says it holds too."""

    crm = "HubSpot"

    def __init__(self, portal: Portal, known_elsewhere: frozenset[str] = frozenset()) -> None:
        self.portal = portal
        self._known_elsewhere = known_elsewhere

    @property
    def currency(self) -> str:
        """The company's own currency."""
        return self.portal.account.company_currency

    def accounts(self) -> list[SeenAccount]:
        """Live accounts, those who bought most first, equals by id."""
        with self.portal.lock:
            return sorted(self._accounts(), key=lambda account: (-account.won, account.id))

    def open_deals(self) -> list[SeenDeal]:
        """Open deals with an amount, in the company's own currency, largest first, equals by id."""
        with self.portal.lock:
            return sorted(self._open_deals(), key=lambda deal: (-deal.amount, deal.id))

    def add_deal(self, account: str, name: str, amount: Decimal) -> str:
        """Open a deal, expected to close in two weeks; gives its id."""
        values = {
            "dealname": name,
            "amount": str(amount),
            "dealstage": self._stage(closed=False, won=False),
            "closedate": self._moment(14),
            "hubspot_owner_id": self._owner_of(account),
        }
        return str(self.portal.create("deals", values, [("companies", account)]).id)

    def win(self, deal: str) -> None:
        """Close a deal as won, today."""
        self.portal.update("deals", deal, {"dealstage": self._stage(closed=True, won=True)})

    def lose(self, deal: str) -> None:
        """Close a deal as lost, today."""
        self.portal.update("deals", deal, {"dealstage": self._stage(closed=True, won=False)})

    def set_amount(self, deal: str, amount: Decimal) -> None:
        """Change a deal's amount."""
        self.portal.update("deals", deal, {"amount": str(amount)})

    def log_call(self, account: str, subject: str) -> None:
        """Log a call that was made, with one of the account's people if it has any."""
        values = {"hs_call_title": subject, "hs_call_status": "COMPLETED", "hs_call_direction": "OUTBOUND"}
        self._engage("calls", account, values, ahead=0)

    def plan_meeting(self, account: str, subject: str) -> None:
        """Plan a meeting in a week, with one of the account's people if it has any."""
        start, end = self._moment(7), self._moment(7, minutes=60)
        times = {"hs_meeting_start_time": start, "hs_meeting_end_time": end, "hs_meeting_outcome": "SCHEDULED"}
        self._engage("meetings", account, {"hs_meeting_title": subject, **times}, ahead=7)

    def move(self, account: str, parent: str) -> None:
        """Put an account under another parent."""
        self.portal.associate("companies", parent, "companies", account, _CHILD)

    def hand_over(self, account: str) -> str | None:
        """Give an account to another active owner; gives the name, None where there is no other."""
        current = self._value(self.portal.existing(COMPANIES, account), "hubspot_owner_id")
        others = [owner for owner in self.portal.owners if owner.active and str(owner.id) != current]
        if not others:
            return None
        self.portal.update("companies", account, {"hubspot_owner_id": str(others[0].id)})
        return f"{others[0].first_name} {others[0].last_name}"

    def delete_deal(self, deal: str) -> None:
        """Put a deal into the recycle bin."""
        self.portal.archive("deals", deal)

    def merge(self, winner: str, loser: str) -> None:
        """Merge an account into another."""
        self.portal.merge("companies", winner, loser)

    def _accounts(self) -> Iterator[SeenAccount]:
        won: dict[str, list[Decimal]] = defaultdict(list)
        foreign: set[str] = set()
        for deal in self._live(DEALS.name):
            company = self._value(deal, "hs_primary_associated_company")
            amount = Decimal(self._value(deal, "amount") or 0)
            if amount and self._value(deal, "hs_is_closed_won") == "true":
                won[company].append(amount)
            if not self._at_home(deal):
                foreign.add(company)
        for record in self._live(COMPANIES.name):
            yield self._seen(record, won[str(record.id)], foreign)

    def _open_deals(self) -> Iterator[SeenDeal]:
        for deal in self._live(DEALS.name):
            company, amount = self._value(deal, "hs_primary_associated_company"), self._value(deal, "amount")
            if company and amount and self._value(deal, "hs_is_closed") == "false" and self._at_home(deal):
                yield SeenDeal(str(deal.id), self._value(deal, "dealname"), company, Decimal(amount))

    def _seen(self, record: Record, won: list[Decimal], foreign: set[str]) -> SeenAccount:
        number = str(record.id)
        family = self._value(record, "hs_parent_company_id"), self._value(record, "hs_num_child_companies")
        return SeenAccount(
            id=number,
            name=self._value(record, "name"),
            won=sum(won, Decimal(0)),
            wins=len(won),
            alone=family in {("", "0"), ("", "")},
            counted=not self._value(record, "salesforceaccountid") and number not in self._known_elsewhere,
            at_home=number not in foreign,
        )

    def _live(self, kind: str) -> list[Record]:
        records = self.portal.shelf(self.portal.known(kind)).records
        return [records[number] for number in sorted(records) if records[number].archived_at is None]

    def _value(self, record: Record, name: str) -> str:
        return self.portal.value(record, name) or ""

    def _at_home(self, deal: Record) -> bool:
        return self._value(deal, "deal_currency_code") in {"", self.portal.account.company_currency}

    def _owner_of(self, account: str) -> str:
        current = self._value(self.portal.existing(COMPANIES, account), "hubspot_owner_id")
        active = [str(owner.id) for owner in self.portal.owners if owner.active]
        return current if current in active else next(iter(active), "")

    def _engage(self, kind: str, account: str, values: dict[str, str], ahead: int) -> None:
        company = self.portal.existing(COMPANIES, account)
        people = sorted(self.portal.linked(company, CONTACTS))
        links: list[Link] = [("companies", account), *(("contacts", person) for person in people[:1])]
        shared = {"hs_timestamp": self._moment(ahead), "hubspot_owner_id": self._owner_of(account)}
        self.portal.create(kind, values | shared, links)

    def _stage(self, *, closed: bool, won: bool) -> str:
        """The furthest stage of that kind in the first pipeline."""
        stages = self.portal.pipelines[DEALS.name][0].stages
        return [stage.id for stage in stages if (stage.closed, stage.won) == (closed, won)][-1]

    def _moment(self, days: int, minutes: int = 0) -> str:
        return iso(ms_of(self.portal.clock.now() + dt.timedelta(days=days, minutes=minutes)))
