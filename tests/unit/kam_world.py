"""A tiny book of business, row by row, for tests of what stands between the store's frames and the scores."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cache
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
from kammodel.facts.cut import cut
from kammodel.facts.ratings import described
from kammodel.facts.windows import Windows
from kammodel.given import NOTHING_GIVEN, Given
from kammodel.given.files import FILE
from kammodel.identity import account_groups
from kammodel.kpis import DERIVED, GROUPS, KPIS, Facts, Kpi, Level, compute
from kammodel.scoring import Inputs, Known, ScoredDay, ScoringConfig, known_facts, known_kpis, score_day
from kammodel.tiering import load_policy

AS_OF = dt.date(2026, 6, 30)
STAMP = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ALL_STREAMS = {
    "salesforce": (
        "opportunities",
        "opportunity_history",
        "opportunity_contact_roles",
        "opportunity_line_items",
        "tasks",
        "events",
        "contacts",
        "account_contact_relations",
        "account_team_members",
        "cases",
        "contracts",
        "orders",
        "assets",
        "products",
        "account_plans",
        "account_plan_objectives",
        "account_plan_measures",
        "users",
    ),
    "hubspot": (
        "opportunities",
        "calls",
        "emails",
        "meetings",
        "tasks",
        "communications",
        "contacts",
        "tickets",
        "line_items",
        "products",
        "owners",
    ),
}
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


def given_of(files: dict[str, list[Row]]) -> Given:
    """Lines of files as `read_given` would give them; what a line does not say is null."""
    frames = dict(NOTHING_GIVEN.frames)
    for name, lines in files.items():
        schema = FILE[name].schema
        full = [{**dict.fromkeys(schema), "line": place, **line} for place, line in enumerate(lines, start=2)]
        frames[name] = pl.DataFrame(full, schema=schema, orient="row")
    return Given(frames, repr(files) if files else "")


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
    others: dict[type[Sourced], list[Row]] = field(default_factory=dict)
    files: dict[str, list[Row]] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], Known] = field(default_factory=dict)

    def add(self, entity: type[Sourced], source_id: str, source: str = "salesforce", **values: Any) -> None:
        """A row of an entity that has no method of its own here."""
        self.others.setdefault(entity, []).append({**crm(source), "source_id": source_id, **values})

    def give(self, file: str, **values: Any) -> None:
        """A line of a file of KAM_INPUTS_DIR, as it was read."""
        self.files.setdefault(file, []).append(values)

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
        rows = {
            Account: self.accounts,
            Opportunity: self.deals,
            OpportunityStageEvent: self.events,
            Activity: self.activities,
            Case: self.cases,
            Person: self.persons,
            ExchangeRate: self.rates,
        }
        for entity, others in self.others.items():
            rows[entity] = rows.get(entity, []) + others
        return Inputs(
            {entity: frame_of(entity, found) for entity, found in rows.items()},
            read=frozenset(
                (*crm(source).values(), stream) for source, streams_read in read.items() for stream in streams_read
            ),
            synced_at=synced_at,
            given=given_of(self.files),
        )

    def day(self, previous: pl.DataFrame | None = None, **config: Any) -> ScoredDay:
        return score_day(self.inputs(), replace(CONFIG, **config), previous)

    def kpi(self, name: str, root: str | None = None, **config: Any) -> Any:
        """A KPI of the group of a root account (the first account); its reason where it is null."""
        groups, facts, config_ = self._alone(name, replace(CONFIG, **config))
        figures = compute(made_of(name), facts, config_.as_of)
        return told(groups, figures, name, root or self.accounts[0]["source_id"])

    def of_all(self, name: str, **config: Any) -> Any:
        """A KPI of the portfolio; its reason where it is null."""
        return value_of(self._above(name, "portfolio", **config).row(0, named=True), name)

    def of_kam(self, name: str, owner: str, **config: Any) -> Any:
        """A KPI of the groups of a Salesforce user; its reason where it is null."""
        rows = self._above(name, "kam", **config).filter(kam=f"salesforce:org:{owner}")
        return value_of(rows.row(0, named=True), name)

    def _above(self, name: str, level: Level, **config: Any) -> pl.DataFrame:
        _, facts, config_ = self._alone(name, replace(CONFIG, **config))
        figures = compute(made_of(name), facts, config_.as_of)
        above = replace(facts, frames={**facts.frames, GROUPS: figures.join(facts.groups, on="group")})
        return compute(made_of(name), above, config_.as_of, level)

    def _alone(self, name: str, config: ScoringConfig) -> tuple[pl.DataFrame, Facts, ScoringConfig]:
        """The groups, and the facts of the KPI and of those that it is made of: a tenth of the time that all take."""
        moment = cut(config.as_of, config.timezone, self.inputs().synced_at)
        inputs = self.inputs().as_known(moment)
        matches = inputs.given.frames.get("matches")
        grouping = account_groups(inputs.of(Account), config.system_of_record, matches)
        sources = inputs.sources(grouping, moment, config.reporting_currency)
        sources = replace(sources, grouping=replace(grouping, groups=described(grouping.groups, sources)))
        return grouping.groups, known_facts(inputs, sources, made_of(name)), config

    def known_of(self, **streams: tuple[str, ...]) -> Known:
        """The KPIs where these streams of these CRMs are all that was read of them."""
        return known_kpis(self.inputs(**streams), CONFIG)

    def known(self, **config: Any) -> Known:
        """The KPIs; computed once as long as no row is added."""
        own = (self.accounts, self.deals, self.events, self.activities, self.rates, self.cases, self.persons)
        sizes = [len(rows) for rows in (*own, *self.others.values(), *self.files.values())]
        state = (*sizes, *sorted(config.items()))
        if state not in self._known:
            self._known[state] = known_kpis(self.inputs(), replace(CONFIG, **config))
        return self._known[state]


def figure(day: ScoredDay | Known, name: str, root: str) -> Any:
    """A KPI's value, or its reason where it is null."""
    return told(day.grouping.groups if isinstance(day, Known) else day.groups, day.kpis, name, root)


def told(groups: pl.DataFrame, figures: pl.DataFrame, name: str, root: str) -> Any:
    """A KPI's value, or its reason where it is null."""
    ids = pl.col("group_id").str.ends_with(f":{root}")
    return value_of(figures.join(groups.filter(ids).select("group"), on="group").row(0, named=True), name)


def value_of(row: Row, name: str) -> Any:
    """A KPI of a row; its reason where it is null."""
    return row[f"{name}__why"] if row[name] is None else row[name]


@cache
def made_of(name: str) -> tuple[Kpi, ...]:
    """The KPI and those that it is computed from, in the order in which they are declared."""
    wanted, seen = {name}, set[str]()
    while wanted - seen:
        seen |= wanted
        for kpi in (k for k in KPIS if k.name in wanted and k.of in {DERIVED, GROUPS}):
            found = kpi.figure(Windows(AS_OF))
            parts = [found.value, *([] if found.why is None else [found.why])]
            wanted |= {root.removesuffix("__why") for part in parts for root in part.meta.root_names()}
    return tuple(k for k in KPIS if k.name in wanted)
