"""Options that several commands have."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Optional

import typer

from flows.crms import Crm

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs instead of tables.")]
OneCrm = Annotated[Optional[Crm], typer.Option("--crm", help="By default every configured one.")]  # noqa: UP045
AsOf = Annotated[
    Optional[dt.datetime],  # noqa: UP045 - typer reads the annotation
    typer.Option(
        "--as-of",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="The day, at its end in KAM_TIMEZONE; by default today.",
    ),
]
Prefect = Annotated[
    bool,
    typer.Option(
        "--prefect",
        help="Run as a Prefect flow, recorded in a server under KAM_HOME. Implied where PREFECT_API_URL is set.",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Read everything again instead of what changed.")]
