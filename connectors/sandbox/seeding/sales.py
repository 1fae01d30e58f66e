"""Invents what was sold and agreed: products, items of deals, contracts, orders, assets, plans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from connectors.sandbox.book import Deal
from connectors.sandbox.seeding.companies import Account
from connectors.sandbox.seeding.segments import STAR
from connectors.sandbox.seeding.timeline import Timeline
from connectors.sandbox.seeding.words import PRODUCTS
from connectors.sandbox.surroundings import Asset, Contract, Item, Measure, Objective, Order, Plan, Product

# One won deal in so many has items, one an order, one left an asset; one customer in so many a contract, one a plan.
_ITEMS_EVERY, _ORDER_EVERY, _ASSET_EVERY, _CONTRACT_EVERY, _PLAN_EVERY = 4, 5, 8, 2, 25
_CENT = Decimal("0.01")


def products() -> list[Product]:
    """All that is sold."""
    return [
        Product(number, name, f"P-{number:03d}", Decimal(400 * number)) for number, name in enumerate(PRODUCTS, start=1)
    ]


def items(deals: Iterable[Deal]) -> list[Item]:
    """One or two items of every fourth won deal; they add up to its amount to the cent."""
    made: list[Item] = []
    for deal, amount in _won(deals):
        if deal.id % _ITEMS_EVERY:
            continue
        first, quantity = _product(deal), 2 + deal.id % 3
        price = (amount / 5 / quantity).quantize(_CENT, ROUND_DOWN)
        at = deal.created_at
        made.append(Item(len(made) + 1, deal.id, first, 1, amount - quantity * price, at))
        if price:
            made.append(Item(len(made) + 1, deal.id, first % len(PRODUCTS) + 1, quantity, price, at))
    return made


def contracts(live: Sequence[Account], line: Timeline) -> list[Contract]:
    """Every second customer has one, some of them run out by now; a few are drafts."""
    made: list[Contract] = []
    for account in live:
        company = account.company
        if account.segment.kind != "Customer" or company.id % _CONTRACT_EVERY:
            continue
        start = line.today - dt.timedelta(days=20 + company.id * 37 % 1_000)
        at = dt.datetime.combine(start - dt.timedelta(days=9), dt.time(10), dt.UTC)
        months = (12, 24, 36)[company.id // 2 % 3]
        signed = company.id % 14 != 0
        made.append(Contract(len(made) + 1, company.id, company.owner, start, months, at, signed=signed))
    return made


def orders(deals: Iterable[Deal], contracts_: Iterable[Contract]) -> list[Order]:
    """Every fifth won deal was ordered, under the company's contract if it has one; some orders are drafts yet."""
    of = {contract.company: contract.id for contract in contracts_ if contract.signed}
    made: list[Order] = []
    for deal, amount in _won(deals):
        last = deal.changes[-1]
        if deal.id % _ORDER_EVERY or deal.company is None or last.close_on is None:
            continue
        active, contract = deal.id % 35 != 0, of.get(deal.company)
        made.append(
            Order(len(made) + 1, deal.company, deal.id, deal.owner, last.close_on, amount, last.at, contract, active)
        )
    return made


def assets(deals: Iterable[Deal], line: Timeline) -> list[Asset]:
    """Every eighth won deal left something at the customer; a third of it will be, or was, taken out of use."""
    made: list[Asset] = []
    for deal, amount in _won(deals):
        last = deal.changes[-1]
        if deal.id % _ASSET_EVERY or deal.company is None or last.close_on is None:
            continue
        installed = min(last.close_on + dt.timedelta(days=14), line.today)
        ends = None if deal.id % 3 else installed + dt.timedelta(days=730)
        product, quantity = _product(deal), 1 + deal.id % 3
        at = last.at
        made.append(Asset(len(made) + 1, deal.company, product, deal.owner, quantity, int(amount), installed, at, ends))
    return made


def plans(live: Sequence[Account], line: Timeline) -> list[Plan]:
    """Stars, and one customer in twenty-five, have a plan for the year with two objectives."""
    made: list[Plan] = []
    start, end = line.today.replace(month=1, day=1), line.today.replace(month=12, day=31)
    at = min(line.now, dt.datetime.combine(start, dt.time(9), dt.UTC))
    for account in live:
        company = account.company
        if account.segment is STAR or (account.segment.kind == "Customer" and not company.id % _PLAN_EVERY):
            number = len(made) + 1
            goals = tuple(_objectives(number, account.segment.amount))
            made.append(Plan(number, company.id, company.owner, f"Plan {start.year}", start, end, at, goals))
    return made


def _objectives(plan: int, amount: int) -> Iterator[Objective]:
    growth = Measure(3 * plan - 2, "New business", "money", Decimal(2 * amount), Decimal(plan * 977 % (2 * amount)))
    share = Measure(3 * plan - 1, "Share of wallet", "percent", Decimal(40), Decimal(plan * 7 % 40))
    yield Objective(2 * plan - 1, "Grow in the business we have", "in progress", (growth, share))
    contacts = Measure(3 * plan, "Decision makers met", "number", Decimal(5), None if plan % 2 else Decimal(plan % 6))
    yield Objective(2 * plan, "Be known by the board", "closed" if plan % 9 == 0 else "new", (contacts,))


def _won(deals: Iterable[Deal]) -> Iterator[tuple[Deal, Decimal]]:
    for deal in deals:
        amount = deal.changes[-1].amount
        if deal.changes[-1].stage == "won" and deal.company is not None and not deal.deleted and amount:
            yield deal, amount


_NUMBERS: Mapping[str, int] = {name: number for number, name in enumerate(PRODUCTS, start=1)}


def _product(deal: Deal) -> int:
    """What the deal is named after."""
    return _NUMBERS.get(deal.name.partition(" - ")[0], deal.id % len(PRODUCTS) + 1)
