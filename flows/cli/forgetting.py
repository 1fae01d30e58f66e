"""The command that forgets a person or an account, and shows and lifts what was forgotten."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import Json, OneCrm


def add_to(app: typer.Typer) -> None:
    """Hangs the command into the program."""
    app.command()(forget)


@exits
def forget(
    *,
    person: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation
        typer.Option(metavar="ID_OR_EMAIL", help="A contact: its id in the CRM, or its e-mail address."),
    ] = None,
    account: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ID", help="An account, with its deals, cases, contracts, plans and contacts."),
    ] = None,
    crm: OneCrm = None,
    listed: Annotated[bool, typer.Option("--list", help="Show what was forgotten, by keyed hashes.")] = False,
    allow: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="HASH", help="Let one in again with the next full load, by the beginning of its hash."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="With --yes: all contacts with the address, also several of one CRM.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> int | None:
    """Erase a person or an account everywhere, and keep it out.

    Shows what would go, and asks. A contact goes with all that have its e-mail address, in every CRM. What is read
    from the CRMs later is kept out by a keyed hash (KAM_HASH_KEY). The CRM itself, backups and your own files are yours
    to see to; files of yours that name it are listed. Run it while nothing else of kam runs.
    """
    asked = [name for name, given in (("--person", person), ("--account", account), ("--allow", allow)) if given]
    asked += ["--list"] if listed else []
    if len(asked) != 1:
        raise typer.BadParameter("say one of --person, --account, --list or --allow")
    if every and not person:
        raise typer.BadParameter("--all goes with --person")
    from flows.cli import forgotten
    from flows.pipeline.forgetting import Whom

    if listed:
        forgotten.show_list(as_json=as_json)
        return None
    if allow:
        forgotten.let_in(allow, as_json=as_json)
        return None
    if as_json and not yes:
        raise typer.BadParameter("--json cannot ask: add --yes")
    return forgotten.forget_one(
        Whom("person" if person else "account", person or account or "", crm, shared=every or not yes),
        yes=yes,
        as_json=as_json,
    )
