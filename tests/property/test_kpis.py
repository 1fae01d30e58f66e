"""What holds of KPIs whatever the book: a row for every group, a value or a reason, nothing doubled, no hindsight."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kammodel.entities import Account
from kammodel.identity import account_groups
from kammodel.kpis import KPIS
from kammodel.scoring import Inputs, Known, known_kpis
from kammodel.tiering import texts
from tests.unit.kam_world import AS_OF, CONFIG, World, at, crm, figure, frame_of

SEEN = settings(
    max_examples=max(8, settings.default.max_examples // 12),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
IDS = ("a", "b", "c", "d", "e")
OF_ALL = frozenset({"win_rate_shown", "revenue_share", "weighted_pipeline_calibrated", "stalled_opps"})
"""KPIs that look at all groups."""

OF_GROUPS = [k for k in KPIS if "group" in k.levels]

seeds = st.integers(0, 2**32)


def some_day(random: Random, span: int = 1200) -> dt.date:
    return AS_OF - dt.timedelta(days=random.randrange(-200, span))


def some_world(seed: int, source: str = "salesforce") -> World:
    """A book of a few accounts, with everything missing now and then."""
    random = Random(seed)
    world = World()
    for account in IDS[: random.randint(1, 5)]:
        parent = random.choice((None, None, *IDS, "nobody"))
        merged = random.choice((None,) * 6 + IDS)
        world.account(account, source, parent_id=parent, merged_into_id=merged, deleted=merged is not None)
    for k in range(random.randint(0, 14)):
        close = random.choice((some_day(random), some_day(random), None))
        values: dict[str, Any] = {
            "status": random.choice(("won", "won", "won", "lost", "open", None)),
            "close_on": close,
            "created_at": random.choice((None, at(f"{some_day(random)}T12:00"), at("2020-01-01T00:00"))),
            "updated_at": random.choice((None, at(f"{some_day(random)}T12:00"))),
            "currency": random.choice(("EUR", "EUR", "USD", "GBP", None)),
            "probability": random.choice((None, 0.0, 0.3, 1.0, 1.4)),
            "kind": random.choice((None, "new", "renewal")),
            "is_omitted": random.choice((None, True, False)),
            "deleted": random.random() < 0.1,
        }
        world.deal(random.choice((*IDS, None)), random.choice((None, 0, -3, 10, 999.99)), source, **values)
        for _ in range(random.randint(0, 2)):
            status = random.choice(("open", "won", "lost", None))
            moment = f"{some_day(random)}T12:00"
            world.event(f"deal-{k}", moment, status, 5, close_on=close, probability=0.5, **crm(source))
    for _ in range(random.randint(0, 14)):
        told = {
            "kind": random.choice(("call", "email", "meeting", "note")),
            "status": random.choice(("done", "done", "planned", "cancelled", None)),
            "person_ids": random.choice((None, "p", "p;q")),
            "opportunity_id": random.choice((None, "deal-0")),
        }
        world.touch(random.choice((*IDS, "a;b", None)), str(some_day(random, 250)), source, **told)
    world.rate("USD", "2025-01-01", 9, 10, **crm(source))
    world.rate("USD", "2026-01-01", 8, 10, **crm(source))
    return world


def known(inputs: Inputs, **config: Any) -> Known:
    return known_kpis(inputs, replace(CONFIG, **config))


def by_root(found: Known) -> pl.DataFrame:
    """KPIs by the bare id of the root."""
    roots = found.grouping.groups.select("group", root=pl.col("group_id").str.split(":").list.last())
    return roots.join(found.kpis, on="group").drop("group").sort("root")


def assert_same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """All figures are the same, but those of what one of the CRMs does not hold (contracts, plans)."""
    unread = [
        kpi.name
        for kpi in OF_GROUPS
        if any((side[f"{kpi.name}__why"] == "not_read").any() for side in (found, expected))
    ]
    assert "revenue_ttm" not in unread
    left_out = [column for name in unread for column in (name, f"{name}__why")]
    assert_frame_equal(found.drop(left_out), expected.drop(left_out))


@SEEN
@given(seeds)
def test_every_group_has_a_row_and_every_kpi_a_value_or_a_reason_in_words(seed: int) -> None:
    found = known(some_world(seed).inputs())
    assert found.kpis["group"].to_list() == found.grouping.groups["group"].to_list()
    words = set(texts.section("why", "en")) & set(texts.section("why", "es"))
    for kpi in OF_GROUPS:
        values, whys = found.kpis[kpi.name], found.kpis[f"{kpi.name}__why"]
        assert (values.is_null() == whys.is_not_null()).all(), kpi.name
        assert all(why in words or why.startswith("no rate for ") for why in whys.drop_nulls()), whys


@SEEN
@given(seeds)
def test_no_figure_is_out_of_its_range(seed: int) -> None:
    kpis = known(some_world(seed).inputs()).kpis
    for name in ("win_rate_count", "win_rate_shown", "win_rate_low", "win_rate_high", "revenue_share"):
        assert kpis[name].drop_nulls().is_between(0, 1).all(), name
    assert kpis["active_quarters_8"].is_between(0, 8).all()
    for kpi in OF_GROUPS:
        if kpi.unit in {"count", "days", "months"}:
            assert (kpis[kpi.name].drop_nulls() >= 0).all(), kpi.name


@SEEN
@given(seeds, st.randoms(use_true_random=False))
def test_order_of_rows_means_nothing(seed: int, random: Random) -> None:
    world = some_world(seed)
    straight = known(world.inputs())
    for rows in (world.accounts, world.deals, world.events, world.activities, world.rates):
        random.shuffle(rows)
    assert_frame_equal(known(world.inputs()).kpis, straight.kpis)


@SEEN
@given(seeds)
def test_the_same_book_gives_the_same_figures_in_each_crm(seed: int) -> None:
    one, other = some_world(seed), some_world(seed, "hubspot")
    assert_same(by_root(known(one.inputs())), by_root(known(other.inputs())))


@SEEN
@given(seeds, st.sampled_from(["salesforce", "hubspot"]), st.booleans())
def test_served_by_both_crms_no_figure_doubles(seed: int, record: str, said_by_salesforce: bool) -> None:
    """Each account of one CRM names its twin in the other, on either side."""
    one, other = some_world(seed), some_world(seed, "hubspot")
    alone = known(one.inputs())
    for account in (one if said_by_salesforce else other).accounts:
        account["cross_reference"] = account["source_id"]
    both = World(*(getattr(one, name) + getattr(other, name) for name in _ROWS))
    assert_same(by_root(known(both.inputs(), system_of_record=record)), by_root(alone))


_ROWS = ("accounts", "deals", "events", "activities", "rates")


@SEEN
@given(seeds, seeds)
def test_what_is_recorded_after_the_day_changes_nothing_of_it(seed: int, later: int) -> None:
    """Reading 5: no hindsight."""
    world = some_world(seed)
    before = known(world.inputs())
    for name in ("deals", "activities"):
        for row in getattr(some_world(later), name):
            fresh = {**row, "source_id": f"later-{row['source_id']}", "created_at": at("2026-07-01T00:00")}
            getattr(world, name).append(fresh)
    assert_frame_equal(known(world.inputs()).kpis, before.kpis)


@SEEN
@given(seeds, st.integers(1, 10**12))
def test_a_currency_is_only_a_name(seed: int, parts: int) -> None:
    """Deals written in a currency of exactly one euro give the same figures as those in euros."""
    world = some_world(seed)
    straight = known(world.inputs())
    for deal in world.deals:
        if deal["currency"] == "EUR":
            deal["currency"] = "XXX"
    world.rate("XXX", None, parts, parts)
    assert_frame_equal(known(world.inputs()).kpis, straight.kpis)


@SEEN
@given(seeds)
def test_other_groups_do_not_move_a_groups_own_figures(seed: int) -> None:
    world = some_world(seed)
    before = by_root(known(world.inputs()))
    world.account("z")
    world.deal("z", 77, close_on=AS_OF)
    world.touch("z", str(AS_OF))
    after = by_root(known(world.inputs())).filter(pl.col("root") != "z")
    own = [k.name for k in OF_GROUPS if k.name not in OF_ALL]
    assert_frame_equal(after.select("root", *own), before.select("root", *own))


@SEEN
@given(seeds)
def test_splitting_a_customer_into_members_keeps_its_figures(seed: int) -> None:
    """One account's deals spread over a parent and a subsidiary are the same group's."""
    random = Random(seed)
    whole, split = World(), World()
    for world in (whole, split):
        world.account("a")
    split.account("s", parent_id="a")
    for k in range(8):
        day = some_day(random)
        for world, account in ((whole, "a"), (split, "as"[k % 2])):
            world.deal(account, 10 + k, close_on=day, status=("won", "lost")[k == 5])
            world.touch(account, str(day), owner_id=str(k))
    assert_frame_equal(known(whole.inputs()).kpis, known(split.inputs()).kpis)


@SEEN
@given(st.dictionaries(st.integers(0, 30), st.integers(0, 32), max_size=30))
def test_every_hierarchy_ends_in_one_root_per_group(parents: Mapping[int, int]) -> None:
    """Whatever rings and tails: each account is in the group of its parent, and each group has one root."""
    rows = [
        {**crm("salesforce"), "source_id": f"{child:02}", "parent_id": f"{parent:02}"}
        for child, parent in parents.items()
    ]
    found = account_groups(frame_of(Account, rows))
    group = dict(found.members.select("source_id", "group").iter_rows())
    for child, parent in parents.items():
        if f"{parent:02}" in group:
            assert group[f"{child:02}"] == group[f"{parent:02}"]
    assert found.members.filter("is_root").height == found.groups.height
    rings = found.members.join(found.groups.filter("is_ring"), on="group")
    assert rings.filter("is_root").height == found.groups.filter("is_ring").height


@SEEN
@given(st.lists(st.tuples(st.integers(-(10**13), 10**13), st.sampled_from(["USD", "GBP", "EUR"])), max_size=8))
def test_sums_are_exact(amounts: list[tuple[int, str]]) -> None:
    """Against whole-number arithmetic of Python: each deal converted once, half to even."""
    rates = {"USD": (917, 1000), "GBP": (7, 6), "EUR": (1, 1)}
    world = World()
    world.account("a")
    for amount, currency in amounts:
        world.deal("a", 0, currency=currency, close_on=AS_OF)
        world.deals[-1]["amount"] = amount
    for currency in ("USD", "GBP"):
        world.rate(currency, None, *rates[currency])
    expected = sum(_half_even(amount * rates[c][0], rates[c][1]) for amount, c in amounts)
    assert figure(known(world.inputs()), "revenue_ttm", "a") == expected


def _half_even(numerator: int, denominator: int) -> int:
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))
