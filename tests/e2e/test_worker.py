"""Deployed and run by a worker: states, artifacts and what the CRM holds; a guard that waits for a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import ServedCompany, same_in, serving
from connectors.sandbox.salesforce.org import Org
from connectors.sandbox.salesforce.settings import OrgSettings
from connectors.sandbox.seed import seeded_book
from flows.events import GUARD_TRIPPED
from kammodel.store import Store, approving, health
from tests.e2e.backfilled import provision
from tests.e2e.prefect_worker import Api, worker
from tests.pipeline.salesforce_desk import LEAN

RULES = "[limits]\nfewer_rows = 0.05\nleast = 3\n"
REVIEWED = '[fields]\nscore = "review"\n'


@dataclass(frozen=True)
class Ops:
    """A server with deployments, a worker that reaches a Salesforce org, and the org."""

    api: Api
    served: ServedCompany
    store: str
    rules: Path

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
        api.deploy_all()
        with worker(api, folder, served.environment() | own):
            yield Ops(api, served, f"sqlite:///{folder / 'home' / 'kam.db'}", folder / "publish.toml")


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
