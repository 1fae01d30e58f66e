"""Plays a scripted run with one thing going wrong in it, from the step that it goes wrong in."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

from kammodel.errors import KamError
from kammodel.store import Store
from tests.pipeline.mishaps import INSTEAD, KILLED, OUTAGE, Killed, Mishap, Stop, instead
from tests.pipeline.steps import Crm, Desk, Step, T, World
from tests.pipeline.worlds import check_same, store_of

_LATER = dt.timedelta(minutes=5)


@dataclass
class Checkpoint(Generic[T]):
    """The CRM and the store as a step begins, and what the undisturbed run makes of them."""

    step: Step[T]
    there: T
    store: sqlite3.Connection
    at: dt.datetime
    calls: tuple[str, ...] = ()
    end: World = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a disturbed step ended: what stopped it, None where it got over it; and what is left over in the CRM.

    `met`: it came to the call that was to go wrong. Where calls are made side by side, their number varies a little.
    """

    told: str | None
    left: tuple[str, ...]
    met: bool = True


class Script(Generic[T]):
    """The scripted run, made once without a fault; then any step of it, with one.

    That a disturbed step ends in the same store and the same CRM as the undisturbed one is what all steps after it
    begin with. (Some are played to the end all the same.)
    """

    def __init__(self, crm: Crm[T], store: Store, file: Path) -> None:
        self._crm, self._store, self._file = crm, store, file
        self.checkpoints: list[Checkpoint[T]] = []
        self._process: Desk[T] | None = None
        desk = Desk(crm, crm.first(), store)
        crm.show(desk.there)
        desk.sign_in()
        for step in crm.steps([stream.name for stream in desk.connector.streams()]):
            self.checkpoints.append(self._made(desk, step))
        desk.hang_up()

    @property
    def positions(self) -> list[tuple[Checkpoint[T], int]]:
        """Every call of the run: the step that it is in, and its number there."""
        return [(here, call) for here in self.checkpoints for call in range(len(here.calls))]

    def play(self, here: Checkpoint[T], call: int, mishap: Mishap, *, to_the_end: bool = False) -> Ending:
        """A step in which something goes wrong; where that stopped it, a new process does it again a little later.

        Raises AssertionError where store or CRM end otherwise than undisturbed. `to_the_end`: with the steps after, and
        done again at once.
        """
        is_alone = here.step.writes or here.step.signs_in or to_the_end
        desk = self._begun(here, self._crm.copied(here.there)) if is_alone else self._gone_on(here)
        told = self._disturbed(desk, here.step, call, mishap)
        met = told == "killed" or mishap in INSTEAD or any(made.fault for made in self._crm.faults.log)
        self._crm.faults.clear()
        if told is not None:
            desk.hang_up()
            # What people do next, they do at the time of the undisturbed run, and time does not go back for it.
            desk.there.clock.advance(_LATER if not to_the_end else dt.timedelta(0))
            assert here.step.again(desk), f"not healed: {told}"
        left = self._crm.left_over()
        check_same(self._world(desk.there), here.end)
        if to_the_end:
            for later in self.checkpoints[self.checkpoints.index(here) + 1 :]:
                self._go_on(desk, later)
        if is_alone or told is not None or left:
            desk.hang_up()
        else:
            self._process = desk
        return Ending(told, left, met)

    def close(self) -> None:
        if self._process is not None:
            self._process.hang_up()
        for here in self.checkpoints:
            here.store.close()

    def _made(self, desk: Desk[T], step: Step[T]) -> Checkpoint[T]:
        """A step of the undisturbed run."""
        before = self.checkpoints[-1] if self.checkpoints else None
        self._enter(desk, step)
        # Steps that only read share a copy: that it stays as it was is seen when they are disturbed.
        is_same = before is not None and not (step.happens or before.step.writes)
        there = before.there if before is not None and is_same else self._crm.copied(desk.there)
        self._crm.faults.clear()
        here = Checkpoint(step, there, self._kept(), desk.there.clock.now())
        assert step.act(desk), step.name
        here.calls = tuple(f"{call.method} {call.path}" for call in self._crm.faults.log)
        here.end = self._world(desk.there)
        assert self._crm.left_over() == (), step.name
        return here

    def _enter(self, desk: Desk[T], step: Step[T]) -> None:
        """People have done what they do before the step; if it begins a process, that is new."""
        if step.happens:
            step.happens(desk.there)
        if step.signs_in:
            desk.hang_up()
            desk.ways = step.ways
            self._crm.show(desk.there)

    def _go_on(self, desk: Desk[T], later: Checkpoint[T]) -> None:
        self._enter(desk, later.step)
        assert later.step.act(desk), later.step.name
        check_same(self._world(desk.there), later.end)

    def _disturbed(self, desk: Desk[T], step: Step[T], call: int, mishap: Mishap) -> str | None:
        """What stopped the step, in one line; None where it was all done."""
        try:
            if mishap in KILLED:
                with Stop(call, after=mishap == "killed_after").armed():
                    done = step.act(desk)
            elif mishap in INSTEAD:
                with instead(mishap, call).armed():
                    done = step.act(desk)
            else:
                fault: Any = "html_502" if mishap == "outage" else mishap
                self._crm.faults.at(call, fault, times=OUTAGE if mishap == "outage" else 1)
                done = step.act(desk)
        except Killed:
            return "killed"
        except KamError as fault:
            told = str(fault)
            assert told, "an error without a word"
            assert "\n" not in told
            return told
        return None if done else "left over"

    def _begun(self, here: Checkpoint[T], there: T) -> Desk[T]:
        """A new process at the step, signed in if the step goes on with one."""
        if self._process is not None:
            self._process.hang_up()
            self._process = None
        there.clock.set(here.at)
        self._crm.show(there)
        self._restore(here)
        desk = Desk(self._crm, there, self._store, here.step.ways)
        if not here.step.signs_in:
            desk.sign_in()
            self._crm.faults.clear()
        return desk

    def _gone_on(self, here: Checkpoint[T]) -> Desk[T]:
        """At a step that only reads: the process that read before, if it got over what went wrong then."""
        desk, self._process = self._process, None
        if desk is None or desk.there is not here.there:
            if desk is not None:
                desk.hang_up()
            return self._begun(here, here.there)
        self._restore(here)
        return desk

    def _restore(self, here: Checkpoint[T]) -> None:
        with closing(sqlite3.connect(self._file)) as file:
            here.store.backup(file)

    def _kept(self) -> sqlite3.Connection:
        kept = sqlite3.connect(":memory:")
        with closing(sqlite3.connect(self._file)) as file:
            file.backup(kept)
        return kept

    def _world(self, there: T) -> World:
        with closing(sqlite3.connect(self._file)) as file:
            return {**store_of(file), **self._crm.held(there)}


@contextmanager
def scripted(crm: Crm[T], folder: Path) -> Iterator[Script[T]]:
    """The undisturbed run, ready for anything to go wrong."""
    file = folder / "kam.db"
    with Store(f"sqlite:///{file}") as store, closing(Script(crm, store, file)) as script:
        yield script
