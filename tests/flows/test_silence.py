"""What Prefect does by itself where nothing happens, on a real server: as automations.yaml has it, but for the time.

All windows are of ten seconds, the least that Prefect takes, and run at once: the room waits for one of them.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from flows.automating import apply, automations
from tests.e2e.prefect_worker import awaited

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

WITHIN = dt.timedelta(seconds=10)
EVER = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
ROOT = Path(__file__).parents[2]
SILENT, NEVER = "kam is silent", "kam is silent, of a flow that never ran"


@dataclass
class Quiet:
    """A server with the automations that fire on what does not happen. `ids`: of their resources; `runs`: by fate."""

    client: SyncPrefectClient
    ids: dict[str, str]
    runs: dict[str, str] = field(default_factory=dict)

    def events(self, name: str, resource: str, since: dt.datetime = EVER) -> list[ReceivedEvent]:
        """Of this name and about this resource, the oldest first; once there is one."""
        occurred = {"since": since.isoformat()}
        asked = {"event": {"name": [name]}, "resource": {"id": [resource]}, "occurred": occurred, "order": "ASC"}
        body = {"filter": asked, "limit": 50}
        found = awaited(lambda: self.client.request("POST", "/events/filter", json=body).json()["events"] or None)
        return [ReceivedEvent.model_validate(one) for one in found]

    def executed(self, automation: str, since: dt.datetime = EVER) -> list[ReceivedEvent]:
        """Its actions, once one is over."""
        return self.events("prefect.automation.action.executed", self.ids[automation], since)

    def fired(self, automation: str, since: dt.datetime) -> list[dt.datetime]:
        """The instants at which an automation did so far; once it has executed its action."""
        self.executed(automation, since)
        return [one.occurred for one in self.events("prefect.automation.triggered", self.ids[automation], since)]

    def changed(self, automation: str) -> list[str]:
        """The runs that the action of an automation was executed on, once there is one."""
        related = [one for event in self.executed(automation) for one in event.related]
        return [one.id.removeprefix("prefect.flow-run.") for one in related if one.role == "target"]

    def state(self, run: str) -> tuple[str, str]:
        """Its name and message."""
        state = self.client.request("GET", f"/flow_runs/{self.runs[run]}").json()["state"]
        return state["name"], state["message"] or ""


@flow(name="kam-run")
def nightly() -> str:
    """A whole run that is all well."""
    return "done"


@pytest.fixture(scope="module")
def quiet(prefect_api: str) -> Iterator[Quiet]:
    """One run ended well, one lost its process after a heartbeat, one is not started; and one flow never ran."""
    here = {PREFECT_API_URL: prefect_api, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(here), get_client(sync_client=True) as client, _endless(prefect_api) as doomed:
        _clear(client)
        apply(client, _shortened(), dry_run=False)
        there = Quiet(client, {one.name: f"prefect.automation.{one.id}" for one in client.read_automations()})
        there.runs["well"] = str(nightly(return_state=True).state_details.flow_run_id)
        there.runs["stuck"] = _not_started(client)
        there.runs["lost"] = _begun(doomed)
        there.events("prefect.flow-run.heartbeat", f"prefect.flow-run.{there.runs['lost']}")
        doomed.kill()
        yield there
        # They would end the runs of other tests.
        _clear(client)


def _clear(client: SyncPrefectClient) -> None:
    for one in client.read_automations():
        client.delete_automation(one.id)


def _shortened() -> list[AutomationCore]:
    """Ours that wait for what does not happen; and the one of silence again, about a flow of another name."""
    ours = [
        one.model_copy(update={"trigger": one.trigger.model_copy(update={"within": WITHIN})})
        for one in automations(None)
        if isinstance(one.trigger, EventTrigger) and one.trigger.posture == Posture.Proactive
    ]
    (silent,) = [one for one in ours if one.name == SILENT]
    other = {"prefect.resource.role": "flow", "prefect.resource.name": "kam-never"}
    never = silent.trigger.model_copy(update={"match_related": other})
    return [*ours, silent.model_copy(update={"name": NEVER, "trigger": never})]


def _not_started(client: SyncPrefectClient) -> str:
    """A run that a worker has taken, and no more."""
    asked = {"flow_id": str(client.create_flow_from_name("kam-probe")), "state": {"type": "PENDING", "name": "Pending"}}
    return str(client.request("POST", "/flow_runs/", json=asked).json()["id"])


@contextmanager
def _endless(prefect_api: str) -> Iterator[subprocess.Popen[str]]:
    """The process, which comes up meanwhile."""
    command = [sys.executable, "-m", "tests.flows.lost_machine"]
    own = {**os.environ, "PREFECT_API_URL": prefect_api, "PREFECT_LOGGING_TO_API_ENABLED": "false"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=own, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _begun(process: subprocess.Popen[str]) -> str:
    """Has its flow begin; the id of the run."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_a_run_without_a_heartbeat_is_crashed(quiet: Quiet) -> None:
    """That one alone: the one that ended well had a heartbeat too."""
    assert quiet.changed("kam lost its machine") == [quiet.runs["lost"]]
    assert quiet.state("lost") == ("Crashed", _told("kam lost its machine"))
    assert quiet.state("well")[0] == "Completed"


def test_a_run_that_nobody_starts_is_crashed(quiet: Quiet) -> None:
    """That one alone: the others were pending once, and then ran."""
    assert quiet.changed("kam does not start") == [quiet.runs["stuck"]]
    assert quiet.state("stuck") == ("Crashed", _told("kam does not start"))


def _told(automation: str) -> str:
    """What its action writes into a state."""
    (found,) = [action for one in automations(None) if one.name == automation for action in one.actions]
    assert isinstance(found, ChangeFlowRunState)
    return str(found.message)


def test_silence_is_told_a_window_after_the_last_run_that_ended_well(quiet: Quiet) -> None:
    """Not before; and before the one that nothing keeps silent fires again, which is two windows later."""
    (well,) = quiet.events("prefect.flow-run.Completed", f"prefect.flow-run.{quiet.runs['well']}")
    told = quiet.fired(SILENT, well.occurred)[0]
    assert told - well.occurred >= WITHIN
    assert len([at for at in quiet.fired(NEVER, EVER) if at < told]) < 2


def test_silence_is_told_where_no_run_ever_came(quiet: Quiet) -> None:
    """A window after it was applied."""
    (created,) = quiet.events("prefect.automation.created", quiet.ids[NEVER])
    assert quiet.fired(NEVER, EVER)[0] - created.occurred >= WITHIN
