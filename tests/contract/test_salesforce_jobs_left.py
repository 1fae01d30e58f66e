"""Bulk jobs that are of no use any more are ended and taken away, whatever stopped the run that made them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.contract import AccountWrite, Slice
from connectors.errors import TryAgainLater
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.app import SalesforceApp
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob
from connectors.sandbox.salesforce.bulk.query_jobs import QueryJob
from connectors.sandbox.salesforce.ids import salesforce_id
from kammodel.publish.fields import OURS
from tests.contract.hubspot_copy import stream_of
from tests.contract.hubspot_world import NOW
from tests.contract.salesforce_connected import SECOND, Front, connected, open_front, org, provisioned

IBERIA = salesforce_id("001", 2)
SMALL = Sizes(bulk_from=1, page_rows=2, job_rows=2, ingest_from=0)
TRIES = 6


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def jobs(front: Front) -> list[str]:
    """The states of the jobs in the org."""
    assert isinstance(front.app, SalesforceApp)
    return [job.state for kind in (QueryJob, IngestJob) for job in front.app.jobs.of(kind)]


@pytest.mark.parametrize("call", ["PUT", "PATCH", "GET /services/data/v66.0/jobs/ingest", "successfulResults"])
def test_an_ingest_job_that_we_cannot_follow_writes_no_more(front: Front, call: str) -> None:
    """It would run on and write over what a later run wrote. That the run stopped is told as before."""
    provisioned(front)
    front.faults.on_path(call, "503", times=TRIES)
    with connected(front, sizes=SMALL) as connector, pytest.raises(TryAgainLater):
        list(connector.write_fields(OURS, [AccountWrite(IBERIA, {"score": "5"})]))
    assert jobs(front) == []


def test_an_outage_that_lasts_leaves_the_job_and_the_fault(front: Front) -> None:
    """Nothing can be taken away then; what is told is what stopped the run."""
    provisioned(front)
    front.faults.on_path("PUT", "503", times=TRIES)
    front.faults.on_path("PATCH", "503", times=TRIES)
    with connected(front, sizes=SMALL) as connector, pytest.raises(TryAgainLater, match="batches"):
        list(connector.write_fields(OURS, [AccountWrite(IBERIA, {"score": "5"})]))
    assert jobs(front) == ["Open"]


def test_jobs_that_no_place_names_are_taken_away(front: Front) -> None:
    """The first of several was made and the second was not: no run could find it again."""
    opening = begun(front)
    second = [place for place, call in enumerate(opening) if call.startswith("POST")][1]
    front.show(org(query_page_rows=1))
    with connected(front, sizes=SMALL) as connector:
        stream = stream_of(connector, "opportunity_history")
        front.faults.clear()
        front.faults.at(second, "503", times=TRIES)
        with pytest.raises(TryAgainLater, match="jobs/query"):
            next(connector.read(stream, Slice(None, NOW + SECOND)))
    assert jobs(front) == []


def begun(front: Front) -> list[str]:
    """The calls up to the first place of a load by jobs, which it keeps its jobs by."""
    front.show(org(query_page_rows=1))
    with connected(front, sizes=SMALL) as connector:
        stream = stream_of(connector, "opportunity_history")
        front.faults.clear()
        next(connector.read(stream, Slice(None, NOW + SECOND)))
        return [f"{call.method} {call.path}" for call in front.faults.log]


def test_a_comparison_of_ids_that_stops_leaves_no_jobs(front: Front) -> None:
    """It begins anew, so that nobody looks for its jobs."""
    front.show(org(query_page_rows=1))
    with connected(front, sizes=SMALL) as connector:
        stream = stream_of(connector, "accounts")
        front.faults.on_path("results", "503", times=TRIES)
        with pytest.raises(TryAgainLater, match="results"):
            list(connector.sweeps.existing(stream))
    assert jobs(front) == []
