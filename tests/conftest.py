"""Prefect in tests: a home of its own, nothing told to anyone, and one server for all tests that need one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.local_server import LocalServer
from flows.prefect_settings import set_prefect_environment

# Before any test module imports Prefect: it reads these once.
_HOME = tempfile.TemporaryDirectory(prefix="kam-tests-")
os.environ.pop("PREFECT_API_URL", None)
os.environ["PREFECT_HOME"] = _HOME.name
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
set_prefect_environment()


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[LocalServer]:
    """A Prefect server on a free port of loopback; begun once, and awaited by whoever uses it."""
    with LocalServer(Path(_HOME.name) / "server") as server:
        yield server


@pytest.fixture(scope="session")
def prefect_api(prefect_server: LocalServer) -> str:
    """The address of its API, once it answers."""
    return prefect_server.wait().api_url


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server that runs as long as the tests do."""
    from tests.postgres import server

    with server(tmp_path_factory.mktemp("postgres")) as address:
        yield address
