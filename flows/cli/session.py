"""One command at work: settings, log, progress bars and the road that its steps take."""

from __future__ import annotations

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flows.cli.bars import Bars
from flows.crms import Crm
from flows.local_server import LocalServer
from flows.logs import set_up_logging
from flows.pipeline import Progress
from flows.prefect_settings import set_prefect_environment
from flows.runtime import Runtime, using
from flows.settings import load_settings
from kammodel.errors import KamError

T = TypeVar("T")

LAST_LOGS_WITHIN = 5
"""Seconds."""


@dataclass(frozen=True)
class Session:
    """A runtime, and whether its steps run as Prefect flows."""

    runtime: Runtime
    as_flows: bool

    @property
    def progress(self) -> Progress:
        """Hears what every step tells."""
        return self.runtime.progress

    def one(self, crm: str | None) -> Crm | None:
        """The CRM as flows take it; raises NotConfigured where it is unknown or not set up."""
        return Crm(self.runtime.chosen(crm)[0]) if crm else None

    def flow(self, call: Coroutine[Any, Any, T]) -> T:
        """Runs a flow to its end; raises its fault."""
        with using(self.runtime):
            return ended(call)


def ended(call: Coroutine[Any, Any, T]) -> T:
    """What a flow gives; raises its fault, or KamError where Prefect's server went away meanwhile."""
    try:
        given = asyncio.run(call)
    except Exception as fault:
        if not _lost_server(fault):
            raise
        raise KamError(
            f"the Prefect server at {os.environ.get('PREFECT_API_URL')} answers no more: once it does, or with "
            "PREFECT_API_URL unset, run the same command again and it resumes where it was"
        ) from None
    # A flow that is Partial before anything was done is completed, with the fault for its result.
    if isinstance(given, KamError):
        raise given
    return given


def _lost_server(fault: BaseException) -> bool:
    """Whether Prefect could not reach its server. No connector speaks through httpx."""
    from httpx import TransportError

    is_first_call = isinstance(fault, RuntimeError) and str(fault).startswith("Failed to reach API at ")
    return is_first_call or isinstance(fault, TransportError)


@contextmanager
def session(*, prefect: bool | None = None) -> Iterator[Session]:
    """Settings from the environment; flows where `--prefect` or PREFECT_API_URL asks for them. None: the command has
    nothing to do with flows, and needs no server."""
    settings = load_settings()
    set_up_logging(settings)
    as_flows = prefect is not None and (prefect or bool(os.environ.get("PREFECT_API_URL")))
    with ExitStack() as stack:
        bars = stack.enter_context(Bars())
        runtime = stack.enter_context(Runtime(settings, progress=bars))
        if as_flows:
            stack.enter_context(_prefect(runtime))
        yield Session(runtime, as_flows)


@contextmanager
def _prefect(runtime: Runtime) -> Iterator[None]:
    """A server to report to: the one of PREFECT_API_URL, else one of our own under KAM_HOME."""
    address = os.environ.get("PREFECT_API_URL")
    if address:
        require_server(address)
        to_prefect(address)
        yield
        return
    home = runtime.settings.home / "prefect"
    with LocalServer(home, keeps=True) as server:
        server.wait()
        to_prefect(server.api_url, home)
        try:
            yield
        finally:
            send_last_logs()


def to_prefect(address: str, home: Path | None = None) -> None:
    """Points Prefect, which must not have been imported yet, at a server.

    `home`: where it keeps its files. None leaves that to the user's own profile, which may hold the key to a
    server that they named.
    """
    set_prefect_environment(home=home)
    os.environ["PREFECT_API_URL"] = address
    # Its records go to the server in full; the terminal is for our own output.
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


def send_last_logs() -> None:
    """Waits until Prefect has sent its last log lines: it does that behind our backs, and the server is about to go."""
    if "prefect.logging.handlers" in sys.modules:
        from prefect.logging.handlers import APILogWorker

        APILogWorker.drain_all(timeout=LAST_LOGS_WITHIN)


def require_server(address: str) -> None:
    """Raises KamError where no Prefect server answers at an API address."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/health", timeout=10):  # noqa: S310 - the user's own address
            return
    except urllib.error.HTTPError:
        # It answers; whether it lets us in is Prefect's own business.
        return
    except (OSError, ValueError):
        raise KamError(
            f"no Prefect server answers at {address}: start it (prefect server start), or unset PREFECT_API_URL"
        ) from None
