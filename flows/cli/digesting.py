"""The command that prints the digests of tier changes again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import AsOf, Json, OneCrm


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(digest)


@exits
def digest(
    *,
    as_of: AsOf = None,
    crm: OneCrm = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045 - typer reads the annotation
        typer.Option("--out", metavar="DIR", file_okay=False, help="Write one Markdown file per owner, print none."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Print which tiers changed in the CRMs, and why, for each owner of accounts.

    Of the day of the last plan that was applied, or of another. Nothing is sent; kam run, and kam apply, keep the same
    as files under KAM_HOME.
    """
    from flows.cli.telling import tell

    tell(as_of.date() if as_of else None, crm.value if crm else None, out, as_json=as_json)
