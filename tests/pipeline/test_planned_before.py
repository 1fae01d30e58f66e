"""The plan that a run of a scheduler made before it was suspended: it goes on with it, for as long as it is good."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from connectors.contract import Identity
from flows.pipeline.gating import planned_by
from kammodel.entities import PublishPlan
from kammodel.store import Store
from tests.store.test_plans import save

AT, DAY = dt.datetime(2026, 6, 30, 10, tzinfo=dt.UTC), dt.timedelta(days=1)
CRM = Identity("hubspot", "1", "Portal", "EUR", "Europe/Madrid")


@pytest.mark.parametrize(
    ("made_by", "later", "is_found"),
    [("this", DAY, True), ("this", DAY + dt.timedelta(seconds=1), False), ("another", DAY, False)],
)
def test_a_run_goes_on_with_its_own_plan_while_that_is_good(
    tmp_path: Path, made_by: str, later: dt.timedelta, *, is_found: bool
) -> None:
    """What is too old would be refused once it is approved: then it makes another one."""
    made = PublishPlan(
        plan_id="p",
        source=CRM.source,
        source_instance=CRM.instance,
        planned_at=AT,
        as_of=AT.date(),
        made_by=made_by,
        expires_at=AT + DAY,
    )
    with Store(f"sqlite:///{tmp_path / 'kam.db'}") as store:
        save(store, made, ("1", "tier", None, "key", "write"))
        assert (planned_by(store, CRM, "this", AT + later) is not None) == is_found
