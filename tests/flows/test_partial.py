"""Runs that end in part, on a real Prefect server: a state of its own, neither success nor failure to a reader."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact, State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.errors import QuotaSpent
from connectors.sandbox.company import ServedCompany
from flows.backfill import Of, backfill
from flows.cli.session import Session
from flows.events import RUN_PARTIAL
from flows.results import CrmBackfillReceipt
from flows.run import run
from flows.runtime import Runtime, using
from flows.settings import settings_from
from flows.sync import pull
from flows.write_back import plan_crm
from kammodel.publish.fields import FIELDS
from kammodel.store import health
from tests.flows.test_automations import events_of, of_run
from tests.flows.test_flows import DAY, QUICK

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BAR, PAGE = "kam-backfill-salesforce", "kam-backfill"
FIRST, LAST = dt.date(2026, 5, 1), dt.date(2026, 6, 15)


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path, prefect_api: str) -> Iterator[Runtime]:
    """Salesforce alone; flows report to the server of the session."""
    told = {name: value for name, value in served.environment().items() if "HUBSPOT" not in name}
    settings = settings_from({**told, "KAM_HOME": str(tmp_path / "home")})
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        Runtime(settings, clock=served.company.clock.now, patience=QUICK) as opened,
        using(opened),
    ):
        yield opened
    gc.collect()


def few_calls(served: ServedCompany, runtime: Runtime) -> None:
    """Our share of the org's day: signing in, and some calls more."""
    runtime.connector("salesforce").provision(FIELDS, "en")
    runtime._connectors.clear()
    assert served.company.org is not None
    served.company.org.settings.calls_of_others = 0
    served.company.org.settings.daily_api_requests = 4 * 40


async def ended(run: Awaitable[State[Any]]) -> State[Any]:
    """The state with which a flow run ends."""
    return await run


def is_partial(state: State[Any], message: str) -> bool:
    """Its name and its type, and where it resumes. On the server too, as the UI shows it."""
    with get_client(sync_client=True) as client:
        assert state.state_details.flow_run_id is not None
        shown = client.read_flow_run(state.state_details.flow_run_id).state
    assert shown is not None
    assert (shown.name, shown.type, message in str(shown.message)) == ("Partial", StateType.COMPLETED, True)
    return (state.name, state.type) == ("Partial", StateType.COMPLETED)


def test_a_pull_and_a_run_that_have_no_calls_left_are_partial(served: ServedCompany, runtime: Runtime) -> None:
    """The message says where the next one goes on."""
    few_calls(served, runtime)
    assert is_partial(asyncio.run(ended(pull(return_state=True))), "salesforce resumes at ")
    runtime._connectors.clear()
    assert is_partial(asyncio.run(ended(run(as_of=DAY, return_state=True))), "salesforce resumes at ")
    with runtime.store.transaction() as tx:
        newest = health.newest_run(tx, ["run"], None)
    assert newest is not None
    assert (newest.state, str(newest.result[health.LINE]).startswith("salesforce resumes at ")) == ("partial", True)


@flow(name="not-of-kam")
async def asks() -> tuple[str | None, StateType]:
    """How a task ends that has no calls left, to its flow."""
    planned: Any = plan_crm(crm="salesforce", as_of=DAY, full=False, return_state=True)
    state = await planned
    return state.name, state.type


def test_a_run_without_a_single_call_names_its_crm(served: ServedCompany, runtime: Runtime) -> None:
    """In its state, and in the event that automations listen to: no step was begun that could tell. A task that
    has nothing to give its flow failed. Whoever runs the flow as a command gets the fault."""
    few_calls(served, runtime)
    assert served.company.org is not None
    served.company.org.settings.daily_api_requests = 4
    state = asyncio.run(ended(run(as_of=DAY, return_state=True)))
    assert is_partial(state, "salesforce: Salesforce answered ")
    with pytest.raises(QuotaSpent, match=r"^salesforce: .*; run again later$"):
        Session(runtime, as_flows=True).flow(run(as_of=DAY))
    assert asyncio.run(asks()) == ("Partial", StateType.FAILED)
    with get_client(sync_client=True) as client:
        (told,) = [one for one in events_of(client, of_run(state), RUN_PARTIAL) if one.event == RUN_PARTIAL]
    assert {"kam.crm.salesforce": "crm"}.items() <= {one.id: one.role for one in told.related}.items()


def artifacts(*keys: str) -> list[Artifact]:
    """Those of the server, which other tests use as well."""
    with get_client(sync_client=True) as client:
        return client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=list(keys))))


def test_a_backfill_that_has_no_calls_left_is_partial(runtime: Runtime) -> None:
    """Its progress artifact tells of rows, calls and time; the same run again comes to the end."""
    before = {a.id for a in artifacts(BAR, PAGE)}
    assert is_partial(
        asyncio.run(ended(backfill(of=Of.crm, calls=20, first=FIRST, last=LAST, return_state=True))),
        "salesforce resumes at ",
    )
    runtime._connectors.clear()
    done = asyncio.run(backfill(of=Of.crm, scores=True, first=FIRST, last=LAST))
    assert isinstance(done, CrmBackfillReceipt)
    assert (done.left, done.crms[0].left, done.crms[0].kept > 0) == ((), 0, True)
    assert done.scores is not None
    assert [day.as_of for day in done.scores.days] == [dt.date(2026, 5, 31)]
    bars = [a for a in artifacts(BAR) if a.id not in before]
    pages = [str(a.data) for a in artifacts(PAGE) if a.id not in before]
    stopped, whole = sorted(bars, key=lambda bar: float(str(bar.data)))
    assert (float(str(stopped.data)) < 100, str(stopped.description).startswith("stopped: ")) == (True, True)
    told = str(whole.description)
    assert [w for w in ("done: ", "rows of about ", "100 %", "calls of about ") if w not in told] == [], told
    (page,) = (page for page in pages if "were closed before" in page)
    assert "takes about" in page
