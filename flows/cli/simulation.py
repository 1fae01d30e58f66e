"""The command that says what another tier policy would change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.faults import exits
from flows.cli.options import AsOf, Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(simulate)


@exits
def simulate(
    *,
    policy: Annotated[
        Path,
        typer.Option("--policy", metavar="FILE", help="A policy file: TOML that says what differs from the default."),
    ],
    as_of: AsOf = None,
    past: Annotated[
        bool, typer.Option("--past", help="Also over the days of which there are snapshots, computed again.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show who would move under another tier policy, and why.

    Writes nothing, neither into the store nor into a CRM. With --past, how often tiers would have moved, and which
    tiers those accounts stood in that were lost in the year after.
    """
    from flows.cli.simulating import simulate_policy

    simulate_policy(policy, as_of.date() if as_of else None, past=past, as_json=as_json)
