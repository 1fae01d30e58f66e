"""Runs a command in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from flows.cli.app import app


def kam(*arguments: str) -> Result:
    """The command's exit code and what it printed."""
    return CliRunner().invoke(app, list(arguments))
