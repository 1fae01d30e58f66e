"""The command that lists the KPIs."""

from __future__ import annotations

import typer

from flows.cli.faults import exits
from flows.cli.options import Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(kpis)


@exits
def kpis(as_json: Json = False) -> None:
    """List every KPI: what it is, of whom, in which unit, over which time.

    Rules in full with --json. Needs no configuration.
    """
    from flows.cli.listing import list_kpis

    list_kpis(as_json=as_json)
