"""Runs the demo from beginning to end: CRMs up, fields created, three runs, and what the CRMs hold after each."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import polars as pl
from dotenv import dotenv_values
from rich.text import Text

from connectors.retry import Patience
from flows.cli.bars import Bars
from flows.cli.session import ended, require_server, send_last_logs, to_prefect
from flows.demo.held import Held, read_held
from flows.demo.screen import Screen
from flows.demo.world import SOME_TIME, World, invented, of_csv
from flows.escaping import plain
from flows.local_server import LocalServer
from flows.logs import set_up_logging
from flows.pipeline import score_day_of
from flows.results import RunReceipt
from flows.runtime import Runtime, registered, using
from flows.settings import Settings, settings_from
from flows.words import Words
from kammodel.publish.fields import FIELDS
from kammodel.store.plans import cells_of

TAKEN = ("KAM_LANGUAGE", "KAM_POLICY_FILE", "KAM_REPORTING_CURRENCY", "KAM_TIMEZONE")
"""What of the user's own configuration holds for the demo. Store and CRMs are its own."""
HIGHEST = {"salesforce": 8, "hubspot": 4}
MOST_MOVED = 6
QUICK = Patience(first_wait=0.1, longest_wait=1.0)
"""A CRM on this machine needs no long breath."""


def show(
    *,
    from_csv: Path | None,
    as_of: dt.date | None,
    size: int,
    home: Path,
    kept: bool,
    server: LocalServer | str,
) -> int:
    """Shows the demo; 1 where a CRM does not hold in the end what was computed. `kept`: say where it stays."""
    with ExitStack() as stack:
        stack.callback(send_last_logs)
        demo = Demo(_own_variables(), home, server, Bars())
        fine = demo.run(stack, from_csv, as_of, size)
        if kept:
            demo.screen.show(Text(demo.say("kept", store=home / "kam.db", prefect=home / "prefect"), style="dim"))
    return 0 if fine else 1


class Demo:
    """One demo under way."""

    def __init__(self, own: Mapping[str, str], home: Path, server: LocalServer | str, bars: Bars) -> None:
        self.own, self.home, self.server, self.bars = own, home, server, bars
        self.say = Words(settings_from(own).language)
        self.screen = Screen(self.say, "")
        self.before: dict[str, float] = {}
        self.rounds: list[RunReceipt] = []
        self.helds: list[dict[str, Held]] = []

    def run(self, stack: ExitStack, from_csv: Path | None, as_of: dt.date | None, size: int) -> bool:
        """The whole of it; whether the CRMs hold what was computed."""
        with self._timed(self.say("step_csv" if from_csv else "step_book")):
            world = stack.enter_context(self._world(from_csv, as_of, size))
        settings = self._settings(world)
        self.screen = Screen(self.say, settings.reporting_currency)
        self.screen.heading(self._title(from_csv, size))
        self.screen.show(*(Text(plain(note), style="dim") for note in world.notes))
        set_up_logging(settings)
        runtime = stack.enter_context(Runtime(settings, clock=world.clock.now, progress=self.bars, patience=QUICK))
        self._provision(runtime)
        with self._timed(self.say("step_server")):
            self._await_server()
        self._first(runtime, world.as_of)
        day = world.as_of
        if world.let_time_pass is not None:
            day = self._second(runtime, world)
        self._last(runtime, world, day)
        self.screen.seconds(self.before, self.rounds)
        self.screen.show(Text(self.say("next"), style="dim"))
        return not any(held.differing for helds in self.helds for held in helds.values())

    def _await_server(self) -> None:
        """Points Prefect at its server once that answers; only then may Prefect be imported."""
        if isinstance(self.server, LocalServer):
            to_prefect(self.server.wait().api_url, self.home / "prefect")
        else:
            require_server(self.server)
            to_prefect(self.server)

    def _first(self, runtime: Runtime, day: dt.date) -> None:
        receipt, helds = self._round(runtime, day)
        self.screen.heading(self.say("round_first", day=day.isoformat()))
        self.screen.pulled(receipt.pulls)
        if receipt.score is not None:
            self.screen.tiers(receipt.score)
        for crm, held in helds.items():
            self.screen.held(held, None, HIGHEST[crm])
        self.screen.written(receipt.write_backs)
        self.screen.agreement(helds.values())

    def _second(self, runtime: Runtime, world: World) -> dt.date:
        sentences = world.let_time_pass(self.say.language) if world.let_time_pass else ()
        day = runtime.settings.today(world.clock.now())
        before = self.helds[-1]
        receipt, helds = self._round(runtime, day)
        self.screen.heading(self.say("round_later", day=day.isoformat()))
        self.screen.story(sentences)
        self.screen.pulled(receipt.pulls)
        for crm, held in helds.items():
            self.screen.moved(held, before[crm], MOST_MOVED)
        self.screen.written(receipt.write_backs)
        cells = sum(one.applied.written for one in receipt.write_backs)
        accounts = sum(one.plan.accounts_to_write for one in receipt.write_backs)
        total = sum(held.accounts.height for held in helds.values())
        numbers = {"cells": cells, "accounts": accounts, "total": total}
        self.screen.show(Text(self.say("only", **{k: self.say.number(v) for k, v in numbers.items()})))
        self.screen.agreement(helds.values())
        return day

    def _last(self, runtime: Runtime, world: World, day: dt.date) -> None:
        world.clock.advance(SOME_TIME)
        writes = sum(runtime.connector(crm).calls.write for crm in runtime.settings.configured)
        receipt, helds = self._round(runtime, day)
        writes = sum(runtime.connector(crm).calls.write for crm in runtime.settings.configured) - writes
        self.screen.heading(self.say("round_third"))
        self.screen.pulled(receipt.pulls)
        if writes or any(one.applied.written for one in receipt.write_backs):
            self.screen.written(receipt.write_backs)
        else:
            self.screen.show(Text(self.say("nothing", calls=writes), style="green"))
        self.screen.agreement(helds.values())

    def _round(self, runtime: Runtime, day: dt.date) -> tuple[RunReceipt, dict[str, Held]]:
        """One run of the flow, and what each CRM holds after it."""
        from flows.run import run

        with self.bars, using(runtime):
            receipt = ended(run(as_of=day))
            helds = self._read_back(runtime, receipt, day)
        self.rounds.append(receipt)
        self.helds.append(helds)
        return receipt, helds

    def _read_back(self, runtime: Runtime, receipt: RunReceipt, day: dt.date) -> dict[str, Held]:
        """What each CRM holds now, beside what is wanted as of the day."""
        scored = score_day_of(runtime.store, runtime.scoring(day), runtime.given)
        helds: dict[str, Held] = {}
        with runtime.store.transaction() as tx:
            cells = {one.plan.source: cells_of(tx, one.plan.plan_id) for one in receipt.write_backs}
        held = pl.col("decision") == "held"
        spared = {crm: found.filter(held).select("source_id", "field") for crm, found in cells.items()}
        for crm in runtime.settings.configured:
            self.bars(self.say("step_read_back", crm=registered(crm).label), 0, None)
            helds[crm] = read_held(runtime.connector(crm), scored, spared[crm])
        return helds

    def _provision(self, runtime: Runtime) -> None:
        for crm in runtime.settings.configured:
            label = registered(crm).label
            with self._timed(self.say("step_provision", crm=label)):
                done = runtime.connector(crm).provision(FIELDS, runtime.settings.language)
            line = self.say("provisioned", crm=label, created=len(done.created), unchanged=len(done.unchanged))
            self.screen.show(Text(line))

    def _world(self, from_csv: Path | None, as_of: dt.date | None, size: int) -> AbstractContextManager[World]:
        if from_csv is None:
            return invented(size, as_of)
        # Where the files name no currency, amounts are in the one that is reported in.
        chosen = settings_from(self.own)
        return of_csv(from_csv, as_of, chosen.reporting_currency, chosen.timezone)

    def _settings(self, world: World) -> Settings:
        fixed = {
            "KAM_HOME": str(self.home),
            "KAM_SYSTEM_OF_RECORD": "salesforce",
            "KAM_TIMEZONE": world.timezone,
            "KAM_REPORTING_CURRENCY": world.currency,
        }
        return settings_from({**fixed, **self.own, **world.variables})

    def _title(self, from_csv: Path | None, size: int) -> str:
        if from_csv is None:
            return self.say("title", accounts=self.say.number(size))
        files = ", ".join(sorted(path.name for path in from_csv.glob("*.csv")))
        return self.say("title_csv", files=files, folder=from_csv)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        began = time.perf_counter()
        with self.bars:
            self.bars(step, 0, None)
            yield
        self.before[step] = time.perf_counter() - began


def _own_variables() -> dict[str, str]:
    """Those of TAKEN that are set, in the environment or `.env`."""
    given = {**dotenv_values(".env"), **os.environ}
    return {name: value for name in TAKEN if (value := given.get(name))}
