"""What is read bit by bit comes to what is read at once: a rollup is computed from the store, and from nothing else."""

from __future__ import annotations

from random import Random

import pytest

from kammodel.entities import (
    Account,
    Activity,
    Bookmark,
    Case,
    ExchangeRate,
    Opportunity,
    Person,
    Sourced,
)
from kammodel.given import Given
from kammodel.rollups import Rollup
from kammodel.rollups.computing import Rolled
from kammodel.scoring import read_inputs
from kammodel.store import Store
from kammodel.store.control import save_bookmark
from tests.property.test_rollups import some_rollups
from tests.seed import SEED
from tests.unit.kam_world import ALL_STREAMS, Row, World, at, crm, frame_of
from tests.unit.rollup_book import roll_inputs, some_book

OUR_COLUMNS = ("source", "source_instance", "synced_at", "content_changed_at")
TIMES = tuple(at(f"2026-06-{day}T12:00") for day in (10, 20, 30))


def rows_of(world: World) -> dict[type[Sourced], list[Row]]:
    own: dict[type[Sourced], list[Row]] = {
        Account: world.accounts,
        Opportunity: world.deals,
        Activity: world.activities,
        Case: world.cases,
        Person: world.persons,
        ExchangeRate: world.rates,
    }
    return {**own, **world.others}


def load(store: Store, rows: dict[type[Sourced], list[Row]], n: int) -> None:
    """What one pull brings."""
    with store.transaction() as tx:
        for entity, some in rows.items():
            for source in ("salesforce", "hubspot"):
                frame = frame_of(entity, [row for row in some if row["source"] == source]).drop(OUR_COLUMNS)
                tx.upsert(entity, frame, source=source, instance=crm(source)["source_instance"], at=TIMES[n])
        for source, streams in ALL_STREAMS.items():
            for stream in streams:
                mark = Bookmark(**crm(source), stream=stream, fingerprint="f", watermark=TIMES[n], read_until=TIMES[n])
                save_bookmark(tx, mark)


def rolled(store: Store, rollups: list[Rollup]) -> Rolled:
    found, _ = roll_inputs(rollups, read_inputs(store, Given(rollups=tuple(rollups))), TIMES[-1].date())
    return found


def check(groups: int, n: int) -> None:
    """A book that is edited, moved, deleted and undeleted between three pulls, against its last state in one."""
    chance, rollups = Random(SEED), some_rollups(n)
    states = [rows_of(some_book(SEED, groups).world)]
    for seed in (SEED + 1, SEED + 2):
        # The same ids with other contents, each row with even chances; rates and accounts move too.
        later = rows_of(some_book(seed, groups).world)
        mixed = {}
        for entity, before in states[-1].items():
            known = {(row["source"], row["source_id"]): row for row in before}
            news = {(row["source"], row["source_id"]): row for row in later.get(entity, [])}
            mixed[entity] = list((known | {key: row for key, row in news.items() if chance.random() < 0.5}).values())
        states.append(mixed)
    with Store("sqlite://") as piecewise, Store("sqlite://") as at_once:
        for number, state in enumerate(states):
            load(piecewise, state, number)
        load(at_once, states[-1], len(states) - 1)
        one, other = rolled(piecewise, rollups), rolled(at_once, rollups)
    assert one.groups.equals(other.groups)
    assert one.accounts.equals(other.accounts)
    assert one.groups.height > groups // 2


def test_pulls_of_changes_come_to_one_full_load() -> None:
    check(groups=20, n=40)


@pytest.mark.exhaustive
def test_pulls_of_changes_come_to_one_full_load_in_thousands_of_books() -> None:
    check(groups=5_000, n=400)
