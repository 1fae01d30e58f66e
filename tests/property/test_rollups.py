"""Rollups against an oracle that goes row by row: every operation by filter, window, order and level, over many books
side by side."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest

from kammodel.publish.fields import Words
from kammodel.rollups import Rollup
from kammodel.rollups.columns import ALL_COLUMNS
from kammodel.rollups.declaring import (
    LEVELS,
    OPERATIONS,
    OVERS,
    AnyOf,
    Condition,
    Filter,
    Operation,
    Order,
    Over,
    RollupLevel,
    Window,
)
from kammodel.rollups.operations import MATCHING, TAKES, unit_of
from tests.seed import SEED
from tests.unit.kam_world import AS_OF, STAMP, World
from tests.unit.rollup_book import Book, roll, some_book
from tests.unit.rollup_oracle import rolled

LABEL = Words("x", "x")
VARIED: dict[Over, tuple[str, ...]] = {
    "opportunities": ("amount", "probability", "close_on", "status", "kind", "name", "is_omitted", "created_at",
                      "source"),
    "line_items": ("amount", "quantity", "service_on", "opportunity.amount", "opportunity.close_on", "product.name",
                   "product.is_active", "created_at"),
    "activities": ("kind", "direction", "day", "is_done", "starts_at", "occurred_on"),
    "cases": ("priority", "opened_at", "closed_at", "is_closed", "is_escalated"),
    "contacts": ("title", "has_opted_out", "created_at"),
    "contracts": ("amount", "term_months", "starts_on", "ends_on", "status"),
}  # fmt: skip
"""Columns that the books fill in, of every kind."""

WORDS = {"source": "salesforce", "kind": "new", "status": "won", "name": "b", "product.name": "pumps", "title": "CEO",
         "priority": "High", "direction": "in"}  # fmt: skip
NUMBERS = {
    "amount": 10_000,
    "opportunity.amount": 10_000,
    "probability": 500_000,
    "quantity": 100_000,
    "term_months": 12,
}


def some_value(over: Over, name: str, chance: Random) -> Any:
    kind = ALL_COLUMNS[over][name].kind
    if kind in {"date", "moment"}:
        return AS_OF - dt.timedelta(days=chance.choice((0, 30, 90, -31)))
    if kind == "flag":
        return chance.random() < 0.5
    return WORDS[name] if kind == "text" else NUMBERS[name]


def some_test(over: Over, chance: Random) -> Condition:
    name = chance.choice(VARIED[over])
    kind = ALL_COLUMNS[over][name].kind
    tests = ["is", "is_not", "is_null", "is_not_null"]
    tests += [] if kind == "flag" else ["in", "not_in"]
    tests += ["contains"] if kind == "text" else []
    tests += ["less_than", "at_most", "more_than", "at_least"] if kind not in {"flag", "text"} else []
    test: Any = chance.choice(tests)
    value = some_value(over, name, chance)
    if test in {"in", "not_in"}:
        value = (value, some_value(over, name, chance))
    return Condition(name, test, None if test in {"is_null", "is_not_null"} else value)


def some_filter(over: Over, shape: str, chance: Random) -> Filter:
    """None, one test, all of two, or any of two beside one."""
    if shape == "none":
        return ()
    if shape == "any":
        return some_test(over, chance), AnyOf((some_test(over, chance), some_test(over, chance)))
    return tuple(some_test(over, chance) for _ in range(1 if shape == "one" else 2))


WINDOWS = (
    None,
    ("last", "days", 90),
    ("last", "months", 3),
    ("last", "months", 12),
    ("next", "days", 31),
    ("next", "months", 1),
    ("to_date", "year", 0),
    ("to_date", "quarter", 0),
)
SHAPES = ("none", "one", "two", "any")


def some_window(over: Over, told: Any, chance: Random) -> Window | None:
    days = [name for name in VARIED[over] if ALL_COLUMNS[over][name].kind in {"date", "moment"}]
    return None if told is None else Window(chance.choice(days), *told)


Combination = tuple[Over, Operation, str | None, Any, str, RollupLevel, bool | None]


def every_combination() -> Iterator[Combination]:
    """Each operation over each column that it takes, by window, shape of filter, level and order."""
    for over, operation in product(OVERS, OPERATIONS):
        takes = TAKES[operation]
        columns: list[str | None] = [n for n in VARIED[over] if ALL_COLUMNS[over][n].kind in takes.kinds]
        columns += [None] if takes.column == "possible" else []
        orders = (False, True) if takes.order == "needed" else (None, False, True)
        yield from product([over], [operation], columns, WINDOWS, SHAPES, LEVELS, orders)


def made(number: int, combination: Combination, chance: Random) -> Rollup:
    over, operation, column, told, shape, level, descending = combination
    order = () if descending is None else (Order(chance.choice(VARIED[over]), descending), *_more(over, chance))
    kind = ALL_COLUMNS[over][column].kind if column else None
    window = some_window(over, told, chance)
    plain = Rollup(f"r{number}", LABEL, over, operation, unit_of(operation, kind), level, column, window=window)
    return replace(plain, filter=some_filter(over, shape, chance), order=order, **_rest(plain, order, chance))


def some_rollups(n: int | None = None) -> list[Rollup]:
    """So many of all that there are."""
    chance, found = Random(SEED), list(every_combination())
    chosen = found if n is None else chance.sample(found, n)
    return [made(number, combination, chance) for number, combination in enumerate(chosen)]


def _more(over: Over, chance: Random) -> tuple[Order, ...]:
    return (Order(chance.choice(VARIED[over]), chance.random() < 0.5),) if chance.random() < 0.3 else ()


def _rest(rollup: Rollup, order: Sequence[Order], chance: Random) -> dict[str, Any]:
    operation: Operation = rollup.operation
    rest: dict[str, Any] = {"percent": chance.choice((0, 1_000, 3_333, 9_050, 10_000))}
    if order and TAKES[operation].top_n and (operation != "concat" or chance.random() < 0.5):
        rest["top_n"] = chance.choice((1, 2, 3))
    if operation in MATCHING and rollup.column is None:
        rest["matches"] = some_filter(rollup.over, chance.choice(SHAPES[1:]), chance)
    if operation == "concat":
        rest |= {
            "distinct": chance.random() < 0.5,
            "max_length": chance.choice((5, 12, 20, 255)),
            "separator": chance.choice((";", " / ")),
        }
    return rest


def differences(rollups: Sequence[Rollup], book: Book) -> Iterator[str]:
    found, grouping = roll(rollups, book.world)
    roots = grouping.groups.select("group", "group_id").join(found.groups, on="group")
    by_group = {row["group_id"].split(":")[-1]: row for row in roots.iter_rows(named=True)}
    by_account = {(row["source"], row["source_id"]): row for row in found.accounts.iter_rows(named=True)}
    for rollup in rollups:
        told = rolled(rollup, book)
        if rollup.level == "group":
            pairs = [(by_group[key], answer) for key, answer in told.items()]
        else:
            pairs = [(row, told[book.places[key][0]]) for key, row in by_account.items()]
        for row, answer in pairs:
            mine = (row[rollup.name], row[f"{rollup.name}__why"])
            if mine != answer:
                yield f"{rollup}: {mine} is not {answer}"


def check(rollups: Sequence[Rollup], book: Book, at_once: int = 60) -> None:
    for first in range(0, len(rollups), at_once):
        assert next(differences(rollups[first : first + at_once], book), None) is None


def test_rollups_are_those_of_the_oracle() -> None:
    """A sample of the combinations, each over many books."""
    check(some_rollups(200), some_book(SEED, groups=60))


@pytest.mark.exhaustive
def test_every_combination_is_that_of_the_oracle() -> None:
    check(some_rollups(), some_book(SEED, groups=100), at_once=200)


@pytest.mark.exhaustive
def test_rollups_are_those_of_the_oracle_in_ten_thousand_books() -> None:
    check(some_rollups(300), some_book(SEED, groups=10_000))


def test_the_order_of_rows_changes_nothing() -> None:
    """Ties are told apart by key."""
    chance, rollups = Random(SEED), some_rollups(60)
    book = some_book(SEED, groups=40)
    first, _ = roll(rollups, book.world)
    others = vars(book.world)["others"]
    for own in (book.world.deals, book.world.activities, book.world.cases, book.world.persons, *others.values()):
        chance.shuffle(own)
    second, _ = roll(rollups, book.world)
    assert second.groups.equals(first.groups)
    assert second.accounts.equals(first.accounts)


def test_what_is_recorded_after_the_day_changes_nothing() -> None:
    rollups = some_rollups(60)
    book, later = some_book(SEED, groups=40), some_book(SEED + 1, groups=40)
    first, _ = roll(rollups, book.world)
    made = STAMP - dt.timedelta(days=9)
    for own, news in zip(_lists(book.world), _lists(later.world), strict=True):
        own += [{**row, "source_id": f"late-{row['source_id']}", "created_at": made} for row in news]
    second, _ = roll(rollups, book.world)
    assert second.groups.equals(first.groups)


def _lists(world: World) -> list[list[Any]]:
    others = {entity.__name__: rows for entity, rows in world.others.items() if entity.__name__ != "Product"}
    return [world.deals, world.activities, world.cases, world.persons, *(others[name] for name in sorted(others))]
