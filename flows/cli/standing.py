"""`kam status`: how everything stands, in one screen, for programs, for Prometheus, and as an exit code."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import urllib.request
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flows.cli.faults import DONE, FAILED, PARTIAL
from flows.cli.session import session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from flows.pipeline.health import standing
from flows.recording import has_died
from flows.report.metrics import exposition
from flows.results import as_json as plain_values
from flows.results.standing import CrmStanding, Standing, StepStanding
from flows.runtime import registered

CODES = {"healthy": DONE, "partial": PARTIAL, "stale": FAILED, "failed": FAILED}
STYLE = {"healthy": "bold green", "partial": "bold yellow", "stale": "bold red", "failed": "bold red"}
_SECONDS = 10


def show_status(max_age: float, *, as_json: bool, prometheus: bool) -> int:
    """Looks at the store, and at the schedule where there is a Prefect server."""
    with session() as at:
        names = at.runtime.chosen(None)
        now, oldest = at.runtime.clock(), dt.timedelta(hours=max_age)
        found = standing(at.runtime.store, names, now, oldest, has_died)
        zone = ZoneInfo(at.runtime.settings.timezone)
    if prometheus:
        print(exposition(found), end="")  # noqa: T201 - a file for a collector
    elif as_json:
        print_json({**plain_values(found), "next_run": next_run()})
    else:
        _show(found, next_run(), zone)
    return CODES[found.verdict]


def next_run() -> dict[str, str] | None:
    """The next run of ours that the Prefect server of PREFECT_API_URL has scheduled. `error`: why none can be told."""
    address = os.environ.get("PREFECT_API_URL")
    if not address:
        return None
    asked = {
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": 1,
        "flows": {"name": {"like_": "kam-"}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
    }
    key = os.environ.get("PREFECT_API_AUTH_STRING")
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"} if key else {}
    url = f"{address.rstrip('/')}/flow_runs/filter"
    request = urllib.request.Request(url, json.dumps(asked).encode(), headers)  # noqa: S310 - the user's own address
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            runs = json.load(answer)
    except (OSError, ValueError) as fault:
        return {"error": f"the Prefect server does not tell ({type(fault).__name__}): see kam check"}
    if not runs:
        return {"error": "nothing is scheduled: prefect deploy --all, and look whether the schedules are paused"}
    return {"name": str(runs[0]["name"]), "at": str(runs[0]["expected_start_time"])}


def _show(found: Standing, planned: dict[str, str] | None, zone: ZoneInfo) -> None:
    head = Text(found.verdict, style=STYLE[found.verdict])
    head.append(f" since {_when(found.since, zone)}" if found.since else "", style="default")
    printed(Group(head, *(_trouble(one.what, one.advice, STYLE[one.verdict]) for one in found.troubles)))
    printed(Text(""), _table(found, zone))
    printed(Group(*(line for one in found.crms for line in _remarks(one)), *_last(found, planned, zone)))


def _trouble(what: str, advice: str, style: str) -> Text:
    return Text("  ").append(plain(what), style=style).append(f"\n    next: {plain(advice)}", style="default")


def _table(found: Standing, zone: ZoneInfo) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("CRM", "step", "last done", "seconds", "rows", "newest run"):
        table.add_column(name, justify="right" if name in {"seconds", "rows"} else "left", no_wrap=name != "newest run")
    for step in (*(step for one in found.crms for step in one.steps), found.score):
        table.add_row(*_cells(step, zone))
    return table


def _cells(step: StepStanding, zone: ZoneInfo) -> tuple[Text, ...]:
    crm = registered(step.crm).label if step.crm else "all"
    newest = step.newest or "none"
    told = (
        crm,
        step.kind,
        _when(step.ended_at, zone) if step.ended_at else "never",
        f"{step.seconds:,.1f}" if step.seconds is not None else "",
        f"{step.rows:,}" if step.rows is not None else "",
    )
    style = {"failed": "red", "partial": "yellow", "running": "cyan"}.get(newest, "dim")
    return (*(Text(one) for one in told), Text(newest, style=style))


def _remarks(one: CrmStanding) -> list[Text]:
    label = registered(one.crm).label
    lines = []
    for lag in one.lagging:
        how = "is read in part" if lag.resumes else f"was read until {lag.read_until:%Y-%m-%d %H:%M} UTC"
        lines.append(f"{label} {lag.stream} {how}")
    lines += [f"{label} {r.stream}: {r.rows:,} rows set aside: {r.field}: {r.reason}" for r in one.rejects]
    cells = ", ".join(f"{n:,} {name}" for name, n in one.cells.items() if name != "unchanged")
    if cells:
        lines.append(f"{label} newest plan {one.plan_id}: cells {cells}")
    if one.to_review:
        lines.append(f"{label}: {one.to_review:,} cells wait for review: kam plans {one.plan_id}")
    return [Text(plain(line)) for line in lines]


def _last(found: Standing, planned: dict[str, str] | None, zone: ZoneInfo) -> list[Text]:
    lines = []
    last = found.last_failed
    # One that is not mended is among the troubles.
    if last is not None and last.is_mended:
        of = f"{last.crm} {last.kind}" if last.crm else last.kind
        told = f"last failure {_when(last.at, zone)}, mended since: {plain(of)}: {plain(last.line)}"
        lines.append(Text(told, style="dim"))
    if planned is None:
        lines.append(Text("next run: no Prefect server is configured (PREFECT_API_URL)", style="dim"))
    elif "error" in planned:
        lines.append(Text(f"next run: {planned['error']}", style="yellow"))
    else:
        lines.append(Text(f"next run: {plain(planned['name'])} at {_instant(planned['at'], zone)}"))
    return lines


def _instant(text: str, zone: ZoneInfo) -> str:
    return _when(dt.datetime.fromisoformat(text), zone)


def _when(instant: Any, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"
