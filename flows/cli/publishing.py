"""The commands around a plan: look at it, approve it, take it back, and prove what is ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import Json, OneCrm

_Name = Annotated[str, typer.Argument(metavar="PLAN", help="A plan's id or hash; its first letters are enough.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def add_to(app: typer.Typer) -> None:
    """Hangs the commands into the program."""
    for command in (plans, approve, undo, adopt):
        app.command()(command)


@exits
def plans(
    name: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation
        typer.Argument(metavar="PLAN", help="A plan's id or hash; its first letters are enough."),
    ] = None,
    into: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--csv", metavar="FILE", dir_okay=False, help="Write every cell of the plan into a file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the last plans, or show one cell by cell: before, after, why, and what became of it."""
    if into is not None and name is None:
        raise typer.BadParameter("--csv needs the PLAN whose cells to write")
    from flows.cli import planned

    planned.list_plans(as_json=as_json) if name is None else planned.show_plan(name, into, as_json=as_json)


@exits
def approve(
    name: Annotated[str, typer.Argument(metavar="HASH", help="The plan's hash; its first letters are enough.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves it.")],
    as_json: Json = False,
) -> None:
    """Approve a plan that the guard stopped, or whose changes wait for review.

    That plan and nothing else: one that would do anything different has another hash. kam apply then writes it.
    """
    from flows.cli import planned

    planned.approve_plan(name, by, as_json=as_json)


@exits
def undo(
    name: _Name,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be taken back, and write nothing.")
    ] = False,
    yes: _Yes = False,
    as_json: Json = False,
) -> int | None:
    """Take back what a plan wrote, where it still stands.

    Shows what would be written first, and asks. A cell that somebody changed since is spared, and the value that was
    taken back is not written there a second time. An undo is a plan itself, and can be undone.
    """
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("--json cannot ask: add --yes, or --dry-run to see what would be taken back")
    from flows.cli import undoing

    return undoing.undo_plan(name, dry_run=dry_run, yes=yes, as_json=as_json)


@exits
def adopt(
    crm: OneCrm = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also values that nothing proves to be ours; shows how many, and asks.")
    ] = False,
    yes: _Yes = False,
    as_json: Json = False,
) -> None:
    """Rebuild from the CRMs what we know to have written, after the store was lost.

    Each account carries a stamp that proves which of its values are ours. Writes nothing into a CRM.
    """
    if as_json and everything and not yes:
        raise typer.BadParameter("--all --json cannot ask: add --yes")
    from flows.cli import undoing

    undoing.adopt_all(crm, everything=everything, yes=yes, as_json=as_json)
