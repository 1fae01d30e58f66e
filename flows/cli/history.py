"""The commands that keep the history, and the one that says what reading takes."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Optional

import typer

from flows.cli.faults import exits
from flows.cli.options import Full, Json, OneCrm, Prefect

_DAY = {"formats": ["%Y-%m-%d"], "metavar": "YYYY-MM-DD"}


class Every(StrEnum):
    """Which days of a span."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"


class Of(StrEnum):
    """What a backfill fills in."""

    scores = "scores"
    crm = "crm"


def add_to(app: typer.Typer) -> None:
    """Hangs the commands into the program."""
    app.command()(backfill)
    app.command()(estimate)
    app.command()(thin)


@exits
def backfill(
    *,
    first: Annotated[dt.datetime, typer.Option("--from", help="The first day to look at.", **_DAY)],
    last: Annotated[
        Optional[dt.datetime],  # noqa: UP045 - typer reads the annotation
        typer.Option("--to", help="The last day to look at; by default today, of a CRM yesterday.", **_DAY),
    ] = None,
    of: Annotated[
        Optional[Of],  # noqa: UP045
        typer.Option("--of", help="Past tiers, or rows of CRMs; by default rows where --crm names one, else tiers."),
    ] = None,
    crm: OneCrm = None,
    streams: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--stream", metavar="NAME", help="Of a CRM: this stream alone; may be given several times."),
    ] = None,
    calls: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option("--calls", min=1, metavar="N", help="Of a CRM: API calls to make at most."),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Of a CRM: also months that were read before.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="Of a CRM: then compute past tiers.")] = False,
    write_back: Annotated[
        bool, typer.Option("--write-back", help="Of a CRM: then score today, and write what changed into the CRMs.")
    ] = False,
    every: Annotated[
        Every, typer.Option("--every", help="Of tiers: all days, or the last ones of weeks, months or quarters.")
    ] = Every.month,
    prefect: Prefect = False,
    as_json: Json = False,
) -> int | None:
    """Compute the tiers of past days, or read what was changed in a CRM in past months.

    What was interrupted goes on, by the same command; what is there already is passed over. Tiers are computed as far
    as things were known then, and publish nothing. A CRM is read month by month, the newest first, beside the live
    schedule, whose bookmarks stay where they are; the first lines say what it will take. Nothing is written into it
    unless --write-back asks for that.
    """
    rows_only = {
        "--stream": streams,
        "--calls": calls,
        "--again": again,
        "--scores": scores,
        "--write-back": write_back,
    }
    if (of or (Of.crm if crm else Of.scores)) is Of.scores:
        given = [name for name, value in {"--crm": crm, **rows_only}.items() if value]
        if given:
            raise typer.BadParameter(f"{given[0]} is of a CRM's rows: add --of crm, or --crm NAME")
        from flows.cli import steps

        steps.backfill(first.date(), _day(last), every.value, prefect=prefect, as_json=as_json)
        return None
    from flows.cli import past
    from flows.past import Past

    asked = Past(
        first.date(), _day(last), tuple(streams or ()), calls, again, scores, every.value, write_back=write_back
    )
    return past.backfill_crms(crm, asked, prefect=prefect, as_json=as_json)


@exits
def estimate(
    *,
    crm: OneCrm = None,
    full: Full = False,
    first: Annotated[
        Optional[dt.datetime],  # noqa: UP045
        typer.Option("--from", help="Of a backfill: its first day.", **_DAY),
    ] = None,
    last: Annotated[
        Optional[dt.datetime],  # noqa: UP045
        typer.Option("--to", help="Of a backfill: its last day; by default yesterday.", **_DAY),
    ] = None,
    streams: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option("--stream", metavar="NAME", help="This stream alone; may be given several times."),
    ] = None,
    write_back: Annotated[bool, typer.Option("--write-back", help="Of a backfill: also of writing after it.")] = False,
    as_json: Json = False,
) -> None:
    """Say how many rows, calls and minutes a run will take.

    Of the next run: reading what changed, or with --full everything, then planning and writing; with --stream, of
    reading it alone. With --from, of kam backfill. Counts in the CRM, and reads and stores nothing.
    """
    if last is not None and first is None:
        raise typer.BadParameter("--to needs the day to begin with: --from")
    if full and first is not None:
        raise typer.BadParameter("--full is of a pull, --from of a backfill: one of them")
    if write_back and first is None:
        raise typer.BadParameter("--write-back is of a backfill: add --from; of a run it is told anyway")
    from flows.cli import past
    from flows.past import Past

    named = tuple(streams or ())
    asked = Past(first.date(), _day(last), named, write_back=write_back) if first is not None else None
    past.estimate(crm, asked, named, full=full, as_json=as_json)


@exits
def thin(prefect: Prefect = False, as_json: Json = False) -> None:
    """Thin older daily snapshots out to one a month.

    Those stay that are in force, or whose tier was written into a CRM. KAM_DAILY_DAYS says what is older. Cells of old
    plans and rows that could not be read go too: KAM_LEDGER_DAYS, KAM_REJECT_DAYS.
    """
    from flows.cli import steps

    steps.thin(prefect=prefect, as_json=as_json)


def _day(given: dt.datetime | None) -> dt.date | None:
    return given.date() if given else None
