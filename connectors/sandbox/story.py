"""Lets some time pass in a company's CRMs: deals won and lost, calls made, accounts moved, merged, handed over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Literal

from connectors.sandbox.company import Company
from connectors.sandbox.salesforce.setup import CROSS_REFERENCE
from connectors.sandbox.telling.deeds import Deeds, SeenAccount, SeenDeal
from connectors.sandbox.telling.hubspot import HubSpotDeeds
from connectors.sandbox.telling.salesforce import SalesforceDeeds

Language = Literal["en", "es"]

_SENTENCES: dict[Language, dict[str, str]] = {
    "en": {
        "won": "{crm}: {name} signed two deals, {amount} in all.",
        "won_open": "{crm}: the deal {deal} was won for {amount}.",
        "lost": "{crm}: the deal {deal} over {amount} was lost.",
        "amount": "{crm}: the deal {deal} went from {before} to {amount}.",
        "call": "{crm}: a call with {name} was logged, and a meeting planned.",
        "moved": "{crm}: {name} now belongs to {parent}.",
        "owner": "{crm}: {owner} took over {name}.",
        "deleted": "{crm}: the deal {deal} was deleted.",
        "merged": "{crm}: {loser} was merged into {name}.",
    },
    "es": {
        "won": "{crm}: {name} firmó dos contratos, {amount} en total.",
        "won_open": "{crm}: se ganó el negocio {deal} por {amount}.",
        "lost": "{crm}: se perdió el negocio {deal} de {amount}.",
        "amount": "{crm}: el negocio {deal} pasó de {before} a {amount}.",
        "call": "{crm}: se registró una llamada con {name} y se planificó una reunión.",
        "moved": "{crm}: {name} pertenece ahora a {parent}.",
        "owner": "{crm}: {owner} se hizo cargo de {name}.",
        "deleted": "{crm}: se eliminó el negocio {deal}.",
        "merged": "{crm}: {loser} se fusionó con {name}.",
    },
}
_PARTS = 4
_LEAST = Decimal(10_000)


def let_time_pass(company: Company, language: Language = "en", by: dt.timedelta = dt.timedelta(days=30)) -> list[str]:
    """Moves the clock on by `by` while people work in each CRM; gives what they did, in sentences.

    An account from the middle of the field buys enough to come near the top. What a CRM has nothing for (no other
    owner, no open deal) is left out. The same CRMs see the same story. Sentences hold CRM text as it is: hostile.
    """
    stories = [_Story(deeds, language) for deeds in _deeds(company)]
    told: list[list[str]] = [[] for _ in stories]
    for chapter in (_Story.plan, _Story.work, _Story.close, _Story.tidy):
        company.clock.advance(by / _PARTS)
        for story, lines in zip(stories, told, strict=True):
            lines.extend(chapter(story))
    return [line for lines in told for line in lines]


def _deeds(company: Company) -> Iterator[Deeds]:
    known: set[str] = set()
    if company.org is not None:
        yield SalesforceDeeds(company.org)
        known = {record[CROSS_REFERENCE] for record in company.org.records("Account") if record.get(CROSS_REFERENCE)}
    if company.portal is not None:
        yield HubSpotDeeds(company.portal, frozenset(known))


class _Story:
    """What happens in one CRM; who it happens to is settled at the start, and no two things to one deal."""

    def __init__(self, deeds: Deeds, language: Language) -> None:
        self.deeds, self.language = deeds, language
        accounts = [account for account in deeds.accounts() if account.counted and account.at_home]
        free = [account for account in accounts if account.alone]
        buyers = [account for account in free if account.wins >= 2]
        self.counted = {account.id for account in accounts}
        self.head = accounts[0] if accounts else None
        self.rising = _at(buyers, 0.45)
        self.moving, self.handed = _at(buyers, 0.65), _at(buyers, 0.25)
        self.winner, self.loser = _at(free, 0.8), _at(free, 0.9)
        self.target = accounts[len(accounts) // 25].won if accounts else _LEAST
        self.deals: list[str] = []
        self.price = _LEAST
        self.touched: set[str] = set()

    def plan(self) -> Iterator[str]:
        """Two large deals are opened."""
        if self.rising is not None:
            self.price = max(_LEAST, round((self.target - self.rising.won) / 2, -2))
            names = ("Contrato marco", "Ampliación")
            self.deals = [self.deeds.add_deal(self.rising.id, name, self.price) for name in names]
            self.touched.update(self.deals)
        yield from ()

    def work(self) -> Iterator[str]:
        """Calls, and a new price."""
        for account in {a.id: a for a in (self.rising, self.handed) if a is not None}.values():
            self.deeds.log_call(account.id, "Llamada de seguimiento")
            self.deeds.plan_meeting(account.id, "Quarterly business review")
            yield self._say("call", name=account.name)
        deal = self._take(0.1)
        if deal is not None:
            new = round(deal.amount * Decimal("1.2"), 2)
            self.deeds.set_amount(deal.id, new)
            yield self._say("amount", deal=deal.name, before=self._money(deal.amount), amount=self._money(new))

    def close(self) -> Iterator[str]:
        """Deals are won and lost."""
        for number in self.deals:
            self.deeds.win(number)
        if self.rising is not None:
            yield self._say("won", name=self.rising.name, amount=self._money(2 * self.price))
        for word, act in (("won_open", self.deeds.win), ("lost", self.deeds.lose)):
            deal = self._take(0.0)
            if deal is not None:
                act(deal.id)
                yield self._say(word, deal=deal.name, amount=self._money(deal.amount))

    def tidy(self) -> Iterator[str]:
        """An account changes its parent, one its owner; a deal is deleted, an account merged."""
        yield from self._move()
        owner = self.deeds.hand_over(self.handed.id) if self.handed is not None else None
        if self.handed is not None and owner is not None:
            yield self._say("owner", name=self.handed.name, owner=owner)
        deal = self._take(0.99)
        if deal is not None:
            self.deeds.delete_deal(deal.id)
            yield self._say("deleted", deal=deal.name)
        yield from self._merge()

    def _move(self) -> Iterator[str]:
        if self.moving is None or self.head is None or self.moving.id in {self.head.id, _id(self.rising)}:
            return
        self.deeds.move(self.moving.id, self.head.id)
        yield self._say("moved", name=self.moving.name, parent=self.head.name)

    def _merge(self) -> Iterator[str]:
        if self.winner is None or self.loser is None:
            return
        busy = {_id(self.rising), _id(self.moving), _id(self.handed), _id(self.head)}
        if len({self.winner.id, self.loser.id} - busy) == 2:
            self.deeds.merge(self.winner.id, self.loser.id)
            yield self._say("merged", name=self.winner.name, loser=self.loser.name)

    def _take(self, share: float) -> SeenDeal | None:
        """An open deal that nothing has happened to yet, by its place from the largest (0) to the smallest (1)."""
        deals = [d for d in self.deeds.open_deals() if d.id not in self.touched and d.account in self.counted]
        if not deals:
            return None
        deal = deals[int(len(deals) * share)]
        self.touched.add(deal.id)
        return deal

    def _say(self, word: str, **parts: str) -> str:
        return _SENTENCES[self.language][word].format(crm=self.deeds.crm, **parts)

    def _money(self, amount: Decimal) -> str:
        text = f"{amount:,.0f}"
        return f"{text.replace(',', '.') if self.language == 'es' else text} {self.deeds.currency}"


def _at(accounts: list[SeenAccount], share: float) -> SeenAccount | None:
    return accounts[int(len(accounts) * share)] if accounts else None


def _id(account: SeenAccount | None) -> str:
    return account.id if account is not None else ""
