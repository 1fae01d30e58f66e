"""prefect.yaml, read strictly: Prefect passes over an unknown key and takes a word for a list of letters."""

from __future__ import annotations

import json
from importlib import import_module, resources
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ParameterTypeError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.hubspot import mapping as hubspot
from connectors.salesforce import mapping as salesforce
from flows.crms import Crm

FILE = Path(__file__).parents[2] / "prefect.yaml"


class Strict(BaseModel):
    """Nothing unknown, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(Strict):
    slug: str
    cron: str
    timezone: str
    active: bool


class Limit(Strict):
    limit: Literal[1]
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"]
    grace_period_seconds: int = Field(ge=60, le=86_400)


class Pool(Strict):
    name: Literal["kam-process"]


class Deployment(Strict):
    name: str
    description: str
    entrypoint: str
    tags: list[str]
    parameters: dict[str, str | bool | None]
    schedules: list[Schedule]
    concurrency_limit: Limit
    work_pool: Pool


class PrefectFile(Strict):
    name: Literal["kam"]
    pull: list[Any] = Field(max_length=0)
    definitions: dict[str, Any]
    deployments: list[Deployment]


def read() -> PrefectFile:
    return PrefectFile.model_validate(yaml.safe_load(FILE.read_text("utf-8")))


def flow_of(deployment: Deployment) -> Flow[Any, Any]:
    module, name = deployment.entrypoint.rsplit(".", 1)
    found = getattr(import_module(module), name)
    assert isinstance(found, Flow)
    return found


def test_every_flow_that_is_scheduled_has_its_deployment() -> None:
    """CRMs are pulled, scores are made, cells are written, and one deployment does it all."""
    names = [f"{flow_of(d).name}/{d.name}" for d in read().deployments]
    assert names == [
        "kam-run/nightly",
        "kam-pull/hourly",
        "kam-pull/salesforce",
        "kam-pull/hubspot",
        "kam-pull/full",
        "kam-sweep/deletions",
        "kam-sweep/associations",
        "kam-sweep/salesforce-deletions",
        "kam-sweep/hubspot-deletions",
        "kam-sweep/hubspot-associations",
        "kam-reconcile/daily",
        "kam-reconcile/salesforce",
        "kam-reconcile/hubspot",
        "kam-score/midday",
        "kam-write-back/midday",
        "kam-write-back/salesforce",
        "kam-write-back/hubspot",
        "kam-backfill/past-months",
        "kam-backfill/crm-months",
        "kam-backfill/salesforce",
        "kam-backfill/hubspot",
        "kam-undo/by-hand",
        "kam-thin/monthly",
    ]
    by_hand = [d.name for d in read().deployments if not d.schedules]
    assert by_hand == ["crm-months", "salesforce", "hubspot", "by-hand"]


def test_every_crm_has_deployments_of_its_own() -> None:
    """Each reads, sweeps, counts, writes or fills in one CRM, says which, and is off: one that is not configured would
    fail. Of whatever takes a CRM there is one for each; links that change without a sign are HubSpot's alone."""
    alone = [d for d in read().deployments if d.parameters.get("crm")]
    found = {(flow_of(d).name, *d.name.split("-")) for d in alone}
    takes_one = {flow_of(d).name for d in read().deployments if "crm" in flow_of(d).parameters.properties}
    wanted = {(flow, crm.value) for flow in takes_one - {"kam-sweep"} for crm in Crm}
    assert found - wanted == {
        ("kam-sweep", "salesforce", "deletions"),
        ("kam-sweep", "hubspot", "deletions"),
        ("kam-sweep", "hubspot", "associations"),
    }
    assert wanted - found == set()
    for one in alone:
        crm, *of = one.name.split("-")
        assert (one.parameters["crm"], crm in one.tags) == (crm, True)
        assert [*of, "crm"][0] == one.parameters.get("of", "crm")
        assert not any(schedule.active for schedule in one.schedules)


@pytest.mark.parametrize("deployment", read().deployments, ids=lambda d: f"{d.entrypoint}/{d.name}")
def test_parameters_are_those_of_the_flow(deployment: Deployment) -> None:
    """Every parameter is named, known and of the right type: a run must not find that out at night. Only what a person
    starts may ask for more."""
    flow = flow_of(deployment)
    asked = set() if deployment.schedules else set(flow.parameters.required)
    assert set(deployment.parameters) == set(flow.parameters.properties) - asked
    flow.validate_parameters(deployment.parameters | dict.fromkeys(asked, "salesforce-0123456789ab"))


@pytest.mark.parametrize("deployment", read().deployments, ids=lambda d: f"{d.entrypoint}/{d.name}")
def test_schedules_can_be_read(deployment: Deployment) -> None:
    """Cron lines and time zones are real ones."""
    for schedule in deployment.schedules:
        CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
        assert ZoneInfo(schedule.timezone).key == schedule.timezone


@pytest.mark.parametrize("deployment", read().deployments, ids=lambda d: f"{d.entrypoint}/{d.name}")
def test_forms_have_titles_descriptions_and_positions(deployment: Deployment) -> None:
    """Whoever starts a run from the UI is told what each field is for."""
    flow = flow_of(deployment)
    for place, (name, shown) in enumerate(flow.parameters.properties.items()):
        assert shown["title"] != name
        assert shown["description"].endswith(".")
        assert shown["position"] == place


def test_the_form_of_a_backfill_offers_the_streams() -> None:
    """Every one that a connector declares, and no other: whoever fills it in has nothing to spell."""
    flow = flow_of(next(d for d in read().deployments if d.name == "crm-months"))
    offered = flow.parameters.definitions["StreamName"]["enum"]
    theirs = salesforce.declared("x", many_currencies=True, insist=False)
    others = hubspot.declared("x", "UTC", many_currencies=True, insist=False)
    names = {one.name for one in theirs} | {one.name for one in others}
    assert (set(offered), len(offered)) == (names, len(names))
    choice, nothing = flow.parameters.properties["streams"]["anyOf"]
    assert (choice["items"]["$ref"], nothing) == ("#/definitions/StreamName", {"type": "null"})
    with pytest.raises(ParameterTypeError):
        flow.validate_parameters({"streams": ["deals"]})


@pytest.mark.parametrize("kind", ["docker", "kubernetes"])
def test_commented_job_variables_are_those_of_the_pool(kind: str) -> None:
    """Without its hashes the example is what such a pool of this Prefect takes, env being texts."""
    lines = [line.strip().removeprefix("#") for line in FILE.read_text("utf-8").splitlines()]
    start = lines.index(f" {kind}") + 1
    given = yaml.safe_load("\n".join(lines[start : lines.index("", start)]))["job_variables"]
    (known,) = (pools[kind] for pools in _pools().values() if kind in pools)
    assert set(given) <= set(known["default_base_job_configuration"]["variables"]["properties"])
    assert {type(value) for value in given["env"].values()} == {str}


def _pools() -> dict[str, Any]:
    """What this Prefect knows of pools of every kind, without asking anyone."""
    views = resources.files("prefect.server.api.collections_data.views")
    return dict(json.loads(views.joinpath("aggregate-worker-metadata.json").read_text("utf-8")))


@pytest.mark.parametrize("change", [{"tags": "abc"}, {"work_pol": {}}, {"schedules": None}])
def test_the_reading_is_strict(change: dict[str, Any]) -> None:
    """The check itself fails on what Prefect would pass over."""
    good = yaml.safe_load(FILE.read_text("utf-8"))["deployments"][0]
    with pytest.raises(ValidationError):
        Deployment.model_validate({**good, **change})
