"""A Salesforce server for all orgs of these tests, and a store in which the small org was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.salesforce_connected import Front, open_front, org
from tests.pipeline.salesforce_desk import LEAN, opened


@pytest.fixture(scope="session")
def front() -> Iterator[Front]:
    with open_front() as there:
        yield there


@pytest.fixture(scope="session")
def loaded(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store after the first pull of the small org, at its book's now: to be copied, not opened."""
    folder = tmp_path_factory.mktemp("loaded")
    with opened(front, folder, org(**LEAN)) as desk:
        desk.pull()
    return folder / "kam.db"
