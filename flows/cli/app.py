"""Every command with its options and help. What a command does is imported when it runs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Optional

import typer

from flows.cli import (
    automating,
    catalogue,
    digesting,
    forgetting,
    history,
    publishing,
    reconciling,
    reporting,
    simulation,
    status,
    sweeping,
    upgrading,
)
from flows.cli.faults import INTERRUPTED, exits, say
from flows.cli.options import AsOf, Full, Json, OneCrm, Prefect

app = typer.Typer(
    name="kam",
    help="Key-account tiers and KPIs from your CRMs, written back as custom fields, with the reason in words.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not configured, 4 partly done, 130 stopped. "
    "Configuration: KAM_... variables or a .env file; see .env.example, and kam check.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Rich help takes a quarter of a second to import.
    rich_markup_mode=None,
)


@app.command()
@exits
def demo(
    from_csv: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="Folder of CSV files named after Salesforce objects (Account.csv, Opportunity.csv, ...), "
            "with API field names in the header: what a weekly Data Export holds.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    as_of: Annotated[
        Optional[dt.datetime],  # noqa: UP045
        typer.Option(
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="The day to tier; with --from-csv by default the latest event.",
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=40, max=20_000, help="Accounts in the invented book of business.")] = 200,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep store and Prefect's records, and say where they are.")
    ] = False,
    server: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="API address of a running Prefect server to use instead of one of its own."),
    ] = None,
) -> int | None:
    """See the whole job done on two CRMs of this machine.

    Pull, score, plan, write back, read back; then time passes, and it runs again, and once more. Needs no
    configuration, no account and no network. KAM_LANGUAGE=es speaks Spanish.
    """
    from flows.demo import run_demo

    try:
        return run_demo(from_csv=from_csv, as_of=_day(as_of), size=size, keep=keep, server=server)
    except KeyboardInterrupt:
        say("demo stopped")
        return INTERRUPTED


@app.command()
@exits
def sandbox(
    size: Annotated[int, typer.Option(min=40, max=20_000, help="Accounts in the invented book of business.")] = 200,
    csv: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Serve this folder of CSV files as a Salesforce org instead.", exists=True, file_okay=False),
    ] = None,
    salesforce_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    hubspot_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
) -> None:
    """Serve two CRMs on this machine to try kam on.

    Prints the variables that reach the Salesforce org and the HubSpot portal. Ends with Ctrl-C; what was
    written into them is then gone.
    """
    from flows.cli.sandboxing import serve

    serve(size, csv, salesforce_port, hubspot_port)


@app.command()
@exits
def check(as_json: Json = False) -> int:
    """Say what is configured, reachable and missing.

    Reads only. The exit code is that of the gravest finding.
    """
    from flows.cli.checking import check_all

    return check_all(as_json=as_json)


@app.command()
@exits
def provision(
    *,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write files that an admin reviews and deploys, instead of changing the CRM."),
    ] = None,
    crm: OneCrm = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Have the CRM check it, say what would be done, and change nothing.")
    ] = False,
    no_layouts: Annotated[bool, typer.Option("--no-layouts", help="Leave the pages of accounts as they are.")] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take all of it away again, values included; shows what goes, and asks.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --remove: do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Create the custom fields, their permissions and what shows them.

    An admin's act: the user of the nightly run needs no right to do it. Idempotent.
    """
    if out is not None and (remove or dry_run):
        raise typer.BadParameter("--out changes nothing by itself: leave out --dry-run and --remove")
    if remove and as_json and not (yes or dry_run):
        raise typer.BadParameter("--remove --json cannot ask: add --yes, or --dry-run to see what would go")
    if remove:
        from flows.cli.removing import remove_all

        remove_all(crm, dry_run=dry_run, yes=yes, as_json=as_json)
        return
    from flows.cli.provisioning import provision_all

    provision_all(crm, out, layouts=not no_layouts, dry_run=dry_run, as_json=as_json)


@app.command()
@exits
def pull(crm: OneCrm = None, full: Full = False, prefect: Prefect = False, as_json: Json = False) -> int | None:
    """Read what changed in the CRMs into the store.

    What was interrupted, or ran out of API calls, resumes.
    """
    from flows.cli import steps

    return steps.pull(crm, full=full, prefect=prefect, as_json=as_json)


@app.command()
@exits
def score(as_of: AsOf = None, prefect: Prefect = False, as_json: Json = False) -> None:
    """Compute KPIs and tiers from what the store holds."""
    from flows.cli import steps

    steps.score(_day(as_of), prefect=prefect, as_json=as_json)


@app.command()
@exits
def plan(
    crm: OneCrm = None,
    as_of: AsOf = None,
    full: Annotated[bool, typer.Option("--full", help="Compare every account, not only what may differ.")] = False,
    prefect: Prefect = False,
    as_json: Json = False,
) -> int | None:
    """Work out which cells to write, as a stored plan.

    Writes nothing into a CRM.
    """
    from flows.cli import steps

    return steps.plan(crm, _day(as_of), full=full, prefect=prefect, as_json=as_json)


@app.command()
@exits
def apply(crm: OneCrm = None, prefect: Prefect = False, as_json: Json = False) -> int | None:
    """Write the latest plan into each CRM, nothing else.

    What was interrupted goes on with what is still pending.
    """
    from flows.cli import steps

    return steps.apply(crm, prefect=prefect, as_json=as_json)


@app.command()
@exits
def run(as_of: AsOf = None, full: Full = False, prefect: Prefect = False, as_json: Json = False) -> int | None:
    """Pull, score, plan and apply, for every CRM."""
    from flows.cli import steps

    return steps.run(_day(as_of), full=full, prefect=prefect, as_json=as_json)


@app.command()
@exits
def explain(
    account: Annotated[str, typer.Argument(help="Name, CRM id, or group id of an account.")],
    as_of: AsOf = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="Print what was recorded of the day, byte for byte; compute nothing.")
    ] = False,
    recorded_at: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="INSTANT", help="The same, as it stood at an instant (2026-03-01T02:15:00+00:00)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show everything that made an account's tier.

    Computed from the store, or, with --stored, printed as it was recorded.
    """
    if stored or recorded_at is not None:
        from flows.cli.reprinting import reprint_account

        reprint_account(account, _day(as_of), recorded_at, as_json=as_json)
        return
    from flows.cli.explaining import explain_account

    explain_account(account, _day(as_of), as_json=as_json)


@app.command()
@exits
def matches(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also the pairs that are joined, or decided.")] = False,
    into: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            "--csv",
            metavar="FILE",
            dir_okay=False,
            help="Write the pairs into a file for your decisions, with those made so far: matches.csv of "
            "KAM_INPUTS_DIR, or a new one.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which accounts of two CRMs may be one company.

    What is clear is joined by itself: by the id of the one in the other, by web address, by name within a country.
    What is not, you decide.
    """
    from flows.cli.matching import list_matches

    list_matches(everything=everything, into=into, as_json=as_json)


history.add_to(app)
simulation.add_to(app)
catalogue.add_to(app)
forgetting.add_to(app)
digesting.add_to(app)
publishing.add_to(app)
reporting.add_to(app)
reconciling.add_to(app)
sweeping.add_to(app)
status.add_to(app)
upgrading.add_to(app)
automating.add_to(app)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"kam {installed('kam')}")
        raise typer.Exit


def _day(given: dt.datetime | None) -> dt.date | None:
    return given.date() if given else None
