"""`kam status`: how everything stands, in one screen, for programs, for Prometheus, and as an exit code."""

from __future__ import annotations

import datetime as dt
from typing import Literal
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flows.cli.faults import DONE, FAILED, PARTIAL
from flows.cli.scheduled import next_run
from flows.cli.session import session
from flows.cli.show import print_json, printed
from flows.escaping import plain
from flows.pipeline.health import spoken, standing
from flows.recording import has_died
from flows.report.metrics import exposition
from flows.results import as_json as plain_values
from flows.results.standing import CrmStanding, Standing, StepStanding, Trouble
from flows.runtime import registered
from flows.words import Words

CODES = {"healthy": DONE, "partial": PARTIAL, "stale": FAILED, "failed": FAILED}
STATES = {
    "healthy": "s_healthy",
    "partial": "s_partial_state",
    "stale": "s_stale",
    "failed": "s_failed_state",
    "done": "s_done",
    "running": "s_running",
    "none": "s_none",
}
"""Verdicts, and states of runs, by their words."""
STYLE = {"healthy": "bold green", "partial": "bold yellow", "stale": "bold red", "failed": "bold red"}
LATE = dt.timedelta(minutes=2)
"""After its time a run that was not begun is late: workers look every few seconds."""


def show_status(max_age: float | None, *, as_json: bool, prometheus: bool) -> int:
    """Looks at the store, and at the schedule where there is a Prefect server. `max_age`: hours; those of
    KAM_MAX_AGE_HOURS unless said."""
    with session() as at:
        names = at.runtime.chosen(None)
        hours = at.runtime.settings.max_age_hours if max_age is None else max_age
        now, oldest = at.runtime.clock(), dt.timedelta(hours=hours)
        say = Words(at.runtime.settings.language)
        found = standing(at.runtime.store, names, now, oldest, has_died, say=say)
        zone = ZoneInfo(at.runtime.settings.timezone)
    if prometheus:
        print(exposition(found), end="")  # noqa: T201 - a file for a collector
    elif as_json:
        print_json({**plain_values(found), "next_run": next_run(say)})
    else:
        Screen(found, next_run(say), zone, say).show()
    return CODES[found.verdict]


class Screen:
    """How everything stands, for a person."""

    def __init__(self, found: Standing, planned: dict[str, str] | None, zone: ZoneInfo, say: Words) -> None:
        self.found, self.planned, self.zone, self.say = found, planned, zone, say

    def show(self) -> None:
        found, verdict = self.found, self.say(STATES[self.found.verdict])
        head = self.say("s_since", verdict=verdict, when=self._when(found.since)) if found.since else verdict
        title = Text(head)
        title.stylize(STYLE[found.verdict], 0, len(verdict))
        printed(Group(title, *(self._trouble(one) for one in found.troubles)))
        printed(Text(""), self._table())
        printed(Group(*(line for one in found.crms for line in self._remarks(one)), *self._last()))

    def _trouble(self, one: Trouble) -> Text:
        text = Text("  ").append(plain(one.what), style=STYLE[one.verdict])
        return text.append(f"\n    {plain(self.say('s_next', advice=one.advice))}", style="default")

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in ("crm", "step", "done", "seconds", "rows", "newest"):
            justify: Literal["left", "right"] = "right" if name in {"seconds", "rows"} else "left"
            table.add_column(self.say(f"s_col_{name}"), justify=justify, no_wrap=name != "newest")
        run = [self.found.run] if self.found.run.newest is not None else []
        for step in (*(step for one in self.found.crms for step in one.steps), self.found.score, *run):
            table.add_row(*self._cells(step))
        return table

    def _cells(self, step: StepStanding) -> tuple[Text, ...]:
        say, newest = self.say, step.newest or "none"
        told = (
            registered(step.crm).label if step.crm else say("s_all"),
            step.kind,
            self._when(step.ended_at) if step.ended_at else say("s_never_done"),
            say.number(step.seconds, 1) if step.seconds is not None else "",
            say.number(step.rows) if step.rows is not None else "",
        )
        style = {"failed": "red", "partial": "yellow", "running": "cyan"}.get(newest, "dim")
        return (*(Text(one) for one in told), Text(say(STATES[newest]), style=style))

    def _remarks(self, one: CrmStanding) -> list[Text]:
        crm, say = registered(one.crm).label, self.say
        lines = []
        for lag in one.lagging:
            key = "s_in_part" if lag.resumes else "s_until"
            when = self._when(lag.read_until) if lag.read_until else say("s_never_done")
            lines.append(say(key, crm=crm, stream=lag.stream, when=when))
        lines += [
            say("s_rejects", crm=crm, stream=r.stream, n=say.number(r.rows), field=r.field, reason=r.reason)
            for r in one.rejects
        ]
        told = ((say.number(n), say(f"s_out_{name}")) for name, n in one.cells.items() if name != "unchanged")
        lines += [
            say("s_remark", of=spoken(step.kind, crm, say), line=step.line)
            for step in one.steps
            if step.newest == "done" and step.line
        ]
        cells = ", ".join(" ".join(pair) for pair in told)
        if cells:
            lines.append(say("s_plan", crm=crm, plan=one.plan_id, cells=cells))
        if one.to_review:
            lines.append(say("s_review", crm=crm, n=say.number(one.to_review), plan=one.plan_id))
        return [Text(plain(line)) for line in lines]

    def _last(self) -> list[Text]:
        say, last, planned = self.say, self.found.last_failed, self.planned
        lines = []
        # One that is not mended is among the troubles.
        if last is not None and last.is_mended:
            of = spoken(last.kind, last.crm, say)
            told = say("s_mended", when=self._when(last.at), of=plain(of), line=plain(last.line))
            lines.append(Text(told, style="dim"))
        if planned is None:
            lines.append(Text(say("s_run_error", why=say("s_no_server")), style="dim"))
        elif "error" in planned:
            lines.append(Text(say("s_run_error", why=planned["error"]), style="yellow"))
        else:
            at = dt.datetime.fromisoformat(planned["at"])
            is_late = at < self.found.at - LATE
            told = say("s_run_late" if is_late else "s_run", name=plain(planned["name"]), when=self._when(at))
            lines.append(Text(told, style="yellow" if is_late else ""))
        return lines

    def _when(self, instant: dt.datetime) -> str:
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"
