"""In Salesforce people edit while a job of ours writes, or while a call does whose answer is lost: their values stand
again, as far as the org keeps the history of the fields."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import polars as pl
import pytest

from connectors.salesforce.sizes import Sizes
from flows.pipeline.portions import Settling
from kammodel.publish.fields import OURS
from tests.contract import salesforce_connected
from tests.pipeline.edited_crm import ALPHA, IBERIA, Crm, planned

JOB = Sizes(ingest_from=1, ingest_rows=100)
STARTED, WRITTEN = "PATCH /services/data/v66.0/jobs/ingest", "/composite"


@pytest.fixture(scope="module")
def front() -> Iterator[salesforce_connected.Front]:
    with salesforce_connected.open_front() as opened:
        yield opened


@contextmanager
def crm_of(front: salesforce_connected.Front, *, sizes: Sizes | None = None, **settings: Any) -> Iterator[Crm]:
    """Two accounts that hold the score 1, in an org with our fields."""
    with ExitStack() as stack:
        there = salesforce_connected.provisioned(front, **settings)
        connector = stack.enter_context(salesforce_connected.connected(front, sizes=sizes))
        crm = Crm("salesforce", front, there, connector)
        crm.begin()
        yield crm


def settled(crm: Crm) -> dict[tuple[str, str], tuple[str, str | None, bool]]:
    """Outcome, code and whether it went over a person's value, by account and field."""
    ended = pl.concat(Settling(crm.connector, OURS).settle(planned(crm)))
    assert not ended.select("source_id", "field").is_duplicated().any()
    return {
        (i, f): (o, c, w) for i, f, o, c, w in ended.select("source_id", "field", "outcome", "code", "was_over").rows()
    }


def edits(crm: Crm) -> Callable[[], None]:
    """One sets a score, another a tier and clears the score."""

    def people_edit() -> None:
        crm.edit(ALPHA, score="7.5")
        crm.edit(IBERIA, score=None, tier="growth")

    return people_edit


@pytest.mark.parametrize("labels", [False, True])
def test_an_edit_during_a_job_is_put_back(front: salesforce_connected.Front, *, labels: bool) -> None:
    """The cell ends held, as it is theirs; the others are written."""
    with crm_of(front, sizes=JOB, history_holds_labels=labels) as crm:
        met = crm.when(STARTED, edits(crm))
        ended = settled(crm)
        assert (crm.stored(ALPHA), crm.stored(IBERIA)) == (("7.5", "key"), (None, "growth"))
        alpha, iberia = crm.id(ALPHA), crm.id(IBERIA)
    assert met
    theirs, ours = ("held", "EDITED", True), ("written", None, False)
    assert ended == {
        (alpha, "score"): theirs,
        (alpha, "tier"): ours,
        (iberia, "score"): theirs,
        (iberia, "tier"): theirs,
    }


def test_an_edit_within_a_write_whose_answer_is_lost_is_put_back(front: salesforce_connected.Front) -> None:
    """The composite had seen it, and nobody heard of that."""
    with crm_of(front) as crm:
        crm.when(WRITTEN, edits(crm))
        crm.faults.on_path(WRITTEN, "dropped_after")
        ended = settled(crm)
        assert (crm.stored(ALPHA), crm.stored(IBERIA)) == (("7.5", "key"), (None, "growth"))
        assert ended[crm.id(ALPHA), "score"] == ended[crm.id(IBERIA), "tier"] == ("held", "EDITED", True)


def test_an_edit_during_a_job_that_tells_nothing_is_put_back(front: salesforce_connected.Front) -> None:
    """It had written the rows, and its results are lost: the accounts are read again, and their history."""
    with crm_of(front, sizes=JOB) as crm:
        crm.when(STARTED, edits(crm))
        crm.faults.on_path("successfulResults", "503", times=99)
        ended = settled(crm)
        assert (crm.stored(ALPHA), crm.stored(IBERIA)) == (("7.5", "key"), (None, "growth"))
        assert ended[crm.id(ALPHA), "score"] == ("held", "EDITED", True)


@pytest.mark.parametrize("part", [STARTED, WRITTEN])
def test_an_org_without_histories(front: salesforce_connected.Front, part: str) -> None:
    """There it is written over unseen, which is no reason to take it for theirs."""
    with crm_of(front, sizes=JOB if part == STARTED else None, account_field_history=False) as crm:
        crm.when(part, edits(crm))
        if part == WRITTEN:
            crm.faults.on_path(WRITTEN, "dropped_after")
        assert set(settled(crm).values()) == {("written", None, False)}
        assert (crm.stored(ALPHA), crm.stored(IBERIA)) == (("2", "key"), ("2", "key"))
