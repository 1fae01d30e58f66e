"""A job whose run was killed is taken up by the next run, before it can write over what is newer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.contract import AccountWrite
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.app import SalesforceApp
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob
from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.ids import salesforce_id
from kammodel.errors import NotConfigured
from tests.contract.salesforce_connected import Front, connected, held, open_front, provisioned, write

BY_JOB = Sizes(ingest_from=0)
IBERIA = salesforce_id("001", 2)
OLD, NEW = AccountWrite(IBERIA, {"tier": "growth"}), AccountWrite(IBERIA, {"tier": "key"})


class Killed(BaseException):
    """The end of a process, as far as one can have it within one."""


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def states(front: Front) -> list[str]:
    assert isinstance(front.app, SalesforceApp)
    return [job.state for job in front.app.jobs.of(IngestJob)]


def killed(front: Front, state: Path) -> None:
    """A run that dies while it waits for its job."""

    def die(_: float) -> None:
        raise Killed

    with connected(front, die, sizes=BY_JOB, state=state) as connector, pytest.raises(Killed):
        write(connector, OLD)


def test_a_job_of_a_killed_run_has_ended_before_the_next_write(front: Front, tmp_path: Path) -> None:
    """It would write its old value later on, which would stand, and pass for a person's."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    killed(front, tmp_path)
    assert states(front) == ["UploadComplete"]
    with connected(front, state=tmp_path) as connector:
        assert write(connector, NEW)[IBERIA].outcome == "written"
        assert states(front) == []
        assert held(connector, IBERIA)[IBERIA]["tier"] == "key"


def test_a_job_of_a_killed_run_is_waited_for_before_cells_are_compared(front: Front, tmp_path: Path) -> None:
    """What a plan finds in the CRM must not change by our own hand behind it, and nothing is sent twice."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    killed(front, tmp_path)
    with connected(front, state=tmp_path) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] == "growth"
    assert states(front) == []


def test_a_job_that_does_not_end_is_aborted(front: Front, tmp_path: Path) -> None:
    """After two minutes: what is queued for long would write over what is newer."""
    provisioned(front, bulk=BulkSettings(never_ends=True))
    killed(front, tmp_path)
    waited: list[float] = []
    with connected(front, waited.append, state=tmp_path) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
    assert states(front) == []
    assert 60 < sum(waited) < 180


def test_a_job_that_never_began_is_aborted(front: Front, tmp_path: Path) -> None:
    """Its run was killed before all of it was sent."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))

    def die(_: float) -> None:
        raise Killed

    front.faults.on_path("PUT", "503", times=1)
    with connected(front, die, sizes=BY_JOB, state=tmp_path) as connector, pytest.raises(Killed):
        write(connector, OLD)
    assert states(front) == ["Open"]
    waited: list[float] = []
    with connected(front, waited.append, state=tmp_path) as connector:
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
    assert (states(front), waited) == ([], [])


def test_a_job_that_cannot_be_ended_stays_noted(front: Front, tmp_path: Path) -> None:
    """The run goes on, and the next one tries again."""
    provisioned(front, bulk=BulkSettings(ingest_polls=3))
    killed(front, tmp_path)
    front.faults.on_path("PATCH", "503", times=6)
    with connected(front, state=tmp_path) as connector:
        held(connector, IBERIA)
        assert len(states(front)) == 1
    with connected(front, state=tmp_path) as connector:
        held(connector, IBERIA)
    assert states(front) == []


def test_the_job_of_a_run_that_lives_is_left_to_it(front: Front, tmp_path: Path) -> None:
    """Two runs at once: a lock on the note tells that its run still waits."""
    provisioned(front, bulk=BulkSettings(ingest_polls=2))
    seen: list[list[str]] = []

    def meanwhile(_: float) -> None:
        with connected(front, state=tmp_path) as other:
            held(other, IBERIA)
        seen.append(states(front))

    with connected(front, meanwhile, sizes=BY_JOB, state=tmp_path) as connector:
        assert write(connector, OLD)[IBERIA].outcome == "written"
    assert [len(found) for found in seen] == [1, 1]


def test_a_job_that_another_run_has_taken_up_is_waited_for(front: Front, tmp_path: Path) -> None:
    """A plan may be waiting for the job of a killed run; who writes beside it writes after that job, not before."""
    provisioned(front, bulk=BulkSettings(ingest_polls=5))
    killed(front, tmp_path)
    writer_waits: list[float] = []

    def meanwhile(_: float) -> None:
        if not writer_waits:
            writer_waits.append(0)
            with connected(front, writer_waits.append, state=tmp_path) as writer:
                held(writer, IBERIA)

    with connected(front, meanwhile, state=tmp_path) as planner:
        assert held(planner, IBERIA)[IBERIA]["tier"] == "growth"
    assert 60 < sum(writer_waits) < 180


def test_a_job_that_cannot_be_ended_is_waited_for_once(front: Front, tmp_path: Path) -> None:
    """Not at every look, of which a run has many."""
    provisioned(front, bulk=BulkSettings(never_ends=True))
    killed(front, tmp_path)
    front.faults.on_path("PATCH", "503", times=99)
    waited: list[float] = []
    with connected(front, waited.append, state=tmp_path) as connector:
        held(connector, IBERIA)
        first = sum(waited)
        for _ in range(3):
            held(connector, IBERIA)
    assert sum(waited) - first < 60 < first


def test_a_job_that_is_gone_leaves_no_note(front: Front, tmp_path: Path) -> None:
    """Nor does it cost the next run a call."""
    provisioned(front)
    with connected(front, sizes=BY_JOB, state=tmp_path) as connector:
        write(connector, OLD)
        assert list((tmp_path / "jobs").iterdir()) == []


def test_notes_that_cannot_be_kept_stop_the_write(front: Front, tmp_path: Path) -> None:
    """Named with the variable; nothing is written that could not be stopped."""
    provisioned(front)
    (tmp_path / "jobs").write_text("in the way")
    with connected(front, sizes=BY_JOB, state=tmp_path) as connector:
        with pytest.raises(NotConfigured, match=r"cannot be noted in .*KAM_HOME"):
            write(connector, OLD)
        assert held(connector, IBERIA)[IBERIA]["tier"] is None
