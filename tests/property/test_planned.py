"""A plan is what a comparison cell by cell in plain Python gives; once it is written, there is nothing left to do."""

from __future__ import annotations

import datetime as dt
import random
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from kammodel.publish.fields import OURS
from kammodel.publish.rules import FieldRule
from tests.property.plan_oracle import Book, brute, stamp, told

EXAMPLES = settings(max_examples=150, deadline=None)
DAY = dt.date(2026, 6, 30)
CADENCE = {"strategic": 30, "key": 60}
POOL: dict[str, tuple[str | None, ...]] = {
    "tier": ("strategic", "key", "standard", None),
    "reason": ("una", "otra", None),
    "days_since_touch": ("10", "31", "61", None),
}
FIELDS = tuple(f for f in OURS if f.key in {*POOL, "scored_on", "stamp"})


def book(chance: random.Random) -> Book:
    """At random; what is ours and what stands there are often the same."""
    made = Book(tuple(POOL), FIELDS, DAY, CADENCE)
    accounts = [f"a{n}" for n in range(chance.randint(1, 8))]
    for account in accounts:
        _fill(made, account, chance)
    for cells in (made.wanted, made.now):
        if chance.random() < 0.2:
            for cell in [c for c in cells if c[0] == accounts[-1]]:
                del cells[cell]
    for key in (*POOL, "scored_on"):
        if chance.random() < 0.4:
            made.rules[key] = chance.choice(get_args(FieldRule))
    return made


def _fill(made: Book, account: str, chance: random.Random) -> None:
    for key, pool in POOL.items():
        cell = (account, key)
        made.wanted[cell], made.now[cell] = chance.choice(pool), chance.choice(pool)
        for value in chance.sample(pool, chance.choice((0, 1, 1, 2))):
            made.ours.add((*cell, value))
        if chance.random() < 0.2:
            made.undone.add((*cell, chance.choice(pool)))
    made.now[account, "scored_on"] = chance.choice((None, "2026-06-01", DAY.isoformat()))
    signed = {key: chance.choice(pool) for key, pool in POOL.items()}
    made.now[account, "stamp"] = chance.choice((None, "?", stamp(signed), stamp(signed)))
    for key in ("scored_on", "stamp"):
        if chance.random() < 0.5:
            made.ours.add((account, key, made.now[account, key]))


@EXAMPLES
@given(st.randoms(use_true_random=False))
def test_a_plan_is_what_a_comparison_cell_by_cell_gives(chance: random.Random) -> None:
    """All rules, stamps and undone values, nulls among them."""
    made = book(chance)
    assert told(made.compared()) == brute(made)


@EXAMPLES
@given(st.randoms(use_true_random=False))
def test_a_plan_right_after_it_was_written_has_nothing_to_write(chance: random.Random) -> None:
    """Nor anything to review, where that was approved."""
    made = book(chance)
    found = made.compared()
    for account, key, _, after, decision, _ in found.cells.iter_rows():
        if decision in {"write", "review"}:
            made.now[account, key] = after
            made.ours = {row for row in made.ours if row[:2] != (account, key)} | {(account, key, after)}
    again = made.compared()
    assert again.to_write.is_empty()
    assert again.to_review.is_empty()
