"""Invents the deals of a book: won, lost and open business with its stages, dated back where people do that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from connectors.sandbox.book import Deal, Stage, StageChange
from connectors.sandbox.seeding import hostile
from connectors.sandbox.seeding.companies import LEFT, Account
from connectors.sandbox.seeding.timeline import Timeline, business_day
from connectors.sandbox.seeding.words import HOME, LOST_REASONS, PRODUCTS, RATES

STAGES = (
    Stage("qualification", "Qualification", Decimal("0.1"), "open"),
    Stage("needs_analysis", "Needs Analysis", Decimal("0.2"), "open"),
    Stage("proposal", "Proposal", Decimal("0.5"), "open"),
    Stage("negotiation", "Negotiation", Decimal("0.75"), "open"),
    Stage("won", "Closed Won", Decimal(1), "won"),
    Stage("lost", "Closed Lost", Decimal(0), "lost"),
)
_STEPS = ("qualification", "needs_analysis", "proposal", "negotiation")
_NAME_LIMIT = 120
_PER_EURO = {HOME: 1.0} | {currency: 1 / float(rates[0]) for currency, rates in RATES.items()}


@dataclass(slots=True)
class _Draft:
    """A deal before it has a number."""

    account: Account
    opened: dt.datetime
    changes: tuple[StageChange, ...]
    outcome: str
    currency: str | None
    kind: str | None = None


def deals_of(account: Account, count: int, line: Timeline) -> list[Deal]:
    """`count` deals of an account, oldest first, all numbered 0: `numbered` gives them their ids."""
    drafts = sorted((_draft(account, line) for _ in range(count)), key=lambda d: (d.changes[-1].at, d.opened))
    first = next((i for i, draft in enumerate(drafts) if draft.outcome == "won"), 0)
    for place, draft in enumerate(drafts):
        draft.kind = _kind(place, first, line)
    return [_deal(draft, line) for draft in drafts]


def loose_deals(count: int, line: Timeline) -> Iterator[Deal]:
    """Open deals that nobody gave a company; some have no amount."""
    for number in range(count):
        opened = line.at(line.plain_day((0, 0, 0, 0, 0, 1)))
        amount = None if number % 3 == 1 else Decimal(1_000 + 250 * number)
        change = StageChange(opened, "qualification", amount, line.future_day(90))
        yield Deal(0, f"Feria: contacto {number + 1}", None, 1, opened, opened, (change,), HOME)


def numbered(deals: list[Deal]) -> list[Deal]:
    """The deals in the order in which they were entered, numbered from 1; the first that is left has a hostile name."""
    ordered = sorted(deals, key=lambda d: (d.created_at, d.company or 0))
    made = [replace(deal, id=number) for number, deal in enumerate(ordered, start=1)]
    kept = [i for i, deal in enumerate(made) if not deal.deleted]
    made[kept[0]] = replace(made[kept[0]], name=hostile.DEAL)
    lost = next((i for i in kept if made[i].changes[-1].stage == "lost"), None)
    if lost is not None:
        made[lost] = replace(made[lost], lost_reason=hostile.LOST_REASON)
    return made


def _kind(place: int, first: int, line: Timeline) -> str | None:
    chance = line.rng.random()
    if chance < 0.03:
        return None
    if place <= first:
        return "New Business"
    return "Renewal" if chance < 0.38 else "Existing Business"


def _draft(account: Account, line: Timeline) -> _Draft:
    rng, segment = line.rng, account.segment
    amount, currency = _amount(account, line), account.company.currency
    if currency == HOME and rng.random() < 0.05:
        currency = None  # no currency said: the company's own
    cycle = dt.timedelta(days=int(rng.triangular(8, 170, 40 + min(60, amount / 2_000))))
    if rng.random() < segment.open_share:
        return _open(account, amount, currency, cycle, line)
    closed_on = line.day(segment.halves)
    outcome = "won" if rng.random() < segment.win_rate else "lost"
    price = _money(amount, currency, line)
    close_at = line.at(closed_on)
    if close_at <= line.loaded_at:
        # From before the CRM: it came with the bulk load, closed before it was created.
        return _Draft(account, line.loaded_at, (StageChange(line.loaded_at, outcome, price, closed_on),), outcome,
                      currency)  # fmt: skip
    if rng.random() < 0.015:
        entered = min(line.at(closed_on + dt.timedelta(days=rng.randint(3, 25))), line.now)
        return _Draft(account, entered, (StageChange(entered, outcome, price, closed_on),), outcome, currency)
    opened = max(line.loaded_at, close_at - cycle)
    steps = _STEPS if outcome == "won" else _STEPS[: rng.randint(1, 4)]
    changes = _changes(opened, close_at, steps, price, business_day(closed_on + _slip(line)), line=line)
    if outcome == "lost" and rng.random() < 0.15:
        price = Decimal(0)
    changes.append(StageChange(close_at, outcome, price, closed_on))
    return _Draft(account, opened, tuple(changes), outcome, currency)


def _open(account: Account, amount: float, currency: str | None, cycle: dt.timedelta, line: Timeline) -> _Draft:
    rng = line.rng
    opened = line.at(line.today - min(dt.timedelta(days=rng.randint(1, 120)), cycle))
    close_on = line.future_day(120)
    if rng.random() < 0.12:  # expected weeks ago, and nobody looked since
        close_on = business_day(line.today - dt.timedelta(days=rng.randint(2, 40)))
    price = None if rng.random() < 0.06 else _money(amount, currency, line)
    steps = _STEPS[: rng.randint(1, 4)]
    changes = _changes(opened, line.now, steps, price, close_on, line=line)
    return _Draft(account, opened, tuple(changes), "open", currency)


def _changes(
    opened: dt.datetime,
    until: dt.datetime,
    steps: tuple[str, ...],
    price: Decimal | None,
    close_on: dt.date,
    *,
    line: Timeline,
) -> list[StageChange]:
    """Through the steps from `opened` to before `until`; the first guess of the amount is often another one."""
    seconds = (until - opened).total_seconds()
    first = price
    if price is not None and line.rng.random() < 0.3:
        first = (price * line.rng.randint(70, 125) / 100).quantize(Decimal("0.01"))
    made: list[StageChange] = []
    for number, step in enumerate(steps):
        at = opened + dt.timedelta(seconds=int(seconds * number / len(steps)))
        made.append(StageChange(at, step, first if number < 2 else price, close_on))
    if price != made[-1].amount:
        made[-1] = replace(made[-1], amount=price)
    return made


def _slip(line: Timeline) -> dt.timedelta:
    return dt.timedelta(days=line.rng.choice((0, 0, 0, 7, 14, -10, 30)))


def _amount(account: Account, line: Timeline) -> float:
    return max(300.0, account.segment.amount * account.size * line.rng.lognormvariate(0, 0.55))


def _money(euros: float, currency: str | None, line: Timeline) -> Decimal:
    value = euros * _PER_EURO[currency or HOME]
    if line.rng.random() < 0.12:
        return Decimal(int(value * 100)) / 100
    return Decimal(max(1, int(value / 50)) * 50)


def _deal(draft: _Draft, line: Timeline) -> Deal:
    rng, company = line.rng, draft.account.company
    last = draft.changes[-1]
    if draft.outcome == "won" and rng.random() < 0.006:
        draft.changes = (*draft.changes[:-1], replace(last, amount=None))
    old = last.at < line.left_at and not company.id % 11
    return Deal(
        id=0,
        name=f"{rng.choice(PRODUCTS)} - {company.name}"[:_NAME_LIMIT].strip(),
        company=company.id,
        owner=LEFT if old else company.owner,
        created_at=draft.opened,
        updated_at=_updated(last, line),
        changes=draft.changes,
        currency=draft.currency,
        kind=draft.kind,
        lost_reason=rng.choice(LOST_REASONS) if draft.outcome == "lost" else None,
        deleted=rng.random() < 0.004,
    )


def _updated(last: StageChange, line: Timeline) -> dt.datetime:
    """Mostly that of the last change; sometimes a person wrote something else later."""
    if line.rng.random() < 0.9:
        return last.at
    return min(line.now, last.at + dt.timedelta(days=line.rng.randint(0, 20), minutes=7))
