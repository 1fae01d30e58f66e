"""Plays the scripted run with one thing going wrong in it, from the step that it goes wrong in."""

from __future__ import annotations

import copy
import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

import pytest
import requests
from requests.adapters import HTTPAdapter

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import KINDS, Fault
from connectors.sandbox.salesforce.app import SalesforceApp
from connectors.sandbox.salesforce.bulk.ingest_jobs import IngestJob
from connectors.sandbox.salesforce.bulk.query_jobs import QueryJob
from connectors.sandbox.salesforce.org import Org
from kammodel.errors import KamError
from kammodel.store import Store
from tests.contract.salesforce_connected import Front, open_front
from tests.pipeline.salesforce_script import Desk, Step, first_org, steps

Mishap = Fault | Literal["outage", "killed_before", "killed_after"]
"""`outage`: the edge answers eight calls in a row. `killed_*`: the process ends as a call is about to go out, or once
it was carried out."""
KILLED: tuple[Mishap, ...] = ("killed_before", "killed_after")
MISHAPS: tuple[Mishap, ...] = (*KINDS, "outage", *KILLED)
World = dict[str, Any]
_LATER = dt.timedelta(minutes=5)
_OUTAGE = 8
_OPEN_STATES = {"Open", "UploadComplete", "InProgress"}

_TIMES_OF_READING = {"synced_at", "content_changed_at", "recorded_at", "rejected_at", "resolved_at", "written_at"}
_ABOUT_RUNS = {"run_id", "plan_id", "snapshot_id", "rows_read", "rows_rejected", "inputs_fingerprint"}
_HOW_FAR = {"watermark", "read_until", "loaded_at", "deletions_until", "compared_at"}
"""Of these it counts whether they are there: a run that was made up for ends a little later."""
_OF_EACH_RUN = {"run", "publish_plan", "planned_cell", "alembic_version"}
_STAMPS = {"CreatedDate", "LastModifiedDate", "SystemModstamp"}


class Killed(BaseException):
    """The end of the process, which nothing of ours catches."""


@dataclass
class Stop:
    """Ends the process at a call; what it tries to send afterwards goes nowhere."""

    call: int
    after: bool
    seen: int = 0

    @contextmanager
    def armed(self) -> Iterator[None]:
        carried = HTTPAdapter.send

        def send(adapter: HTTPAdapter, *args: Any, **kwargs: Any) -> requests.Response:
            number, self.seen = self.seen, self.seen + 1
            if number == self.call and self.after:
                carried(adapter, *args, **kwargs).close()
            if number >= self.call:
                raise Killed
            return carried(adapter, *args, **kwargs)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HTTPAdapter, "send", send)
            yield


@dataclass
class Checkpoint:
    """The org and the store as a step begins, and what the undisturbed run makes of them."""

    step: Step
    org: Org
    store: sqlite3.Connection
    at: dt.datetime
    calls: tuple[str, ...] = ()
    end: World = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a disturbed step ended: what stopped it, None where it got over it; and what is left of our jobs."""

    told: str | None
    jobs: tuple[str, ...]


class Script:
    """The scripted run, made once without a fault; then any step of it, with one.

    That a disturbed step ends in the same store and the same org as the undisturbed one is what all steps after it
    begin with. (Some are played to the end all the same.)
    """

    def __init__(self, front: Front, store: Store, file: Path) -> None:
        self._front, self._store, self._file = front, store, file
        self.checkpoints: list[Checkpoint] = []
        self._process: Desk | None = None
        desk = Desk(front, first_org(), store)
        front.show(desk.org)
        desk.sign_in()
        for step in steps([stream.name for stream in desk.connector.streams()]):
            self.checkpoints.append(self._made(desk, step))
        desk.hang_up()

    @property
    def positions(self) -> list[tuple[Checkpoint, int]]:
        """Every call of the run: the step that it is in, and its number there."""
        return [(here, call) for here in self.checkpoints for call in range(len(here.calls))]

    def play(self, here: Checkpoint, call: int, mishap: Mishap, *, to_the_end: bool = False) -> Ending:
        """A step in which something goes wrong; where that stopped it, a new process does it again a little later.

        Raises AssertionError where store or org end otherwise than undisturbed. `to_the_end`: with the steps after.
        """
        is_alone = here.step.writes or here.step.signs_in or to_the_end
        desk = self._begun(here, copied(here.org)) if is_alone else self._gone_on(here)
        told = self._disturbed(desk, here.step, call, mishap)
        assert told == "killed" or any(made.fault for made in self._front.faults.log), "nothing went wrong"
        self._front.faults.clear()
        if told is not None:
            desk.hang_up()
            desk.org.clock.advance(_LATER)
            assert here.step.again(desk), f"not healed: {told}"
        jobs = self._jobs()
        self._compare(here, desk.org)
        # What people do next, they do at the time of the undisturbed run: it stands in their records.
        desk.org.clock.set(here.at)
        for later in self.checkpoints[self.checkpoints.index(here) + 1 :] if to_the_end else ():
            self._go_on(desk, later)
        if is_alone or told is not None or jobs:
            desk.hang_up()
        else:
            self._process = desk
        return Ending(told, jobs)

    def close(self) -> None:
        if self._process is not None:
            self._process.hang_up()
        for here in self.checkpoints:
            here.store.close()

    def _made(self, desk: Desk, step: Step) -> Checkpoint:
        """A step of the undisturbed run."""
        before = self.checkpoints[-1] if self.checkpoints else None
        if step.signs_in:
            desk.hang_up()
        if step.happens:
            step.happens(desk.org)
        # Steps that only read share a copy: that it stays as it was is seen when they are disturbed.
        is_same = before is not None and not (step.happens or before.step.writes)
        org = before.org if before is not None and is_same else copied(desk.org)
        self._front.faults.clear()
        here = Checkpoint(step, org, self._kept(), desk.org.clock.now())
        assert step.act(desk), step.name
        here.calls = tuple(f"{call.method} {call.path}" for call in self._front.faults.log)
        here.end = self._world(desk.org)
        assert self._jobs() == (), step.name
        return here

    def _go_on(self, desk: Desk, later: Checkpoint) -> None:
        if later.step.signs_in:
            desk.hang_up()
        if later.step.happens:
            later.step.happens(desk.org)
        assert later.step.act(desk), later.step.name
        self._compare(later, desk.org)

    def _disturbed(self, desk: Desk, step: Step, call: int, mishap: Mishap) -> str | None:
        """What stopped the step, in one line; None where it was all done."""
        try:
            if mishap in KILLED:
                with Stop(call, after=mishap == "killed_after").armed():
                    done = step.act(desk)
            else:
                fault: Any = "html_502" if mishap == "outage" else mishap
                self._front.faults.at(call, fault, times=_OUTAGE if mishap == "outage" else 1)
                done = step.act(desk)
        except Killed:
            return "killed"
        except KamError as fault:
            told = str(fault)
            assert told, "an error without a word"
            assert "\n" not in told
            return told
        return None if done else "left over"

    def _begun(self, here: Checkpoint, org: Org) -> Desk:
        """A new process at the step, signed in if the step goes on with one."""
        if self._process is not None:
            self._process.hang_up()
            self._process = None
        org.clock.set(here.at)
        self._front.show(org)
        self._restore(here)
        desk = Desk(self._front, org, self._store)
        if not here.step.signs_in:
            desk.sign_in()
            self._front.faults.clear()
        return desk

    def _gone_on(self, here: Checkpoint) -> Desk:
        """At a step that only reads: the process that read before, if it got over what went wrong then."""
        desk, self._process = self._process, None
        if desk is None or desk.org is not here.org:
            if desk is not None:
                desk.hang_up()
            return self._begun(here, here.org)
        self._restore(here)
        return desk

    def _restore(self, here: Checkpoint) -> None:
        with closing(sqlite3.connect(self._file)) as file:
            here.store.backup(file)

    def _kept(self) -> sqlite3.Connection:
        kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._file)) as file:
            file.backup(kept)
        return kept

    def _jobs(self) -> tuple[str, ...]:
        """Bulk jobs that are left in the org: kind and state."""
        app = self._front.app
        assert isinstance(app, SalesforceApp)
        kinds: tuple[Any, ...] = (QueryJob, IngestJob)
        return tuple(f"{kind.__name__} {job.state}" for kind in kinds for job in app.jobs.of(kind))

    def _world(self, org: Org) -> World:
        with closing(sqlite3.connect(self._file)) as file:
            return {**_store_of(file), **_org_of(org)}

    def _compare(self, here: Checkpoint, org: Org) -> None:
        found, expected = self._world(org), here.end
        differing = [name for name in expected if found.get(name) != expected[name]]
        assert found.keys() == expected.keys()
        assert not differing, _told(differing[0], found, expected)


@contextmanager
def scripted(folder: Path) -> Iterator[Script]:
    """The undisturbed run, ready for anything to go wrong."""
    file = folder / "kam.db"
    with open_front() as front, Store(f"sqlite:///{file}") as store, closing(Script(front, store, file)) as script:
        yield script


def copied(org: Org) -> Org:
    """Another org with the same in it, and a clock of its own."""
    return copy.deepcopy(org, {id(org.lock): threading.RLock(), id(org.clock): Clock(org.clock.now())})


def _store_of(file: sqlite3.Connection) -> World:
    """The rows of each table, less what tells of when and in which run they came."""
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    tables: World = {}
    for name in names:
        if name in _OF_EACH_RUN or name.startswith("sqlite_"):
            continue
        columns = [str(row[1]) for row in file.execute(f"PRAGMA table_info({name})")]
        # Our own writing moves an account's stamp, and is done later where it was disturbed.
        left_out = _TIMES_OF_READING | _ABOUT_RUNS | ({"updated_at"} if name == "account" else set())
        asked = [f"{c} IS NULL" if c in _HOW_FAR else c for c in columns if c not in left_out]
        rows = file.execute(f"SELECT {', '.join(asked)} FROM {name}").fetchall()
        tables[f"store {name}"] = sorted(rows, key=repr)
    pending = "SELECT COUNT(*) FROM planned_cell WHERE outcome IS NULL AND decision = 'write'"
    return tables | {"store pending": file.execute(pending).fetchone()}


def _org_of(org: Org) -> World:
    """All records of the org and what its setup holds, less their stamps."""
    kept: World = {}
    for table in org.tables.values():
        names = [one.name for one in table.fields]
        places = [place for place, name in enumerate(names) if name not in _STAMPS]
        kept[f"org {table.name}"] = (names, {i: [row[p] for p in places] for i, row in table.rows.items()})
    parts = {**org.metadata.layouts, **org.metadata.list_views}
    return kept | {"org setup": {name: ET.tostring(part.xml) for name, part in parts.items()}}


def _told(name: str, found: World, expected: World) -> str:
    """The first few rows that differ."""
    one, other = found[name], expected[name]
    if isinstance(one, list):
        only, lacking = [r for r in one if r not in other][:3], [r for r in other if r not in one][:3]
        return f"{name}: {len(one)} rows for {len(other)}; too much {only}; lacking {lacking}"
    rows, wanted = (one[1], other[1]) if isinstance(one, tuple) and len(one) == 2 else ({0: one}, {0: other})
    differing = [key for key in {*rows, *wanted} if rows.get(key) != wanted.get(key)]
    return f"{name}: {[(key, rows.get(key), wanted.get(key)) for key in differing[:2]]}"
