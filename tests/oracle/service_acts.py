"""What is done with customers, what they ask for, and what is agreed."""

from __future__ import annotations

import datetime as dt

from kammodel.entities import Account, Activity, Case, Contract, Opportunity, Person
from tests.oracle.acts import Life, Row


def activity(life: Life) -> None:
    random = life.random
    source = random.choice(life.sources)
    kind = random.choice(("call", "call", "email", "meeting", "meeting", "task", "note", "mass_email"))
    day = life.day(200, 20)
    at = min(life.instant(day), life.book.last_sync)
    persons = sorted({life.some(Person, source) or "" for _ in range(random.choice((0, 1, 1, 2)))} - {""})
    row: Row = {
        "kind": kind,
        "direction": random.choice(("in", "out", None)),
        "status": random.choice(("done", "done", "done", "planned", "cancelled")),
        "owner_id": random.choice(("ana", "luis")),
        "account_ids": life.some(Account, source, none=0.3),
        "opportunity_id": life.some(Opportunity, source, none=0.6),
        "case_id": life.some(Case, source, none=0.6),
        "person_ids": ";".join(persons) or None,
        "is_counted": life.chance(0.95),
        "is_calendar": False,
    }
    if kind == "task":
        row |= {"due_on": random.choice((None, life.day(200, 60)))}
        if row["status"] == "done":
            row |= {"completed_at": random.choice((at, at, None))}
    elif kind == "meeting" and life.chance(0.8):
        ends = at + random.choice((dt.timedelta(minutes=30), dt.timedelta(hours=2)))
        row |= {
            "is_calendar": True,
            "starts_at": at,
            "ends_at": ends,
            "status": random.choice(("done", "cancelled")),
        }
    elif kind in {"note", "mass_email"} or life.chance(0.7):
        row |= {"occurred_on": day}
        row |= {"status": "done"} if kind in {"note", "mass_email"} else {}
    else:
        row |= {"completed_at": at, "status": "done"}
    source_id = life.id("T")
    life.put(Activity, source, source_id, at - random.choice((dt.timedelta(0), dt.timedelta(days=9))), **row)
    for moment in life.moments(random.choice((0, 0, 1)), at):
        change = random.choice(({"status": "cancelled"}, {"deleted": True}, {"status": "done", "completed_at": moment}))
        life.edit(Activity, source, source_id, moment, **change)


def case(life: Life) -> None:
    random = life.random
    source = random.choice(life.sources)
    at = min(life.instant(life.day(500, 10)), life.book.last_sync)
    source_id = life.id("C")
    row: Row = {
        "account_id": life.some(Account, source, none=0.3),
        "person_id": life.some(Person, source, none=0.3),
        "priority": random.choice(("High", "Alta", "Low", "urgent", None)),
        "status": random.choice(("New", "Escalated", None)),
        "is_escalated": random.choice((True, False, None)),
        "is_closed": False,
        "opened_at": at,
        "first_response_at": random.choice((None, at + dt.timedelta(minutes=90), at - dt.timedelta(hours=1))),
        "sla_due_at": random.choice((None, at + dt.timedelta(days=2), at + dt.timedelta(days=40))),
        "is_sla_met": random.choice((None, None, True, False)),
        "reopened_n": random.choice((None, 0, 1)),
    }
    life.put(Case, source, source_id, at, **row)
    if life.chance(0.4):
        desk = {
            "first_response_hours": random.choice((None, 0.5, 2.25, 30.0)),
            "reopened": random.choice((None, 0, 2)),
        }
        life.book.files["service"].append({"case": source_id, "is_sla_met": random.choice((None, True, False)), **desk})
    for moment in life.moments(random.choice((0, 1, 2)), at):
        closed_at = random.choice((moment, moment, moment, at - dt.timedelta(hours=2), None))
        change = random.choice(({"is_closed": True, "closed_at": closed_at}, {"deleted": True}, {"priority": "High"}))
        if change.get("is_closed") is None or not life.today[Case][source, source_id]["is_closed"]:
            life.edit(Case, source, source_id, moment, **change)


def contract(life: Life) -> None:
    random = life.random
    source = "salesforce"
    first = life.day(900, 10)
    at = min(life.instant(first), life.book.last_sync)
    row: Row = {
        "account_id": life.some(Account, source),
        "status": random.choice(("Activated", "Draft", None, "In force")),
        "starts_on": first,
        "ends_on": random.choice((life.day(800, 300), first + dt.timedelta(days=364), None)),
        "amount": random.choice((5_000_0000, 7_0001, *((None, 0) * (not life.book.is_plain)))),
        "currency": random.choice(life.currencies),
        "is_auto_renewed": random.choice((True, False, None)),
        "notice_days": random.choice((None, 30, 90)),
        "renewed_by_id": life.some(Contract, source, none=0.8),
        "activated_at": random.choice((at, None)),
    }
    life.put(Contract, source, life.id("K"), at, **row)
