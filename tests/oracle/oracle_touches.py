"""How much we talk, with whom, and what is left to do."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

from tests.oracle.known import Group, Knowledge, Null
from tests.oracle.oracle_value import Found, rounded
from tests.oracle.people import BY_TITLE, REQUIRED, Contact, Touch, says


def engagement(known: Knowledge, group: Group, found: Found) -> None:
    logged: list[Touch] = group.rows["logged"]
    touches = list({touch.same: touch for touch in logged if touch.persons}.values())

    def within(n: int, *kinds: str) -> list[Touch]:
        return [x for x in touches if x.day > known.t - dt.timedelta(days=n) and (not kinds or x.kind in kinds)]

    for n in (30, 90, 180):
        found[f"touches_{n}d"] = len(within(n))
        found[f"meetings_{n}d"] = len(within(n, "meeting"))
    for n in (30, 90):
        found[f"calls_{n}d"] = len(within(n, "call"))
        found[f"emails_{n}d"] = len(within(n, "email"))
    alone = [touch for touch in logged if not touch.persons and touch.day > known.t - dt.timedelta(days=90)]
    found["touches_without_person_90d"] = len(alone)
    found["days_since_last_touch"] = since(known, [touch.day for touch in touches])
    found["days_since_last_meeting"] = since(known, [touch.day for touch in touches if touch.kind == "meeting"])
    active = {person for touch in within(180, "call", "meeting") for person in touch.persons}
    found["active_contacts_180d"] = len(active)
    found["single_threaded"] = int(len(active) <= 1)
    recent = [
        x for x in logged if x.persons and x.kind in {"call", "email"} and x.day > known.t - dt.timedelta(days=90)
    ]
    directions = [direction for _, direction in {(touch.same, touch.direction) for touch in recent}]
    told = [direction for direction in directions if direction]
    share = Fraction(told.count("in"), len(told)) if told else None
    none = ("no_direction", "no_touches") if not directions else ("no_direction",)
    found["inbound_ratio_90d"] = Null(*none) if share is None else rounded(share, 6)
    known_share = Fraction(len(told), len(directions)) if directions else None
    found["direction_known_share_90d"] = Null("no_touches") if known_share is None else rounded(known_share, 6)


def tasks(known: Knowledge, group: Group, found: Found) -> None:
    """One that belongs to several groups is one of each, and as many of whoever looks after them."""
    due_on: list[dt.date | None] = group.rows["tasks"]
    found["open_tasks"] = len(due_on)
    found["overdue_tasks"] = sum(due is not None and due < known.t for due in due_on)


def since(known: Knowledge, days: list[dt.date]) -> Any:
    return (known.t - max(days)).days if days else Null("never")


def relationship(known: Knowledge, group: Group, found: Found) -> None:
    contacts: dict[Any, Contact] = group.rows["contacts"][0]
    executives = {key for key, contact in contacts.items() if contact.is_executive}
    logged = [touch for touch in group.rows["logged"] if touch.persons]
    theirs = [touch for touch in logged if executives & set(touch.persons)]
    found["contacts_known"] = len(contacts)
    found["execs_known"] = len(executives)
    recent = {p for touch in theirs if touch.day > known.t - dt.timedelta(days=180) for p in touch.persons}
    touched = found["execs_touched_180d"] = len(executives & recent)
    none = Null("no_executives")
    found["exec_coverage"] = rounded(Fraction(touched, len(executives)), 6) if executives else none
    found["days_since_last_exec"] = since(known, [touch.day for touch in theirs]) if executives else none
    once = {(touch.day, touch.kind, touch.persons) for touch in theirs}
    found["exec_touches_90d"] = sum(day > known.t - dt.timedelta(days=90) for day, _, _ in once)
    meetings = [day for day, kind, _ in once if kind == "meeting"]
    found["exec_meetings_180d"] = sum(day > known.t - dt.timedelta(days=180) for day in meetings)
    noted = {role for contact in contacts.values() for role in contact.roles if role in REQUIRED}
    titled = {role for role, words in BY_TITLE.items() for c in contacts.values() if says(c.title, words)}
    filled = noted | titled
    found["contact_role_coverage"] = rounded(Fraction(len(filled), 4), 6) if contacts else Null("no_contacts")
    inferred = Fraction(len(titled - noted), len(filled)) if filled else None
    why = ("no_roles",) if contacts else ("no_roles", "no_contacts")
    found["roles_inferred_share"] = Null(*why) if inferred is None else rounded(inferred, 6)
