"""A book of business in which every KPI has something to tell of: as of 30 June 2026."""

from __future__ import annotations

import polars as pl

from kammodel.entities import (
    AccountPerson,
    Case,
    Contract,
    LineItem,
    OpportunityPerson,
    Person,
    PipelineStage,
    Product,
    User,
)
from kammodel.store.forecasts import FORECASTS
from tests.unit.kam_world import World, at, on

PEERS = 11
"""Accounts beside the main one: ten of a kind make a peer group."""


def rich_world() -> World:
    """One account, `main`, with a record of everything, and peers that buy as it does."""
    world = World()
    for user in ("ana", "luis"):
        world.add(User, user, is_active=True)
    about = {"type": "customer", "industry": "Steel", "country": "ES"}
    world.account("main", owner_id="ana", strategic_value=7.0, **about)
    for number in range(PEERS):
        world.account(f"peer-{number}", owner_id="luis", **about)
    _sales(world)
    _products(world)
    _people(world)
    _touches(world)
    _service(world)
    _files(world)
    return world


def young_world() -> World:
    """An account that began to buy within the year: what it brings is not yet a year's."""
    world = World()
    world.account("main", owner_id="ana")
    for day in ("2026-03-01", "2026-05-01"):
        world.deal("main", 100, close_on=on(day))
    return world


def tiers_before() -> pl.DataFrame:
    """What was in force before: `main` was a key account."""
    return pl.DataFrame({"group_id": ["salesforce:org:main"], "tier_effective": ["key"]})


def forecasts_before() -> pl.DataFrame:
    """What snapshots said of `main` at the beginning of the last five quarters."""
    days = [on(day) for day in ("2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01")]
    rows = [("salesforce:org:main", day, at(f"{day}T06:00"), 3_000_0000) for day in days]
    return pl.DataFrame(rows, schema=FORECASTS, orient="row")


def _sales(world: World) -> None:
    for position, (name, status) in enumerate((("offer", "open"), ("talks", "open"), ("won", "won"), ("lost", "lost"))):
        stage = {"pipeline_id": "sales", "stage_id": name, "position": position, "status": status}
        world.add(PipelineStage, name, **stage, probability=0.25 * position)
    # Two and a half years of history: every month a deal won, and one lost.
    for number in range(30):
        month = f"{2024 + number // 12}-{number % 12 + 1:02}"
        _closed(world, "main", f"{month}-10", "won", 1_000 + 10 * number)
        _closed(world, "main", f"{month}-20", "lost", 500)
    for number in range(PEERS):
        _closed(world, f"peer-{number}", "2025-02-01", "won", 900)
        _closed(world, f"peer-{number}", "2026-03-01", "won", 800 + number)
    for number in range(6):
        _open(world, number)


def _closed(world: World, account: str, day: str, status: str, amount: float) -> None:
    name = f"{account}-{len(world.deals)}"
    began = f"{int(day[:4]) - (day[5:7] < '03')}-{(int(day[5:7]) + 9) % 12 + 1:02}-01T10:00"
    dated = {"close_on": on(day), "created_at": at(began), "pipeline_id": "sales", "stage_id": status}
    world.deal(account, amount, source_id=name, status=status, kind="new", **dated)
    for changed, stage, was in (
        (began, "offer", "open"),
        (f"{day}T08:00", "talks", "open"),
        (f"{day}T12:00", status, status),
    ):
        world.event(name, changed, was, amount, stage_id=stage, close_on=on(day))


def _open(world: World, number: int) -> None:
    name = f"open-{number}"
    row = {"status": "open", "close_on": on("2026-09-30"), "created_at": at("2026-05-10T10:00"), "probability": 0.5}
    row |= {"pipeline_id": "sales", "stage_id": "talks", "kind": "expansion", "forecast_category": "commit"}
    world.deal("main", 400, source_id=name, **row)
    world.event(name, "2026-05-10T10:00", "open", 400, stage_id="offer", close_on=on("2026-06-30"))
    moved = {"stage_id": "talks", "close_on": on("2026-09-30"), "prev_close_on": on("2026-06-30")}
    world.event(name, "2026-05-20T10:00", "open", 400, **moved)


def _products(world: World) -> None:
    for family in ("Pumps", "Valves", "Service"):
        world.add(Product, family, family=family, is_active=True)
    for number, deal in enumerate(list(world.deals)):
        if deal["status"] == "won":
            families = ("Pumps", "Valves") if str(deal["account_id"]).startswith("peer") else ("Pumps",)
            for family in families:
                line = {"opportunity_id": deal["source_id"], "product_id": family, "currency": "EUR"}
                world.add(LineItem, f"line-{number}-{family}", amount=deal["amount"] // len(families), **line)


def _people(world: World) -> None:
    for name, title in (("ceo", "CEO"), ("it", "IT Manager"), ("plant", "Plant manager"), ("clerk", "Clerk")):
        world.add(Person, name, account_id="main", title=title)
    world.add(AccountPerson, "is-champion", account_id="main", person_id="plant", roles="Champion")
    world.add(OpportunityPerson, "decides", opportunity_id="open-0", person_id="ceo", role="Economic Buyer")


def _touches(world: World) -> None:
    for day, kind, direction in (
        ("2026-06-20", "call", "in"),
        ("2026-06-21", "email", "out"),
        ("2026-06-22", "meeting", None),
    ):
        world.touch("main", day, kind=kind, direction=direction, owner_id="ana", person_ids="ceo;it")
    world.touch("main", "2026-06-23", kind="call", owner_id="luis", person_ids=None)
    task = {"kind": "task", "status": "planned", "occurred_on": None, "person_ids": None}
    world.touch("main", "2026-06-01", due_on=on("2026-06-10"), **task)


def _service(world: World) -> None:
    cases = (("open", "2026-06-01T10:00", None), ("closed", "2026-05-01T10:00", "2026-05-03T10:00"))
    for name, opened, closed in cases:
        times = {"created_at": at(opened), "opened_at": at(opened), "closed_at": closed and at(closed)}
        world.add(Case, name, account_id="main", priority="High", is_escalated=True, is_closed=bool(closed), **times)
        world.give("service", case=name, first_response_hours=2.0, is_sla_met=True, reopened=1)
    money = {"amount": 5_000_0000, "currency": "EUR", "status": "Activated", "activated_at": at("2025-01-01T10:00")}
    for name, first, last in (("past", "2025-04-01", "2026-03-31"), ("now", "2026-04-01", "2026-08-31")):
        world.add(Contract, name, account_id="main", starts_on=on(first), ends_on=on(last), **money)


def _files(world: World) -> None:
    world.give("ratings", account="main", premium_support=True, service_sensitivity=8.0, esg_score=55.0)
    world.give("ratings", account="peer-0", relationship_stage="basic")
    world.give("wallet", account="main", amount=100_000_0000)
    for kind, score in (("nps", 10.0), ("csat", 4.0)):
        for number in range(5):
            answer = {"asked_on": on("2026-05-01"), "answered_on": on("2026-05-02"), "score": score}
            world.give("surveys", survey_id=f"{kind}-{number}", account="main", kind=kind, **answer)
    world.give("plans", plan_id="plan", account="main", starts_on=on("2026-01-01"), ends_on=on("2026-12-31"))
    world.give("objectives", objective_id="grow", plan_id="plan", target=100.0, current=60.0, unit="EUR")
    world.give("actions", action_id="visit", objective_id="grow", due_on=on("2026-05-01"), done_on=on("2026-04-30"))
    world.give("assignments", account="main", user="luis", role="kam", ends_on=on("2025-12-31"))
    world.give("assignments", account="main", user="ana", role="kam", starts_on=on("2026-01-01"))
    world.give("team", user="ana", function="sales", hours_per_month=100.0)
    period = {"metric": "revenue", "starts_on": on("2026-04-01"), "ends_on": on("2026-06-30"), "value": 9_000_0000}
    world.give("targets", account="main", **period)
    world.give("targets", owner="ana", **period)
