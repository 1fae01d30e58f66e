"""What each step of the main job costs on a Salesforce org: wall and CPU seconds, peak memory, the sandbox left out.

    uv run python -m tests.benchmarks.main_job --accounts 10000

serves an invented book (about 5 opportunities and 20 activities an account) in a process of its own, and runs the
commands that ops runs, each in a process that is measured alone. The last two lines are increments: one after no
change, one after 50 accounts were edited.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KAM = Path(sys.executable).with_name("kam")
_STEPS = ("provision", "pull", "score", "plan", "apply")
_EDITS = 50


@dataclass(frozen=True)
class Cost:
    """One command: seconds on the wall and of CPU, peak resident memory in MB, and what it printed as JSON."""

    command: str
    wall: float
    cpu: float
    peak_mb: float
    told: Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--accounts", type=int, default=10_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        _serve(arguments.accounts)
        return
    with tempfile.TemporaryDirectory() as home, sandbox(arguments.accounts) as (variables, edit):
        environment = environment_of(home, variables)
        costs = [_step(step, environment) for step in _STEPS]
        costs += [_named(_step("run", environment), "run, our own writes coming back")]
        costs += [_named(_step("run", environment), "run after no change")]
        edit()
        costs += [_named(_step("run", environment), f"run after {_EDITS} edits")]
    _print(costs)


def _serve(accounts: int) -> None:
    """Serves until standard input ends; each line on it edits some accounts."""
    from connectors.sandbox.clock import Clock
    from connectors.sandbox.company import same_in, serving
    from connectors.sandbox.seed import seeded_book

    now = dt.datetime.now(dt.UTC)
    company = same_in(seeded_book(accounts, now), Clock(now, running=True), "salesforce")
    assert company.org is not None
    with serving(company) as served:
        print(json.dumps(served.environment()), flush=True)
        for _ in sys.stdin:
            live = [a for a in company.org.records("Account") if not a["IsDeleted"]]
            for account in live[:_EDITS]:
                company.org.update("Account", account["Id"], {"Industry": "Edited"})
            print("edited", flush=True)


@contextmanager
def sandbox(accounts: int) -> Iterator[tuple[dict[str, str], Any]]:
    command = [sys.executable, "-m", "tests.benchmarks.main_job", "--serve", "--accounts", str(accounts)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def edit() -> None:
            print("edit", file=server.stdin, flush=True)
            server.stdout.readline()

        yield json.loads(server.stdout.readline()), edit
        server.stdin.close()


def environment_of(home: str, variables: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KAM_", "PREFECT_"))}
    return kept | variables | {"KAM_HOME": home, "KAM_REPORTING_CURRENCY": "EUR", "KAM_TIMEZONE": "Europe/Madrid"}


def _step(name: str, environment: dict[str, str]) -> Cost:
    return _named(measured([_KAM, name, "--json"], environment), name)


def measured(command: Sequence[str | Path], environment: dict[str, str], cwd: Path | None = None) -> Cost:
    """What a command that prints JSON takes, in a process of its own."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(command, env=environment, stdout=told, cwd=cwd)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
        told.seek(0)
        answer = json.loads(told.read() or b"null")
    wall = time.perf_counter() - began
    return Cost(str(command[0]), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, answer)


def _named(cost: Cost, name: str) -> Cost:
    return Cost(name, cost.wall, cost.cpu, cost.peak_mb, cost.told)


def _print(costs: list[Cost]) -> None:
    print(f"{'step':32} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    for cost in costs:
        print(f"{cost.command:32} {cost.wall:8.1f} {cost.cpu:8.1f} {cost.peak_mb:8.0f}")
    for cost in costs:
        for receipt in _pulls(cost.told):
            print(f"\n{cost.command}: {receipt['calls']} calls")
            for stream in receipt["streams"]:
                counts = ("read", "inserted", "changed", "overlap", "own_writes", "restamped", "rejected", "calls")
                print(f"  {stream['stream']:24}", *(f"{name} {stream[name]}" for name in counts))
    for cost in costs:
        for done in cost.told.get("write_backs", []) if isinstance(cost.told, dict) else []:
            print(f"\n{cost.command}: plan {done['plan']}\n  applied {done['applied']}")


def _pulls(told: Any) -> list[dict[str, Any]]:
    if isinstance(told, dict):
        pulls: list[dict[str, Any]] = told.get("pulls", [])
        return pulls
    return [r for r in told if isinstance(r, dict) and "streams" in r] if isinstance(told, list) else []


if __name__ == "__main__":
    main()
