"""`kam automations`: what Prefect does by itself about our flows, brought to a server and shown."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from flows.cli.session import require_server, to_prefect
from flows.cli.show import print_json, printed, table
from flows.logs import set_up_logging
from flows.settings import load_settings
from kammodel.errors import KamError, NotConfigured

if TYPE_CHECKING:
    from flows.automating import Applied

NO_BLOCK = "nobody is notified: KAM_NOTIFY_BLOCK is not set; what fires is seen in Prefect's event feed"
HEARTBEAT = (
    "kam lost its machine needs PREFECT_FLOWS_HEARTBEAT_FREQUENCY of 30 to 180 where flows run; Prefect 3.9 has 180"
)


def apply_automations(max_age: float | None, *, dry_run: bool, as_json: bool) -> None:
    """`max_age`: hours without a run that was completed, before silence is told; else KAM_MAX_AGE_HOURS.

    Raises NotConfigured without a server to apply to, or where it lacks the block."""
    settings = load_settings()
    set_up_logging(settings)
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        raise NotConfigured("PREFECT_API_URL is not set: it names the server to apply to, http://127.0.0.1:4200/api")
    require_server(address)
    to_prefect(address)
    hours = settings.max_age_hours if max_age is None else max_age
    applied = _applied(settings.notify_block, hours, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "block": settings.notify_block, "automations": [asdict(a) for a in applied]})
        return
    _show(applied, dry_run=dry_run)


def _applied(block: str | None, max_age: float, *, dry_run: bool) -> tuple[Applied, ...]:
    from httpx import HTTPError
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

    from flows.automating import apply, automations, block_id_of

    try:
        with get_client(sync_client=True) as client:
            wanted = automations(block_id_of(client, block) if block else None, max_age)
            return apply(client, wanted, dry_run=dry_run)
    except (HTTPError, PrefectException) as fault:
        status = getattr(getattr(fault, "response", None), "status_code", "")
        raise KamError(
            f"the Prefect server of PREFECT_API_URL refused ({type(fault).__name__} {status}".rstrip()
            + "): look at its log, and at PREFECT_API_AUTH_STRING where it asks for a key"
        ) from None


def _show(applied: Sequence[Applied], *, dry_run: bool) -> None:
    rows = [(one.name, _done(one, dry_run=dry_run), "yes" if one.notifies else "", one.description) for one in applied]
    title = "Automations of Prefect, as they would be" if dry_run else "Automations of Prefect"
    printed(table(title, ("automation", "done", "notifies", "what it is for"), rows, words=4))
    if not any(one.notifies for one in applied):
        printed(Text(NO_BLOCK, style="yellow"))
    printed(Text(HEARTBEAT, style="dim"))


def _done(one: Applied, *, dry_run: bool) -> str:
    will = "to be " if dry_run else ""
    told = [one.done if one.done == "unchanged" else f"{will}{one.done}"]
    told += [f"{one.doubles:,} of the same name {will}deleted"] * bool(one.doubles)
    told += ["paused"] * one.is_paused
    return ", ".join(told)
