"""The command that counts the CRMs against the store."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.faults import exits
from flows.cli.options import Json, OneCrm, Prefect


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(reconcile)


@exits
def reconcile(
    crm: OneCrm = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Read again what differs, and nothing else; then count once more.")
    ] = False,
    prefect: Prefect = False,
    as_json: Json = False,
) -> int | None:
    """Prove the store by the CRMs' own counts, and amounts where they add them up.

    Costs a call or two per kind of record. Where something differs, nothing is scored or written until a later count
    finds it right. The exit code is 1 then.
    """
    from flows.cli import certified

    return certified.reconcile(crm, repair=repair, prefect=prefect, as_json=as_json)
