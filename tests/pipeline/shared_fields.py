"""Four accounts whose fields kam and people share, and what may happen to them; `whose` judges each step."""

from __future__ import annotations

import copy
import datetime as dt
import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

import polars as pl

from connectors.sandbox.faults import KINDS
from flows.pipeline import apply
from flows.pipeline.adopting import adopt
from flows.pipeline.planning import plan_of
from flows.pipeline.progress import Progress, quiet
from flows.pipeline.undoing import keep_undo, plans_to_undo, undo_of
from flows.results import PlanReceipt
from kammodel.errors import KamError
from kammodel.publish.plan import Terms
from kammodel.store import approving, plans
from tests.pipeline.mishaps import Killed, Stop
from tests.pipeline.shared_accounts import FIELDS, FINER, TYPED, WANTED, SharedAccounts
from tests.pipeline.stopped_store import StoppedStore
from tests.pipeline.whose import Change, Model, Place, Rest, Value

MINUTE = dt.timedelta(minutes=1)
_MOST_CALLS, _MOST_TRANSACTIONS = 8, 10
_FORGOTTEN = ("planned_cell", "publish_plan", "written_cell", "account_to_compare")


class SharedFields:
    """One world: a CRM, kam's memory, and the model that knows better. `chance` decides all that happens in it."""

    def __init__(self, crm: SharedAccounts, store: StoppedStore, chance: random.Random) -> None:
        self.crm, self.store, self.chance = crm, store, chance
        self.model = Model({place: chance.choice(WANTED[place[1]]) for place in crm.places})
        self.edited: set[str] = set()
        self.made: dict[str, tuple[dict[Place, Change], set[Place]]] = {}
        """By plan: what it may have written, and where it took something back."""
        self.cells: dict[str, int] = {}
        """By plan: how many it told of."""
        self.wrote: dict[str | None, set[Place]] = {}
        """By plan: the cells that were seen to change."""
        self.told: list[str] = []
        crm.clear()
        self._forget()

    def edit(self) -> None:
        """Somebody works on an account: sets another value, what we want, what we wrote before, a finer number than
        stands there, or clears."""
        account = self.chance.choice(self.crm.ids)
        for key in self.chance.sample(sorted(WANTED), self.chance.choice((1, 1, 2))):
            finer = FINER.get(self.model.cells[account, key].value, ())
            self.enter((account, key), self.chance.choice((*WANTED[key], *TYPED[key], *finer * 3)))

    def enter(self, place: Place, value: Value) -> None:
        """Somebody enters a value, or clears what stands there."""
        self.told.append(f"typed {value!r} into {place}")
        self.model.typed(place, self.crm.type_in(*place, value))
        self.edited.add(place[0])

    def want(self) -> None:
        """Something moved, and the next plan wants other values."""
        for place in self.chance.sample(self.crm.places, 4):
            self.model.wanted[place] = self.chance.choice(WANTED[place[1]])
            self.told.append(f"want {self.model.wanted[place]!r} in {place}")

    def lose(self) -> None:
        """The ledger is lost."""
        self.told.append("ledger lost")
        self._forget()
        self.model.lost()

    def adopt(self) -> None:
        """Somebody has the ledger rebuilt, lost or not."""
        self.told.append("adopt")
        adopt(self.crm.connector, self.store, self.crm.there.clock.now)

    def run(self) -> PlanReceipt:
        """Plan and apply, and nobody in between."""
        self.told.append("run")
        before = copy.deepcopy(self.model.cells)
        changes = self._next()
        planned = self._plan(changes)
        self._apply(changes)
        self.model.judge(before, self.crm.now())
        self._keep(changes)
        assert not set(self._outcomes(planned.plan_id)) & {"pending", "waiting"}
        return planned

    def run_among_people(self) -> None:
        """They edit between plan and apply, and between the portions of an apply."""
        self.told.append("run among people")
        changes = self._next()
        self._plan(changes)
        if self.chance.random() < 0.5:
            self.edit()
        self._apply(changes, self._between(changes))
        self.model.unclear(changes, self.model.taking)
        self._keep(changes)

    def run_refused(self, account: str | None = None) -> None:
        """An account is not taken: a rule of the org forbids it, or it is locked. A later run has to write it."""
        self.told.append("run refused")
        account = account or self.chance.choice(self.crm.ids)
        changes = self._next()
        self._plan(changes)
        self.crm.refuse(account)
        self._apply(changes)
        self.crm.allow(account)
        self.model.unclear(changes, self.model.taking)
        self._keep(changes)

    def break_down(self) -> None:
        """A run is stopped, or a call goes wrong; at times the next process goes on with what is left."""
        self.stop(self._trouble())
        if self.chance.random() < 0.5:
            self._go_on()

    def stop(self, trouble: AbstractContextManager[object]) -> None:
        """A run breaks down."""
        knew, last = copy.deepcopy(self.model.cells), self.latest()
        self._broken(trouble, self._next(), self._plan)
        if self.latest() == last:
            self.model.never_planned(knew)

    def take_back(self) -> None:
        """One of the last plans is undone, at times by a process that breaks down."""
        if self.made:
            name = self.chance.choice(list(self.made))
            self.undo(name, self._trouble() if self.chance.random() < 0.3 else None)

    def undo(self, name: str, trouble: AbstractContextManager[object] | None = None) -> None:
        """A plan is undone: what we wrote and still stands there is as before, at once where nothing breaks down."""
        self.model.broke_off(self._pending(but=name))
        done, took_back = self.made[name]
        # Of what an undo has still to write it is known which plan wrote it.
        wrote = self.wrote.get(name, set())
        done = {place: change for place, change in done.items() if place in wrote or place not in self.model.rest}
        changes = self.model.undo(done, took_back)
        self.told.append(f"undo of {name}")

        def plan(_: dict[Place, Change]) -> PlanReceipt:
            (undone,) = plans_to_undo(self.store, name)
            found = undo_of(self.crm.connector, self.store, undone, self.crm.there.clock.now)
            return self._planned(keep_undo(self.crm.connector, self.store, found, self.crm.there.clock.now))

        if trouble is not None:
            self._broken(trouble, changes, plan)
            return
        planned = plan(changes)
        self.made[planned.plan_id] = (changes, self.model.taking)
        before = copy.deepcopy(self.model.cells)
        self._apply(changes)
        now = self.crm.now()
        for place in changes.keys() & self.wrote.get(name, set()):
            back = changes[place][1]
            assert before[place].is_typed or now[place] == back, f"not taken back: {place}: {before[place]}"
        self._keep(changes)

    def _broken(
        self,
        trouble: AbstractContextManager[object],
        changes: dict[Place, Change],
        plan: Callable[[dict[Place, Change]], PlanReceipt],
    ) -> None:
        try:
            with trouble, suppress(KamError):
                plan(changes)
                self._apply(changes)
        except Killed:
            self.told.append("killed")
        self.crm.faults.clear()
        self.crm.new_process()
        latest = self.latest()
        if latest is not None and latest not in self.made:
            self.made[latest] = (changes, self.model.taking)
        self._saw(changes)
        self.model.unclear(changes, self.model.taking)

    def _go_on(self) -> None:
        """The next process applies what is left of the newest plan."""
        if self.chance.random() < 0.5:
            self.edit()
        latest = self.latest()
        self.told.append(f"go on with {latest}")
        if latest is None:
            return
        changes, taking = self.made[latest]
        self._apply(changes)
        self._saw(changes)
        self.model.unclear(changes, taking)

    def _trouble(self) -> AbstractContextManager[object]:
        kind, after = self.chance.choice(("call", "call", "store", "fault")), self.chance.random() < 0.5
        at = self.chance.randrange(_MOST_TRANSACTIONS if kind == "store" else _MOST_CALLS)
        self.told.append(f"trouble: {kind} {at} {'after' if after else 'before'}")
        if kind == "call":
            return Stop(at, after).armed()
        if kind == "store":
            return self.store.ends(at, after=after)
        self.crm.faults.at(at, self.chance.choice(KINDS), times=self.chance.choice((1, 8)))
        return nullcontext()

    def _next(self) -> dict[Place, Change]:
        """What the model expects of the next plan, with what an undo left to it."""
        self.model.broke_off(self._pending())
        return self.model.plan()

    def _pending(self, *, but: str = "") -> dict[Place, Rest]:
        """What an undo has still to write, unless it is the plan `but`."""
        with self.store.transaction() as tx:
            cells = plans.pending_undo(tx, **self.crm.of).filter(pl.col("plan_id") != but)
        told = cells.select("source_id", "field", "before", "after", "reason").rows()
        return {(i, k): (before, after, why == "undo") for i, k, before, after, why in told if k in WANTED}

    def _plan(self, changes: dict[Place, Change]) -> PlanReceipt:
        """As after a pull, which shows the accounts that were edited. `changes`: what the model expects of it."""
        with self.store.transaction() as tx:
            plans.add_to_compare(tx, pl.Series(sorted(self.edited), dtype=pl.String), **self.crm.of)
        self.edited.clear()
        rows = [{"source_id": a, **{k: self.model.wanted[a, k] for k in WANTED}} for a in self.crm.ids]
        wanted = pl.DataFrame(rows, schema=dict.fromkeys(("source_id", *WANTED), pl.String)).sort("source_id")
        self.crm.there.clock.advance(MINUTE)
        terms = Terms(FIELDS, self.crm.there.clock.now().date(), {})
        planned = self._planned(plan_of(self.crm.connector, self.store, wanted, terms, self.crm.there.clock.now))
        self.made[planned.plan_id] = (changes, self.model.taking)
        return planned

    def _apply(self, changes: dict[Place, Change], progress: Progress = quiet) -> None:
        self.crm.there.clock.advance(MINUTE)
        apply(self.crm.connector, self.store, None, self.crm.there.clock.now, progress=progress)
        self._saw(changes)

    def _saw(self, changes: dict[Place, Change]) -> set[Place]:
        """Judges what the newest plan wrote."""
        written = self.model.saw(self.crm.now(), changes)
        self.wrote.setdefault(self.latest(), set()).update(written)
        return written

    def _between(self, changes: dict[Place, Change]) -> Progress:
        def progress(step: str, done: int, total: int | None) -> None:
            if step.endswith("write"):
                self.model.kept(self._saw(changes))
                if done != total and self.chance.random() < 0.7:
                    self.edit()

        return progress

    def _keep(self, changes: dict[Place, Change]) -> None:
        """All was written that could be, and kam knows it."""
        done = [place for place, (_, after) in changes.items() if self.model.cells[place].value == after]
        self.model.kept(done)
        self.model.took_back([place for place in done if place in self.model.taking], changes)

    def _planned(self, made: PlanReceipt) -> PlanReceipt:
        self.cells[made.plan_id] = made.cells_to_write + made.cells_held + made.cells_to_review + made.cells_equal
        return made

    def check_sums(self) -> None:
        """Of each plan, broken off or not, all cells that it told of ended; only the newest may have some left."""
        for plan_id, cells in self.cells.items():
            ended = self._outcomes(plan_id)
            assert sum(ended.values()) == cells, f"{plan_id}: {cells} cells, {ended}"
            assert plan_id == self.latest() or not set(ended) & {"pending", "waiting"}, f"{plan_id}: {ended}"

    def _outcomes(self, plan_id: str) -> dict[str, int]:
        with self.store.transaction() as tx:
            return approving.outcomes(tx, plan_id)

    def latest(self) -> str | None:
        with self.store.transaction() as tx:
            found = plans.latest_plan(tx, **self.crm.of)
            return None if found is None else found.plan_id

    def _forget(self) -> None:
        self.made.clear()
        self.cells.clear()
        with self.store.transaction() as tx:
            for table in _FORGOTTEN:
                tx.run(f"DELETE FROM {table}", [{}])
