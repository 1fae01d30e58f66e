"""The flows on a real Prefect server: what they give back, how they end, and what the UI has to show."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.settings import PREFECT_API_URL, temporary_settings

from connectors.errors import FieldsNotProvisioned
from connectors.retry import Patience
from connectors.sandbox.company import ServedCompany
from flows import steps
from flows.backfill import Of, backfill
from flows.crms import Crm, StreamName
from flows.pipeline import quiet
from flows.pipeline.swept import Sweeps
from flows.results import ApplyReceipt, CrmBackfillReceipt, PlanReceipt
from flows.run import run
from flows.runtime import Runtime, using
from flows.score import score
from flows.settings import settings_from
from flows.sweep import sweep
from flows.sync import pull
from flows.undo import undo
from flows.working import Stopped, TaskProgress
from kammodel.errors import NotConfigured
from kammodel.publish.fields import FIELDS
from kammodel.store import health, leases
from kammodel.store.approving import recent_plans

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DAY = dt.date(2026, 6, 30)
QUICK = Patience(first_wait=0.01, longest_wait=0.1)


@pytest.fixture
def runtime(served: ServedCompany, tmp_path: Path, prefect_api: str) -> Iterator[Runtime]:
    """Both CRMs, a fresh store, the sandbox's clock; flows report to the server of the session."""
    settings = settings_from({**served.environment(), "KAM_HOME": str(tmp_path / "home")})
    clock = served.company.clock.now
    with (
        temporary_settings({PREFECT_API_URL: prefect_api}),
        Runtime(settings, clock=clock, patience=QUICK) as opened,
        using(opened),
    ):
        yield opened
    # Here, and not in some later test that has nothing to do with it.
    gc.collect()


def test_the_whole_run_shows_in_prefect(runtime: Runtime) -> None:
    """Receipts come back; the run's page and one progress bar per task, at 100, are in the UI."""
    for crm in ("salesforce", "hubspot"):
        runtime.connector(crm).provision(FIELDS, "en")
    told: list[str] = []
    runtime.progress = lambda step, done, total: told.append(step)  # noqa: ARG005

    receipt = asyncio.run(run(as_of=DAY))

    assert [pull.source for pull in receipt.pulls] == ["salesforce", "hubspot"]
    assert all(one.applied.written == one.plan.cells_to_write > 50 for one in receipt.write_backs)
    assert "salesforce accounts" in told
    with get_client(sync_client=True) as client:
        told_by = _last_run("kam-run").id
        artifacts = {a.key: a for a in client.read_artifacts() if a.flow_run_id == told_by}
    assert f"# Run as of {DAY}" in str(artifacts["kam-run"].data)
    page = str(artifacts["kam-run"].data)
    assert "| salesforce | accounts |" in page
    assert [f"## {title}" in page for title in ("Read", "Scored", "Written", "API calls", "Slowest steps")] == [
        True
    ] * 5
    tasks = ("pull-salesforce", "pull-hubspot", "score", "plan-salesforce", "apply-salesforce", "apply-hubspot")
    assert [artifacts[f"kam-{task}"].data for task in tasks] == [100.0] * len(tasks)


def test_the_form_of_a_backfill_may_name_what_one_crm_has(runtime: Runtime) -> None:
    """With no CRM chosen, the other one is passed over: the page says so."""
    receipt = asyncio.run(backfill(of=Of.crm, streams=[StreamName.tickets], first=DAY.replace(day=1)))
    assert isinstance(receipt, CrmBackfillReceipt)
    assert [(one.source, one.left) for one in receipt.crms] == [("hubspot", 0)]
    with get_client(sync_client=True) as client:
        told_by = _last_run("kam-backfill").id
        artifacts = {one.key: one for one in client.read_artifacts() if one.flow_run_id == told_by}
    assert "salesforce: passed over, it has no tickets" in str(artifacts["kam-backfill"].data)


def test_an_undo_is_shown_first_and_stored_only_to_be_written(runtime: Runtime) -> None:
    """Without its second switch it leaves a page, and no plan that a later apply would write."""
    runtime.connector("hubspot").provision(FIELDS, "en")
    steps.pull(runtime, "hubspot", full=False, progress=quiet)
    steps.score(runtime, DAY, progress=quiet)
    planned = steps.plan(runtime, "hubspot", DAY, full=False, progress=quiet)
    applied = steps.apply(runtime, "hubspot", None, progress=quiet)
    (shown,) = asyncio.run(undo(plan=planned.plan_id))
    assert isinstance(shown, PlanReceipt)
    assert shown.cells_to_write == applied.written
    with runtime.store.transaction() as tx:
        assert [plan.plan_id for plan in recent_plans(tx, 9)] == [planned.plan_id]
    with get_client(sync_client=True) as client:
        told_by = _last_run("kam-undo").id
        (page,) = (a for a in client.read_artifacts() if a.flow_run_id == told_by and a.key == "kam-undo-hubspot")
    assert f"kam plans {planned.plan_id} --csv FILE" in str(page.data)
    (written,) = asyncio.run(undo(plan=planned.plan_id, write=True))
    assert isinstance(written, ApplyReceipt)
    assert written.written == applied.written
    with get_client(sync_client=True) as client:
        told_by = _last_run("kam-undo").id
        (page,) = (a for a in client.read_artifacts() if a.flow_run_id == told_by and a.key == "kam-undo")
    assert f"| hubspot | {written.calls:,} |" in str(page.data)


def test_a_sweep_is_a_flow_of_its_own(runtime: Runtime) -> None:
    """It looks at what was read, and its page tells what it cost."""
    steps.pull(runtime, "salesforce", full=False, progress=quiet)
    (swept,) = asyncio.run(sweep(crm=Crm.salesforce, of=Sweeps.deletions))
    assert (swept.rows, swept.is_partial, {stream.note for stream in swept.streams}) == (0, False, {None})
    with get_client(sync_client=True) as client:
        told_by = _last_run("kam-sweep").id
        (page,) = (a for a in client.read_artifacts() if a.flow_run_id == told_by and a.key == "kam-sweep")
    assert f"| salesforce | {swept.calls:,} |" in str(page.data)
    with runtime.store.transaction() as tx:
        newest = health.newest_run(tx, ["sweep"], "salesforce")
    assert newest is not None
    assert newest.state == health.DONE


def test_missing_fields_fail_the_run_with_the_command_to_run(runtime: Runtime) -> None:
    """Whoever awaits the flow gets the error; the state in the UI is Failed, with its one line as message."""
    with pytest.raises(FieldsNotProvisioned, match="kam provision --crm salesforce"):
        asyncio.run(run(as_of=DAY))
    state = _last_run("kam-run").state
    assert state is not None
    assert (state.name, str(state.message).count("\n")) == ("Failed", 0)
    assert "kam provision --crm salesforce" in str(state.message)


def test_a_fault_in_a_task_is_the_flow_s(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that fails hands its fault to the flow, which ends Failed with the same line."""
    broken = settings_from({"KAM_POLICY_FILE": "/nowhere/policy.toml"})
    monkeypatch.setattr(runtime, "settings", broken.model_copy(update={"home": runtime.settings.home}))
    state: State[object] = asyncio.run(score(as_of=DAY, return_state=True))
    assert (state.name, "/nowhere/policy.toml" in str(state.message)) == ("Failed", True)
    with pytest.raises(NotConfigured):
        asyncio.run(state.aresult())


def test_a_flow_that_meets_another_run_waits_and_at_last_is_partial(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log says once for whom it waits; the run that has no more time is left to the next one, and no failure."""
    monkeypatch.setattr("flows.turns.BETWEEN_S", 0.01)
    minutes, began = itertools.count(), runtime.clock()
    # One goes by with each look: there are several before the other run is out of time.
    runtime.clock = lambda: began + dt.timedelta(minutes=next(minutes))
    name, there = f"read hubspot {runtime.connector('hubspot').identify().instance}", "host-b+boot/7/x"
    with runtime.store.transaction() as tx:
        leases.take(tx, name, there, began, began + dt.timedelta(minutes=10))
    (read,) = asyncio.run(pull(crm=Crm.hubspot))
    assert read.rows > 0
    assert [line for line in caplog.messages if "wait" in line] == [
        "waiting: another run is reading (process 7 on host-b)"
    ]
    with runtime.store.transaction() as tx:
        leases.take(tx, name, there, began, began + dt.timedelta(days=9))
    monkeypatch.setattr("flows.turns.LONGEST", dt.timedelta(0))
    asyncio.run(pull(crm=Crm.hubspot))
    state = _last_run("kam-pull").state
    assert state is not None
    assert (state.name, state.type) == ("Partial", StateType.COMPLETED)
    assert str(state.message).startswith("hubspot is left to the next pull: waited ")


def test_a_cancelled_task_stops_at_its_next_chunk() -> None:
    """A thread cannot be ended from outside: it ends itself where it tells of its progress."""
    progress = TaskProgress("kam-test", quiet)
    progress.stop.set()
    with pytest.raises(Stopped, match="salesforce accounts; run again, it resumes"):
        progress("salesforce accounts", 10, 20)


def _last_run(flow: str) -> FlowRun:
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs()
        flows = {client.read_flow(r.flow_id).name: r for r in sorted(runs, key=lambda r: str(r.created))}
    return flows[flow]
