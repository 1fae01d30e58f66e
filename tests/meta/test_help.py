"""`kam --help` answers at once, and every command says what it does."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("prefect", "polars", "sqlmodel", "sqlalchemy", "pydantic", "pydantic_settings", "requests", "rich")
COMMANDS = ("demo", "sandbox", "check", "provision", "pull", "score", "plan", "apply", "run", "explain", "matches")
LOOK = """
import json, sys
sys.argv = ["kam", "--help"]
from flows.cli import main
try:
    main()
finally:
    sys.stderr.write(json.dumps([name for name in sys.modules if "." not in name]))
"""


def test_help_imports_nothing_heavy_and_lists_every_command() -> None:
    """Prefect, Polars, SQLModel and pydantic are imported by commands, never by help."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=30)
    assert not set(HEAVY) & set(json.loads(done.stderr))
    listed = [line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.startswith("  ")]
    assert tuple(listed[: len(COMMANDS)]) == COMMANDS
