"""`kam automations` on a real Prefect server: each is there once, as the file has it, and meant by real events."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from importlib.resources import files
from uuid import uuid4

import pytest
import yaml
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import State
from prefect.events.actions import ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import TriggerTypes
from prefect.server.events.schemas.automations import EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Completed

from flows.automating import automations
from flows.cli.automated import NO_BLOCK
from tests.flows.kam_command import kam

pytestmark = [
    # Prefect's clients leave their sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NAMES = [one.name for one in automations(None)]


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


def _events(server: SyncPrefectClient, run: State, named: str) -> list[ReceivedEvent]:
    """What the server has recorded of a run, once the event of its last state is among it."""
    resource = f"prefect.flow-run.{run.state_details.flow_run_id}"
    asked = {"filter": {"resource": {"id": [resource]}}, "limit": 50}
    ends_at = time.monotonic() + 30
    while time.monotonic() < ends_at:
        answer = server.request("POST", "/events/filter", json=asked).json()
        events = [ReceivedEvent.model_validate(one) for one in answer["events"]]
        if any(one.event == f"prefect.flow-run.{named}" for one in events):
            return events
    raise AssertionError(f"no event of {named}")


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
    assert (shown.count("updated"), NO_BLOCK in shown) == (4, False)
    sent = [a for one in server.read_automations() for a in one.actions if isinstance(a, SendNotification)]
    assert [action.block_document_id for action in sent] == [block_id] * 4


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
        assert len({one.name for one in found}) == 6
        assert all(one.description and one.tags == ["kam"] for one in found)
        assert [type(action) for one in found for action in one.actions] == [silent] * 4 + [ChangeFlowRunState] * 2


def test_events_of_real_runs_are_meant(server: SyncPrefectClient) -> None:
    """A failed and a partial run of ours, and one of another's flow: what fires on which, by the server's own rules."""

    @flow(name="kam-probe")
    def ours(state: str) -> object:
        if state == "Failed":
            raise ValueError("on purpose")
        return Completed(name=state)

    theirs = ours.with_options(name="not-of-kam")
    told = {}
    for probe, state in ((ours, "Failed"), (ours, "Partial"), (theirs, "Failed")):
        run = probe(state, return_state=True)
        told[probe.name, state] = [
            one.name for one in automations(None) if any(_fires(one.trigger, e) for e in _events(server, run, state))
        ]
    assert told == {
        ("kam-probe", "Failed"): ["kam failed"],
        ("kam-probe", "Partial"): ["kam partly done"],
        ("not-of-kam", "Failed"): [],
    }
