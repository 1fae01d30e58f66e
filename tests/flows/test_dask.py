"""Scoring on a real Dask cluster of two processes, as tasks of a flow: what one process gives, byte by byte."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dask
import polars as pl
import pytest
from distributed import Client, LocalCluster
from polars.testing import assert_frame_equal
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import steps
from flows.pipeline import quiet
from flows.results import ScoreReceipt
from flows.runtime import Runtime, using
from flows.score import score
from flows.settings import load_settings, settings_from
from kammodel.errors import KamError, NotConfigured
from kammodel.store import Store, health
from kammodel.store.snapshots import latest_snapshots
from tests.benchmarks.big_book import DAY, fill
from tests.flows.kam_command import kam
from tests.postgres import fresh_store

pytestmark = [
    # Prefect's clients and Dask's connections leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ACCOUNTS = 250
AT = dt.datetime(2026, 6, 30, 22, tzinfo=dt.UTC)
_OF_THE_RUN = {"run_id", "recorded_at", "seconds"}


@pytest.fixture(scope="module", autouse=True)
def _without_seed() -> Iterator[None]:
    """Workers have the environment in which they were started, and kam refuses variables that it does not know."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KAM_TEST_SEED", raising=False)
        yield


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with a book of more rows than one shard takes."""
    return filled(f"sqlite:///{tmp_path_factory.mktemp('book') / 'kam.db'}")


def filled(url: str) -> str:
    with Store(url) as store:
        fill(store, ACCOUNTS)
    return url


@pytest.fixture(scope="module")
def cluster() -> Iterator[Client]:
    """A scheduler and two workers, each a process of its own."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as serving,
        Client(serving, set_as_default=False) as client,
    ):
        client.wait_for_workers(2)
        yield client


@contextmanager
def scoring(
    url: str, monkeypatch: pytest.MonkeyPatch, client: Client | None = None, **variables: str
) -> Iterator[Runtime]:
    """A runtime of what stands in the environment; workers have the same in theirs."""
    told = {
        f"KAM_{name}": value
        for name, value in {"STORE_URL": url, "SHARD_ROWS": "10000", "LANGUAGE": "en", **variables}.items()
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    if client is not None:
        set_variables(client, {"KAM_HOME": os.environ["KAM_HOME"], **told})
    with Runtime(load_settings(), clock=lambda: AT) as opened, using(opened):
        yield opened
    gc.collect()


def set_variables(client: Client, told: dict[str, str]) -> None:
    """In the environment of workers. `os.environ.update` as it is would be sent with a copy of ours."""
    client.run(lambda: os.environ.update(told))


@pytest.fixture
def prefect(prefect_api: str) -> Iterator[None]:
    with temporary_settings({PREFECT_API_URL: prefect_api}):
        yield


@pytest.fixture(scope="module")
def alone(book: str) -> Result:
    """What one process says, with all rows in memory together."""
    with pytest.MonkeyPatch.context() as patch, scoring(book, patch, SHARD_ROWS="10000000") as opened:
        found = result_of(opened, steps.score(opened, DAY, progress=quiet))
        forget_snapshots(opened)
    return found


Result = tuple[pl.DataFrame, dict[str, object]]


def result_of(opened: Runtime, receipt: ScoreReceipt) -> Result:
    """The snapshots and the receipt, less what tells of the run."""
    with opened.store.transaction() as tx:
        kept = latest_snapshots(tx, until=DAY)
    return kept.drop(_OF_THE_RUN & set(kept.columns)), {k: v for k, v in vars(receipt).items() if k not in _OF_THE_RUN}


def forget_snapshots(opened: Runtime) -> None:
    """As if the day had not been scored."""
    with opened.store.transaction() as tx:
        tx.run("DELETE FROM score_snapshot WHERE run_id<>:none", [{"none": ""}])


def assert_same(found: Result, wanted: Result) -> None:
    assert found[1] == wanted[1]
    assert_frame_equal(found[0], wanted[0])
    assert found[0].height > ACCOUNTS * 0.8


def test_workers_of_this_machine_give_the_same_bytes(
    book: str, alone: Result, prefect: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One setting, and shards are tasks on processes that Dask starts and ends."""
    with scoring(book, monkeypatch, DASK="local:2") as opened:
        told: list[tuple[int, int | None]] = []
        opened.progress = lambda _, done, total: told.append((done, total))
        assert_same(result_of(opened, asyncio.run(score(as_of=DAY))), alone)
        forget_snapshots(opened)
    assert (2, 2) in told


@pytest.mark.exhaustive
def test_a_shard_is_computed_again_where_its_worker_dies(
    postgres: str, alone: Result, cluster: Client, prefect: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster that is there already, PostgreSQL, and a worker that is killed while it computes."""
    with scoring(filled(fresh_store(postgres)), monkeypatch, cluster, DASK=cluster.scheduler.address) as opened:
        killed: list[int] = []

        def kill(_step: str, _done: int, total: int | None) -> None:
            at_work = [address for address, tasks in cluster.processing().items() if tasks]
            if at_work and total == 2 and not killed:
                at_work = list(cluster.run(os.getpid, workers=at_work[:1]).values())
                killed.append(at_work[0])
                os.kill(at_work[0], signal.SIGKILL)

        opened.progress = kill
        assert_same(result_of(opened, asyncio.run(score(as_of=DAY))), alone)
        forget_snapshots(opened)
    assert len(killed) == 1


@pytest.mark.parametrize(
    ("variable", "says"),
    [
        ("KAM_STORE_URL", "KAM_STORE_URL: the Dask worker on .* does not see the flow's run in its store"),
        ("KAM_LANGUAGE", "the Dask worker on .* has other settings or another policy .* than the flow"),
    ],
)
def test_a_worker_that_is_set_up_otherwise_refuses(
    variable: str, says: str, *, book: str, cluster: Client, prefect: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"KAM_STORE_URL": "sqlite://", "KAM_LANGUAGE": "es"}[variable]
    with scoring(book, monkeypatch, cluster, DASK=cluster.scheduler.address):
        set_variables(cluster, {variable: other})
        with pytest.raises(NotConfigured, match=says):
            asyncio.run(score(as_of=DAY))


def test_a_cluster_that_goes_away_leaves_nothing_behind(
    book: str, alone: Result, cluster: Client, prefect: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it computes. The run has failed, with a line that says so and nothing stored; the next one, without Dask,
    gives what one process gives. No test after this one has a cluster."""
    address = cluster.scheduler.address
    with scoring(book, monkeypatch, cluster, DASK=address) as opened:
        gone: list[bool] = []

        def go(_step: str, _done: int, total: int | None) -> None:
            if total == 2 and not gone and any(cluster.processing().values()):
                gone.append(True)
                cluster.cluster.close()

        opened.progress, opened.clock = go, lambda: AT + dt.timedelta(minutes=1)
        with pytest.raises(KamError, match=rf"^KAM_DASK: {address} went away while it computed; score again$"):
            asyncio.run(score(as_of=DAY))
        with opened.store.transaction() as tx:
            newest = health.newest_run(tx, ["score"], None)
            assert latest_snapshots(tx, until=DAY).is_empty()
        assert newest is not None
        assert (newest.state, str(newest.result[health.LINE]).startswith("KAM_DASK: ")) == (health.FAILED, True)
    with scoring(book, monkeypatch, DASK="") as opened:
        assert_same(result_of(opened, asyncio.run(score(as_of=DAY))), alone)
        forget_snapshots(opened)


def test_a_scheduler_that_is_not_there_is_named(book: str, prefect: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "100ms"}),
        scoring(book, monkeypatch, DASK="tcp://127.0.0.1:1"),
        pytest.raises(KamError, match=r"KAM_DASK: no scheduler of Dask answers at tcp://127\.0\.0\.1:1"),
    ):
        asyncio.run(score(as_of=DAY))


def test_without_its_libraries_the_extra_is_named(book: str, prefect: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with (
        scoring(book, monkeypatch, DASK="local"),
        pytest.raises(NotConfigured, match=r"pip install 'kam\[dask\]'"),
    ):
        asyncio.run(score(as_of=DAY))


def test_a_command_without_flows_says_that_the_cluster_is_not_used(book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with scoring(book, monkeypatch, DASK="local:2", SHARD_ROWS="10000000") as opened:
        done = kam("score", "--as-of", DAY.isoformat(), "--json")
        forget_snapshots(opened)
    assert done.exit_code == 0
    assert "KAM_DASK: shards are mapped over a cluster by flows only; add --prefect" in done.stderr


@pytest.mark.parametrize("place", ["locally", "local:0", "http://dask.example:8786", "tcp://dask.example"])
def test_a_place_that_is_no_cluster_is_refused(place: str) -> None:
    with pytest.raises(NotConfigured, match="KAM_DASK"):
        settings_from({"KAM_DASK": place})
