"""A backfill whose worker is killed, with its flow or alone, or that is cancelled from the UI: run again, it ends as if
left in peace."""

from __future__ import annotations

import datetime as dt
import random
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.sandbox.book import Book
from connectors.sandbox.seed import seeded_book
from tests.e2e.backfilled import DEPLOYMENT, Past, past_of
from tests.e2e.prefect_worker import Api, alive, awaited, begun_by, kill
from tests.seed import SEED

pytestmark = pytest.mark.exhaustive
KILLS = 20
LINGERS = 0.3
"""Seconds at most between the call at which a worker is to be killed and the kill: rows are being stored then."""


@dataclass
class Peace:
    """A backfill that was left alone: what it ended with, and how many calls it made."""

    api: Api
    book: Book
    folder: Path
    contents: dict[str, pl.DataFrame] = field(default_factory=dict)
    calls: int = 0

    def check(self, found: dict[str, pl.DataFrame]) -> None:
        for name, frame in self.contents.items():
            assert_frame_equal(found[name], frame, check_exact=True)


@pytest.fixture(scope="module")
def peace(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Peace:
    folder, api = tmp_path_factory.mktemp("past"), Api(prefect_api)
    api.deploy_all()
    done = Peace(api, seeded_book(40, dt.datetime.now(dt.UTC)), folder)
    with past_of(done.book, api, folder / "peace") as past, past.worker():
        before, run_id = past.calls, past.begin()
        assert past.ended(run_id) == "Completed"
        done.calls, done.contents = past.calls - before, past.contents()
    tiers = [tier for tier in done.contents["org"]["KAM_Tier__c"] if tier != "None"]
    assert len(tiers) > 10
    assert done.contents["ledger"].height > 100
    return done


def test_killed_at_random_moments_the_store_and_the_crm_are_the_same(peace: Peace) -> None:
    """SIGKILL to the worker and its flow, again and again, in as many backfills as it takes. No run stays open."""
    chance, worlds, done = random.Random(SEED), 0, 0
    while done < KILLS:
        worlds += 1
        with past_of(peace.book, peace.api, peace.folder / f"killed-{worlds}") as past:
            done += _disturbed(past, peace.calls, KILLS - done, chance)
            peace.check(past.contents())
    assert peace.api.open_runs(DEPLOYMENT) == []


def _disturbed(past: Past, calls: int, most: int, chance: random.Random) -> int:
    """Kills up to `most` times, each anywhere in what is left to do, and runs to the end. Gives how often it killed."""
    kills, left, pause = 0, calls, threading.Event()
    while True:
        with past.worker() as process:
            before, run_id = past.calls, past.begin()
            after = chance.randrange(1, max(2, left))
            if kills == most or not past.reaches(before + after, run_id):
                assert past.ended(run_id) == "Completed"
                return kills
            pause.wait(chance.uniform(0, LINGERS))
            kill(process)
        if past.api.run(run_id)["state_type"] == "COMPLETED":
            return kills
        assert past.api.run(run_id)["state_type"] in {"RUNNING", "PENDING"}
        past.api.crash(run_id)
        kills, left = kills + 1, left - after


def test_a_worker_killed_alone_takes_its_flow_with_it(peace: Peace) -> None:
    """SIGKILL to the worker: its flow ends by itself, Crashed, and reads on beside no other run. The next one, by
    another worker, ends with the same store and org."""
    with ExitStack() as stack:
        past = stack.enter_context(past_of(peace.book, peace.api, peace.folder / "alone"))
        process = stack.enter_context(past.worker())
        before, run_id = past.calls, past.begin()
        assert past.reaches(before + peace.calls // 3, run_id)
        past.slow_down()
        begun = begun_by(process.pid)
        process.kill()
        process.wait()
        assert past.ended(run_id) == "Crashed"
        awaited(lambda: not alive(begun) or None)
        past.hurry_up()
        stack.enter_context(past.worker())
        assert past.ended(past.begin()) == "Completed"
        peace.check(past.contents())
    assert peace.api.open_runs(DEPLOYMENT) == []


def test_cancelled_from_the_ui_it_goes_on_where_it_was(peace: Peace) -> None:
    """The state is Cancelled, nothing was written, and the next run ends with the same store and org."""
    with ExitStack() as stack:
        past = stack.enter_context(past_of(peace.book, peace.api, peace.folder / "cancelled"))
        stack.enter_context(past.worker())
        before, run_id = past.calls, past.begin()
        assert past.reaches(before + peace.calls // 2, run_id)
        past.api.cancel(run_id)
        assert past.ended(run_id) == "Cancelled"
        spent = past.calls
        assert peace.api.open_runs(DEPLOYMENT) == []
        assert past.ended(past.begin()) == "Completed"
        # What was read before is not read again.
        assert past.calls - spent < peace.calls
        peace.check(past.contents())
