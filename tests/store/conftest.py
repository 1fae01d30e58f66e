"""A real SQLite file and a real PostgreSQL schema for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kammodel.store import Store
from tests.postgres import fresh_store


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite store that does not exist yet."""
    return f"sqlite:///{tmp_path / 'kam.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a store that does not exist yet, on either database."""
    return _fresh(request, tmp_path / "kam.db", request.param)


@pytest.fixture
def another_url(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> str:
    """A second one, on the same database."""
    return _fresh(request, tmp_path / "another.db", url.partition(":")[0])


def _fresh(request: pytest.FixtureRequest, file: Path, kind: str) -> str:
    return f"sqlite:///{file}" if kind == "sqlite" else fresh_store(str(request.getfixturevalue("postgres")))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, empty store."""
    with Store(url) as opened:
        yield opened
