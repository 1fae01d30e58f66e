"""The command that brings Prefect's automations to a server."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.faults import exits
from flows.cli.options import Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(automations)


@exits
def automations(
    max_age: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=8760,
            metavar="HOURS",
            help="Tell of silence when no run was completed for so long: over a weekend 74.",
            show_default="KAM_MAX_AGE_HOURS",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done; nothing is changed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Have Prefect tell of failure, partial runs, approvals and silence.

    And end runs whose machine is lost, or that do not start. Applied to the server of PREFECT_API_URL, by name: again
    after an upgrade, or with another KAM_NOTIFY_BLOCK or KAM_MAX_AGE_HOURS. What is paused there stays paused.
    """
    from flows.cli import automated

    automated.apply_automations(max_age, dry_run=dry_run, as_json=as_json)
