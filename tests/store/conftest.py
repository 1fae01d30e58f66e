"""A real SQLite file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kammodel.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of a store that does not exist yet."""
    return f"sqlite:///{tmp_path / 'kam.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty store."""
    with Store(url) as opened:
        yield opened
