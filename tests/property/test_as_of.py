"""A past day stays what it was, whatever happens later: many small random books side by side in one store."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.entities import (
    KEY,
    Account,
    Activity,
    Bookmark,
    Case,
    Opportunity,
    OpportunityStageEvent,
    Person,
    Sourced,
)
from kammodel.scoring import ScoredDay, read_inputs, score_day, snapshot_frame
from kammodel.store import Store
from kammodel.store.control import save_bookmark
from tests.seed import SEED
from tests.unit.kam_world import ALL_STREAMS, CONFIG, crm, frame_of

DAY = dt.date(2026, 3, 31)
BORN, CUT, SYNCED, LATER = (dt.datetime(2026, month, 1, tzinfo=dt.UTC) for month in (1, 4, 5, 9))
HOUR = dt.timedelta(hours=1)
OUR_COLUMNS = ("source", "source_instance", "synced_at", "content_changed_at")
GONE = ("source_id", "merged_into_id")
Row = dict[str, Any]
Rows = dict[type[Sourced], dict[str, Row]]


class Business:
    """Rows by entity and id, and chance."""

    def __init__(self, seed: int) -> None:
        self.rows: Rows = {e: {} for e in (Account, Opportunity, OpportunityStageEvent, Activity, Person, Case)}
        self.chance = Random(seed)
        self.owned: dict[tuple[type[Sourced], str], list[str]] = defaultdict(list)
        self.with_history: set[str] = set()

    def day(self, first: dt.datetime, last: dt.datetime) -> dt.datetime:
        return first + (last - first) * self.chance.random()

    def put(self, entity: type[Sourced], source_id: str, made: dt.datetime, **values: Any) -> None:
        known = self.rows[entity].get(source_id, {"created_at": made})
        if source_id not in self.rows[entity]:
            self.owned[entity, source_id.partition("-")[0]].append(source_id)
        self.rows[entity][source_id] = {**known, "source_id": source_id, "updated_at": made, **values}

    def book(self, name: str) -> None:
        """An account with a few rows of each kind, some of them changed between the day and our first look."""
        self.put(Account, name, self.day(BORN, CUT - HOUR), type="customer", name=name)
        for n in range(self.chance.randrange(5)):
            made = self.day(BORN, CUT - HOUR)
            self.deal(name, f"{name}-{n}", made)
            if self.chance.random() < 0.2:
                self.edit(f"{name}-{n}", self.day(CUT + HOUR, SYNCED))
        self.put(Person, f"{name}-p", self.day(BORN, CUT - HOUR), account_id=name, title="CEO")
        for n in range(self.chance.randrange(3)):
            made = self.day(BORN, CUT - HOUR)
            self.put(Activity, f"{name}-{n}", made, **self.touch(name, made))
            self.put(Case, f"{name}-{n}", made, account_id=name, opened_at=made, priority="High")

    def deal(self, account: str, source_id: str, made: dt.datetime) -> None:
        status = self.chance.choice(["open", "won", "lost"])
        amount = self.chance.randrange(1, 10**9)
        values = {"status": status, "amount": amount, "close_on": made.date(), "probability": 0.5}
        self.put(Opportunity, source_id, made, account_id=account, currency="EUR", kind="new", **values)
        if self.chance.random() < 0.5:
            self.event(source_id, made, values)

    def edit(self, deal: str, made: dt.datetime) -> None:
        """Before our first look: with history that says so, where there is any and it is of what history tells."""
        values: Row = self.chance.choice([{"kind": "expansion"}, {"amount": 7}])
        self.put(Opportunity, deal, made, **values)
        if deal in self.with_history and "amount" in values:
            row = self.rows[Opportunity][deal]
            self.event(deal, made, {name: row[name] for name in ("status", "amount", "close_on", "probability")})

    def event(self, deal: str, made: dt.datetime, values: Row) -> None:
        self.with_history.add(deal)
        told = {"opportunity_id": deal, "changed_at": made, **values}
        self.put(OpportunityStageEvent, f"{deal}@{made}", made, **told)

    def touch(self, account: str, made: dt.datetime) -> Row:
        kind = self.chance.choice(["call", "email", "meeting"])
        who = {"account_ids": account, "person_ids": f"{account}-p", "owner_id": "o"}
        flags = {"is_calendar": kind == "meeting", "is_counted": True}
        return {"kind": kind, "status": "done", "occurred_on": made.date(), **who, **flags}

    def poison(self, name: str, others: list[str]) -> None:
        """Things that happen to a book after our first look: new rows that say they are old, edits of everything,
        moves, merges, deletions and returns."""
        made, other = self.day(SYNCED + HOUR, LATER), self.chance.choice(others)
        self.deal(name, f"{name}-new", made)
        self.rows[Opportunity][f"{name}-new"]["close_on"] = dt.date(2026, 2, 1)
        self.put(Activity, f"{name}-new", made, **{**self.touch(name, made), "occurred_on": dt.date(2026, 3, 30)})
        for entity in (Activity, Case, Person):
            for source_id in [i for i in self.owned[entity, name] if self.chance.random() < 0.5]:
                change = {"account_ids": other} if entity is Activity else {"account_id": other}
                self.put(entity, source_id, made, **change, deleted=self.chance.random() < 0.5)
        for source_id in self.owned[Opportunity, name]:
            values = {"status": "lost", "amount": None, "close_on": dt.date(2026, 3, 1), "probability": 0.0}
            self.put(Opportunity, source_id, made, **values, kind="renewal", deleted=self.chance.random() < 0.3)
            if source_id in self.with_history:
                self.event(source_id, made, values)
        fate = self.chance.choice(["merge", "move", "delete", "edit"])
        fates: dict[str, Row] = {
            "merge": {"deleted": True, "merged_into_id": other},
            "move": {"parent_id": other},
            "delete": {"deleted": True},
            "edit": {"type": "partner", "strategic_value": 10.0, "tier_override": "key"},
        }
        self.put(Account, name, made, **fates[fate])
        self.put(Account, f"{name}-late", made, type="customer", parent_id=name)

    def sync(self, store: Store, synced: dt.datetime) -> None:
        with store.transaction() as tx:
            for entity, rows in self.rows.items():
                frame = frame_of(entity, list(rows.values())).drop(OUR_COLUMNS)
                tx.upsert(entity, frame, source="salesforce", instance="org", at=synced)
            for stream in ALL_STREAMS["salesforce"]:
                mark = {**crm("salesforce"), "stream": stream, "fingerprint": "f", "watermark": synced}
                save_bookmark(tx, Bookmark(**mark, read_until=synced))


def end(store: Store, entity: type[Sourced], ids: list[str]) -> None:
    """These are not there any more, and the CRM says no more than that."""
    gone = pl.DataFrame({"source_id": ids, "merged_into_id": None}, schema=dict.fromkeys(GONE, pl.String))
    with store.transaction() as tx:
        tx.mark_gone(entity, gone, source="salesforce", instance="org", at=LATER + HOUR)


def day_of(store: Store) -> ScoredDay:
    return score_day(read_inputs(store), replace(CONFIG, as_of=DAY))


def snapshots(day: ScoredDay) -> pl.DataFrame:
    """All of them, less the fingerprint: of a deal of which nobody knows what it was, later history is looked at."""
    return snapshot_frame(day, "run", LATER).drop("inputs_fingerprint")


def test_nothing_that_happens_later_changes_a_past_day() -> None:
    """Every figure, tier and reason of every group, to the byte."""
    check(books=60)


@pytest.mark.exhaustive
def test_nothing_that_happens_later_changes_a_past_day_in_ten_thousand_books() -> None:
    check(books=10_000)


def check(books: int) -> None:
    business, names = Business(SEED), [f"b{n:05}" for n in range(books)]
    for name in names:
        business.book(name)
    with Store("sqlite://") as store:
        business.sync(store, SYNCED)
        first = day_of(store)
        for name in names:
            business.poison(name, names)
        business.sync(store, LATER)
        for entity in (Opportunity, Person, Account):
            end(store, entity, list(business.rows[entity])[::7])
        second = day_of(store)
        assert_frame_equal(snapshots(second), snapshots(first))
        assert first.reconstructed["reconstructed"].n_unique() > 1
        assert store.read(Account, [*KEY, "deleted"])["deleted"].sum() > books // 4
