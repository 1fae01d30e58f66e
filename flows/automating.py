"""Prefect's automations for our flows: read from automations.yaml, and brought to a server, each one once."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal
from uuid import UUID

import yaml  # type: ignore[import-untyped]  # comes with Prefect, which reads its own files by it
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.schemas.automations import Automation, AutomationCore
from prefect.exceptions import ObjectNotFound

from flows.settings import MAX_AGE_HOURS
from kammodel.errors import NotConfigured

Done = Literal["created", "updated", "unchanged"]

_NOTIFICATION = "send-notification"


@dataclass(frozen=True)
class Applied:
    """One automation: what was done, or with --dry-run would be. `doubles`: others of its name, deleted. `is_paused`:
    by a person, and stays so. `notifies`: through KAM_NOTIFY_BLOCK."""

    name: str
    done: Done
    doubles: int
    is_paused: bool
    notifies: bool
    description: str


def automations(block_id: UUID | None, max_age: float = MAX_AGE_HOURS) -> tuple[AutomationCore, ...]:
    """All of the file, in its order. Notifications go through the block of this id; without one they do nothing, for
    Prefect wants an action, and what fires is an event that its feed shows. `max_age`: hours without a run that was
    completed, before silence is told."""
    text = files(__package__).joinpath("automations.yaml").read_text("utf-8")
    for name, value in (("MAX_AGE_HOURS", f"{max_age:g}"), ("MAX_AGE_SECONDS", f"{max_age * 3600:.0f}")):
        text = text.replace(name, value)
    told: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    return tuple(
        AutomationCore.model_validate(one | {"actions": [_through(block_id, action) for action in one["actions"]]})
        for one in told["automations"]
    )


def block_id_of(client: SyncPrefectClient, block: str) -> UUID:
    """The id of a notification block by type and name; raises NotConfigured where the server has none."""
    kind, name = block.split("/")
    try:
        found = client.read_block_document_by_name(name, kind, include_secrets=False)
    except ObjectNotFound:
        raise NotConfigured(
            f"KAM_NOTIFY_BLOCK: this Prefect server has no block {block}: make it under Blocks in its UI; "
            "prefect block ls shows those that there are"
        ) from None
    if found.block_schema is None or "notify" not in found.block_schema.capabilities:
        raise NotConfigured(f"KAM_NOTIFY_BLOCK: {block} is no notification block: name one such as slack-webhook/kam")
    return found.id


def apply(client: SyncPrefectClient, wanted: Sequence[AutomationCore], *, dry_run: bool) -> tuple[Applied, ...]:
    """Leaves exactly one automation of each name, as wanted. One that is so already is not touched: an update would
    begin its windows anew. With `dry_run` nothing is changed."""
    return tuple(_apply(client, one, dry_run=dry_run) for one in wanted)


def _apply(client: SyncPrefectClient, wanted: AutomationCore, *, dry_run: bool) -> Applied:
    there = sorted(client.read_automations_by_name(wanted.name), key=lambda one: str(one.id))
    is_paused = bool(there) and not any(one.enabled for one in there)
    wanted = wanted.model_copy(update={"enabled": not is_paused})
    kept = next((one for one in there if _is_same(one, wanted)), there[0] if there else None)
    done: Done = "created" if kept is None else "unchanged" if _is_same(kept, wanted) else "updated"
    if not dry_run:
        if kept is None:
            client.create_automation(wanted)
        elif done == "updated":
            # What the file does not say is left out, and the server takes its defaults: it refuses an owner_resource.
            client.update_automation(kept.id, wanted)
        for double in there:
            if kept is not None and double.id != kept.id:
                client.delete_automation(double.id)
    notifies = any(action.type == _NOTIFICATION for action in wanted.actions)
    return Applied(wanted.name, done, max(0, len(there) - 1), is_paused, notifies, wanted.description)


def _is_same(one: Automation, wanted: AutomationCore) -> bool:
    return one.model_dump(include=set(AutomationCore.model_fields)) == wanted.model_dump()


def _through(block_id: UUID | None, action: dict[str, Any]) -> dict[str, Any]:
    if action["type"] != _NOTIFICATION:
        return action
    return {"type": "do-nothing"} if block_id is None else action | {"block_document_id": block_id}
