"""Prefect in tests: a home of its own, nothing told to anyone, and one server for all tests that need one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

from flows.local_server import LocalServer
from flows.prefect_settings import set_prefect_environment

# Before any test module imports Prefect: it reads these once.
_HOME = tempfile.TemporaryDirectory(prefix="kam-tests-")
os.environ.pop("PREFECT_API_URL", None)
os.environ["PREFECT_HOME"] = _HOME.name
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"
# How often a server looks for what did not happen; by default each 5 s.
os.environ["PREFECT_SERVER_EVENTS_PROACTIVE_GRANULARITY"] = "PT1S"
set_prefect_environment()


_WITH_PREFECT = {
    "tests/e2e/test_as_users_do.py",
    "tests/e2e/test_killed_worker.py",
    "tests/e2e/test_runbook.py",
    "tests/e2e/test_worker.py",
    "tests/flows/test_automations.py",
    "tests/flows/test_check.py",
    "tests/flows/test_dask.py",
    "tests/flows/test_digest_delivery.py",
    "tests/flows/test_flows.py",
    "tests/flows/test_overtaken.py",
    "tests/flows/test_partial.py",
    "tests/flows/test_private_flows.py",
    "tests/flows/test_reviewing.py",
    "tests/flows/test_sealed.py",
    "tests/flows/test_silence.py",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling:
    """Whole files to a process; those that need a Prefect server to the same one, for it takes long to start."""

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "prefect" if file in _WITH_PREFECT else file

    return Scheduling(config, log)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[LocalServer]:
    """A Prefect server on a free port of loopback; begun once, and awaited by whoever uses it."""
    with LocalServer(Path(_HOME.name) / "server", reacts=True) as server:
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
