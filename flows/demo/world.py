"""The CRMs of the demo: an invented company's two, or the org that a folder of CSV files makes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from connectors.sandbox.clock import Clock
from connectors.sandbox.company import Company, serving, two_crms
from connectors.sandbox.hubspot.settings import unhurried
from connectors.sandbox.salesforce.from_csv import NotAnExport, org_from_csv
from connectors.sandbox.seed import TIMEZONE, seeded_book
from connectors.sandbox.story import Language, let_time_pass
from kammodel.errors import KamError

SOME_TIME = dt.timedelta(hours=1)
"""What passes before the run in which nothing has happened: our own writes have settled by then."""


@dataclass(frozen=True)
class World:
    """CRMs that are being served. `as_of`: the day to score first. `notes`: what became of the CSV files."""

    variables: dict[str, str]
    clock: Clock
    as_of: dt.date
    currency: str
    timezone: str
    notes: tuple[str, ...]
    let_time_pass: Callable[[Language], Sequence[str]] | None
    """Lets some business happen and says what, in a language; None where the book is the user's own."""


@contextmanager
def invented(size: int, as_of: dt.date | None) -> Iterator[World]:
    """Two CRMs of an invented company of so many accounts, as they stand on a day; today if none is named."""
    now = dt.datetime.now(dt.UTC)
    if as_of is not None:
        now = dt.datetime.combine(as_of, dt.time(18), ZoneInfo(TIMEZONE)).astimezone(dt.UTC)
    book, clock = seeded_book(size, now), Clock(now, running=True)
    company = two_crms(book, clock, portal_settings=unhurried())
    day = now.astimezone(ZoneInfo(TIMEZONE)).date()
    with serving(company) as served:
        yield World(
            served.environment(),
            clock,
            day,
            book.home_currency,
            TIMEZONE,
            (),
            lambda lang: let_time_pass(company, lang),
        )


@contextmanager
def of_csv(folder: Path, as_of: dt.date | None, currency: str, timezone: str) -> Iterator[World]:
    """An org that holds what a folder of CSV files says, as of a day; the latest event's if none is named."""
    try:
        org, report = org_from_csv(folder, as_of, home_currency=currency, timezone=timezone)
    except NotAnExport as fault:
        raise KamError(str(fault)) from None
    with serving(Company(org, None, org.clock)) as served:
        yield World(
            served.environment(),
            org.clock,
            report.as_of,
            org.home_currency,
            timezone,
            tuple(report.lines()),
            None,
        )
