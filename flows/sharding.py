"""Shards of a day computed on a Dask cluster, each as a task of Prefect: how a flow asks, and what a worker does.

Workers read the store by themselves, from the address in their own environment: no secret is a parameter of a task.
https://docs.prefect.io/integrations/prefect-dask (read 2026-11-29)
"""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections import deque
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.states import Failed

from flows.escaping import plain
from flows.logs import run_of_thread
from flows.pipeline import Progress
from flows.runtime import Runtime, opened
from kammodel.elsewhere import DayElsewhere, Elsewhere, Piece
from kammodel.errors import KamError, NotConfigured
from kammodel.given import Given
from kammodel.scoring import ScoringConfig, config_hash, end_of_day, read_inputs
from kammodel.store.health import is_running

if TYPE_CHECKING:
    from prefect_dask.task_runners import DaskTaskRunner, PrefectDaskFuture

WORKERS_WITHIN = 300
"""Seconds for which a cluster that starts its workers when they are needed is waited for."""
_BEAT = 2.0
"""Seconds between two looks at whether the flow was cancelled."""


@dataclass(frozen=True)
class Order:
    """What each shard of a run is asked. `rules`, `files` and `release`: by them a worker sees that it computes as the
    flow does; `run`, that it looks into the same store."""

    run: str
    as_of: dt.date
    shards: int
    rules: str
    files: str
    release: str


def elsewhere(runtime: Runtime, beat: Progress) -> Elsewhere | None:
    """What computes shards on the cluster of KAM_DASK; None where there is none. For use within a flow.

    `beat` is told now and then how many there are; what it raises ends the work. Raises NotConfigured where the
    libraries of Dask are missing.
    """
    return None if runtime.settings.dask is None else _Cluster(runtime.settings.dask, beat)


class _Cluster:
    """Dask by Prefect's task runner: a cluster that there is, or one of this machine for as long as it works."""

    def __init__(self, place: str, beat: Progress) -> None:
        self._place, self._beat, self._runner = place, beat, _runner(place)

    def __call__(self, config: ScoringConfig, given: Given, shards: int) -> Generator[Piece]:
        rules, files = config_hash(config), given.fingerprint
        order = Order(run_of_thread() or "", config.as_of, shards, rules=rules, files=files, release=config.release)
        with self._runner as runner:
            self._connect()
            asked = deque(runner.submit(score_shard, {"order": order, "shard": shard}) for shard in range(shards))
            try:
                self._require_workers()
                while asked:
                    # Not all pieces are here at a time: each is given up once it is handed on.
                    yield self._piece(asked.popleft(), shards - len(asked) - 1, shards)
            finally:
                # A cluster that is gone has nothing to forget, and takes a minute to say so.
                if runner.client.status == "running" and not self._is_gone():
                    with suppress(Exception):
                        runner.client.cancel([one.wrapped_future for one in asked])
                        runner.client.run(forget, on_error="ignore")

    def _connect(self) -> None:
        try:
            self._runner.client  # noqa: B018 - connects
        except (OSError, TimeoutError) as fault:
            kind = type(fault).__name__
            raise KamError(f"KAM_DASK: no scheduler of Dask answers at {self._place} ({kind})") from None

    def _require_workers(self) -> None:
        try:
            self._runner.client.wait_for_workers(1, timeout=WORKERS_WITHIN)
        except TimeoutError:
            raise KamError(
                f"KAM_DASK: {self._place} has no worker after {WORKERS_WITHIN} s; start some with: dask worker"
            ) from None

    def _piece(self, asked: PrefectDaskFuture[Piece], done: int, shards: int) -> Piece:
        from distributed import CancelledError, KilledWorker

        at_work = asked.wrapped_future
        self._beat("score", done, shards)
        try:
            # The fault of a task may be a TimeoutError as well: whether it is done is asked apart.
            while not at_work.done():  # type: ignore[no-untyped-call]
                if self._is_gone():
                    raise KamError(self._went_away)
                asked.wait(_BEAT)
                self._beat("score", done, shards)
            return asked.result()
        except KilledWorker as fault:
            raise KamError(
                f"KAM_DASK: a shard brought down {fault.allowed_failures + 1} workers of {self._place}, one after "
                "the other; where they ran out of memory, set KAM_SHARD_ROWS lower"
            ) from None
        except CancelledError:
            raise KamError(self._went_away) from None

    @property
    def _went_away(self) -> str:
        return f"KAM_DASK: {self._place} went away while it computed; score again"

    def _is_gone(self) -> bool:
        """Whether nobody is at the other end. A scheduler that takes its leave has Dask wait for its answers for ever;
        of one that falls silent Dask cancels them."""
        there = self._runner.client.scheduler_comm
        return there is None or bool(there.closed())


def _runner(place: str) -> DaskTaskRunner:
    try:
        from dask.system import CPU_COUNT
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError:
        raise NotConfigured("KAM_DASK needs the libraries of Dask: pip install 'kam[dask]'") from None
    kind, _, number = place.partition(":")
    if kind != "local":
        return DaskTaskRunner(address=place)
    workers = int(number or CPU_COUNT)
    own: dict[str, Any] = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "processes": True,
        "dashboard_address": None,
        # Whoever reaches a scheduler runs code as its user, from the same machine too.
        "security": True,
        # What a worker needs is bounded by KAM_SHARD_ROWS; Dask would stop it by its share of the machine.
        "memory_limit": None,
        "env": {"POLARS_MAX_THREADS": str(max(1, CPU_COUNT // workers))},
    }
    return DaskTaskRunner(cluster_kwargs=own)


@task(name="score-shard", task_run_name="score-shard-{shard}", cache_policy=NO_CACHE, persist_result=False)
def score_shard(*, order: Order, shard: int) -> Piece:
    """Computes the KPIs of a shard of account groups from the store, on a worker."""
    try:
        return shard_told(order, shard)
    except KamError as fault:
        # As a state, without a traceback: see flows.outcome.
        return Failed(message=plain(str(fault)), data=fault)  # type: ignore[return-value]


_ONE_AT_A_TIME = threading.Lock()
_HELD: dict[Order, DayElsewhere] = {}
"""The day that this process read last: read once for all shards that it computes."""


def shard_told(order: Order, shard: int) -> Piece:
    """What a shard says, on a worker. Raises NotConfigured where this worker is set up in another way than the flow."""
    with _ONE_AT_A_TIME:
        if order not in _HELD:
            _HELD.clear()
            _HELD[order] = _day(order)
        day = _HELD[order]
    return day.piece(shard)


def forget() -> None:
    """Lets go of what this process read, on disk too."""
    _HELD.clear()


def _day(order: Order) -> DayElsewhere:
    with opened() as runtime:
        config, given, here = runtime.scoring(order.as_of), runtime.given, f"the Dask worker on {socket.gethostname()}"
        with runtime.store.transaction() as tx:
            is_same = is_running(tx, order.run)
        if not is_same:
            raise NotConfigured(
                f"KAM_STORE_URL: {here} does not see the flow's run in its store ({runtime.settings.store_shown}): "
                "every process needs the same one, in PostgreSQL or, on one machine, in one SQLite file"
            )
        same = {
            f"another release of kam ({config.release}, not {order.release})": config.release == order.release,
            "other settings or another policy (KAM_...)": config_hash(config) == order.rules,
            "other files in KAM_INPUTS_DIR": given.fingerprint == order.files,
        }
        if differing := [what for what, is_equal in same.items() if not is_equal]:
            raise NotConfigured(f"{here} has {' and '.join(differing)} than the flow: set both up alike")
        return DayElsewhere(
            read_inputs(runtime.store, given, end_of_day(config), config.shard_rows), config, order.shards
        )
