"""How a command ends: an exit code, and one line on standard error for a fault that a person can act on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import typer

from flows.escaping import plain
from flows.log_form import is_json, set_form
from kammodel.errors import KamError

DONE, FAILED, USAGE, NOT_CONFIGURED, PARTIAL, INTERRUPTED = 0, 1, 2, 3, 4, 130

P = ParamSpec("P")


def exits(command: Callable[P, int | None]) -> Callable[P, None]:
    """A command's result as the exit code of the program; None is 0, a KamError its own code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        set_form(None)
        try:
            code = command(*args, **kwargs) or DONE
        except KamError as fault:
            is_partial = fault.exit_code == PARTIAL
            say(
                ("partial: " if is_partial else "") + plain(str(fault)),
                logging.WARNING if is_partial else logging.ERROR,
            )
            raise typer.Exit(fault.exit_code) from None
        except KeyboardInterrupt:
            say("stopped; run the same command again and it resumes where it was")
            raise typer.Exit(INTERRUPTED) from None
        raise typer.Exit(code)

    return run


def say(line: str, level: int | None = None) -> None:
    """One line for the person, beside whatever a program reads on standard output; an object like those of the log
    where KAM_LOG_FORMAT asks for that. `level`: by default a warning where the line says that it is one, or of a part.
    """
    if not is_json():
        sys.stderr.write(f"kam: {line}\n")
        return
    from flows.logs import json_line

    by_words = logging.WARNING if line.startswith(("partial: ", "warning: ")) else logging.INFO
    sys.stderr.write(f"{json_line(line, level or by_words)}\n")
