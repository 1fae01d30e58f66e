"""`kam check`: what is configured, what can be reached, and what is missing. Reads only."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.table import Table
from rich.text import Text

from connectors.contract import Connector, Finding, Provisioning
from flows.cli.faults import DONE
from flows.cli.provisioning import finding_lines
from flows.cli.session import Session, session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from flows.runtime import registered
from kammodel.errors import KamError
from kammodel.publish.fields import CustomField
from kammodel.rollups import FILENAME as ROLLUPS
from kammodel.tiering.policy import policy_hash

OPEN_TO_ALL = (
    "anybody who reaches it may approve plans and start runs: set PREFECT_SERVER_API_AUTH_STRING there and "
    "PREFECT_API_AUTH_STRING here"
)


@dataclass
class Found:
    """One CRM as found. `fault` ends the look at it; `exit_code` is the fault's, or 3 while fields are missing.

    `findings`: what stands in the way of the next thing to do, which is to provision while fields are missing."""

    crm: str
    organisation: str | None = None
    user: str | None = None
    sign_in: str | None = None
    currency: str | None = None
    timezone: str | None = None
    calls_left: int | None = None
    streams: list[str] = field(default_factory=list)
    unavailable: dict[str, str] = field(default_factory=dict)
    missing_fields: list[str] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    fault: str | None = None
    exit_code: int = DONE


def check_all(*, as_json: bool) -> int:
    """Looks at everything, then ends with the gravest exit code: what failed before what is not set up."""
    with session() as at:
        names = at.runtime.chosen(None)
        about = _about(at)
        found = [_look(at, name) for name in names]
    if as_json:
        print_json({**about, "crms": [vars(one) for one in found]})
    else:
        _show(about, found)
    codes = {one.exit_code for one in found} - {DONE}
    return min(codes, default=DONE)


def _about(at: Session) -> dict[str, Any]:
    settings = at.runtime.settings
    at.runtime.store  # noqa: B018 - opening it is the check
    return {
        "store": settings.store_shown,
        "timezone": settings.timezone,
        "reporting_currency": settings.reporting_currency,
        "language": settings.language,
        "system_of_record": settings.counting_crm,
        "inputs": _inputs(at),
        "policy": str(settings.policy_file or "default"),
        "policy_hash": policy_hash(at.runtime.policy),
        "publish_rules": _publish_rules(at),
        "prefect": _prefect(),
    }


def _publish_rules(at: Session) -> str:
    """Where the rules of writing come from. Reading them is the check."""
    at.runtime.rules.check_names(field for field in at.runtime.fields if field.ours)
    return str(at.runtime.settings.publish_file or "default")


def _prefect() -> str:
    """The server that runs report to, and whether anybody who reaches it can approve plans there."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return "none: PREFECT_API_URL is not set"
    try:
        # As somebody without any key would.
        with urllib.request.urlopen(f"{address.rstrip('/')}/admin/version", timeout=10):  # noqa: S310 - their own
            return f"{address}: {OPEN_TO_ALL}"
    except urllib.error.HTTPError as refused:
        return f"{address}, behind a key" if refused.code in {401, 403} else f"{address} (answers {refused.code})"
    except (OSError, ValueError):
        return f"{address}: nothing answers there"


def _inputs(at: Session) -> str:
    """The files of KAM_INPUTS_DIR that are there. Reading them is the check."""
    files = [f"{name}.csv" for name, frame in at.runtime.given.frames.items() if frame is not None]
    folder = at.runtime.settings.inputs_dir
    rollups = at.runtime.given.rollups
    files += [f"{ROLLUPS} ({len(rollups)})"] if rollups else []
    return f"{folder}: {', '.join(files) or 'no files'}" if folder else "none"


def _look(at: Session, crm: str) -> Found:
    at.progress(f"{crm} check", 0, None)
    found = Found(crm)
    try:
        _read(at.runtime.connector(crm), at.runtime.fields, found)
    except KamError as fault:
        found.fault, found.exit_code = str(fault), fault.exit_code
    return found


def _read(connector: Connector, fields: Sequence[CustomField], found: Found) -> None:
    identity = connector.identify()
    found.organisation, found.user, found.sign_in = identity.organisation, identity.user, identity.sign_in
    found.currency, found.timezone, found.calls_left = identity.currency, identity.timezone, identity.calls_left
    found.streams = [stream.name for stream in connector.streams()]
    found.unavailable = connector.unavailable()
    found.missing_fields = connector.missing_fields(fields)
    ahead = connector.preflight(fields) if isinstance(connector, Provisioning) else []
    findings = [one for one in ahead if found.missing_fields or one.about == "run"]
    found.findings = [asdict(one) for one in findings]
    if found.missing_fields or any(one.grade == "error" for one in findings):
        found.exit_code = 3


def _show(about: dict[str, Any], found: list[Found]) -> None:
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in about.items():
        style = "yellow" if OPEN_TO_ALL in str(value) else ""
        facts.add_row(Text(name.replace("_", " "), style="dim"), Text(plain(str(value)), style=style))
    printed(facts)
    for one in found:
        printed(_lines(one))


def _lines(one: Found) -> Text:
    text = Text(registered(one.crm).label, style="bold")
    if one.organisation is not None:
        text.append(f"  {plain(one.organisation)}", style="default")
        signed_in = f"signed in by {one.sign_in}" if one.sign_in else None
        facts = [one.user, signed_in, one.currency, one.timezone]
        text.append("".join(f", {plain(fact)}" for fact in facts if fact), style="dim")
        if one.calls_left is not None:
            text.append(f", {one.calls_left:,} calls left today", style="dim")
        text.append(f"\n  reads {', '.join(one.streams)}", style="default")
    for what, why in sorted(one.unavailable.items()):
        if what.rsplit(".", 1)[-1] in one.missing_fields:
            continue
        text.append(f"\n  not available: {plain(what)}: {plain(why)}", style="yellow")
    text.append_text(finding_lines([Finding(**told) for told in one.findings]))
    if one.missing_fields:
        text.append(f"\n  fields missing: {plain(', '.join(one.missing_fields))}", style="yellow")
        text.append(f"\n  an admin runs: kam provision --crm {one.crm}", style="bold")
    if one.fault:
        text.append(f"\n  {plain(one.fault)}", style="red")
    elif one.exit_code == DONE:
        text.append("\n  ready", style="green")
    return text
