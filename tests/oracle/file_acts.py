"""What files tell that no CRM holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

from kammodel.entities import Account, Target
from tests.oracle.acts import Life, Row, months_before
from tests.unit.kam_world import crm

if TYPE_CHECKING:
    from tests.oracle.world import Book


def files(life: Life) -> None:
    random = life.random
    accounts = [key[1] for key in life.keys(Account)]
    if life.chance(0.1):
        for number in range(random.randint(1, 4)):
            line = {
                "event_id": f"{life.name}-{number}",
                "account": random.choice(accounts),
                "booked_on": life.day(),
            }
            kind = random.choice(("invoice", "invoice", "credit", "order", "recurring"))
            amount = random.randint(1, 10**8) * (-1 if kind == "credit" else 1)
            money = {"kind": kind, "amount": amount, "currency": random.choice(life.currencies)}
            life.book.files["revenue"].append({**line, **money})
    if life.chance(0.2):
        line = {"account": random.choice(accounts), "valid_from": random.choice((None, life.day(400, 30)))}
        money = {"amount": random.randint(1, 10**10), "currency": random.choice(life.currencies)}
        life.book.files["wallet"].append({**line, **money})
    for number in range(random.choice((0, 0, 0, 3, 8, 30))):
        survey(life, number, random.choice(accounts))
    rating(life, accounts)
    assignment(life, accounts)
    forecast(life)
    target(life, accounts)
    for number in range(random.choice((0, 0, 0, 1, 2))):
        plan(life, f"{life.name}-{number}", random.choice(accounts))
    tiers(life)


def assignment(life: Life, accounts: list[str]) -> None:
    """One after the other, or side by side; some books tell what our people do."""
    if "team" in life.book.files and life.chance(0.3):
        account = life.random.choice(accounts)
        for user in life.random.choice((("ana",), ("ana", "luis"), ("luis", "ana"))):
            days = {"starts_on": life.random.choice((None, life.day(800, 40)))}
            days["ends_on"] = life.random.choice((None, (days["starts_on"] or life.day()) + dt.timedelta(days=200)))
            line = {"account": account, "user": user, "role": life.random.choice(("kam", "kam", "csm"))}
            life.book.files["assignments"].append({**line, **days, "share": life.random.choice((None, 40.0))})


def forecast(life: Life) -> None:
    """What our snapshots of the beginning of past quarters said of one of the accounts as a group."""
    if life.chance(0.3):
        source, source_id = life.random.choice(life.keys(Account))
        t = life.book.config.as_of
        quarter = dt.date(t.year, (t.month - 1) // 3 * 3 + 1, 1)
        for k in range(life.random.choice((0, 1)), life.random.choice((4, 5, 6))):
            day = months_before(quarter, 3 * k) + dt.timedelta(days=life.random.choice((0, 1, 13)))
            told = {"as_of": day, "forecast": life.random.choice((0, 10_000_000, 200_000_000))}
            stamp = dt.datetime.combine(day, dt.time(6), dt.UTC)
            group_id = f"{source}:{crm(source)['source_instance']}:{source_id}"
            life.book.forecasts.append({"group_id": group_id, "recorded_at": stamp, **told})


def rating(life: Life, accounts: list[str]) -> None:
    random = life.random
    for account in random.sample(accounts, min(len(accounts), random.choice((0, 0, 1, 2)))):
        told = {
            "relationship_stage": random.choice((None, "basic", "integrated", "cooperative")),
            "esg_score": random.choice((None, 55.0, 71.25)),
            "premium_support": random.choice((None, True, False)),
            "service_sensitivity": random.choice((None, 8.0, 3.5)),
        }
        life.book.files["ratings"].append({"account": account, **told})


def target(life: Life, accounts: list[str]) -> None:
    """Of a year, a half, quarters or months around the as-of day."""
    account = life.random.choice(accounts)
    for aim in aims(life.random, life.book.config.as_of.year):
        life.book.files["targets"].append({"account": account, "metric": "revenue", **aim})


def aims(random: Random, year: int) -> Iterator[Row]:
    for months in random.sample((1, 3, 6, 12), random.choice((0, 0, 1, 2))):
        for first in range(1, 13, months):
            period = {"starts_on": dt.date(year, first, 1)}
            period["ends_on"] = months_before(period["starts_on"], -months) - dt.timedelta(days=1)
            money = {
                "value": random.choice((12_0000, 10**9)),
                "currency": random.choice((None, None, "EUR", "GBP")),
            }
            if months > 1 or random.random() < 0.95:
                yield {**period, **money}


def owner_targets(book: Book, random: Random) -> None:
    """What some of us are to bring: by a file, by quotas of a CRM, by both; one of them has no account."""
    began = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    year = book.config.as_of.year
    if random.random() < 0.5:
        return
    for owner in ("ana", "luis"):
        for aim in aims(random, year):
            book.files["targets"].append({"owner": owner, "metric": "revenue", **aim})
    for owner in ("ana", "luis", "pia"):
        metric = random.choice(("revenue", "revenue", "meetings"))
        for number, aim in enumerate(aims(random, year)):
            row = {**crm("salesforce"), "source_id": f"T{owner}{number}", "owner_id": owner, "metric": metric}
            days = {name: aim[name] for name in ("starts_on", "ends_on", "currency")}
            stamps = {"created_at": began, "updated_at": began, "effective": began, "deleted": False}
            told = {"target_value": aim["value"] / 10_000, "name": None}
            book.rows[Target]["salesforce", row["source_id"]] = [{**row, **days, **told, **stamps}]


def tiers(life: Life) -> None:
    """Those that some of the accounts, as groups, had before; one may be in none any more."""
    for source, source_id in life.keys(Account):
        tier = life.random.choice((None, None, "strategic", "key", "growth", "standard", "provisional"))
        if tier is not None and "team" in life.book.files:
            life.book.tiers[f"{source}:{crm(source)['source_instance']}:{source_id}"] = tier


def plan(life: Life, plan_id: str, account: str) -> None:
    random = life.random
    first = life.day(500, 10)
    last = first + dt.timedelta(days=random.choice((90, 364, 365)))
    status = random.choice((None, "active", "draft", "cancelled", "done"))
    days = {"starts_on": first, "ends_on": last}
    life.book.files["plans"].append({"plan_id": plan_id, "account": account, "status": status, **days})
    for number in range(random.randint(0, 4)):
        aim = f"{plan_id}-{number}"
        told = {
            "unit": random.choice(("EUR", "meetings", None)),
            "baseline": random.choice((None, 10.0)),
            "target": random.choice((None, 20.0, 5.0, 12.5)),
            "current": random.choice((None, 15.0, 0.0, 7.5)),
            "starts_on": random.choice((None, first + dt.timedelta(days=10))),
            "due_on": random.choice((None, last)),
            "status": random.choice((None, "open", "done", "cancelled")),
        }
        life.book.files["objectives"].append({"objective_id": aim, "plan_id": plan_id, **told})
        if life.chance(0.3):
            reading = {"objective_id": aim, "measured_on": life.day(200, 20), "value": random.choice((11.0, 19.0))}
            life.book.files["readings"].append(reading)
        if life.chance(0.5):
            of = random.choice(({"objective_id": aim, "plan_id": None}, {"objective_id": None, "plan_id": plan_id}))
            done = random.choice((None, life.day(200, 20)))
            state = random.choice((None, "done")) if done else random.choice((None, "open", "cancelled"))
            when = {"due_on": random.choice((None, life.day(200, 40))), "done_on": done, "status": state}
            life.book.files["actions"].append({"action_id": f"{aim}-do", **of, **when})


def survey(life: Life, number: int, account: str) -> None:
    random = life.random
    kind = random.choice(("nps", "nps", "csat", "ces"))
    highest = {"nps": 10, "csat": 5, "ces": 7}[kind]
    asked, answered = life.day(800, 30), None
    line: Row = {"survey_id": f"{life.name}-{number}", "account": account, "kind": kind, "asked_on": asked}
    if life.chance(0.7):
        answered = asked + dt.timedelta(days=random.choice((0, 1, 9, 40)))
        line |= {"answered_on": answered, "score": float(random.randint(highest // 2, highest))}
        if life.chance(0.3):
            line["asked_on"] = None
    line["role"] = random.choice((None, "Champion", "Executive Sponsor", "clerk"))
    life.book.files["surveys"].append(line)
