"""`kam` as a user starts it: a process of its own, in an empty directory, with an empty home."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

KAM = [sys.executable, "-c", "from flows.cli import main; main()"]


@dataclass(frozen=True)
class DemoAtWork:
    """The demo's process, and the directory that is its home and its place for temporary files."""

    process: subprocess.Popen[str]
    folder: Path


def begun(folder: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """A command under way. What the developer has configured does not reach it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KAM_", "PREFECT_"))}
    environment |= {"HOME": str(folder), "XDG_DATA_HOME": str(folder / "data"), "TMPDIR": str(folder), **variables}
    pipe = subprocess.PIPE
    return subprocess.Popen([*KAM, *arguments], cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output with its blanks made one, standard error."""
    with process:
        out, err = process.communicate(timeout=170)
    return process.returncode, " ".join(out.split()), err
