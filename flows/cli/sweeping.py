"""The command that looks for deletions and changed links alone."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from flows.cli.faults import exits
from flows.cli.options import Json, OneCrm, Prefect


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(sweep)


@exits
def sweep(
    crm: OneCrm = None,
    of: Annotated[
        Literal["everything", "deletions", "associations"],
        typer.Option("--of", help="Records deleted for good, links between records that changed, or both."),
    ] = "everything",
    prefect: Prefect = False,
    as_json: Json = False,
) -> int | None:
    """Look now for what was deleted for good, and for links that changed without a sign.

    Pulls do it by themselves now and then. Compares all ids with the store, which costs calls, and reads only what was
    missed.
    """
    from flows.cli import swept

    return swept.sweep(crm, of, prefect=prefect, as_json=as_json)
