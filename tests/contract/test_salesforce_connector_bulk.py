"""Large objects are read by bulk jobs: the same rows as by pages, each proven, resumable anywhere."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from connectors.contract import Page, Slice
from connectors.errors import ShortAnswer, TryAgainLater
from connectors.mapping import normalize
from connectors.salesforce.connector import SalesforceConnector
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.seed import seeded_book
from tests.contract.hubspot_copy import stream_of
from tests.contract.salesforce_connected import Front, connected, open_front, org

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC)
EVERYTHING = Slice(None, NOW + dt.timedelta(seconds=1))
SMALL = Sizes(bulk_from=10, page_rows=40, job_rows=1_000)
BOOK = seeded_book(40, NOW)
TASKS = len(org(BOOK).records("Task"))


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


def shown(front: Front, bulk: BulkSettings | None = None, **settings: Any) -> Org:
    """The seeded book, in pages so small that every object of some size has several."""
    return front.show(org(BOOK, query_page_rows=10, bulk=bulk or BulkSettings(), **settings))


def pages_of(connector: SalesforceConnector, name: str, resume: str | None = None) -> list[Page]:
    return list(connector.read(stream_of(connector, name), EVERYTHING, resume))


def rows_of(connector: SalesforceConnector, name: str, pages: list[Page]) -> pl.DataFrame:
    mapping = stream_of(connector, name).mappings[0]
    raw = pl.concat([next(iter(page.raw.values())) for page in pages])
    return normalize(raw, mapping).rows.sort("source_id")


def by_query(front: Front, name: str) -> pl.DataFrame:
    with connected(front) as connector:
        return rows_of(connector, name, pages_of(connector, name))


def by_jobs(front: Front, name: str, sizes: Sizes = SMALL) -> pl.DataFrame:
    with connected(front, sizes=sizes) as connector:
        return rows_of(connector, name, pages_of(connector, name))


@pytest.mark.parametrize("name", ["accounts", "opportunities", "opportunity_history", "tasks", "events", "contacts"])
def test_both_roads_give_the_same_rows(front: Front, name: str) -> None:
    """What a job brings is, once read, exactly what pages bring: dates, numbers, truth values, nothing and blanks."""
    shown(front)
    assert by_jobs(front, name).equals(by_query(front, name))
    assert front.asked("POST /services/data/v66.0/jobs/query") == 1


@pytest.mark.parametrize(
    "dialect",
    [
        {"charset": False},
        {"null_cell": ""},
        {"e_notation": False, "whole_numbers_as_doubles": True},
        {"page_rows_at_most": 7},
        {"query_polls": 5, "pk_chunk_rows": 3},
    ],
)
def test_every_dialect_is_read(front: Front, dialect: dict[str, Any]) -> None:
    """Where the reference leaves open how Salesforce spells it, either spelling gives the same rows."""
    shown(front, BulkSettings(**dialect))
    assert by_jobs(front, "opportunities").equals(by_query(front, "opportunities"))


@pytest.mark.parametrize("dialect", [{}, {"count_of_no_rows": False}, {"header_of_no_rows": False}])
def test_a_window_without_rows(front: Front, dialect: dict[str, bool]) -> None:
    """A job that finds nothing has no rows, no matter how its emptiness is spelled."""
    there = shown(front, BulkSettings(**dialect))
    there.settings.bulk.query_failures = ["QUERY_TIMEOUT: too slow"] * 2
    # The failed job is made again for both halves of its window: the older one is empty.
    assert by_jobs(front, "tasks").height == TASKS


def test_what_is_small_is_read_by_pages(front: Front) -> None:
    """The count of the first page decides; it costs no call of its own."""
    shown(front)
    with connected(front, sizes=Sizes(bulk_from=TASKS, page_rows=40)) as connector:
        pages = pages_of(connector, "tasks")
    assert (sum(next(iter(p.raw.values())).height for p in pages), front.asked("/jobs/query")) == (TASKS, 0)


def test_a_large_object_is_cut_into_windows(front: Front) -> None:
    """Several jobs of a bounded size, three at a time; each is taken away when its rows are stored."""
    there = shown(front)
    assert by_jobs(front, "tasks", Sizes(bulk_from=10, page_rows=40, job_rows=100)).height == TASKS
    made = front.asked("POST /services/data/v66.0/jobs/query")
    assert made >= 5
    assert front.asked("DELETE /services/data/v66.0/jobs/query/") == made
    order = [c.method for c in front.faults.log if "/jobs/query" in c.path and c.method != "GET"]
    assert order[:5] == ["POST", "POST", "POST", "POST", "DELETE"]
    assert there.settings.bulk.daily_query_jobs == 10_000


def test_each_place_can_be_resumed(front: Front) -> None:
    """From the place after any page, the rest comes: no row is missing, and none of the pages before comes again."""
    shown(front)
    whole = by_query(front, "tasks")
    with connected(front, sizes=Sizes(bulk_from=10, page_rows=90, job_rows=300)) as connector:
        pages = pages_of(connector, "tasks")
        places = [page.resume for page in pages]
    for number, place in list(enumerate(places[:-1]))[::3]:
        # The jobs are there still: a run that was killed had not taken them away.
        shown(front)
        with connected(front, sizes=Sizes(bulk_from=10, page_rows=90, job_rows=300)) as connector:
            fresh = connector.read(stream_of(connector, "tasks"), EVERYTHING)
            before = [next(fresh) for _ in range(number + 1)]
            del fresh
        with connected(front, sizes=Sizes(bulk_from=10, page_rows=90, job_rows=300)) as connector:
            after = pages_of(connector, "tasks", before[-1].resume)
            got = rows_of(connector, "tasks", before + after)
            assert got.equals(whole), place
            assert sum(next(iter(p.raw.values())).height for p in before + after) == TASKS, place


def test_the_first_page_tells_the_jobs(front: Front) -> None:
    """The ids of the jobs are kept before any row is there: after a crash they are found again, not made anew."""
    shown(front)
    with connected(front, sizes=SMALL) as connector:
        first = next(connector.read(stream_of(connector, "tasks"), EVERYTHING))
    assert next(iter(first.raw.values())).is_empty()
    front.faults.log.clear()
    with connected(front, sizes=SMALL) as connector:
        assert rows_of(connector, "tasks", pages_of(connector, "tasks", first.resume)).height == TASKS
    assert front.asked("POST /services/data/v66.0/jobs/query") == 0


def test_a_job_that_is_gone_is_made_again(front: Front) -> None:
    """Results that somebody deleted, or that are older than seven days, are asked for by a new job."""
    shown(front)
    with connected(front, sizes=SMALL) as connector:
        first = next(connector.read(stream_of(connector, "tasks"), EVERYTHING))
    place = json.loads(first.resume or "")
    place["bulk"][0][2] = "750000000000000AAA"
    with connected(front, sizes=SMALL) as connector:
        assert rows_of(connector, "tasks", pages_of(connector, "tasks", json.dumps(place))).height == TASKS


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_job_that_fails_is_made_again_for_less(front: Front, failures: int) -> None:
    """A query that ran out of time is asked again over half of its window."""
    shown(
        front, BulkSettings(query_failures=["QUERY_TIMEOUT: Your query request was running for too long."] * failures)
    )
    assert by_jobs(front, "tasks").height == TASKS


def test_where_jobs_fail_again_and_again_pages_are_read(front: Front) -> None:
    """After four of them everything is read by pages after all, and no job is left behind."""
    there = shown(front, BulkSettings(query_failures=["QUERY_TIMEOUT: too slow"] * 99))
    assert by_jobs(front, "tasks").equals(by_query(front, "tasks"))
    made = front.asked("POST /services/data/v66.0/jobs/query")
    assert made == front.asked("DELETE /services/data/v66.0/jobs/query/")
    assert len(there.settings.bulk.query_failures) == 99 - 4


def test_a_job_that_does_not_end(front: Front) -> None:
    """It is not waited for for ever, and the next run goes on with the same job."""
    there = shown(front, BulkSettings(never_ends=True))
    with connected(front, sizes=SMALL) as connector:
        reading = connector.read(stream_of(connector, "tasks"), EVERYTHING)
        first = next(reading)
        with pytest.raises(TryAgainLater, match="still under way"):
            next(reading)
    there.settings.bulk.never_ends = False
    with connected(front, sizes=SMALL) as connector:
        assert rows_of(connector, "tasks", pages_of(connector, "tasks", first.resume)).height == TASKS


@pytest.mark.parametrize("refusal", [{"refused_objects": frozenset({"Task"})}, {"daily_query_jobs": 0}])
def test_without_jobs_everything_is_read_by_pages(front: Front, refusal: dict[str, Any]) -> None:
    """An object that Bulk does not take, or no jobs left for today, makes reading slower and nothing else."""
    shown(front, BulkSettings(**refusal))
    assert by_jobs(front, "tasks").height == TASKS


def test_fewer_rows_than_the_job_has(front: Front) -> None:
    """The rows that came are counted against the job's own count before the slice counts as read."""
    shown(front)
    with connected(front, sizes=SMALL) as connector:
        reading = connector.read(stream_of(connector, "tasks"), EVERYTHING)
        place = json.loads([next(reading) for _ in range(3)][-1].resume or "")
        place["rows"] -= 1
        with pytest.raises(ShortAnswer, match=f"{TASKS} rows of Task and sent {TASKS - 1}"):
            pages_of(connector, "tasks", json.dumps(place))
