"""kam as its users start it: the demo of two CRMs, that of one's own book, and a real Prefect server deployed to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import requests

from tests.e2e.kam_process import DemoAtWork, begun, ended
from tests.e2e.prefect_worker import Api

BOOK = {
    "Account.csv": """Id,Name,ParentId,Type
a1,Alfa,,Customer
a2,Alfa Sur,a1,Customer
a3,"=Beta [red]|",,Customer
""",
    "Opportunity.csv": """Id,Name,AccountId,StageName,Amount,CloseDate,CreatedDate
o1,Uno,a1,Closed Won,1000,2025-03-01,2025-01-01T10:00:00.000Z
o2,Dos,a2,Closed Won,5000,2025-09-01,2025-06-01T10:00:00.000Z
o3,Tres,a3,Closed Won,700,2025-10-01,2025-07-01T10:00:00.000Z
o4,Cuatro,a3,Closed Lost,900,2025-11-30,2025-08-01T10:00:00.000Z
o5,Cinco,a3,Closed Won,many,2025-11-30,2025-08-01T10:00:00.000Z
""",
}


def test_demo_of_a_csv_folder_in_spanish(tmp_path: Path, prefect_api: str) -> None:
    """One's own book, as of its latest event; a row that cannot be held is set aside and said; nothing is markup."""
    folder = tmp_path / "export"
    folder.mkdir()
    for name, rows in BOOK.items():
        (folder / name).write_text(rows, "utf-8")
    arguments = ("demo", "--from-csv", str(folder), "--server", prefect_api)
    code, text, errors = ended(begun(tmp_path, *arguments, KAM_LANGUAGE="es"))
    assert (code, errors) == (0, "")
    assert "Primera ejecución, a fecha 2025-11-30" in text
    assert "Opportunity: 1 rows set aside" in text
    assert re.search(r"Alfa \+1 - \w+ \d+,\d 6\.000", text)
    assert "=Beta [red]|" in text
    assert "No se ha escrito nada" in text


def test_deploy_all(prefect_api: str) -> None:
    """All deployments arrive, scheduled, one run at a time, in the process pool, with the forms of our flows; past
    tiers are for a person to start."""
    Api(prefect_api).deploy_all()
    found = requests.post(f"{prefect_api}/deployments/filter", json={}, timeout=30).json()
    assert sorted((d["entrypoint"], d["name"]) for d in found) == [
        ("flows.backfill.backfill", "crm-months"),
        ("flows.backfill.backfill", "hubspot"),
        ("flows.backfill.backfill", "past-months"),
        ("flows.backfill.backfill", "salesforce"),
        ("flows.backfill.thin", "monthly"),
        ("flows.reconcile.reconcile", "daily"),
        ("flows.reconcile.reconcile", "hubspot"),
        ("flows.reconcile.reconcile", "salesforce"),
        ("flows.run.run", "nightly"),
        ("flows.score.score", "midday"),
        ("flows.sweep.sweep", "associations"),
        ("flows.sweep.sweep", "deletions"),
        ("flows.sweep.sweep", "hubspot-associations"),
        ("flows.sweep.sweep", "hubspot-deletions"),
        ("flows.sweep.sweep", "salesforce-deletions"),
        ("flows.sync.pull", "full"),
        ("flows.sync.pull", "hourly"),
        ("flows.sync.pull", "hubspot"),
        ("flows.sync.pull", "salesforce"),
        ("flows.undo.undo", "by-hand"),
        ("flows.write_back.write_back", "hubspot"),
        ("flows.write_back.write_back", "midday"),
        ("flows.write_back.write_back", "salesforce"),
    ]
    assert {d["work_pool_name"] for d in found} == {"kam-process"}
    assert {d["global_concurrency_limit"]["limit"] for d in found} == {1}
    assert sorted(d["name"] for d in found if not _is_scheduled(d)) == [
        "associations",
        "by-hand",
        "crm-months",
        "deletions",
        "full",
        *["hubspot"] * 4,
        "hubspot-associations",
        "hubspot-deletions",
        "past-months",
        *["salesforce"] * 4,
        "salesforce-deletions",
    ]
    (hourly,) = (d for d in found if d["name"] == "hourly")
    assert hourly["parameters"] == {"crm": None, "full": False}
    assert hourly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert hourly["parameter_openapi_schema"]["definitions"]["Crm"]["enum"] == ["salesforce", "hubspot"]


def _is_scheduled(deployment: dict[str, Any]) -> bool:
    return any(
        one["active"] and one["schedule"]["cron"] and one["schedule"]["timezone"] for one in deployment["schedules"]
    )


def test_a_command_runs_as_a_flow_where_a_server_is_named(tmp_path: Path, prefect_api: str) -> None:
    """With PREFECT_API_URL set, `kam score` is a run of kam-score on that server; its output is the same."""
    code, text, errors = ended(begun(tmp_path, "score", "--json", PREFECT_API_URL=prefect_api))
    assert (code, errors) == (0, "")
    assert '"groups": 0' in text
    flows = {"flows": {"name": {"any_": ["kam-score"]}}, "flow_runs": {"deployment_id": {"is_null_": True}}}
    runs = requests.post(f"{prefect_api}/flow_runs/filter", json=flows, timeout=30).json()
    assert "COMPLETED" in {run["state_type"] for run in runs}


def test_demo_shows_the_whole_job_and_leaves_nothing_behind(demo_at_work: DemoAtWork) -> None:
    """Two CRMs hold what was computed; after some time tiers move; the third run writes nothing."""
    code, text, errors = ended(demo_at_work.process)
    assert (code, errors) == (0, "")
    assert "Salesforce: 18 custom fields created" in text
    assert "HubSpot: 18 custom fields created" in text
    assert len(re.findall(r"✓ All \d+ accounts hold in (?:Salesforce|HubSpot) what kam computed", text)) == 6
    assert "First run, as of 2026-06-30" in text
    assert "Time has passed: it is 2026-07-30" in text
    moved = text.split("Account groups whose tier moved, as Salesforce holds them now")[1]
    assert "(" in moved.split("Written")[0]
    assert "Nothing was written: the CRMs hold what we want already. Write calls: 0." in text
    assert list(demo_at_work.folder.glob("kam-demo-*")) == []
