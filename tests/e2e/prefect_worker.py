"""A Prefect server with our deployments, and a worker of ours: what an ops engineer has."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[2]
POOL = {"name": "kam-process", "type": "process", "base_job_template": {}}
WITHIN = 120.0
"""Seconds for whatever is waited for."""


@dataclass(frozen=True)
class Api:
    """The server's API."""

    url: str

    def post(self, path: str, **body: Any) -> Any:
        """Sent again where the server's database is busy: it says so, and has done nothing."""

        def answered() -> requests.Response | None:
            given = requests.post(f"{self.url}/{path}", json=body, timeout=30)
            return None if given.status_code == 503 else given

        answer = awaited(answered)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        answer = requests.get(f"{self.url}/{path}", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def deploy_all(self) -> None:
        """The pool, where it is not there yet, and every deployment of prefect.yaml. Once for each server: that takes
        seconds."""
        _deploy_all(self.url)

    def start(self, deployment: str, **parameters: Any) -> str:
        """Starts a run, as the button in the UI does."""
        found = self.get(f"deployments/name/{deployment}")
        run = self.post(f"deployments/{found['id']}/create_flow_run", parameters=parameters)
        return str(run["id"])

    def crash(self, run_id: str) -> None:
        """Says that a run whose process is gone is over, as the automation for runs without a heartbeat does."""
        state = {"type": "CRASHED", "name": "Crashed", "message": "no heartbeat"}
        self.post(f"flow_runs/{run_id}/set_state", state=state, force=True)

    def cancel(self, run_id: str) -> None:
        """As the button in the UI does."""
        self.post(f"flow_runs/{run_id}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})

    def open_runs(self, deployment: str) -> list[str]:
        """Names of the states of the runs of a deployment that are under way, or seem to be."""
        name = {"name": {"any_": [deployment.split("/")[1]]}}
        states = {"state": {"type": {"any_": ["RUNNING", "PENDING", "CANCELLING", "SCHEDULED"]}}}
        return [run["state_name"] for run in self.post("flow_runs/filter", deployments=name, flow_runs=states)]

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.get(f"flow_runs/{run_id}"))

    def ended(self, run_id: str, *states: str) -> dict[str, Any]:
        """The run, once its state is one of these types."""
        return awaited(lambda: run if (run := self.run(run_id))["state_type"] in states else None)

    def events(self, run_id: str, name: str) -> list[str]:
        """The CRMs that events of this name are about, which name the run; once there is one."""
        asked = {"any_resource": {"id": [f"prefect.flow-run.{run_id}"]}, "event": {"name": [name]}}
        found = awaited(lambda: self.post("events/filter", filter=asked)["events"] or None)
        return [one["prefect.resource.id"] for event in found for one in event["related"] if _is_crm(one)]

    def artifacts(self, run_id: str) -> dict[str, str]:
        """Data of the artifacts of a run by key."""
        found = self.post("artifacts/filter", artifacts={"flow_run_id": {"any_": [run_id]}})
        return {one["key"]: str(one["data"]) for one in found if one["key"]}


@cache
def _deploy_all(url: str) -> None:
    made = requests.post(f"{url}/work_pools/", json=POOL, timeout=30)
    assert made.status_code in {201, 409}
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    environment = {**os.environ, "PREFECT_API_URL": url}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=3 * WITHIN)


def _is_crm(resource: dict[str, str]) -> bool:
    return resource["prefect.resource.role"] == "crm"


@contextmanager
def worker(api: Api, folder: Path, variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """`prefect worker start`, with these variables and none of the developer's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KAM_", "PREFECT_"))}
    kept |= {"PREFECT_API_URL": api.url, "PREFECT_HOME": str(folder / "prefect"), "DO_NOT_TRACK": "1", **variables}
    command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", POOL["name"], "--name", folder.name]
    with (folder / "worker.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=kept, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a worker, and then to the flow processes that it began: as if the machine went off."""
    begun = begun_by(process.pid)
    for one in (process.pid, *begun):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    process.wait(timeout=30)


def begun_by(parent: int) -> list[int]:
    """The processes that a process began, and those that they did."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [(int(pid), int(of)) for pid, of in (line.split() for line in listed.splitlines())]
    own = [pid for pid, of in pairs if of == parent]
    return own + [pid for child in own for pid in begun_by(child)]


def alive(processes: list[int]) -> list[int]:
    """Those that have not ended; whether or not anybody has asked how."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], check=True, capture_output=True, text=True).stdout
    states = dict(line.split() for line in listed.splitlines())
    return [pid for pid in processes if not states.get(str(pid), "Z").startswith("Z")]


def awaited(look: Callable[[], Any], *, every: float = 0.25) -> Any:
    """What `look` finds, once it finds something; it looks `every` so many seconds."""
    ends_at = time.monotonic() + WITHIN
    pause = threading.Event()
    while time.monotonic() < ends_at:
        found = look()
        if found is not None:
            return found
        pause.wait(every)
    raise AssertionError(f"nothing within {WITHIN:.0f} s")
