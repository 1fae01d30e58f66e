"""A model, apart from the code, of whose value stands in a cell and what may become of it; it judges what kam does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Literal

Place = tuple[str, str]
"""An account's id and a field's key."""
Value = str | None
Verdict = Literal["equal", "write", "hold", "either"]
Change = tuple[Value, Value]
"""Before, after."""
Rest = tuple[Value, Value, bool]
"""Before, after of a cell that an undo has still to write, and whether that takes something back."""


@dataclass
class Cell:
    """What stands in a cell, and what kam may know of it.

    `ours`: what kam wrote last, or may have: several where a run was broken. `is_sure`: kam knows that for certain.
    `back`: values that an undo took back; `is_back_sure`: kam knows of them for certain. `signed`: what a stamp may
    prove of the cell, should the rest be lost.
    """

    value: Value = None
    is_typed: bool = False
    ours: set[Value] = field(default_factory=set)
    is_sure: bool = True
    back: set[Value] = field(default_factory=set)
    is_back_sure: bool = True
    signed: set[Value] = field(default_factory=set)

    def verdict(self, wanted: Value) -> Verdict:
        """What a plan has to make of the cell; `either` where nobody can tell a person's value from ours."""
        if _means(self.value, wanted):
            return "equal"
        if wanted in self.back:
            return "hold" if self.is_back_sure or self.is_persons else "either"
        if self.value is None or not self.is_typed:
            return "write"
        if self.is_persons:
            return "hold"
        return "write" if self.is_sure and self.ours == {self.value} else "either"

    @property
    def is_persons(self) -> bool:
        """A person typed what stands there, and we never wrote that."""
        return self.is_typed and self.value is not None and self.value not in self.ours


def _means(value: Value, wanted: Value) -> bool:
    """Whether somebody's value is what we want, though finer: we write one decimal."""
    try:
        return value == wanted or round(float(value or ""), 1) == float(wanted or "")
    except ValueError:
        return False


class Model:
    """All cells of a few accounts. Raises AssertionError where kam does what it may not."""

    def __init__(self, wanted: Mapping[Place, Value]) -> None:
        self.cells = {place: Cell() for place in wanted}
        self.wanted = dict(wanted)
        self.rest: dict[Place, Rest] = {}
        self.taking: set[Place] = set()
        """The cells in which the plan of the moment takes something back."""
        self.judged: Counter[str] = Counter()

    def typed(self, place: Place, value: Value) -> None:
        """A person enters a value, or clears what stands there."""
        cell = self.cells[place]
        if cell.value != value:
            cell.value, cell.is_typed = value, value is not None

    def broke_off(self, pending: Mapping[Place, Rest]) -> None:
        """An undo broke off, and the plan that comes next goes on with it, where nobody has edited since."""
        self.rest = {place: rest for place, rest in pending.items() if self.cells[place].value == rest[0] != rest[1]}

    def _goes_on(self, place: Place) -> Value:
        """What a plan makes of a cell of which an undo is to be ended: what is wanted, unless it was taken back."""
        before, after, takes_back = self.rest[place]
        return after if takes_back and self.wanted[place] == before else self.wanted[place]

    def plan(self) -> dict[Place, Change]:
        """A plan is made: the cells that it may write, with what it makes of them."""
        changes = {place: (before, self._goes_on(place)) for place, (before, _, _) in self.rest.items()}
        changes = {place: change for place, change in changes.items() if change[0] != change[1]}
        self.taking = {place for place in changes if self.rest[place][2] and changes[place][1] == self.rest[place][1]}
        for place, cell in self.cells.items():
            if place in self.rest:
                continue
            wanted = self.wanted[place]
            verdict = cell.verdict(wanted)
            if verdict == "equal":
                cell.ours, cell.is_sure = {wanted}, True
            elif verdict != "hold":
                changes[place] = (cell.value, wanted)
        self._may_write(changes)
        return changes

    def never_planned(self, knew: Mapping[Place, Cell]) -> None:
        """The plan was not kept: that a cell held what was wanted, kam may not have seen."""
        for place, before in knew.items():
            cell = self.cells[place]
            cell.ours, cell.is_sure = cell.ours | before.ours, cell.is_sure and cell.ours == before.ours

    def undo(self, done: Mapping[Place, Change], took_back: Set[Place]) -> dict[Place, Change]:
        """What undoing a plan, that did this and took something back in some cells, may write."""
        changes: dict[Place, Change] = {}
        self.taking = set()
        for place, cell in self.cells.items():
            before, after, takes_back = self.rest.get(place, (cell.value, cell.value, False))
            if place in done and not cell.is_persons and done[place][1] == after != done[place][0]:
                after, takes_back = done[place][0], place not in took_back
            if before != after:
                changes[place] = (before, after)
                self.taking |= {place} if takes_back else set()
        self._may_write(changes)
        return changes

    def _may_write(self, changes: Mapping[Place, Change]) -> None:
        for place, (_, after) in changes.items():
            cell = self.cells[place]
            cell.is_sure = cell.is_sure and cell.ours == {after}
            cell.ours.add(after)

    def saw(self, now: Mapping[Place, Value], changes: Mapping[Place, Change]) -> set[Place]:
        """What stands in the CRM after kam did something that may have made these changes; the cells it wrote to."""
        written: set[Place] = set()
        for place, cell in self.cells.items():
            if cell.value == now[place]:
                continue
            what = f"{place}: {cell} became {now[place]!r}"
            assert not cell.is_persons, f"a person's value was lost: {what}"
            assert place in changes, f"written without a reason: {what}"
            assert now[place] == changes[place][1], f"neither ours nor theirs: {what}"
            cell.value, cell.is_typed = now[place], False
            written.add(place)
        self._signed({account for account, _ in written}, changes)
        return written

    def _signed(self, accounts: set[str], changes: Mapping[Place, Change]) -> None:
        """Stamps are written with any of an account's cells; an undo may have put back an older one."""
        for place, cell in self.cells.items():
            if place[0] in accounts:
                stands = set() if cell.is_persons else {cell.value}
                cell.signed |= stands | ({changes[place][1]} if place in changes else set())

    def kept(self, places: Iterable[Place]) -> None:
        """Kam knows for certain that it wrote what stands in these cells."""
        for place in places:
            cell = self.cells[place]
            cell.ours, cell.is_sure = {cell.value}, True
            cell.back, cell.is_back_sure = set(), True

    def took_back(self, places: Iterable[Place], changes: Mapping[Place, Change]) -> None:
        """What takes something back is known to have been written here."""
        for place in places:
            self.cells[place].back = {changes[place][0]}

    def unclear(self, changes: Mapping[Place, Change], taking: Set[Place]) -> None:
        """Whether these were made, kam may not know."""
        for place, (before, _) in changes.items():
            cell = self.cells[place]
            cell.is_back_sure = False
            if place in taking:
                cell.back.add(before)

    def lost(self) -> None:
        """All that kam knew is gone; what it wrote may be proven by stamps."""
        for cell in self.cells.values():
            cell.ours |= cell.signed
            cell.is_sure, cell.back, cell.is_back_sure = False, set(), True

    def judge(self, before: Mapping[Place, Cell], now: Mapping[Place, Value]) -> None:
        """Of an undisturbed run: what is ours was written, what is theirs was left."""
        for place, cell in before.items():
            wanted = self._goes_on(place) if place in self.rest else self.wanted[place]
            verdict = "write" if place in self.rest else cell.verdict(wanted)
            self.judged[verdict] += 1
            what = f"{place}: {cell}, wanted {wanted!r}, became {now[place]!r}"
            if verdict == "write":
                assert now[place] == wanted, f"ours was withheld: {what}"
            elif verdict in {"hold", "equal"}:
                assert now[place] == cell.value, f"theirs was written over: {what}"
            else:
                assert now[place] in {wanted, cell.value}, f"neither ours nor theirs: {what}"
