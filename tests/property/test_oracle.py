"""The vectorized KPIs agree with a slow and obvious oracle, row by row, over random books of many small worlds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kammodel.scoring import known_kpis, read_inputs
from kammodel.store import Store
from tests.oracle.compare import LEVELS, NAMES, VALUE, Comparison, compared
from tests.oracle.storing import stored
from tests.oracle.world import random_book
from tests.postgres import fresh_store
from tests.seed import SEED

EVERY = {(name, level) for level in LEVELS for name in NAMES[level]}
"""The KPIs of account groups, of key account managers and of the portfolio, without exception."""


def looked_at(books: int, worlds: int, seed: int) -> Comparison:
    result = Comparison()
    for number in range(books):
        result.add(compared(random_book(seed * 1_000_003 + number, worlds)))
    return result


def test_the_program_agrees_with_the_oracle() -> None:
    """Four books of fifty worlds, and three of five, in which a group weighs enough to move what compares groups."""
    large, small = looked_at(4, 50, SEED), looked_at(3, 5, SEED + 1)
    assert large.differences | small.differences == {}
    assert {(name, level) for name, level, _ in large.seen} == EVERY


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    file = f"sqlite:///{tmp_path / 'kam.db'}"
    url = file if request.param == "sqlite" else fresh_store(str(request.getfixturevalue("postgres")))
    with Store(url) as opened:
        yield opened


def test_the_store_remembers_what_the_oracle_saw(store: Store) -> None:
    """Rows are upserted change by change, as they were seen, and read back; versions are those that the store keeps."""
    book = random_book(SEED, 6)
    inputs = replace(read_inputs(store, stored(store, book)), forecasts=book.forecast_frame())
    assert compared(book, known_kpis(inputs, book.config, book.before())).differences == {}


@pytest.mark.exhaustive
def test_ten_thousand_worlds(capsys: pytest.CaptureFixture[str]) -> None:
    """Fifty books of two hundred worlds, and a hundred of six."""
    large, small = looked_at(50, 200, SEED + 2), looked_at(100, 6, SEED + 3)
    with capsys.disabled():
        for name, found in (("large", large), ("small", small)):
            print(f"\n{name} books: {found.groups} groups")  # noqa: T201
            for level in LEVELS:
                print(f"  {level}: {found.figures[level]} figures, {found.nulls[level]} of them null")  # noqa: T201
    assert large.differences | small.differences == {}
    assert {(name, level) for name, level, why in large.seen + small.seen if why == VALUE} == EVERY
