"""`kam undo` of what was written into two CRMs: one after the other, so that what is refused in one is done in the
other."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from connectors.sandbox.company import ServedCompany
from flows.cli.faults import PARTIAL
from kammodel.store import Store, leases
from kammodel.store.approving import recent_plans
from tests.flows.kam_command import kam
from tests.flows.test_plan_commands import stored

RUN = "the-run-of-that-night"
LONG_AGO, LATE = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def test_a_crm_that_another_run_writes_into_is_left_as_it_is(crms: ServedCompany, tmp_path: Path) -> None:
    """What was taken back in the other one is told, and nothing is kept that nobody writes."""
    for command in ("provision", "pull", "score", "plan", "apply"):
        assert kam(command).exit_code == 0
    with Store(f"sqlite:///{tmp_path / 'home' / 'kam.db'}") as store, store.transaction() as tx:
        tx.run("UPDATE publish_plan SET made_by=:run", [{"run": RUN}])
        first, second = recent_plans(tx, 2)
        leases.take(tx, f"write {second.source} {second.source_instance}", "another/1/x", LONG_AGO, LATE)
    ended = kam("undo", RUN, "--yes", "--json")
    (done,) = json.loads(ended.stdout)
    assert (ended.exit_code, done["source"], done["written"] > 0) == (PARTIAL, first.source, True)
    assert f"{second.source}: another run is writing (process 1 on another)" in ended.stderr
    assert [plan["undoes"] for plan in stored()] == [first.plan_id, None, None]
