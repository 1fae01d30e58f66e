"""Rows that are taken shard by shard give what they give at once, whatever hangs together across shards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kammodel.entities import Contract, Opportunity, Order, Person
from kammodel.facts.cut import cut
from kammodel.inputs import Inputs
from kammodel.known import grouped
from kammodel.numbering import WORD
from kammodel.scoring import Known, ScoringConfig, day_fingerprint, known_kpis, read_inputs
from kammodel.sharding import sharded
from kammodel.store import Store
from tests.oracle.storing import stored
from tests.oracle.world import random_book
from tests.seed import SEED
from tests.unit.kam_world import CONFIG, World, at, figure, on
from tests.unit.test_rollups_published import ROLLUPS


def assert_same(shards: Known, whole: Known) -> None:
    """Every figure, count and stamp."""
    assert_frame_equal(shards.kpis, whole.kpis)
    assert_frame_equal(shards.by_kam, whole.by_kam)
    assert_frame_equal(shards.portfolio, whole.portfolio)
    assert_frame_equal(shards.reconstructed, whole.reconstructed)
    assert_frame_equal(shards.grouping.groups, whole.grouping.groups)
    assert_frame_equal(shards.rolled.groups, whole.rolled.groups)
    assert_frame_equal(shards.rolled.accounts, whole.rolled.accounts)
    assert shards.counts == whole.counts
    assert shards.unknown_accounts == whole.unknown_accounts
    assert shards.inputs_fingerprint == whole.inputs_fingerprint


def in_shards(inputs: Inputs, config: ScoringConfig, number: int) -> Known:
    return known_kpis(inputs, replace(config, shard_rows=-(-inputs.large_rows // number)))


@pytest.mark.parametrize("number", range(2))
def test_shards_change_nothing(number: int) -> None:
    """Books of merges, two CRMs, edits after the day, orphans and files; rollups beside the KPIs."""
    book = random_book(SEED * 7 + number, 8)
    inputs = book.inputs()
    inputs = replace(inputs, given=replace(inputs.given, rollups=tuple(ROLLUPS)))
    whole = known_kpis(inputs, book.config)
    for shards in (2, 7):
        assert_same(in_shards(inputs, book.config, shards), whole)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(300))
def test_no_number_of_shards_changes_anything(number: int) -> None:
    book = random_book(SEED * 11 + number, (2, 6, 40)[number % 3])
    inputs = book.inputs()
    whole = known_kpis(inputs, book.config)
    for shards in (2, 3, 50):
        assert_same(in_shards(inputs, book.config, shards), whole)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    from tests.postgres import fresh_store

    file = f"sqlite:///{tmp_path / 'kam.db'}"
    url = file if request.param == "sqlite" else fresh_store(str(request.getfixturevalue("postgres")))
    with Store(url) as opened:
        yield opened


def test_rows_that_never_were_in_memory_together_say_the_same(store: Store) -> None:
    book = random_book(SEED * 13, 4)
    given = stored(store, book)
    whole, copied = read_inputs(store, given), read_inputs(store, given, shard_rows=50)
    assert (whole.copies, copied.copies is None, copied.large_rows) == (None, False, whole.large_rows)
    assert_same(known_kpis(copied, replace(book.config, shard_rows=50)), known_kpis(whole, book.config))
    assert_same(known_kpis(copied, book.config), known_kpis(whole, book.config))
    assert day_fingerprint(copied, book.config) == day_fingerprint(whole, book.config)


def test_nothing_is_left_behind(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    book = random_book(SEED * 17, 3)
    inputs = read_inputs(store, stored(store, book), shard_rows=5)
    known = known_kpis(inputs, replace(book.config, shard_rows=40))
    assert known.portfolio.height == 1
    assert list(folder.iterdir()) != []
    del inputs, known
    assert list(folder.iterdir()) == []


def two_companies() -> World:
    """Of two groups, which stand in different shards once there are two."""
    world = World()
    for account in ("a", "b"):
        world.account(account)
        world.deal(account, 100, source_id=f"won-{account}", close_on=on("2026-05-01"))
        world.deal(account, 50, source_id=f"open-{account}", status="open", close_on=on("2026-09-01"))
        world.person(f"p-{account}", account)
        world.event(f"open-{account}", "2026-01-10T10:00", "open", 50, stage_id="s")
    return world


def both(world: World, name: str, **config: Any) -> list[tuple[Any, Any]]:
    """The KPI of either company, at once and in two shards."""
    whole = known_kpis(world.inputs(), replace(CONFIG, **config))
    shards = in_shards(world.inputs(), replace(CONFIG, **config), 2)
    assert_same(shards, whole)
    return [(figure(known, name, "a"), figure(known, name, "b")) for known in (whole, shards)]


def test_deals_of_two_companies_that_were_put_off_are_two() -> None:
    world = two_companies()
    for account in ("a", "b"):
        world.event(f"open-{account}", "2026-02-10T10:00", "open", 50, stage_id="s", close_on=on("2026-06-01"))
        world.event(f"open-{account}", "2026-03-10T10:00", "open", 50, stage_id="s", close_on=on("2026-09-01"))
    assert both(world, "slipped_opps") == [(1, 1)] * 2
    assert in_shards(world.inputs(), CONFIG, 2).portfolio["slipped_opps"].to_list() == [2]


def test_a_touch_with_persons_of_two_companies_counts_in_both() -> None:
    world = two_companies()
    world.touch(None, "2026-06-01", person_ids="p-a;p-b")
    assert both(world, "touches_90d") == [(1, 1)] * 2


def test_a_touch_of_one_company_about_the_deal_of_another_moves_that_deal() -> None:
    world = two_companies()
    world.touch("a", "2026-06-29", opportunity_id="open-b", person_ids="p-a")
    assert both(world, "touches_90d") == [(1, 0)] * 2


def test_a_touch_of_a_case_goes_where_the_case_does() -> None:
    world = two_companies()
    world.case("c", "b")
    world.touch(None, "2026-06-01", case_id="c", person_ids="p-a")
    assert both(world, "touches_90d") == [(0, 1)] * 2


def test_a_touch_that_leads_nowhere_is_counted_once() -> None:
    world = two_companies()
    world.deal("gone", 1, source_id="of-nobody")
    world.touch(None, "2026-06-01", opportunity_id="of-nobody", person_ids="p-a")
    world.touch("gone", "2026-06-01", opportunity_id="open-b")
    assert both(world, "touches_90d") == [(0, 0)] * 2
    assert in_shards(world.inputs(), CONFIG, 3).counts["activities_orphaned"] == 2


def test_an_order_takes_the_place_of_another_companys_deal() -> None:
    world = two_companies()
    order = {"status_code": "Activated", "effective_on": on("2026-05-02"), "amount": 70_000, "currency": "EUR"}
    world.add(Order, "o", account_id="a", opportunity_id="won-b", **order)
    assert both(world, "revenue_ttm") == [(1_070_000, 0)] * 2


def test_a_contract_is_followed_by_that_of_another_company() -> None:
    world = two_companies()
    world.add(
        Contract, "old", account_id="a", starts_on=on("2025-01-01"), ends_on=on("2025-12-31"), renewed_by_id="new"
    )
    world.add(Contract, "new", account_id="b", starts_on=on("2026-01-01"), ends_on=on("2026-12-31"))
    world.add(Order, "o", account_id="b", contract_id="old", status_code="Activated", effective_on=on("2025-01-02"))
    whole, shards = both(world, "renewal_rate_count")
    assert whole == shards == (1, "nothing_to_renew")


def test_a_file_names_nobody_by_a_name_that_two_companies_have() -> None:
    world = two_companies()
    world.account("a", source="hubspot", name="other")
    for account in ("a", "b"):
        world.give("revenue", account=account, booked_on=on("2026-06-01"), kind="invoice", amount=9, currency="EUR")
    whole, shards = both(world, "revenue_ttm")
    assert whole == shards


def test_a_case_without_an_account_is_that_of_its_person() -> None:
    world = two_companies()
    world.cases.append({**world.persons[1], "source_id": "c", "account_id": None, "person_id": "p-b"})
    world.cases[-1] |= {"opened_at": at("2026-06-01T10:00"), "is_closed": False}
    assert both(world, "open_cases") == [(0, 1)] * 2


def test_a_person_counts_at_both_companies() -> None:
    from kammodel.entities import AccountPerson

    world = two_companies()
    world.add(Person, "boss", account_id="a", title="CEO")
    world.add(AccountPerson, "relation", account_id="b", person_id="boss")
    whole, shards = both(world, "execs_known")
    assert whole == shards == (1, 1)


def test_what_is_spilled_keeps_its_types() -> None:
    found = in_shards(two_companies().inputs(), CONFIG, 2)
    assert dict(found.kpis.schema) == dict(known_kpis(two_companies().inputs(), CONFIG).kpis.schema)
    assert found.kpis["group"].dtype == pl.UInt32


def orphans_by_shard(*statuses: str) -> list[list[str]]:
    """Deals that belong to nobody, in a process that meets their words in this order."""
    met, world = pl.Series(statuses).cast(WORD), two_companies()
    for n in range(20):
        world.deal("gone", n, source_id=f"orphan-{n:02}", status=sorted(statuses)[n % 2])
    inputs = world.inputs()
    moment = cut(CONFIG.as_of, CONFIG.timezone, inputs.synced_at)
    small = inputs.small().as_known(moment)
    made = sharded(inputs, small, moment, grouped(small, CONFIG), 5)
    assert met.cast(pl.String).to_list() == [*statuses]
    deals = [made.inputs(shard).of(Opportunity)["source_id"].sort().to_list() for shard in range(5)]
    return [[name for name in names if name.startswith("orphan")] for names in deals]


def test_what_belongs_to_nobody_stands_in_the_same_shard_in_every_process() -> None:
    """Each numbers ids and words in the order in which it meets them."""
    code = "from tests.property.test_sharding import orphans_by_shard; print(orphans_by_shard({}, {}))"
    one, other = (
        subprocess.run([sys.executable, "-c", code.format(*map(repr, order))], capture_output=True, check=True).stdout
        for order in (("won", "lost"), ("lost", "won"))
    )
    assert one == other
    assert one.count(b"orphan") == 20
