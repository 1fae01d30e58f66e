"""The command that writes the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import AsOf, Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(report)


@exits
def report(
    *,
    as_of: AsOf = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation
        typer.Option(
            "--out", metavar="FILE", dir_okay=False, help="By default kam-report-<day>.html in the working directory."
        ),
    ] = None,
    accounts: Annotated[
        int,
        typer.Option(
            "--accounts", metavar="N", min=0, max=1_000, help="At most so many Strategic and Key groups in full."
        ),
    ] = 50,
    as_json: Json = False,
) -> None:
    """Write the portfolio and its key accounts as one HTML file, with plots.

    Computed from the store, as kam explain does; a browser shows it without any network. KAM_LANGUAGE=es speaks
    Spanish.
    """
    from flows.cli.reported import write_report

    write_report(as_of.date() if as_of else None, out, accounts, as_json=as_json)
