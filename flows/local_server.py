"""A Prefect server of our own on loopback, as a process beside us: for `kam demo` and `--prefect`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from flows.prefect_settings import ENVIRONMENT
from kammodel.errors import KamError

HOST = "127.0.0.1"
STARTS_WITHIN = 120.0
"""Seconds. A first start creates the database: 10 s on two free cores, more on busy ones."""
RECORDS_WITHIN = 2.0
"""Seconds that the server is left to record task runs, which it does behind the runs' backs."""

TRIGGERS = "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED"
_QUIET = {
    "PREFECT_UI_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_CANCELLATION_CLEANUP_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_PAUSE_EXPIRATIONS_ENABLED": "false",
    TRIGGERS: "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
}
"""Nothing is scheduled on this server: what watches over schedules and workers only takes time."""


class LocalServer:
    """Started at once, waited for when needed: the seconds of its start are somebody else's work.

    Prefect's own ephemeral server is started by the first flow, prints its shutdown tracebacks into our
    output, and dies before it has recorded the last task runs. `keeps`: the history under `home` stays, so
    the server is given the time to write it. `reacts`: it looks after automations.
    """

    def __init__(self, home: Path, *, keeps: bool = False, reacts: bool = False) -> None:
        self.home, self.keeps = home, keeps
        self.log = home / "server.log"
        self._is_up = False
        self.port = _free_port()
        self.api_url = f"http://{HOST}:{self.port}/api"
        home.mkdir(parents=True, exist_ok=True)
        watching = {TRIGGERS: "true"} if reacts else {}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "flows.local_server", str(self.port)],
                # The server ends when this pipe does: nothing is left behind even if we are killed.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**ENVIRONMENT, **os.environ, **_QUIET, **watching, "PREFECT_HOME": str(home)},
                # Ctrl-C is for us; the runs that we stop have to be told to a server that still lives.
                start_new_session=True,
            )

    def wait(self) -> Self:
        """Returns once the server answers; raises KamError where it does not start."""
        ends_at = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < ends_at:
            if self._process.poll() is not None:
                break
            if self._answers():
                self._is_up = True
                return self
            time.sleep(0.1)
        raise KamError(f"the local Prefect server did not start; its log is {self.log}")

    def stop(self) -> None:
        """Ends the server's process. One that is still starting would first finish that: it is cut short."""
        if not self._is_up:
            self._process.kill()
        elif self.keeps:
            time.sleep(RECORDS_WITHIN)
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _fault: object, _trace: TracebackType | None) -> None:
        self.stop()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.api_url}/health", timeout=2) as answer:  # noqa: S310 - our loopback
                return bool(answer.status == 200)
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _serve(port: int) -> None:
    """The process beside us: serves until standard input ends."""
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(
            "prefect.server.api.server:create_app", factory=True, host=HOST, port=port, log_level="error", lifespan="on"
        )
    )

    def watch() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=watch, name="parent", daemon=True).start()
    server.run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
