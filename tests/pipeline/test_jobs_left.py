"""A write job that a killed run left in Salesforce is in the store, so that no run on any machine works beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest
from urllib3.connectionpool import HTTPConnectionPool

from connectors.errors import JobUnderWay
from connectors.salesforce.sizes import Sizes
from connectors.sandbox.salesforce.bulk.settings import BulkSettings
from flows.pipeline import apply
from flows.pipeline.planning import plan_of
from kammodel.publish.fields import FIELDS
from kammodel.publish.plan import Terms
from kammodel.store import Store, write_jobs
from tests.contract.salesforce_connected import Front, connected, open_front, provisioned
from tests.pipeline.mishaps import Killed
from tests.pipeline.test_applying import ALPHA, AT, BETA, COMPOSITE, IBERIA, Desk, scores

BY_JOB = Sizes(ingest_from=2, ingest_rows=100)
JOBS, QUERY = "jobs/ingest", "/query"


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with open_front() as opened:
        yield opened


@pytest.fixture
def desk(front: Front, tmp_path: Path) -> Iterator[Desk]:
    """Three accounts were to be written by a job, and the machine of the run is no more."""
    org = provisioned(front, bulk=BulkSettings(ingest_polls=3))
    for account in (ALPHA, IBERIA, BETA):
        org.update("Account", account, {"KAM_Score__c": 1})
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store, connected(front) as connector:
        made = Desk(front, org, store, connector)
        made.plan(*scores(ALPHA, IBERIA, BETA))
        killed_while_it_waits(made)
        front.faults.clear()
        yield made


def killed_while_it_waits(desk: Desk) -> None:
    with pytest.MonkeyPatch.context() as patch:

        def end(_: float) -> NoReturn:
            patch.setattr(HTTPConnectionPool, "urlopen", die)
            raise Killed

        with connected(desk.front, end, sizes=BY_JOB) as connector, pytest.raises(Killed):
            apply(connector, desk.store, None, lambda: AT)
    assert (desk.score(ALPHA), len(noted(desk))) == (1, 1)


def die(*_: object, **__: object) -> NoReturn:
    raise Killed


def noted(desk: Desk) -> list[str]:
    of = desk.connector.identify()
    with desk.store.transaction() as tx:
        return write_jobs.noted(tx, of.source, of.instance)


def test_the_next_apply_waits_for_it(desk: Desk) -> None:
    """What it wrote is found in the org, and nothing is sent twice."""
    receipt = desk.apply()
    assert (receipt.written, receipt.is_complete, noted(desk)) == (3, True, [])
    assert (desk.asked(JOBS), desk.asked(COMPOSITE)) == (0, 0)


def test_the_next_plan_waits_for_it(desk: Desk) -> None:
    """What it then finds there is ours, and not about to change."""
    wanted = pl.DataFrame({"source_id": [ALPHA], "score": ["3"]})
    terms = Terms([f for f in FIELDS if f.key == "score"], AT.date(), {})
    planned = plan_of(desk.connector, desk.store, wanted, terms, lambda: AT)
    assert (planned.cells_to_write, planned.cells_held, noted(desk)) == (1, 0, [])
    assert desk.score(ALPHA) == 2


def test_nothing_is_looked_at_while_it_may_write(desk: Desk) -> None:
    """Whoever is to write says what to do; what was planned stays to be written."""
    desk.front.faults.on_path(JOBS, "503", times=6)
    with pytest.raises(JobUnderWay, match="run again later"):
        desk.apply()
    assert (desk.asked(QUERY), desk.asked(COMPOSITE), len(noted(desk))) == (0, 0, 1)
    assert {outcome for outcome, _, _ in desk.cells().values()} == {None}
    assert desk.apply().written == 3


def test_after_eight_days_it_holds_nobody_up(desk: Desk) -> None:
    """Whatever Salesforce says of it then."""
    with desk.store.transaction() as tx:
        tx.run("UPDATE write_job SET begun_at=begun_at-:days", [{"days": 8 * 24 * 3600 * 10**6 + 1}])
    desk.front.faults.on_path(JOBS, "503", times=6)
    assert (desk.apply().written, noted(desk)) == (3, [])
