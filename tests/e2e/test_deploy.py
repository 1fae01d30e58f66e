"""A real Prefect server: deployed to as prefect.yaml tells an ops engineer to do it, and reported to by a command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.e2e.kam_process import begun, ended

ROOT = Path(__file__).parents[2]


def test_deploy_all(prefect_api: str) -> None:
    """Five deployments arrive, scheduled, one run at a time, in the process pool, with the forms of our flows."""
    pool = {"name": "kam-process", "type": "process", "base_job_template": {}}
    requests.post(f"{prefect_api}/work_pools/", json=pool, timeout=30).raise_for_status()

    prefect = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    environment = {**os.environ, "PREFECT_API_URL": prefect_api}
    subprocess.run(prefect, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)

    found = requests.post(f"{prefect_api}/deployments/filter", json={}, timeout=30).json()
    assert sorted((d["entrypoint"], d["name"]) for d in found) == [
        ("flows.run.run", "nightly"),
        ("flows.score.score", "midday"),
        ("flows.sync.pull", "hourly"),
        ("flows.write_back.write_back", "midday"),
    ]
    assert {d["work_pool_name"] for d in found} == {"kam-process"}
    assert {d["global_concurrency_limit"]["limit"] for d in found} == {1}
    assert all(_is_scheduled(deployment) for deployment in found)
    (hourly,) = (d for d in found if d["name"] == "hourly")
    assert hourly["parameters"] == {"crm": None, "full": False}
    assert hourly["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
    assert hourly["parameter_openapi_schema"]["definitions"]["Crm"]["enum"] == ["salesforce", "hubspot"]


def _is_scheduled(deployment: dict[str, Any]) -> bool:
    (schedule,) = deployment["schedules"]
    return bool(schedule["active"] and schedule["schedule"]["cron"] and schedule["schedule"]["timezone"])


def test_a_command_runs_as_a_flow_where_a_server_is_named(tmp_path: Path, prefect_api: str) -> None:
    """With PREFECT_API_URL set, `kam score` is a run of kam-score on that server; its output is the same."""
    code, text, errors = ended(begun(tmp_path, "score", "--json", PREFECT_API_URL=prefect_api))
    assert (code, errors) == (0, "")
    assert '"groups": 0' in text
    flows = {"flows": {"name": {"any_": ["kam-score"]}}, "flow_runs": {"deployment_id": {"is_null_": True}}}
    runs = requests.post(f"{prefect_api}/flow_runs/filter", json=flows, timeout=30).json()
    assert "COMPLETED" in {run["state_type"] for run in runs}
