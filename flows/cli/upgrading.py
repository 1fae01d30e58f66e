"""The command that brings the store to this version."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.faults import exits
from flows.cli.options import Json


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(migrate)


@exits
def migrate(
    check: Annotated[bool, typer.Option("--check", help="Only say what would be done; nothing is changed.")] = False,
    as_json: Json = False,
) -> None:
    """Bring the store's schema to this version of kam, and say from what to what.

    Every command does it when it opens the store; here it is a step of its own, after an upgrade and a backup. A
    store of a newer kam is refused with exit code 3, and left as it is.
    """
    from flows.cli import upgraded

    upgraded.migrate_store(check=check, as_json=as_json)
