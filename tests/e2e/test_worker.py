"""Deployed and run by a worker: states, artifacts and what the CRM holds; a guard that waits for a person."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import ServedCompany, same_in, serving
from connectors.sandbox.faults import Faults
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book
from flows.events import GUARD_TRIPPED
from flows.past import Past, backfill
from flows.runtime import Runtime
from flows.settings import settings_from
from kammodel.store import Store, approving, health
from tests.e2e.backfilled import DEPLOYMENT, OVER, lose_rows, provision, rows_of
from tests.e2e.prefect_worker import Api, awaited, begun_by, worker
from tests.pipeline.salesforce_desk import LEAN

RULES = "[limits]\nfewer_rows = 0.05\nleast = 3\n"
FIRST = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=200)
REVIEWED = '[fields]\nscore = "review"\n'


@dataclass(frozen=True)
class Ops:
    """A server with deployments, a worker that reaches a Salesforce org, and the org."""

    api: Api
    served: ServedCompany
    variables: dict[str, str]
    rules: Path
    process: Popen[bytes]

    @property
    def file(self) -> Path:
        """The store's."""
        return Path(self.variables["KAM_HOME"]) / "kam.db"

    @property
    def store(self) -> str:
        return f"sqlite:///{self.file}"

    @property
    def faults(self) -> Faults:
        assert self.served.salesforce is not None
        return self.served.salesforce.faults

    @property
    def org(self) -> Org:
        assert self.served.company.org is not None
        return self.served.company.org

    def newest_run(self) -> tuple[str, object]:
        """How the newest whole run ended, as the store has it."""
        with Store(self.store) as store, store.transaction() as tx:
            found = health.newest_run(tx, ["run"], None)
            assert found is not None
            return found.state, found.result.get(health.LINE)

    def tiers(self) -> list[str]:
        return [row["KAM_Tier__c"] for row in self.org.records("Account") if row.get("KAM_Tier__c")]


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
    """Completed, with its page; every tier of the receipt stands in the org."""
    run_id = ops.api.start("kam-run/nightly")
    run = ops.api.ended(run_id, "COMPLETED", "FAILED", "CRASHED")
    assert (run["state_name"], run["run_count"]) == ("Completed", 1)
    page = ops.api.artifacts(run_id)["kam-run"]
    assert "| salesforce | accounts |" in page
    assert len(ops.tiers()) > 20


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


def test_a_backfill_cancelled_from_the_ui_leaves_nothing_behind(ops: Ops) -> None:
    """The run is Cancelled, no process of it is left, nothing is held; run again, the store is as without it."""
    lose_rows(ops.file)
    whole, calls = _filled(ops)
    lose_rows(ops.file)
    # After counting, when there are rows, each call is refused once: the rest takes longer than being stopped does.
    before, late = len(ops.faults.log), calls * 3 // 4
    for number in range(60):
        ops.faults.at(late + 2 * number, "503")
    run_id = ops.api.start(DEPLOYMENT, of="crm", crm="salesforce", first=FIRST.isoformat(), last=_today().isoformat())
    awaited(lambda: len(ops.faults.log) - before > late or None, every=0.02)
    ops.api.cancel(run_id)
    run = ops.api.ended(run_id, *OVER)
    assert run["state_name"] == "Cancelled"
    awaited(lambda: begun_by(ops.process.pid) == [] or None)
    assert ops.api.open_runs(DEPLOYMENT) == []
    with closing(sqlite3.connect(ops.file)) as rows:
        assert rows.execute("SELECT name FROM lease").fetchall() == []
        assert rows.execute("SELECT kind FROM run WHERE state = 'running'").fetchall() == []
    ops.faults.clear()
    again, fewer = _filled(ops)
    assert 0 < fewer < calls
    for name, frame in whole.items():
        assert_frame_equal(again[name], frame, check_exact=True)


def _filled(ops: Ops) -> tuple[dict[str, pl.DataFrame], int]:
    """What a backfill that is left alone brings into the store, and how many calls it makes."""
    before = len(ops.faults.log)
    with Runtime(settings_from(ops.variables)) as runtime:
        backfill(runtime, ["salesforce"], Past(FIRST, _today()), announce=lambda _: None)
        return rows_of(runtime.store), len(ops.faults.log) - before


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()
