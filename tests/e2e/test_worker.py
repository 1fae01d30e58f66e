"""Deployed and run by a worker: states, artifacts and what the CRM holds; a guard that waits for a person."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import same_in, serving
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book
from flows import steps
from flows.events import GUARD_TRIPPED
from flows.past import Past, backfill
from flows.pipeline import quiet
from flows.runtime import Runtime
from flows.settings import settings_from
from kammodel.store import Store, approving
from tests.e2e.at_work import Ops
from tests.e2e.backfilled import DEPLOYMENT, OVER, lose_rows, provision, rows_of
from tests.e2e.prefect_worker import Api, awaited, begun_by, kill, worker
from tests.pipeline.salesforce_desk import LEAN

RULES = "[limits]\nfewer_rows = 0.05\nleast = 3\n"
FIRST = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=200)
REVIEWED = '[fields]\nscore = "review"\n'


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Iterator[Ops]:
    """The company lives now: the worker's process knows no other time."""
    folder = tmp_path_factory.mktemp("worker")
    now = dt.datetime.now(dt.UTC)
    company = same_in(seeded_book(40, now), Clock(now, running=True), "salesforce", org_settings=OrgSettings(**LEAN))
    (folder / "publish.toml").write_text(RULES, "utf-8")
    api = Api(prefect_api)
    with serving(company) as served:
        provision(served)
        own = {"KAM_HOME": str(folder / "home"), "KAM_PUBLISH_FILE": str(folder / "publish.toml")}
        variables = served.environment() | own
        api.deploy_all()
        with worker(api, folder, variables) as process:
            yield Ops(api, served, variables, folder / "publish.toml", process)


def test_each_form_on_the_server_says_what_its_fields_are_for(ops: Ops) -> None:
    """Title, help and default of every parameter of the deployments; CRMs and kinds are chosen, days are picked."""
    deployed = ops.api.post("deployments/filter")
    forms = {one["entrypoint"]: one["parameter_openapi_schema"] for one in deployed}
    fields = [(form, name, shown) for form in forms.values() for name, shown in form["properties"].items()]
    for form, name, shown in fields:
        assert (shown["title"] != name, shown["description"].endswith(".")) == (True, True)
        assert ("default" in shown) is (name not in form.get("required", []))
    offered = {(name, *_choices(form, shown)) for form, name, shown in fields if _choices(form, shown)}
    assert {one for one in offered if one[0] != "streams"} == {
        ("crm", "salesforce", "hubspot"),
        ("of", "everything", "deletions", "associations"),
        ("of", "scores", "crm"),
        ("every", "day", "week", "month", "quarter"),
    }
    dates = {name for _, name, shown in fields if {"format": "date", "type": "string"} in shown.get("anyOf", [])}
    assert dates == {"as_of", "first", "last"}


def _choices(form: dict[str, Any], shown: dict[str, Any]) -> tuple[str, ...]:
    """What a field of a form lets people choose from."""
    for one in (shown, *shown.get("anyOf", [])):
        kind = form["definitions"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        if "enum" in kind:
            return tuple(kind["enum"])
    return ()


def test_a_run_from_the_ui_reads_scores_and_writes(ops: Ops) -> None:
    """Completed; every tier that was computed stands in the org, and no other. Its page tells of what moved, what is
    set aside and why, the calls and the slowest steps."""
    _something_happens_after_the_day_before(ops)
    before = len(ops.faults.log)
    run_id = ops.api.start("kam-run/nightly")
    run = ops.api.ended(run_id, "COMPLETED", "FAILED", "CRASHED")
    assert (run["state_name"], run["run_count"]) == ("Completed", 1)
    calls = len(ops.faults.log) - before

    computed, accounts = ops.computed(), [row for row in ops.org.records("Account") if not row["IsDeleted"]]
    assert {str(row["Id"]): row.get("KAM_Tier__c") for row in accounts} == computed
    assert {"strategic", "key", "growth", "standard"} <= set(computed.values())
    page = ops.api.artifacts(run_id)["kam-run"]
    assert "| salesforce | accounts |" in _section(page, "## Read")
    assert _section(page, "### Moved: 1").count("| standard | strategic |") == 1
    assert "| salesforce | opportunities | Amount | not readable as money | 1 |" in _section(page, "## Set aside")
    (counted,) = re.findall(r"\| salesforce \| (\d+) \| pull", _section(page, "## API calls"))
    assert 10 < int(counted) <= calls
    assert re.search(r"\| score \| \d+\.\d \| \d+ % \|", _section(page, "## Slowest steps"))


def _something_happens_after_the_day_before(ops: Ops) -> None:
    """That was read and scored. Since then a person has set a tier, and a deal has an amount that no store can hold."""
    with Runtime(settings_from(ops.variables)) as runtime:
        steps.pull(runtime, "salesforce", full=False, progress=quiet)
        steps.score(runtime, _today() - dt.timedelta(days=1), progress=quiet)
    roots = {str(row["Id"]) for row in ops.org.records("Account") if not row["ParentId"]}
    account = next(one for one, tier in ops.computed().items() if tier == "standard" and one in roots)
    ops.org.update("Account", account, {"KAM_Tier_Override__c": "strategic"})
    deal = next(row for row in ops.org.records("Opportunity") if not row["IsDeleted"])
    ops.org.update("Opportunity", str(deal["Id"]), {"Amount": 9e15})


def _section(page: str, title: str) -> str:
    """What stands below a title, up to the next one."""
    return page.split(title, 1)[1].split("\n#", 1)[0]


def test_a_guarded_run_waits_for_a_person_and_goes_on(ops: Ops) -> None:
    """Deals are gone: the run is suspended before it writes; a wrong hash is refused, the right one is written."""
    before = ops.tiers()
    assert before
    for deal in [row for row in ops.org.records("Opportunity") if not row["IsDeleted"]][::4]:
        ops.org.delete("Opportunity", str(deal["Id"]))
    run_id = ops.api.start("kam-run/nightly")
    suspended = ops.api.ended(run_id, "PAUSED", "COMPLETED", "FAILED", "CRASHED")
    assert suspended["state_name"] == "Suspended"
    page = ops.api.artifacts(run_id)["kam-approval-salesforce"]
    assert "Beyond a limit: waits for approval" in page
    assert "rows where there were" in page
    assert ops.tiers() == before
    assert ops.api.events(run_id, GUARD_TRIPPED) == ["kam.crm.salesforce"]
    assert ops.newest_run() == ("partial", "suspended until a person approves a plan")
    plan_hash = next(cell.strip() for cell in page.split("|") if len(cell.strip()) == 16 and cell.strip().isalnum())

    given = {"approved_by": "Ana Ops", "plan_hash": plan_hash}
    ops.api.post(f"flow_runs/{run_id}/resume", run_input=given)
    run = ops.api.ended(run_id, "COMPLETED", "FAILED", "CRASHED")
    page = ops.api.artifacts(run_id)["kam-run"]
    assert run["state_name"] == "Completed"
    assert ops.newest_run() == ("done", None)
    assert ops.api.events(run_id, GUARD_TRIPPED) == ["kam.crm.salesforce"]
    assert "## Written" in page
    # It went on where it was suspended.
    assert "## Read" not in page


def test_a_run_that_waits_for_a_review_writes_all_else_and_then_asks(ops: Ops) -> None:
    """The form says how many cells of which field wait; they are written in the name of whoever fills it in."""
    ops.rules.write_text(REVIEWED, "utf-8")
    scored = [str(row["Id"]) for row in ops.org.records("Account") if row.get("KAM_Score__c")][:3]
    for number, account in enumerate(scored):
        cleared = {"KAM_Score__c": None, **({"KAM_Rfm__c": None} if number == 0 else {})}
        ops.org.update("Account", account, cleared)
    run_id = ops.api.start("kam-run/nightly", review=True)
    suspended = ops.api.ended(run_id, "PAUSED", "COMPLETED", "FAILED", "CRASHED")
    assert suspended["state_name"] == "Suspended"
    page = ops.api.artifacts(run_id)["kam-approval-salesforce"]
    with Store(ops.store) as store, store.transaction() as tx:
        (plan,) = approving.recent_plans(tx, 1)
    assert [text in page for text in ("Waits for review: 3 cells", f"| salesforce | {plan.hash} | score | 3 |")] == [
        True,
        True,
    ]
    assert _held(ops, scored, "KAM_Score__c") == [False] * 3
    assert _held(ops, scored, "KAM_Rfm__c")[0]

    ops.api.post(f"flow_runs/{run_id}/resume", run_input={"approved_by": "Ana Ops", "plan_hash": plan.hash})
    run = ops.api.ended(run_id, "COMPLETED", "FAILED", "CRASHED")
    assert run["state_name"] == "Completed"
    assert _held(ops, scored, "KAM_Score__c") == [True] * 3
    with Store(ops.store) as store, store.transaction() as tx:
        (approved,) = approving.recent_plans(tx, 1)
        assert (approved.plan_id, approved.approved_by) == (plan.plan_id, "Ana Ops")
        assert approving.outcomes(tx, plan.plan_id).keys() <= {"written", "unchanged"}


def _held(ops: Ops, accounts: list[str], name: str) -> list[bool]:
    """Which of the accounts have something in a field."""
    return [bool((ops.org.record("Account", one) or {}).get(name)) for one in accounts]


@dataclass(frozen=True)
class Whole:
    """A store that lost its rows, filled by a backfill that was left alone: those rows, and how many calls it made."""

    rows: dict[str, pl.DataFrame]
    calls: int


@pytest.fixture(scope="module")
def whole(ops: Ops) -> Whole:
    lose_rows(ops.file)
    return _filled(ops)


def test_a_backfill_cancelled_from_the_ui_leaves_nothing_behind(ops: Ops, whole: Whole) -> None:
    """The run is Cancelled, no process of it is left, nothing is held; run again, the store is as without it."""
    run_id = _three_quarters_done(ops, whole)
    ops.api.cancel(run_id)
    run = ops.api.ended(run_id, *OVER)
    assert run["state_name"] == "Cancelled"
    awaited(lambda: begun_by(ops.process.pid) == [] or None)
    assert ops.api.open_runs(DEPLOYMENT) == []
    with closing(sqlite3.connect(ops.file)) as rows:
        assert rows.execute("SELECT name FROM lease").fetchall() == []
        assert rows.execute("SELECT kind FROM run WHERE state = 'running'").fetchall() == []
    _goes_on(ops, whole)


def test_a_backfill_whose_worker_is_killed_goes_on_where_it_was(ops: Ops, whole: Whole) -> None:
    """SIGKILL to it and to its flow. The last one here, for there is no worker after it; test_killed_worker.py has it
    at random moments, twenty times, and looks at all else."""
    run_id = _three_quarters_done(ops, whole)
    kill(ops.process)
    assert ops.api.run(run_id)["state_type"] == "RUNNING"
    ops.api.crash(run_id)
    _goes_on(ops, whole)


def _three_quarters_done(ops: Ops, whole: Whole) -> str:
    """A run that fills a store without rows, once there are some: each further call is refused once, so that the rest
    takes longer than being stopped does."""
    lose_rows(ops.file)
    before, late = len(ops.faults.log), whole.calls * 3 // 4
    for number in range(60):
        ops.faults.at(late + 2 * number, "503")
    span = {"first": FIRST.isoformat(), "last": _today().isoformat()}
    run_id = ops.api.start(DEPLOYMENT, of="crm", crm="salesforce", **span)
    awaited(lambda: len(ops.faults.log) - before > late or None, every=0.02)
    return run_id


def _goes_on(ops: Ops, whole: Whole) -> None:
    ops.faults.clear()
    again = _filled(ops)
    assert 0 < again.calls < whole.calls
    for name, frame in whole.rows.items():
        assert_frame_equal(again.rows[name], frame, check_exact=True)


def _filled(ops: Ops) -> Whole:
    """What a backfill that is left alone brings into the store."""
    before = len(ops.faults.log)
    with Runtime(settings_from(ops.variables)) as runtime:
        backfill(runtime, ["salesforce"], Past(FIRST, _today()), announce=lambda _: None)
        return Whole(rows_of(runtime.store), len(ops.faults.log) - before)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
