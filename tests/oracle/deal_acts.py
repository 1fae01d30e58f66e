"""How deals are made, moved, won and lost, and what is ordered."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from kammodel.entities import Account, LineItem, Opportunity, OpportunityPerson, OpportunityStageEvent, Order, Person
from tests.oracle.acts import ROLES, STAGES, Life, Row


def deal(life: Life, *, is_quick: bool) -> None:
    """A deal and what becomes of it; a quick one is of the last two years, and mostly closed soon."""
    random = life.random
    source = random.choice(life.sources)
    source_id = life.id("D")
    made = min(life.instant(life.day(700, -40) if is_quick else None), life.book.last_sync)
    row: Row = {
        "account_id": life.some(Account, source, none=0.03),
        "status": "open",
        "stage_id": random.choice(STAGES),
        "pipeline_id": "sales",
        "amount": amount(life),
        "currency": random.choice(life.currencies),
        "probability": random.choice((None, 0.0, 0.1, 0.25, 0.333333, 0.7, 1.0)),
        "close_on": random.choice((life.day(), life.day(), life.day(), None)),
        "kind": random.choice((None, "new", "expansion", "renewal")),
        "is_omitted": random.choice((None, False, False, True)),
        "forecast_category": random.choice((None, "pipeline", "commit", "best_case")),
        "owner_id": random.choice(("ana", "luis")),
    }
    if life.chance(0.6):
        life.with_history.add((source, source_id))
    life.put(Opportunity, source, source_id, made, **row)
    history(life, source, source_id, made)
    for at in life.moments(0 if is_quick else random.choice((0, 1, 1, 2, 3)), made):
        deal_act(life, source, source_id, at)
    soon = made + dt.timedelta(days=random.randint(0, 90), hours=random.randint(1, 20))
    own = life.book.rows[Opportunity][source, source_id]
    if is_quick and life.chance(0.8) and own[-1]["effective"] < soon <= life.book.last_sync:
        deal_act(life, source, source_id, soon, random.choice(("win", "lose")))
    if life.chance(0.3):
        line(life, source, source_id, made)
    if life.keys(Person, source) and life.chance(0.15):
        who = {"opportunity_id": source_id, "person_id": life.some(Person, source)}
        life.put(OpportunityPerson, source, life.id("O"), made, **who, role=random.choice(ROLES))
    if source == "salesforce" and life.chance(0.08):
        order(life, source, made, opportunity_id=source_id)


def deal_act(life: Life, source: str, source_id: str, at: dt.datetime, act: str | None = None) -> None:
    random = life.random
    now = life.today[Opportunity][source, source_id]
    act = act or random.choice(
        ("win", "win", "win", "lose", "lose", "amount", "date", "stage", "move", "delete", "back")
    )
    local = at.astimezone(ZoneInfo(life.book.config.timezone)).date()
    closing = random.choice((local, local, local, local - dt.timedelta(days=3), life.day(), None))
    changes: Row = {}
    if act in {"win", "lose"} and now["status"] == "open":
        status = "won" if act == "win" else "lost"
        changes = {"status": status, "stage_id": status, "close_on": closing}
        changes |= {"probability": 1.0 if act == "win" else 0.0}
        if act == "lose" and life.chance(0.5) and not life.book.is_plain:
            changes["amount"] = random.choice((0, None))
    elif act == "amount":
        changes = {"amount": amount(life)}
    elif act == "date":
        changes = {"close_on": random.choice((life.day(), None))}
    elif act == "stage" and now["status"] == "open":
        changes = {"stage_id": random.choice(STAGES), "probability": random.choice((0.2, 0.5, None))}
    elif act == "move":
        changes = {"account_id": life.some(Account, source)}
    elif act == "delete":
        changes = {"deleted": True}
    elif act == "back":
        changes = {"deleted": False} if now["deleted"] else {"status": "open", "stage_id": "offer"}
    before = dict(now)
    life.put(Opportunity, source, source_id, at, **changes)
    told = ("status", "stage_id", "amount", "close_on", "probability")
    if any(before[name] != life.today[Opportunity][source, source_id][name] for name in told):
        history(life, source, source_id, at, before)


def history(life: Life, source: str, source_id: str, at: dt.datetime, before: Row | None = None) -> None:
    if (source, source_id) not in life.with_history:
        return
    now = life.today[Opportunity][source, source_id]
    told = {name: now[name] for name in ("status", "stage_id", "amount", "close_on", "probability")}
    moved = before is not None and before["close_on"] != now["close_on"] and life.chance(0.7)
    told["prev_close_on"] = before["close_on"] if before is not None and moved else None
    life.put(OpportunityStageEvent, source, life.id("H"), at, opportunity_id=source_id, changed_at=at, **told)


def line(life: Life, source: str, deal: str, at: dt.datetime) -> None:
    random = life.random
    own = {"list_price": random.choice((None, 500_0000, 1_0001)), "quantity": random.choice((1.0, 2.0, 3.0))}
    currency = life.today[Opportunity][source, deal]["currency"]
    line = {"opportunity_id": deal, "amount": random.choice(life.money), "currency": currency}
    line["product_id"] = random.choice(("pump", "valve", "old", "plain", None))
    life.put(LineItem, source, life.id("L"), at, **line, **own)


def order(life: Life, source: str, at: dt.datetime, **values: Any) -> None:
    own = {
        "account_id": life.some(Account, source),
        "amount": amount(life),
        "currency": life.random.choice(life.currencies),
    }
    active = {
        "status_code": life.random.choice(("Activated", "Activated", "Draft")),
        "activated_at": life.random.choice((at, None)),
        "effective_on": life.day(800, 20),
    }
    life.put(Order, source, life.id("Q"), at, **own, **active, **values)


def amount(life: Life) -> int | None:
    return life.random.choice((*life.money, life.random.randint(1, 10**9), life.random.randint(1, 10**9)))
