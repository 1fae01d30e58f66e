"""From inputs to snapshots, published values and explanations."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kammodel.entities import Account, Bookmark
from kammodel.entities.envelope import OURS as STORE_COLUMNS
from kammodel.errors import KamError
from kammodel.facts.touches import TOUCHES
from kammodel.publish.fields import OURS
from kammodel.published import NOT_COMPUTED
from kammodel.scoring import (
    Inputs,
    ScoredDay,
    config_hash,
    explain_group,
    find_group,
    read_inputs,
    score_day,
    snapshot_frame,
    wanted_values,
)
from kammodel.store import Store
from kammodel.store.control import save_bookmark
from kammodel.store.snapshots import append_snapshots, latest_snapshots
from tests.unit.kam_world import AS_OF, CONFIG, STAMP, World, at, crm, figure, on

LATER = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
SF = "001A00000000001AAA"
HOSTILE = '=cmd|"/C calc"!A0[red]\u202e'


def book() -> World:
    """A customer in both CRMs with a subsidiary, a partner, a prospect, and one known to HubSpot alone."""
    world = World()
    world.account(SF, name="Acme", type="customer", strategic_value=8.0)
    world.account("sub", name="Acme Iberia", parent_id=SF)
    world.account("old", name="Acme Old", merged_into_id=SF, deleted=True)
    world.account("77", source="hubspot", name="ACME", cross_reference=SF)
    world.account("partner", name="Helper", type="partner")
    world.account("prospect", name=HOSTILE, type="prospect")
    world.account("88", source="hubspot", name="Solo", type="customer")
    for day in ("2023-05-01", "2025-01-10", "2026-01-10", "2026-03-10", "2026-05-10"):
        world.deal(SF, 1000, close_on=on(day), created_at=at(f"{day}T00:00") - dt.timedelta(days=30))
        world.deal("77", 1000, source="hubspot", close_on=on(day))
        world.deal("88", 10, source="hubspot", close_on=on(day))
    world.deal("sub", 0.005, close_on=on("2026-02-01"))
    world.deal("sub", 1, status="lost", close_on=on("2026-02-01"))
    world.deal("sub", 333.33, status="open", close_on=on("2026-09-01"), probability=0.3)
    world.touch(SF, "2026-06-10")
    world.touch("77", "2026-06-10", source="hubspot")
    return world


@pytest.fixture(scope="module")
def day() -> ScoredDay:
    return book().day()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(f"sqlite:///{tmp_path}/kam.db") as opened:
        yield opened


def test_every_group_has_a_row_everywhere(day: ScoredDay) -> None:
    groups = day.groups["group_id"].to_list()
    assert groups == ["hubspot:portal:88", f"salesforce:org:{SF}", "salesforce:org:partner", "salesforce:org:prospect"]
    for frame in (day.kpis, day.scores.frame, day.reasons):
        assert frame["group"].to_list() == [0, 1, 2, 3]


def test_a_company_in_both_crms_counts_once(day: ScoredDay) -> None:
    assert figure(day, "revenue_ttm", SF) == 30_000_050
    assert figure(day, "touches_90d", SF) == 1
    assert day.scores.population_n == 2


def test_who_is_not_ranked_is_told_why(day: ScoredDay) -> None:
    assert day.scores.frame["out_reason"].to_list() == [None, None, "partner", "prospect"]


def test_counts_say_what_was_left_out(day: ScoredDay) -> None:
    told = {"opportunities_of_linked_accounts": 5, "activities_of_linked_accounts": 1, "accounts_linked": 1}
    assert told.items() <= dict(day.counts).items()
    assert (day.counts["population"], day.counts["groups"]) == (2, 4)


def snapshot(day: ScoredDay, root: str) -> dict[str, Any]:
    frame = snapshot_frame(day, "run", STAMP)
    return frame.filter(pl.col("group_id").str.ends_with(f":{root}")).row(0, named=True)


def test_a_snapshot_tells_figures_exactly_and_reasons_for_none(day: ScoredDay) -> None:
    row = snapshot(day, SF)
    assert list(json.loads(row["kpis"])) == sorted(json.loads(row["kpis"]))
    assert '"revenue_ttm":3000.0050,' in row["kpis"]
    assert '"weighted_pipeline":99.9990,' in row["kpis"]
    told = json.loads(row["kpis"])
    assert (told["win_rate_count__why"], "win_rate_count" in told) == ("few_closed", False)
    assert (told["touches_90d"], told["revenue_yoy_growth"]) == (1, 2.000005)
    assert (row["tier_effective"], row["score"]) == (
        day.scores.frame["tier_effective"][1],
        day.scores.frame["score"][1],
    )
    assert json.loads(row["reasons"])["reason"] == day.reasons["reason"][1]
    assert json.loads(row["criteria"])["s_strategic"] == 80.0


def test_text_from_a_crm_enters_no_snapshot(day: ScoredDay) -> None:
    texts = snapshot_frame(day, "run", STAMP).select(pl.concat_str("kpis", "criteria", "reasons")).to_series()
    assert not texts.str.contains("calc", literal=True).any()


def test_recomputing_is_byte_identical_whatever_the_order_of_rows() -> None:
    inputs = book().inputs()
    turned = replace(inputs, entities={entity: rows.reverse() for entity, rows in inputs.entities.items()})
    first, second = (snapshot_frame(score_day(i, CONFIG), "run", STAMP) for i in (inputs, turned))
    assert first.equals(second)


def test_the_fingerprint_follows_the_rows_and_the_config_hash_the_settings(day: ScoredDay) -> None:
    inputs = book().inputs()
    stamped = inputs.of(Account).with_columns(content_changed_at=pl.lit(LATER).cast(pl.Datetime("us", "UTC")))
    restamped = replace(inputs, entities={**inputs.entities, Account: stamped})
    assert inputs.fingerprint(STAMP) == book().inputs().fingerprint(STAMP)
    assert restamped.fingerprint(STAMP) != inputs.fingerprint(STAMP)
    assert replace(inputs, read=frozenset()).fingerprint(STAMP) != inputs.fingerprint(STAMP)
    assert config_hash(CONFIG) == config_hash(replace(CONFIG, as_of=on("2020-01-01"), release="2"))
    assert config_hash(CONFIG) != config_hash(replace(CONFIG, timezone="UTC"))


def test_a_second_run_of_a_day_appends_nothing(store: Store, day: ScoredDay) -> None:
    with store.transaction() as tx:
        assert append_snapshots(tx, snapshot_frame(day, "one", STAMP)) == 4
        assert append_snapshots(tx, snapshot_frame(day, "two", LATER)) == 0


def test_a_past_day_computed_again_compares_with_itself(store: Store, day: ScoredDay) -> None:
    next_day = score_day(book().inputs(), replace(CONFIG, as_of=AS_OF + dt.timedelta(days=1)))
    with store.transaction() as tx:
        append_snapshots(tx, snapshot_frame(day, "one", STAMP))
        assert append_snapshots(tx, snapshot_frame(next_day, "two", STAMP)) == 4
        assert append_snapshots(tx, snapshot_frame(day, "three", STAMP)) == 0
        assert set(latest_snapshots(tx)["as_of"]) == {AS_OF + dt.timedelta(days=1)}


def test_a_day_compares_with_what_was_in_force_before_it(day: ScoredDay) -> None:
    """Snapshots of the day itself are no past of it."""
    own = snapshot_frame(day, "run", STAMP)
    before = own.with_columns(as_of=pl.lit(AS_OF - dt.timedelta(days=1)), tier_effective=pl.lit("standard"))
    inputs = book().inputs()
    alone, again = score_day(inputs, CONFIG, before), score_day(inputs, CONFIG, pl.concat([before, own]))
    assert alone.reasons.equals(again.reasons)
    assert again.previous is not None
    assert again.previous["tier_effective"].unique().to_list() == ["standard"]
    assert "Up from Standard" in alone.reasons["reason"][1]


def test_members_get_their_groups_values(day: ScoredDay) -> None:
    wanted = wanted_values(day, "salesforce", "org", OURS)
    assert wanted["source_id"].to_list() == [SF, "partner", "prospect", "sub"]
    assert wanted.columns == ["source_id", *(f.key for f in OURS if f.key not in NOT_COMPUTED)]
    rows = {row["source_id"]: row for row in wanted.iter_rows(named=True)}
    acme, sub = rows[SF], rows["sub"]
    assert {**acme, "source_id": None} == {**sub, "source_id": None}
    told = {
        "revenue_ttm": "3000",
        "weighted_pipeline": "100",
        "revenue_growth": "200",
        "days_since_touch": "20",
        "open_cases": "0",
        "win_rate": "85",
    }
    assert told.items() <= acme.items()
    assert acme["tier"] == day.scores.frame["tier_effective"][1]


def test_the_linked_row_of_the_other_crm_gets_the_same(day: ScoredDay) -> None:
    columns = [f.key for f in OURS if f.key not in NOT_COMPUTED]
    here = wanted_values(day, "salesforce", "org", OURS).filter(pl.col("source_id") == SF)
    there = wanted_values(day, "hubspot", "portal", OURS).filter(pl.col("source_id") == "77")
    assert here.select(columns).equals(there.select(columns))


def test_outside_the_population_there_is_no_tier_but_a_reason(day: ScoredDay) -> None:
    row = wanted_values(day, "salesforce", "org", OURS).filter(pl.col("source_id") == "partner").row(0, named=True)
    assert (row["tier"], row["score"], row["coverage"]) == (None, None, None)
    assert (row["reason"], row["revenue_ttm"]) == ("Not ranked: partner.", "0")


def test_a_number_too_long_for_its_field_is_left_empty() -> None:
    """0.0001 last year, 10,000 now: ten thousand million percent do not fit 9 digits."""
    world = World()
    world.account("a")
    world.deal("a", 0.0001, close_on=on("2024-06-01"))
    world.deal("a", 0.0001, close_on=on("2025-01-01"))
    world.deal("a", 10_000, close_on=on("2026-01-01"))
    row = wanted_values(world.day(), "salesforce", "org", OURS).row(0, named=True)
    assert (row["revenue_growth"], row["revenue_ttm"]) == (None, "10000")


def test_a_tier_set_by_hand_is_published_until_its_day() -> None:
    world = World()
    world.account("a", type="partner", tier_override="key", tier_override_until=AS_OF)
    day = world.day()
    assert wanted_values(day, "salesforce", "org", OURS)["tier"].to_list() == ["key"]
    after = world.day(as_of=AS_OF + dt.timedelta(days=1))
    assert wanted_values(after, "salesforce", "org", OURS)["tier"].to_list() == [None]


@pytest.mark.parametrize(
    "sought",
    [f"salesforce:org:{SF}", SF, SF[:15], "sub", "old", "77", "Acme", "acme iberia", " Acme Iberia ", "ACME"],
)
def test_a_group_is_found_by_any_of_its_ids_or_names(day: ScoredDay, sought: str) -> None:
    """A merged id too; capitals aside where no name fits exactly."""
    assert find_group(day, sought) == f"salesforce:org:{SF}"


@pytest.mark.parametrize("sought", ["nobody", "", "Acm"])
def test_what_is_not_there_is_said_in_one_line(day: ScoredDay, sought: str) -> None:
    with pytest.raises(KamError, match="no account or group") as fault:
        find_group(day, sought)
    assert "\n" not in str(fault.value)


def test_a_name_of_two_groups_asks_for_an_id() -> None:
    world = World()
    world.account("a", name="Twin")
    world.account("b", name="Twin")
    with pytest.raises(KamError, match=r"2 account groups .* salesforce:org:a, salesforce:org:b"):
        find_group(world.day(), "Twin")


def test_an_explanation_states_the_tier_that_is_published(day: ScoredDay) -> None:
    told = explain_group(day, "77")
    row = wanted_values(day, "hubspot", "portal", OURS).filter(pl.col("source_id") == "77").row(0, named=True)
    assert (told.tier, told.reason, told.name) == (row["tier"], row["reason"], "Acme")
    values = {m.kpi: m.value for c in told.criteria for m in c.measures}
    assert values["revenue_ttm"] == 3000.005


def test_the_language_is_the_configured_one() -> None:
    day = book().day(language="es")
    assert day.reasons["reason"][2] == "Sin clasificar: socio comercial."


def saved(store: Store, inputs: Inputs) -> None:
    with store.transaction() as tx:
        for entity, frame in inputs.entities.items():
            for source in ("salesforce", "hubspot"):
                rows = frame.filter(pl.col("source") == source).drop("source", "source_instance", *STORE_COLUMNS)
                tx.upsert(entity, rows, source=source, instance=crm(source)["source_instance"], at=STAMP)
        for source, instance, stream in inputs.read:
            key = {"source": source, "source_instance": instance, "stream": stream, "fingerprint": "f"}
            save_bookmark(tx, Bookmark(**key, watermark=STAMP, read_until=LATER))
        unfinished = Bookmark(source="hubspot", source_instance="portal", stream="notes", fingerprint="f")
        save_bookmark(tx, unfinished)


def test_what_the_store_gives_scores_the_same(store: Store, day: ScoredDay) -> None:
    saved(store, book().inputs())
    found = read_inputs(store)
    assert found.read == book().inputs().read
    assert found.synced_at == LATER
    again = score_day(found, CONFIG)
    assert again.kpis.equals(day.kpis)
    assert again.scores.frame.equals(day.scores.frame)


def test_an_empty_store_scores_to_nothing(store: Store) -> None:
    found = read_inputs(store)
    assert found.synced_at is None
    day = score_day(found, CONFIG)
    assert (day.groups.height, day.scores.frame.height) == (0, 0)
    assert snapshot_frame(day, "run", STAMP).is_empty()
    assert wanted_values(day, "salesforce", "org", OURS).is_empty()


@pytest.mark.parametrize(("columns", "is_read"), [("kind,person_ids", True), ("kind", False), ("", True)])
def test_touches_without_their_persons_are_not_read(store: Store, columns: str, *, is_read: bool) -> None:
    """Contacts hidden from us are not contacts that nobody had."""
    with store.transaction() as tx:
        for stream in ("tasks", "events"):
            key = {"source": "salesforce", "source_instance": "org", "stream": stream, "fingerprint": "f"}
            save_bookmark(tx, Bookmark(**key, columns=columns, watermark=STAMP))
    assert read_inputs(store).knows(TOUCHES, "salesforce", "org") is is_read
