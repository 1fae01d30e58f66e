"""The command that tells how everything stands."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.faults import exits
from flows.cli.options import Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(status)


@exits
def status(
    max_age: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="HOURS",
            help="What ended well longer ago than this is stale.",
            show_default="KAM_MAX_AGE_HOURS",
        ),
    ] = None,
    prometheus: Annotated[
        bool, typer.Option("--prometheus", help="Print metrics, for the textfile collector of node_exporter.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Say whether all is well, since when, and what to do next.

    Reads the store; asks no CRM. Exit code 0: healthy; 1: failed or stale; 3: not configured; 4: done in part.
    """
    if prometheus and as_json:
        raise typer.BadParameter("--prometheus or --json, not both")
    from flows.cli import standing

    return standing.show_status(max_age, as_json=as_json, prometheus=prometheus)
