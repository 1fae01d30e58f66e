"""A job whose run was stopped is ended by the next run, on whatever machine, before it can write over what is newer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from connectors.contract import AccountWrite
from connectors.errors import TryAgainLater
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.app import SalesforceApp
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob
from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from tests.contract.salesforce_connected import Front, connected, held, open_front, provisioned, write

BY_JOB = Sizes(ingest_from=0)
IBERIA = salesforce_id("001", 2)
OLD, NEW = AccountWrite(IBERIA, {"tier": "growth"}), AccountWrite(IBERIA, {"tier": "key"})


class Killed(BaseException):
    """The end of a process, as far as one can have it within one."""


@dataclass
class Book:
    """What outlives a process. `refuses`: the right to write is another run's by now."""

    jobs: list[str] = field(default_factory=list)
    refuses: bool = False

    def noted(self) -> list[str]:
        return list(self.jobs)

    def note(self, job_id: str) -> None:
        if self.refuses:
            raise Killed
        self.jobs.append(job_id)

    def strike(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            if job_id in self.jobs:
                self.jobs.remove(job_id)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def book() -> Book:
    return Book()


def states(front: Front) -> list[str]:
    assert isinstance(front.app, SalesforceApp)
    return [job.state for job in front.app.jobs.of(IngestJob)]


def die(*_: object, **__: object) -> NoReturn:
    raise Killed


@contextmanager
def alone(
    front: Front, book: Book, sleep: Callable[[float], None] = lambda _: None, *, sizes: Sizes | None = None
) -> Iterator[SalesforceConnector]:
    """A run of its own, as a new process would begin it, that may write."""
    with connected(front, sleep, sizes=sizes) as connector, connector.noting(book):
        yield connector


def killed(front: Front, book: Book) -> None:
    """A run that dies while it waits: what it tries to send afterwards goes nowhere."""
    with pytest.MonkeyPatch.context() as patch:

        def end(_: float) -> NoReturn:
            patch.setattr(HTTPConnectionPool, "urlopen", die)
            raise Killed

        with pytest.raises(Killed), alone(front, book, end, sizes=BY_JOB) as connector:
            write(connector, OLD)


def test_a_job_of_a_killed_run_has_ended_before_the_next_one_does_anything(front: Front, book: Book) -> None:
    """It would write its old value later on, which would stand, and pass for a person's."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    killed(front, book)
    assert (states(front), len(book.jobs)) == (["UploadComplete"], 1)
    with alone(front, book) as connector:
        assert (states(front), book.jobs) == ([], [])
        assert held(connector, IBERIA)[IBERIA]["tier"] == "growth"
        assert write(connector, NEW)[IBERIA].outcome == "written"
        assert held(connector, IBERIA)[IBERIA]["tier"] == "key"


def test_a_job_that_does_not_end_is_aborted(front: Front, book: Book) -> None:
    """After two minutes: what is queued for long would write over what is newer."""
    provisioned(front, bulk=BulkSettings(never_ends=True))
    killed(front, book)
    waited: list[float] = []
    with alone(front, book, waited.append) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
    assert (states(front), book.jobs) == ([], [])
    assert 60 < sum(waited) < 180


def test_a_job_that_never_began_is_aborted(front: Front, book: Book) -> None:
    """Its run was killed before all of it was sent."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    front.faults.on_path("PUT", "503", times=1)
    killed(front, book)
    assert states(front) == ["Open"]
    waited: list[float] = []
    with alone(front, book, waited.append) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
    assert (states(front), book.jobs, waited) == ([], [], [])


def test_a_run_that_somebody_stops_ends_its_job_itself(front: Front, book: Book) -> None:
    """Ctrl-C, or a scheduler that cancels: nobody waits for the next run."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    with pytest.raises(KeyboardInterrupt), alone(front, book, interrupt, sizes=BY_JOB) as connector:
        write(connector, OLD)
    assert (states(front), book.jobs) == ([], [])


def interrupt(_: float) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("call", ["PATCH", "GET /services/data/v66.0/jobs/ingest"])
def test_nothing_is_done_beside_a_job_that_may_still_write(front: Front, book: Book, call: str) -> None:
    """It says what to do; the job stays noted, and the next run tries again."""
    provisioned(front, bulk=BulkSettings(never_ends=True))
    killed(front, book)
    front.faults.on_path(call, "503", times=6)
    with pytest.raises(TryAgainLater, match=r"write job 750\w+ .*run again later, or have it aborted"):
        alone(front, book).__enter__()
    assert (len(states(front)), len(book.jobs)) == (1, 1)
    with alone(front, book) as connector:
        held(connector, IBERIA)
    assert (states(front), book.jobs) == ([], [])


def test_a_run_does_nothing_beside_a_job_of_its_own_that_it_could_not_end(front: Front, book: Book) -> None:
    """It neither looks nor writes, and waits for the job once, not at every portion."""
    provisioned(front, bulk=BulkSettings(never_ends=True))
    waited: list[float] = []

    def wait(seconds: float) -> None:
        if not waited:
            front.faults.on_path("GET /services/data/v66.0/jobs/ingest", "503", times=6)
            front.faults.on_path("PATCH", "503", times=999)
        waited.append(seconds)

    with alone(front, book, wait, sizes=BY_JOB) as connector:
        with pytest.raises(TryAgainLater):
            write(connector, OLD)
        waits = [seconds_until_refused(connector, waited) for _ in range(3)]
        with pytest.raises(TryAgainLater, match="write job"):
            write(connector, NEW)
    assert len(book.jobs) == 1
    assert max(waits[1:]) < 60 < waits[0]
    front.faults.clear()


def seconds_until_refused(connector: SalesforceConnector, waited: list[float]) -> float:
    before = sum(waited)
    with pytest.raises(TryAgainLater, match="write job"):
        held(connector, IBERIA)
    return sum(waited) - before


def test_a_job_is_not_begun_by_a_run_that_another_has_overtaken(front: Front, book: Book) -> None:
    """It is noted before it is told to begin, by whoever has the right to write."""
    provisioned(front)
    book.refuses = True
    with pytest.raises(Killed), alone(front, book, sizes=BY_JOB) as connector:
        write(connector, OLD)
    with connected(front) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
    assert states(front) == []


def test_who_may_not_write_leaves_jobs_alone(front: Front, book: Book) -> None:
    """Somebody looks at what an undo would do while a run waits for its job."""
    provisioned(front, bulk=BulkSettings(ingest_polls=2))
    seen: list[list[str]] = []

    def meanwhile(_: float) -> None:
        with connected(front) as other:
            held(other, IBERIA)
        seen.append(states(front))

    with alone(front, book, meanwhile, sizes=BY_JOB) as connector:
        assert write(connector, OLD)[IBERIA].outcome == "written"
    assert [len(found) for found in seen] == [1, 1]


@pytest.mark.parametrize("part", ["", "DELETE"])
def test_a_job_that_has_ended_is_noted_no_more(front: Front, book: Book, part: str) -> None:
    """Nor does it cost the next run a call, though it could not be taken away."""
    provisioned(front)
    if part:
        front.faults.on_path(part, "503", times=6)
    with alone(front, book, sizes=BY_JOB) as connector:
        assert write(connector, OLD)[IBERIA].outcome == "written"
    assert book.jobs == []
