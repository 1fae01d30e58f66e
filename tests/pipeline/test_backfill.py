"""Past tiers: computed in order of time, as things were known then, gone on with after a kill, thinned out later."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flows.pipeline import backfill, past_days, score, thin
from flows.pipeline.reprinting import recorded, with_rule_changes
from flows.pipeline.scoring import score_day_of
from flows.results import BackfillReceipt
from kammodel.entities import Account, Activity, Bookmark, Opportunity, Person, PublishPlan, Sourced
from kammodel.errors import KamError
from kammodel.reprint import snapshot_json
from kammodel.rules import RuleChange
from kammodel.scoring import explain_group
from kammodel.store import Store
from kammodel.store.control import save_bookmark
from kammodel.store.plans import CELLS, record_cells, save_plan
from kammodel.store.snapshots import snapshots_of, stored_snapshot
from kammodel.tiering import Policy
from tests.postgres import fresh_store
from tests.unit.kam_world import ALL_STREAMS, CONFIG, World, at, crm, frame_of, on

FIRST, LAST = on("2026-01-31"), on("2026-06-30")
MONTHS = [on(day) for day in ("2026-02-28", "2026-03-31", "2026-04-30")]
SYNCED = at("2026-07-01T06:00")
OUR_COLUMNS = ("source", "source_instance", "synced_at", "content_changed_at")


_SECONDS = itertools.count()


def clock() -> dt.datetime:
    """A later instant each time."""
    return SYNCED + dt.timedelta(seconds=next(_SECONDS))


def book() -> World:
    """Twenty-four customers that buy now and then; the one with most deals rises over the months."""
    world = World()
    for n in range(24):
        name, made = f"a{n:02}", at("2025-01-01T00:00")
        world.account(name, type="customer", created_at=made, updated_at=made)
        world.person(f"p{n:02}", name)
        for month in range(1, 13, 1 + n % 5):
            day = dt.date(2025, month, 10)
            born = dt.datetime(2025, month, 1, tzinfo=dt.UTC)
            world.deal(name, 100 * (n + 1), close_on=day, created_at=born, updated_at=born + 10 * dt.timedelta(days=1))
    for month in range(3, 7):
        born = dt.datetime(2026, month, 3, tzinfo=dt.UTC)
        world.deal("a00", 40_000, close_on=dt.date(2026, month, 5), created_at=born, updated_at=born)
        world.touch("a00", f"2026-0{month}-07", person_ids="p00", created_at=born, updated_at=born)
    return world


def save(store: Store, entity: type[Sourced], rows: list[dict[str, Any]], synced: dt.datetime) -> None:
    frame = frame_of(entity, rows).drop(OUR_COLUMNS)
    with store.transaction() as tx:
        tx.upsert(entity, frame, source="salesforce", instance="org", at=synced)


def sync(store: Store, world: World, synced: dt.datetime = SYNCED) -> None:
    """What a pull would bring."""
    rows = {Account: world.accounts, Opportunity: world.deals, Activity: world.activities, Person: world.persons}
    for entity, own in rows.items():
        save(store, entity, own, synced)
    with store.transaction() as tx:
        for stream in ALL_STREAMS["salesforce"]:
            place = {**crm("salesforce"), "stream": stream, "fingerprint": "f"}
            save_bookmark(tx, Bookmark(**place, watermark=synced, read_until=synced))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """The book, and nothing scored."""
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as opened:
        sync(opened, book())
        yield opened


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store in which the months are computed: to be copied, not opened."""
    file = tmp_path_factory.mktemp("done") / "kam.db"
    with Store(f"sqlite:///{file}") as opened:
        sync(opened, book())
        fill(opened)
    return file


@pytest.fixture
def filled(done: Path, tmp_path: Path) -> Iterator[Store]:
    """The months are computed."""
    shutil.copy(done, tmp_path / "filled.db")
    with Store(f"sqlite:///{tmp_path / 'filled.db'}") as opened:
        yield opened


def fill(store: Store, days: list[dt.date] | None = None, **config: Any) -> BackfillReceipt:
    return backfill(store, replace(CONFIG, **config), MONTHS if days is None else days, clock)


def contents(store: Store) -> pl.DataFrame:
    """Every snapshot, less what tells the runs apart."""
    groups = [f"salesforce:org:a{n:02}" for n in range(24)]
    with store.transaction() as tx:
        return pl.concat([snapshots_of(tx, group) for group in groups]).drop("run_id", "recorded_at")


def of(store: Store, group: str, day: dt.date) -> dict[str, Any]:
    with store.transaction() as tx:
        found = stored_snapshot(tx, f"salesforce:org:{group}", day=day)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("every", "days"),
    [
        ("month", [on("2026-01-31"), *MONTHS, on("2026-05-31"), LAST]),
        ("quarter", [on("2026-03-31"), on("2026-06-30")]),
        ("week", [on("2026-01-31") + dt.timedelta(days=1 + 7 * n) for n in range(22)]),
    ],
)
def test_the_last_days_of_the_span(every: Any, days: list[dt.date]) -> None:
    """Both ends count; weeks end on Sundays."""
    assert past_days(FIRST, LAST, every, LAST) == days
    assert len(past_days(FIRST, LAST, "day", LAST)) == 151


def test_days_that_cannot_be_computed() -> None:
    """The future, and a span in which nothing ends, are refused in words."""
    with pytest.raises(KamError, match="2026-06-30 has not come yet"):
        past_days(FIRST, LAST, "day", on("2026-06-29"))
    with pytest.raises(KamError, match="no quarter ends between 2026-04-01 and 2026-06-29"):
        past_days(on("2026-04-01"), on("2026-06-29"), "quarter", LAST)
    with pytest.raises(KamError, match="no day ends"):
        past_days(LAST, FIRST, "day", LAST)


def test_each_day_has_the_one_before_as_its_past(store: Store) -> None:
    """The tiers of a month are compared with those of the month before, whatever the order asked for."""
    receipt = fill(store, MONTHS[::-1])
    assert [day.as_of for day in receipt.days] == MONTHS
    assert (receipt.days[0].moves, receipt.days[1].moves > 0) == (0, True)
    assert [day.appended for day in receipt.days] == [24] * 3
    before, risen, after = (of(store, "a00", day) for day in MONTHS)
    assert before["tier_effective"] != risen["tier_effective"] == after["tier_effective"] == "strategic"
    assert ["Up from" in day["reasons"] for day in (before, risen, after)] == [False, True, False]


def test_a_past_day_is_what_a_run_on_that_day_would_have_recorded(filled: Store) -> None:
    """Of a store that was synced only up to then, every figure is the same."""
    day, night = MONTHS[1], dt.datetime.combine(MONTHS[1], dt.time(21, 59), dt.UTC)
    then = book()
    then.deals = [d for d in then.deals if d["created_at"] <= night]
    then.activities = [a for a in then.activities if a["created_at"] <= night]
    with Store("sqlite://") as other:
        sync(other, then, synced=night)
        fill(other, MONTHS[:1])
        fill(other, [day])
        assert_frame_equal(on_day(other, day), on_day(filled, day))


def on_day(store: Store, day: dt.date) -> pl.DataFrame:
    return contents(store).filter(as_of=day).drop("inputs_fingerprint")


def later_news() -> World:
    """The same book after half a year of edits, deletions, merges, moves and new rows, all dated later, and one
    account that says it is of old."""
    world, now = book(), at("2026-12-01T00:00")
    for deal in world.deals[::3]:
        deal |= {"amount": 9_999_999, "status": "lost", "close_on": on("2026-03-01"), "updated_at": now}
    for deal in world.deals[1::3]:
        deal |= {"account_id": "a23", "deleted": True, "updated_at": now}
    for account in world.accounts[::4]:
        account |= {"parent_id": "a01", "type": "partner", "strategic_value": 10.0, "updated_at": now}
    for account in world.accounts[2::4]:
        account |= {"merged_into_id": "a01", "deleted": True, "updated_at": now}
    for touch in world.activities:
        touch |= {"occurred_on": on("2026-06-30"), "account_ids": "a05", "updated_at": now}
    world.account("late", created_at=now, updated_at=now, parent_id="a01")
    world.deal("a02", 1_000_000, close_on=on("2026-02-01"), created_at=now, updated_at=now)
    world.touch("a02", "2026-02-01", created_at=now, updated_at=now)
    return world


def test_poisoned_future_rows_change_nothing(filled: Store) -> None:
    """Whatever is created, changed, deleted, merged or moved after a day leaves that day as it was, to the byte: it
    counts as there, and when it is computed all the same nothing differs."""
    before = contents(filled)
    sync(filled, later_news(), synced=at("2026-12-02T00:00"))
    assert fill(filled).computed == 0
    receipt = fill(filled, MONTHS[:2], release="next")
    assert [(day.is_kept, day.appended, day.reconstructed) for day in receipt.days] == [(False, 0, 0)] * 2
    assert_frame_equal(contents(filled), before)


def test_a_later_day_knows_of_the_news(store: Store) -> None:
    """The test above would else hold of a program that looks at nothing."""
    sync(store, later_news(), synced=at("2026-12-02T00:00"))
    assert fill(store, [on("2026-12-01")]).days[0].groups < 24


def test_what_nobody_knows_is_said_to_be_reconstructed(tmp_path: Path) -> None:
    """A deal that the CRM changed before we ever saw it: the figures it enters, of its group alone, in the snapshot
    and in the explanation."""
    world = book()
    world.deals[0] |= {"updated_at": at("2026-06-20T00:00")}
    with Store("sqlite://") as store:
        sync(store, world)
        receipt = fill(store, MONTHS[:1])
        touched = of(store, "a00", MONTHS[0])["reconstructed"]
        assert receipt.days[0].reconstructed == 1
        assert '"revenue_ttm"' in touched
        assert '"revenue_share"' in touched
        assert '"open_cases"' not in touched
        assert of(store, "a01", MONTHS[0])["reconstructed"] == "[]"
        day = score_day_of(store, replace(CONFIG, as_of=MONTHS[0]))
        assert "revenue_ttm" in explain_group(day, "a00").reconstructed
        assert explain_group(day, "a01").reconstructed == ()


class Killed(BaseException):
    """As a signal comes: anywhere, and nobody catches it."""


def stopping_at(place: int) -> Callable[[str, int, int | None], None]:
    def told(_step: str, done: int, _total: int | None) -> None:
        if done == place:
            raise Killed

    return told


def test_a_killed_backfill_goes_on_where_it_was(store: Store, filled: Store) -> None:
    """Days that are there are passed over; in the end the store holds what an undisturbed one does."""
    with pytest.raises(Killed):
        backfill(store, CONFIG, MONTHS, clock, progress=stopping_at(1))
    with pytest.raises(Killed):
        backfill(store, CONFIG, MONTHS, clock, progress=stopping_at(2))
    assert [day.is_kept for day in fill(store).days] == [True, True, False]
    assert fill(store).computed == 0
    assert_frame_equal(contents(store), contents(filled))


def test_a_kill_within_a_day_leaves_nothing_of_it(store: Store, filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots and the note that the day is done come together."""
    real = store.transaction
    opened = itertools.count(1)

    @contextmanager
    def cut() -> Iterator[Any]:
        with real() as tx:
            yield tx
            # Everything of the second day is written, and not yet for good.
            if tx.frame("SELECT count(DISTINCT as_of) n FROM score_snapshot", {"n": pl.Int64()}).item() == 2:
                next(opened)
                raise Killed

    monkeypatch.setattr(store, "transaction", cut)
    with pytest.raises(Killed):
        fill(store)
    monkeypatch.undo()
    assert next(opened) == 2
    assert contents(store)["as_of"].unique().to_list() == MONTHS[:1]
    assert [day.is_kept for day in fill(store, MONTHS[:2]).days] == [True, False]
    assert_frame_equal(contents(store), contents(filled).filter(pl.col("as_of") < MONTHS[2]))


def heavier(**weights: float) -> Policy:
    return CONFIG.policy.model_copy(update={"weights": {**CONFIG.policy.weights, **weights}})


def test_what_is_computed_anew_stands_beside_what_was(filled: Store) -> None:
    """Other rules, and days whose day before has changed, are computed again; the old records stay, to the byte."""
    first = of(filled, "a05", MONTHS[1])
    assert fill(filled, MONTHS[:1], policy=heavier(volume=60.0)).computed == 1
    assert fill(filled, MONTHS[1:]).computed == 2
    with filled.transaction() as tx:
        told = stored_snapshot(tx, "salesforce:org:a05", day=MONTHS[1], recorded_until=first["recorded_at"])
        assert snapshots_of(tx, "salesforce:org:a05").filter(as_of=MONTHS[0]).height == 2
    assert told is not None
    assert snapshot_json(told) == snapshot_json(first)


def test_a_nightly_run_counts_as_done(filled: Store) -> None:
    """A day that `kam score` recorded is not computed again by a backfill of the same rules and rows."""
    score(filled, replace(CONFIG, as_of=on("2026-05-31")), clock)
    assert fill(filled, [*MONTHS, on("2026-05-31")]).computed == 0


def test_a_new_policy_is_told_as_one(filled: Store) -> None:
    """In the Reason of the day, and by name and values in the explanation; the day after it is no news."""
    other = replace(CONFIG, policy=heavier(loyalty=90.0), as_of=LAST)
    day = score_day_of(filled, other)
    assert day.reasons["reason"].str.contains("the policy changed", literal=True).sum() > 5
    found = with_rule_changes(filled, other, explain_group(day, "a00"))
    assert found.since_last_run is not None
    assert [(c.name, c.before, c.now) for c in found.since_last_run.rule_changes] == [
        ("weights.loyalty", "15.0", "90.0")
    ]
    score(filled, other, clock)
    next_day = score_day_of(filled, replace(other, as_of=LAST + dt.timedelta(days=1)))
    assert not next_day.reasons["reason"].str.contains("policy", literal=True).any()


def test_reprinting_computes_nothing_and_changes_no_byte(filled: Store) -> None:
    """By whatever name the group is found, at the instant or later; what is not there is said with what is."""
    first = recorded(filled, CONFIG, "a03", day=MONTHS[0])
    text = snapshot_json(first.row)
    sync(filled, later_news(), synced=at("2026-12-02T00:00"))
    heavy = heavier(volume=60.0)
    fill(filled, MONTHS[:1], policy=heavy)
    then: dict[str, Any] = {"day": MONTHS[0], "recorded_until": first.row["recorded_at"]}
    for sought in ("a03", "salesforce:org:a03"):
        assert snapshot_json(recorded(filled, CONFIG, sought, **then).row) == text
    since = recorded(filled, replace(CONFIG, policy=heavy), "a03", **then).rules_since
    assert (first.rules_since, since) == ((), (RuleChange("weights.volume", "30.0", "60.0"),))
    with pytest.raises(KamError, match="nothing was recorded of 2026-03-15; there is 2026-02-28, "):
        recorded(filled, CONFIG, "a03", day=on("2026-03-15"))
    with pytest.raises(KamError, match="nothing was recorded up to 2020"):
        recorded(filled, CONFIG, "a03", recorded_until=at("2020-01-01T00:00"))


def test_thinned_days_are_made_again_when_they_are_asked_for(filled: Store) -> None:
    """Dailies go but for the last of a month; the month ends count as there, the others do not."""
    days = [on("2026-04-28"), on("2026-04-29")]
    fill(filled, days)
    assert fill(filled, days).computed == 0
    receipt = thin(filled, replace(CONFIG, as_of=LAST), 31, clock)
    assert (receipt.before, receipt.snapshots) == (on("2026-05-30"), 48)
    assert [day.is_kept for day in fill(filled, [MONTHS[1], days[1]]).days] == [True, False]


def test_a_day_that_was_published_is_not_thinned(filled: Store) -> None:
    """Of the group whose account was written to, though it has joined another since."""
    fill(filled, [on("2026-04-29")])
    made: dict[str, Any] = {"plan_id": "p", "as_of": on("2026-04-29"), "planned_at": SYNCED, **crm("salesforce")}
    to_write = {"plan_id": "p", "field": "tier", "decision": "write"}
    rows = [{**dict.fromkeys(CELLS), **to_write, "source_id": account} for account in ("a01", "a04")]
    told = dict.fromkeys(("source_id", "field", "outcome", "kind", "code", "message"), pl.String)
    done = [(account, "tier", "written", None, None, None) for account in ("a01", "a04")]
    ended = pl.DataFrame(done, schema=told, orient="row")
    with filled.transaction() as tx:
        save_plan(tx, PublishPlan(**made), pl.DataFrame(rows, schema=CELLS, orient="row"))
        record_cells(tx, PublishPlan(**made), ended, SYNCED)
    sync(filled, later_news(), synced=at("2026-12-02T00:00"))
    assert thin(filled, replace(CONFIG, as_of=LAST), 31, clock).snapshots == 22


def test_both_databases_hold_the_same_history(postgres: str, store: Store) -> None:
    """After a backfill, news, and another backfill: every snapshot, to the last bit."""

    def history(opened: Store) -> pl.DataFrame:
        fill(opened, MONTHS[:2])
        sync(opened, later_news(), synced=at("2026-12-02T00:00"))
        fill(opened, [MONTHS[1], on("2026-12-01")])
        return contents(opened)

    with Store(fresh_store(postgres)) as other:
        sync(other, book())
        assert_frame_equal(history(other), history(store), check_exact=True)


def test_an_empty_store_has_a_past_too() -> None:
    with Store("sqlite://") as empty:
        assert [day.groups for day in fill(empty, MONTHS[:2]).days] == [0, 0]
