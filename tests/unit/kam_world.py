"""A tiny book of business, row by row, for tests of what stands between the store's frames and the scores."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from kammodel.entities import (
    Account,
    Activity,
    Case,
    ExchangeRate,
    Opportunity,
    OpportunityStageEvent,
    Person,
    Sourced,
    polars_schema,
)
from kammodel.scoring import Inputs, Known, ScoredDay, ScoringConfig, known_kpis, score_day
from kammodel.tiering import load_policy

AS_OF = dt.date(2026, 6, 30)
STAMP = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ALL_STREAMS = {"salesforce": ("opportunities", "tasks", "events")}
ALL_STREAMS["hubspot"] = ("opportunities", "calls", "emails", "meetings", "tasks")
CONFIG = ScoringConfig(
    as_of=AS_OF,
    timezone="Europe/Madrid",
    reporting_currency="EUR",
    system_of_record="salesforce",
    language="en",
    policy=load_policy(),
    release="test",
)

Row = dict[str, Any]


def at(text: str) -> dt.datetime:
    """An instant, UTC."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def on(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def frame_of(entity: type[Sourced], rows: list[Row]) -> pl.DataFrame:
    """Rows as the store would give them; what a row does not say is null."""
    schema = polars_schema(entity)
    full = [{**dict.fromkeys(schema), "deleted": False, "content_changed_at": STAMP, **row} for row in rows]
    return pl.DataFrame(full, schema=schema, orient="row")


def crm(source: str) -> Row:
    return {"source": source, "source_instance": "org" if source == "salesforce" else "portal"}


@dataclass
class World:
    """Rows by entity; ids are given, everything else has a plain default."""

    accounts: list[Row] = field(default_factory=list)
    deals: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    activities: list[Row] = field(default_factory=list)
    rates: list[Row] = field(default_factory=list)
    cases: list[Row] = field(default_factory=list)
    persons: list[Row] = field(default_factory=list)
    _known: dict[tuple[Any, ...], Known] = field(default_factory=dict)

    def account(self, source_id: str, source: str = "salesforce", **values: Any) -> None:
        self.accounts.append({**crm(source), "source_id": source_id, "name": source_id, **values})

    def deal(self, account: str | None, amount: float | None, source: str = "salesforce", **values: Any) -> None:
        """Won in euros, as whole as can be, unless said otherwise."""
        row = {
            "source_id": f"deal-{len(self.deals)}",
            "account_id": account,
            "status": "won",
            "amount": None if amount is None else round(amount * 10_000),
            "currency": "EUR",
            "created_at": at("2020-01-01T12:00"),
            "updated_at": STAMP,
        }
        self.deals.append({**crm(source), **row, **values})

    def event(self, deal: str, changed_at: str, status: str, amount: float | None, **values: Any) -> None:
        row = {
            "source_id": f"event-{len(self.events)}",
            "opportunity_id": deal,
            "changed_at": at(changed_at),
            "status": status,
            "amount": None if amount is None else round(amount * 10_000),
        }
        self.events.append({**crm("salesforce"), **row, **values})

    def touch(self, account: str | None, day: str, source: str = "salesforce", **values: Any) -> None:
        """A call that was made with one person, unless said otherwise."""
        row = {
            "source_id": f"touch-{len(self.activities)}",
            "kind": "call",
            "status": "done",
            "is_calendar": values.get("kind") == "meeting",
            "occurred_on": on(day),
            "owner_id": "owner",
            "account_ids": account,
            "person_ids": "person",
            "is_counted": True,
        }
        self.activities.append({**crm(source), **row, **values})

    def case(self, source_id: str, account: str | None, source: str = "salesforce") -> None:
        self.cases.append({**crm(source), "source_id": source_id, "account_id": account})

    def person(self, source_id: str, account: str | None, source: str = "salesforce") -> None:
        self.persons.append({**crm(source), "source_id": source_id, "account_id": account})

    def rate(self, currency: str, valid_from: str | None, numerator: int, denominator: int, **values: Any) -> None:
        """So many euros for one unit."""
        row = {
            "source_id": f"{currency}@{valid_from}",
            "currency": currency,
            "home_currency": "EUR",
            "valid_from": None if valid_from is None else on(valid_from),
            "numerator": numerator,
            "denominator": denominator,
        }
        self.rates.append({**crm("salesforce"), **row, **values})

    def inputs(self, synced_at: dt.datetime | None = STAMP, **streams: tuple[str, ...]) -> Inputs:
        read = {**ALL_STREAMS, **streams}
        return Inputs(
            accounts=frame_of(Account, self.accounts),
            opportunities=frame_of(Opportunity, self.deals),
            stage_events=frame_of(OpportunityStageEvent, self.events),
            activities=frame_of(Activity, self.activities),
            cases=frame_of(Case, self.cases),
            persons=frame_of(Person, self.persons),
            rates=frame_of(ExchangeRate, self.rates),
            read=frozenset(
                (*crm(source).values(), stream) for source, streams_read in read.items() for stream in streams_read
            ),
            synced_at=synced_at,
        )

    def day(self, previous: pl.DataFrame | None = None, **config: Any) -> ScoredDay:
        return score_day(self.inputs(), replace(CONFIG, **config), previous)

    def kpi(self, name: str, root: str | None = None, **config: Any) -> Any:
        """A KPI of the group of a root account (the first account); its reason where it is null."""
        return figure(self.known(**config), name, root or self.accounts[0]["source_id"])

    def known(self, **config: Any) -> Known:
        """The KPIs; computed once as long as no row is added."""
        sizes = [len(rows) for rows in (self.accounts, self.deals, self.events, self.activities, self.rates)]
        state = (*sizes, *sorted(config.items()))
        if state not in self._known:
            self._known[state] = known_kpis(self.inputs(), replace(CONFIG, **config))
        return self._known[state]


def figure(day: ScoredDay | Known, name: str, root: str) -> Any:
    """A KPI's value, or its reason where it is null."""
    groups = day.grouping.groups if isinstance(day, Known) else day.groups
    ids = pl.col("group_id").str.ends_with(f":{root}")
    row = day.kpis.join(groups.filter(ids).select("group"), on="group").row(0, named=True)
    return row[f"{name}__why"] if row[name] is None else row[name]
