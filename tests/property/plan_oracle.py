"""What a plan has to be: decided cell by cell in plain Python, by the tables in the docstrings."""

from __future__ import annotations

import base64
import datetime as dt
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from kammodel.publish.fields import CustomField
from kammodel.publish.plan import Comparison, Terms, compare
from kammodel.publish.rules import FieldRule, load_rules

PASSENGERS = {"days_since_touch", "scored_on", "stamp"}
Cell = tuple[str, str]
Decided = tuple[str | None, str | None, str]
"""Before, after, decision."""


@dataclass
class Book:
    """What some accounts hold and are to hold, and what we know of it. `keys`: fields of which somebody wants that."""

    keys: tuple[str, ...]
    fields: tuple[CustomField, ...]
    day: dt.date
    cadence: Mapping[str, int]
    wanted: dict[Cell, str | None] = field(default_factory=dict)
    now: dict[Cell, str | None] = field(default_factory=dict)
    ours: set[tuple[str, str, str | None]] = field(default_factory=set)
    undone: set[tuple[str, str, str | None]] = field(default_factory=set)
    rules: dict[str, FieldRule] = field(default_factory=dict)

    @property
    def terms(self) -> Terms:
        rules = load_rules().model_copy(update={"fields": {"default": "person-wins", **self.rules}})
        return Terms(self.fields, self.day, self.cadence, rules, _rows(self.undone, "undone"))

    def compared(self) -> Comparison:
        wanted, now = _frame(self.wanted, self.keys), _frame(self.now, [f.key for f in self.fields])
        return compare(wanted, now, _rows(self.ours, "value"), self.terms)


def sign(key: str, value: str) -> str:
    return base64.b64encode(zlib.crc32(f"{key}={value}".encode()).to_bytes(4)[1:]).decode()


def stamp(values: dict[str, str | None]) -> str | None:
    signs = sorted(sign(key, value) for key, value in values.items() if value is not None)
    return "1." + "".join(signs) if signs else None


def is_ours(made: Book, cell: Cell) -> bool:
    """By the ledger; or by the stamp, where the ledger does not know the cell, or not the stamp."""
    account, key = cell
    value, stands = made.now[cell], made.now[account, "stamp"] or ""
    if (*cell, value) in made.ours:
        return True
    knows = any(row[:2] == cell for row in made.ours) and (account, "stamp", stands) in made.ours
    if knows or value is None or not stands.startswith("1."):
        return False
    return key == "stamp" or sign(key, value) in [stands[n : n + 4] for n in range(2, len(stands), 4)]


def decide(made: Book, cell: Cell, after: str | None) -> str:
    """The table of `deciding`, row by row."""
    key, before = cell[1], made.now[cell]
    rule = "ours" if key == "stamp" else made.rules.get(key, "person-wins")
    rule = "person-wins" if rule == "review" and key in PASSENGERS else rule
    if before == after:
        return "equal"
    if (*cell, after) in made.undone:
        return "held"
    if before is None:
        return "review" if rule == "review" else "write"
    if is_ours(made, cell):
        return {"person-wins": "write", "ours": "write", "fill-if-empty": "held", "review": "review"}[rule]
    return "write" if rule == "ours" else "held"


def brute(made: Book) -> dict[Cell, Decided]:
    """Each cell of the accounts that are wanted and there."""
    told: dict[Cell, Decided] = {}
    for account in sorted({a for a, _ in made.wanted} & {a for a, _ in made.now}):
        told |= dict(_of_account(made, account))
    return told


def _of_account(made: Book, account: str) -> Iterator[tuple[Cell, Decided]]:
    cells = {(account, key): made.wanted[account, key] for key in made.keys}
    found: dict[Cell, Decided] = {c: (made.now[c], after, decide(made, c, after)) for c, after in cells.items()}
    drives = {d for (_, key), (_, _, d) in found.items() if key not in PASSENGERS}
    touch = found.get((account, "days_since_touch"))
    if touch is not None and touch[2] == "write" and _late(made, account):
        drives.add("review" if made.rules.get("days_since_touch") == "review" else "write")
    drive = next((d for d in ("write", "review") if d in drives), None)
    if drive is not None:
        cell = (account, "scored_on")
        found[cell] = (made.now[cell], made.day.isoformat(), decide(made, cell, made.day.isoformat()))
    for cell, (before, after, decision) in found.items():
        rides = cell[1] in PASSENGERS and decision == "write"
        found[cell] = (before, after, (drive or "left") if rides else decision)
    if drive is not None:
        cell = (account, "stamp")
        signed = {
            key: after if decision in {"equal", drive} else before if is_ours(made, (account, key)) else None
            for (_, key), (before, after, decision) in found.items()
        }
        decision = decide(made, cell, stamp(signed))
        found[cell] = (made.now[cell], stamp(signed), drive if decision == "write" else decision)
    yield from ((cell, one) for cell, one in found.items() if one[2] != "left")


def _late(made: Book, account: str) -> bool:
    """Whether the days since the last touch cross what the tier allows, or there are some where there were none."""
    before, after = (cells.get((account, "days_since_touch")) for cells in (made.now, made.wanted))
    limit = made.cadence.get(made.wanted[account, "tier"] or "")
    if (before is None) != (after is None):
        return True
    return limit is not None and before is not None and (int(before) > limit) != (int(after or 0) > limit)


def _frame(cells: dict[Cell, str | None], keys: Sequence[str]) -> pl.DataFrame:
    rows = [{"source_id": a, **{k: cells[a, k] for k in keys}} for a in sorted({a for a, _ in cells})]
    return pl.DataFrame(rows, schema=dict.fromkeys(("source_id", *keys), pl.String))


def _rows(rows: set[tuple[str, str, str | None]], value: str) -> pl.DataFrame:
    schema = dict.fromkeys(("source_id", "field", value), pl.String)
    return pl.DataFrame(sorted(rows, key=str), schema=schema, orient="row")


def told(found: Comparison) -> dict[Cell, Decided]:
    rows = found.cells.select("source_id", "field", "before", "after", "decision").iter_rows()
    equal = {(a, f): (value, value, "equal") for a, f, value in found.equal.iter_rows()}
    return {(a, f): (before, after, decision) for a, f, before, after, decision in rows} | equal
