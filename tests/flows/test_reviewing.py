"""Cells that wait for review. Flows that belong to no deployment can ask nobody, and nobody is held up; those of one
wait for a person, whom they ask once."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId, LogFilterLevel
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.sandbox.company import ServedCompany
from connectors.sandbox.hubspot.kinds import DEALS
from flows import steps
from flows.pipeline import quiet
from flows.results import ApplyReceipt, WriteBackReceipt
from flows.runtime import Runtime, using
from flows.settings import settings_from
from flows.write_back import write_back
from kammodel.publish.fields import FIELDS
from kammodel.store import approving
from tests.flows.test_partial import ended

HOUR = dt.timedelta(hours=1)
pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path, prefect_api: str) -> Iterator[Runtime]:
    """HubSpot alone, read and scored; every change of a score is approved first."""
    rules = tmp_path / "publish.toml"
    limits = "[limits]\nfewer_rows = 0.05\nleast = 3\n"
    rules.write_text(f'[fields]\nscore = "review"\n{limits}[plan]\nexpires_hours = 2\n', "utf-8")
    there = {name: value for name, value in served.environment().items() if "SALESFORCE" not in name}
    settings = settings_from({**there, "KAM_HOME": str(tmp_path), "KAM_PUBLISH_FILE": str(rules)})
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        Runtime(settings, clock=served.company.clock.now) as opened,
        using(opened),
    ):
        opened.connector("hubspot").provision(FIELDS, "en")
        steps.pull(opened, "hubspot", full=False, progress=quiet)
        steps.score(opened, None, progress=quiet)
        yield opened
    gc.collect()


def test_without_a_form_all_else_is_written_and_the_log_says_how_to_approve(runtime: Runtime) -> None:
    """Whether the run was to wait or not; that it cannot is a warning with the command."""
    state: State[Any] = asyncio.run(ended(write_back(review=True, return_state=True)))
    (receipt,) = asyncio.run(result_of(state))
    assert (state.name, receipt.plan.cells_to_review > 10) == ("Completed", True)
    assert receipt.applied.written == receipt.plan.cells_to_write > 50
    (line,) = warnings_of(state)
    assert f"{receipt.plan.cells_to_review} cells that wait for review" in line
    assert f"kam approve {receipt.plan.hash} --by NAME" in line

    steps.approve(runtime, receipt.plan.hash, "Ana Ops")
    rest = steps.apply(runtime, "hubspot", None, progress=quiet)
    assert rest.written == receipt.plan.cells_to_review
    quiet_state: State[Any] = asyncio.run(ended(write_back(return_state=True)))
    assert (quiet_state.name, warnings_of(quiet_state)) == ("Completed", [])


def test_a_plan_beyond_a_limit_is_asked_about_once_and_written_with_its_reviewed_cells(
    runtime: Runtime, served: ServedCompany
) -> None:
    """The guard's form shows the cells that wait for review too: its approval is of the whole plan. It is asked for as
    long as the plan is good."""
    asyncio.run(ended(write_back(return_state=True)))
    deals_are_gone(runtime, served)
    with get_client(sync_client=True) as client:
        deployment = client.create_deployment(client.create_flow(write_back), "reviewed")
        run = client.create_flow_run_from_deployment(deployment, parameters={"review": True})
        assert gone_through(run).name == "Suspended"
        with runtime.store.transaction() as tx:
            (plan,) = approving.recent_plans(tx, 1)
            by_field = approving.review_by_field(tx, plan.plan_id)
        form = form_of(client, run)
        assert (len(plan.tripped) > 0, list(by_field)) == (True, ["score"])
        assert HOUR < asked_until(client, run) - dt.datetime.now(dt.UTC) <= 2 * HOUR
        for told in ("Beyond a limit", f"| hubspot | {plan.hash} | score | {by_field['score']} |", "these cells too"):
            assert told in form

        client.resume_flow_run(run.id, {"approved_by": "Ana Ops", "plan_hash": plan.hash})
        state = gone_through(client.read_flow_run(run.id))
    assert (state.name, state.message) == ("Completed", None)
    (receipt,) = asyncio.run(result_of(state))
    assert (receipt.plan.plan_id, receipt.plan.cells_to_review) == (plan.plan_id, 0)
    assert receipt.applied.written == receipt.plan.cells_to_write > by_field["score"] > 10
    with runtime.store.transaction() as tx:
        assert approving.outcomes(tx, plan.plan_id).keys() <= {"written", "unchanged"}


def deals_are_gone(runtime: Runtime, served: ServedCompany) -> None:
    """A quarter of them, deleted in the CRM; read and scored."""
    portal = served.company.portal
    assert portal is not None
    for deal in [one for one in portal.shelf(DEALS).records.values() if one.archived_at is None][::4]:
        portal.archive("deals", deal.id)
    steps.pull(runtime, "hubspot", full=True, progress=quiet)
    steps.score(runtime, None, progress=quiet)


def gone_through(run: FlowRun) -> State[Any]:
    """The state in which one process of a deployment's run leaves it, as a worker starts it."""
    going: Any = run_flow(write_back, flow_run=run, parameters=run.parameters, return_type="state")
    left: State[Any] | None
    try:
        left = asyncio.run(ended(going))
    except Pause as suspended:
        left = suspended.state
    assert left is not None
    return left


def form_of(client: SyncPrefectClient, run: FlowRun) -> str:
    """What the form of a suspended run says, as Prefect's UI shows it."""
    state = client.read_flow_run(run.id).state
    assert state is not None
    assert state.state_details.run_input_keyset is not None
    key = state.state_details.run_input_keyset["description"]
    return str(json.loads(client.read_flow_run_input(run.id, key)))


def asked_until(client: SyncPrefectClient, run: FlowRun) -> dt.datetime:
    """When a suspended run is to end by itself."""
    state = client.read_flow_run(run.id).state
    assert state is not None
    assert state.state_details.pause_timeout is not None
    return state.state_details.pause_timeout


async def result_of(state: State[Any]) -> tuple[WriteBackReceipt, ...]:
    """What the flow gave back."""
    given: tuple[WriteBackReceipt, ...] = await state.aresult()
    return given


def warnings_of(state: State[Any]) -> list[str]:
    """What the flow itself warned of, once Prefect has sent it."""
    APILogWorker.drain_all(timeout=10)
    run_id = state.state_details.flow_run_id
    assert run_id is not None
    asked = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]), level=LogFilterLevel(ge_=30))
    with get_client(sync_client=True) as client:
        return [one.message for one in client.read_logs(asked)]


def test_what_was_written_in_two_goes_adds_up() -> None:
    """What is left is what the second go left."""
    first = ApplyReceipt(
        "p", "hubspot", 5, 2, 1, 3, calls=7, seconds=1.5, faults={"A": 2}, hints={"A": "why"}, edited=1
    )
    later = ApplyReceipt("p", "hubspot", 4, 1, 0, 0, calls=2, seconds=0.25, faults={"A": 1, "B": 1})
    both = first.and_then(later)
    assert (both.written, both.rejected, both.gone, both.retry, both.edited) == (9, 3, 1, 0, 1)
    assert (both.calls, both.seconds, both.faults, both.hints) == (9, 1.75, {"A": 3, "B": 1}, {"A": "why"})
