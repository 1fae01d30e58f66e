"""A plan in whose place a newer one came, in a flow: nothing is written of it, and nobody is woken."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.sandbox.company import ServedCompany
from flows import turns
from flows.outcome import ended, receipt_of, skipped
from flows.results import ApplyReceipt
from flows.runtime import Runtime, using
from flows.settings import settings_from
from flows.write_back import apply_crm
from kammodel.entities import PublishPlan
from tests.flows.test_flows import DAY
from tests.flows.test_partial import ended as state_of
from tests.store.test_plans import save

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path, prefect_api: str) -> Iterator[Runtime]:
    """Two plans for HubSpot, of which the second took the first one's place."""
    settings = settings_from({**served.environment(), "KAM_HOME": str(tmp_path)})
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        Runtime(settings, clock=served.company.clock.now) as opened,
        using(opened),
    ):
        who = opened.connector("hubspot").identify()
        for name in ("the older", "the newer"):
            made = PublishPlan(
                plan_id=name,
                source=who.source,
                source_instance=who.instance,
                planned_at=opened.clock(),
                as_of=DAY,
                made_by="a run",
            )
            save(opened.store, made, ("1", "tier", None, "key", "write"))
        yield opened
    gc.collect()


@flow(name="kam-one-plan")
async def one_plan(plan_id: str) -> ApplyReceipt:
    """Writes one plan, as the flows that write do."""
    receipt = await receipt_of(apply_crm(crm="hubspot", plan_id=plan_id))
    return ended(receipt, (), skipped([receipt]))


def test_a_flow_with_an_overtaken_plan_is_completed_and_says_why(runtime: Runtime) -> None:
    """Its state is neither partial nor failed: no automation tells anybody."""
    state: State[Any] = asyncio.run(state_of(one_plan("the older", return_state=True)))
    assert (state.name, state.type) == ("Completed", StateType.COMPLETED)
    assert state.message == f"hubspot: {turns.OVERTAKEN}"


def test_what_is_left_to_do_is_partial_all_the_same() -> None:
    state: Any = ended(1, ["salesforce: more to do"], [f"hubspot: {turns.OVERTAKEN}"])
    assert (state.name, state.type) == ("Partial", StateType.COMPLETED)
    assert state.message == f"salesforce: more to do; hubspot: {turns.OVERTAKEN}"
