"""The commands that keep the history of tiers."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import Json, Prefect

_DAY = {"formats": ["%Y-%m-%d"], "metavar": "YYYY-MM-DD"}


class Every(StrEnum):
    """Which days of a span."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"


def add_to(app: typer.Typer) -> None:
    """Hangs the commands into the program."""
    app.command()(backfill)
    app.command()(thin)


@exits
def backfill(
    *,
    first: Annotated[dt.datetime, typer.Option("--from", help="The first day to look at.", **_DAY)],
    last: Annotated[
        Optional[dt.datetime],  # noqa: UP045 - typer reads the annotation
        typer.Option("--to", help="The last day to look at; by default today.", **_DAY),
    ] = None,
    every: Annotated[
        Every, typer.Option("--every", help="All days, or the last ones of weeks, months or quarters.")
    ] = Every.month,
    prefect: Prefect = False,
    as_json: Json = False,
) -> None:
    """Compute the tiers of past days, as far as things were known then.

    Publishes nothing. What was interrupted goes on: days that are there, by the same rules and from the same rows, are
    passed over.
    """
    from flows.cli import steps

    steps.backfill(first.date(), last.date() if last else None, every.value, prefect=prefect, as_json=as_json)


@exits
def thin(prefect: Prefect = False, as_json: Json = False) -> None:
    """Thin older daily snapshots out to one a month.

    Those stay that are in force, or whose tier was written into a CRM. KAM_DAILY_DAYS says what is older. Cells of old
    plans and rows that could not be read go too: KAM_LEDGER_DAYS, KAM_REJECT_DAYS.
    """
    from flows.cli import steps

    steps.thin(prefect=prefect, as_json=as_json)
