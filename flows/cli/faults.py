"""How a command ends: an exit code, and one line on standard error for a fault that a person can act on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from flows.escaping import plain
from kammodel.errors import KamError

DONE, FAILED, USAGE, NOT_CONFIGURED, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 4, 130

P = ParamSpec("P")


def exits(command: Callable[P, int | None]) -> Callable[P, None]:
    """A command's result as the exit code of the program; None is 0, a KamError its own code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs) or DONE
        except KamError as fault:
            say(("partial: " if fault.exit_code == PARTIAL else "") + plain(str(fault)))
            raise typer.Exit(fault.exit_code) from None
        except KeyboardInterrupt:
            say("stopped; run the same command again and it resumes where it was")
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(code)

    return run


def say(line: str) -> None:
    """One line for the person, beside whatever a program reads on standard output."""
    sys.stderr.write(f"kam: {line}\n")
