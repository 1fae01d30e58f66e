"""Another policy tried on a book of business: who would move, what the past says, and nothing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in
from flows.pipeline import backfill
from flows.pipeline.simulating import Simulation, simulate
from kammodel.store.snapshots import every_day_stored
from kammodel.tiering import load_policy
from kammodel.tiering.policy import Policy
from tests.pipeline.company import NOW, Office, office, small_book

DAYS = [dt.date(2024, 12, 31), dt.date(2025, 1, 31), dt.date(2025, 2, 28)]
FEWER_KEYS = load_policy().model_copy(update={"caps": load_policy().caps.model_copy(update={"key": 2})})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A book pulled and scored today, and on three days of the year before."""
    folder = tmp_path_factory.mktemp("simulated")
    with office(same_in(small_book(60), Clock(NOW), "salesforce"), folder) as opened:
        opened.pull()
        backfill(opened.store, opened.config(), DAYS, opened.clock.now)
        opened.score()
        yield opened


def stored(desk: Office) -> int:
    with desk.store.transaction() as tx:
        return int(tx.frame("SELECT count(*) AS n FROM score_snapshot", {"n": pl.Int64()}).item())


def tried(desk: Office, policy: Policy, *, past: bool = False) -> Simulation:
    return simulate(desk.store, desk.config(), policy, past=past)


def test_the_policy_in_force_moves_nobody(desk: Office) -> None:
    found = tried(desk, load_policy())
    assert (found.same_policy, found.moves) == (True, ())
    assert found.totals_now == found.totals_then


def test_fewer_seats_put_groups_down_and_say_why(desk: Office) -> None:
    """Two Key seats: others go to Growth for want of seats, at the score that they had."""
    found = tried(desk, FEWER_KEYS)
    down = [move for move in found.moves if move.rule == "hard_cap"]
    assert {(move.before, move.after) for move in down} == {("key", "growth")}
    assert all(move.score_before == move.score_after and not move.causes for move in down)
    assert found.totals_then["key"] < found.totals_now["key"]
    assert found.hours_then < found.hours_now


def test_other_weights_name_the_criteria(desk: Office) -> None:
    """Loyalty alone: who rises does so by it, in points of the score."""
    weights = dict.fromkeys(load_policy().weights, 0.0) | {"loyalty": 1.0}
    found = tried(desk, load_policy().model_copy(update={"weights": weights}))
    risen = [move for move in found.moves if (move.score_after or 0) > (move.score_before or 0)]
    assert risen
    assert all(move.causes[0].criterion == "loyalty" and move.causes[0].points > 0 for move in risen)


def test_the_past_is_computed_again_day_by_day(desk: Office) -> None:
    """Of the stored days those lie a year back after which a year is known."""
    found = tried(desk, FEWER_KEYS, past=True).past
    assert found is not None
    today = desk.config().as_of
    with desk.store.transaction() as tx:
        assert list(found.days) == every_day_stored(tx, until=today) == [*DAYS, today]
    assert found.days_judged == len(DAYS)
    for policy in (found.now, found.then):
        assert policy.migration
        assert policy.moved_share is not None
        lost = sum(tier.lost for tier in policy.held)
        shares = [tier.share_of_lost for tier in policy.held if tier.share_of_lost is not None]
        assert not lost or sum(shares) == pytest.approx(1, abs=0.001)
    assert sum(tier.groups for tier in found.now.held) == sum(tier.groups for tier in found.then.held)


def test_nothing_is_written(desk: Office) -> None:
    before = stored(desk)
    tried(desk, FEWER_KEYS, past=True)
    assert stored(desk) == before
