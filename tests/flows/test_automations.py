"""`kam automations` on a real Prefect server: each is there once, as the file has it, and meant by real events."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID, uuid4

import pytest
import yaml
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.events.actions import ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import EventTrigger as ClientTrigger
from prefect.events.schemas.automations import TriggerTypes
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Scheduled

from flows.automating import automations
from flows.cli.automated import NO_BLOCK
from flows.events import CERTIFICATE_FAILED, GUARD_TRIPPED, RUN_PARTIAL, tell_certificate, tell_guard
from flows.outcome import ended
from flows.results import PlanReceipt, ReconcileReceipt, WindowProof
from tests.flows.kam_command import kam

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMES = [one.name for one in automations(None)]
SILENT = "kam is silent"


@pytest.fixture
def server(prefect_api: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[SyncPrefectClient]:
    """A client of the server that PREFECT_API_URL names, where there are no automations of ours."""
    monkeypatch.setenv("PREFECT_API_URL", prefect_api)
    monkeypatch.setenv("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    here = {PREFECT_API_URL: prefect_api, PREFECT_LOGGING_TO_API_ENABLED: False}
    with temporary_settings(here), get_client(sync_client=True) as client:
        for one in client.read_automations():
            client.delete_automation(one.id)
        yield client


def told_by(*arguments: str) -> str:
    """What a command that ends well prints."""
    ended = kam(*arguments)
    assert ended.exit_code == 0, ended.stderr
    return ended.stdout


def events_of(server: SyncPrefectClient, asked: dict[str, Any], named: str) -> list[ReceivedEvent]:
    """What the server has recorded of these resources, once an event of that name is among it."""
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at:
        answer = server.request("POST", "/events/filter", json={"filter": asked, "limit": 50}).json()
        events = [ReceivedEvent.model_validate(one) for one in answer["events"]]
        if any(one.event == named for one in events):
            return events
    raise AssertionError(f"no event of {named}")


def of_run(run: State) -> dict[str, Any]:
    """Events about a run, and those that name it beside their own resource."""
    return {"any_resource": {"id": [f"prefect.flow-run.{run.state_details.flow_run_id}"]}}


def _fires(trigger: TriggerTypes, event: ReceivedEvent) -> bool:
    """Whether the server fires an automation on the one event."""
    there = EventTrigger.model_validate(trigger.model_dump())
    return there.immediate and there.covers(event) and there.expects(event.event)


def test_applied_twice_leaves_one_of_each(server: SyncPrefectClient) -> None:
    """The same ones: their windows are not begun anew."""
    first = kam("automations")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.count("created") == len(NAMES)
    assert NO_BLOCK in first.stdout
    ids = {one.name: one.id for one in server.read_automations()}
    again = json.loads(kam("automations", "--json").stdout)
    assert [(one["name"], one["done"]) for one in again["automations"]] == [(name, "unchanged") for name in NAMES]
    assert {one.name: one.id for one in server.read_automations()} == ids
    assert sorted(ids) == sorted(NAMES)


def test_only_telling_changes_nothing(server: SyncPrefectClient) -> None:
    assert kam("automations", "--dry-run").stdout.count("to be created") == len(NAMES)
    assert server.read_automations() == []


def test_silence_lasts_as_many_hours_as_are_given(server: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The window and its words; by default those of `kam status`, and with other hours it is updated alone."""
    for hours, set_to, given in ((26, "", ()), (30, "30", ()), (74.5, "30", ("--max-age", "74.5"))):
        monkeypatch.setenv("KAM_MAX_AGE_HOURS", set_to)
        told = json.loads(told_by("automations", "--json", *given))["automations"]
        assert {one["name"] for one in told if one["done"] == "updated"} == ({SILENT} if set_to else set())
        (there,) = server.read_automations_by_name(SILENT)
        assert isinstance(there.trigger, ClientTrigger)
        assert there.trigger.within == dt.timedelta(hours=hours)
        assert there.description.startswith(f"No kam-run was completed within {hours} hours.")
    (action,) = next(one for one in automations(uuid4(), 74.5) if one.name == SILENT).actions
    assert isinstance(action, SendNotification)
    assert [action.subject.count(" 74.5 hours"), str(action.body).count(" 74.5 hours")] == [1, 1]
    assert kam("automations", "--max-age", "0.5").exit_code == kam("automations", "--max-age", "nan").exit_code == 2


def test_others_of_a_name_go_and_what_is_paused_stays_so(server: SyncPrefectClient) -> None:
    """One that somebody changed is as in the file again; what is not of ours is left alone."""
    failed = automations(None)[0]
    for update in ({"description": "mine"}, {"description": "mine too"}, {"name": "not of kam"}):
        server.create_automation(failed.model_copy(update={"enabled": "name" in update, **update}))
    told = json.loads(told_by("automations", "--json"))["automations"][0]
    assert (told["name"], told["done"], told["doubles"], told["is_paused"]) == (failed.name, "updated", 1, True)
    (there,) = server.read_automations_by_name(failed.name)
    assert (there.enabled, there.description) == (False, failed.description)
    assert len(server.read_automations_by_name("not of kam")) == 1
    assert kam("automations").stdout.count("unchanged") == len(NAMES)


def test_people_are_notified_through_the_block(server: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once one is configured, those that did nothing are updated."""
    kam("automations")
    block = CustomWebhookNotificationBlock(name="a chat", url="http://127.0.0.1:9/", json_data={"text": "{{body}}"})
    block_id = block.save("kam-automations", overwrite=True)
    monkeypatch.setenv("KAM_NOTIFY_BLOCK", "custom-webhook/kam-automations")
    shown = told_by("automations")
    assert (shown.count("updated"), NO_BLOCK in shown) == (5, False)
    sent = [a for one in server.read_automations() for a in one.actions if isinstance(a, SendNotification)]
    assert [action.block_document_id for action in sent] == [block_id] * 5


def test_a_block_that_cannot_notify_is_not_configured(
    server: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is one that the server lacks. Nothing is changed then."""
    Secret(value="no chat").save("kam-no-chat", overwrite=True)
    for block, why in (
        ("slack-webhook/nowhere", "has no block slack-webhook/nowhere"),
        ("secret/kam-no-chat", "is no"),
    ):
        monkeypatch.setenv("KAM_NOTIFY_BLOCK", block)
        ended = kam("automations")
        assert ended.exit_code == 3
        assert "KAM_NOTIFY_BLOCK: " in ended.stderr
        assert why in ended.stderr
    assert server.read_automations() == []


def test_without_a_server_nothing_can_be_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ended = kam("automations")
    assert ended.exit_code == 3
    assert ended.stderr.startswith("kam: PREFECT_API_URL is not set")
    assert ended.stderr.count("\n") == 1


def test_the_file_is_what_prefect_takes() -> None:
    """Nothing in it is unknown to Prefect's own models, and each has a name, words and an action of its kind."""
    raw = yaml.safe_load(files("flows").joinpath("automations.yaml").read_text("utf-8"))["automations"]
    # Prefect passes over a key that it does not know.
    for one, model in zip(raw, automations(uuid4()), strict=True):
        assert set(one) <= set(type(model).model_fields)
        for told, read in ((one["trigger"], model.trigger), *zip(one["actions"], model.actions, strict=True)):
            assert set(told) <= set(type(read).model_fields)
    for block, silent in ((None, DoNothing), (uuid4(), SendNotification)):
        found = automations(block)
        assert len({one.name for one in found}) == 7
        assert all(one.description and one.tags == ["kam"] for one in found)
        assert [type(action) for one in found for action in one.actions] == [silent] * 5 + [ChangeFlowRunState] * 2


@flow(name="kam-probe")
def ours(how: str) -> object:
    """Ends like one of our flows."""
    if how == "prefect.flow-run.Failed":
        raise ValueError("on purpose")
    if how == GUARD_TRIPPED:
        tell_guard(replace(PLAN, tripped=("tier changes: 9 of 10",)))
    if how == CERTIFICATE_FAILED:
        tell_certificate(ReconcileReceipt("hubspot", "1", None, (LOST,), 2, 0.1, dt.datetime.now(dt.UTC)))
    return ended("a receipt", ["hubspot resumes at calls, row 7: no calls are left"] if how == RUN_PARTIAL else [])


PLAN = PlanReceipt("hubspot-1", "hubspot", dt.date(2026, 6, 30), 9, 0, 9, 9, 0, 0, 1, 1, 0.1, hash="a1b2")
LOST = WindowProof("calls", "days", None, None, 9, 2, wrong=7, verdict="differs")


def test_events_of_real_runs_are_meant(server: SyncPrefectClient) -> None:
    """What fires on which, by the server's own rules; nothing on a run of another's flow, or that is all well."""
    theirs = ours.with_options(name="not-of-kam")
    told = {}
    for probe, event in (
        (ours, "prefect.flow-run.Failed"),
        (ours, RUN_PARTIAL),
        (ours, GUARD_TRIPPED),
        (ours, CERTIFICATE_FAILED),
        (ours, "prefect.flow-run.Completed"),
        (theirs, "prefect.flow-run.Failed"),
    ):
        found = events_of(server, of_run(probe(event, return_state=True)), event)
        told[probe.name, event.split(".", 1)[1]] = [
            one.name for one in automations(None) if any(_fires(one.trigger, e) for e in found)
        ]
    assert told == {
        ("kam-probe", "flow-run.Failed"): ["kam failed"],
        ("kam-probe", "run.partial"): ["kam partly done"],
        ("kam-probe", "guard.tripped"): ["kam waits for approval"],
        ("kam-probe", "certificate.failed"): ["kam store differs"],
        ("kam-probe", "flow-run.Completed"): [],
        ("not-of-kam", "flow-run.Failed"): [],
    }


def test_an_event_of_ours_fires_what_was_applied(server: SyncPrefectClient) -> None:
    """On the server itself. The event names its run, its CRM and what there is to know."""
    kam("automations")
    (there,) = server.read_automations_by_name("kam waits for approval")
    run = ours(GUARD_TRIPPED, return_state=True)
    (told,) = [one for one in events_of(server, of_run(run), GUARD_TRIPPED) if one.event == GUARD_TRIPPED]
    assert told.resource.id == f"kam.run.{run.state_details.flow_run_id}"
    assert {"kam.crm.hubspot": "crm"}.items() <= {one.id: one.role for one in told.related}.items()
    assert told.payload == {"what": "tier changes: 9 of 10", "plan": "hubspot-1", "hash": "a1b2"}
    executed = "prefect.automation.action.executed"
    fired = events_of(server, {"resource": {"id": [f"prefect.automation.{there.id}"]}}, executed)
    assert [one.event for one in fired].count(executed) == 1


def test_status_tells_what_is_scheduled_next(server: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """By flow and deployment. What is not of ours is left out, and what is overdue is said to be."""
    monkeypatch.setenv("KAM_HUBSPOT__ACCESS_TOKEN", "pat-status-0000")
    hour, now = dt.timedelta(hours=1), dt.datetime.now(dt.UTC)
    made = [_scheduled(server, "not-of-kam", now + hour), _scheduled(server, "kam-probe", due := now + 2 * hour)]
    planned = json.loads(kam("status", "--json").stdout)["next_run"]
    assert (planned["name"], dt.datetime.fromisoformat(planned["at"])) == ("kam-probe/nightly", due)
    assert f"next run: kam-probe/nightly at {due:%Y-%m-%d %H:%M} UTC" in kam("status").stdout
    made.append(_scheduled(server, "kam-probe", now - hour))
    assert "next run: kam-probe/nightly, which was due at " in kam("status").stdout
    for run_id in made:
        server.delete_flow_run(run_id)


def _scheduled(server: SyncPrefectClient, name: str, at: dt.datetime) -> UUID:
    """A run of a deployment, as a schedule makes it."""
    flow_id = server.create_flow_from_name(name)
    deployment = server.create_deployment(flow_id, "nightly")
    return server.create_flow_run_from_deployment(deployment, state=Scheduled(scheduled_time=at)).id
