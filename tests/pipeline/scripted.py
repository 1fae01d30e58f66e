"""A CRM in a few lines: accounts in a dict, pages of two, and whatever goes wrong when a test says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from connectors.codecs import boolean, identifier, instant, money, text
from connectors.contract import AccountWrite, CallCount, Identity, Known, Page, Provisioned, Slice, Stream, WriteOutcome
from connectors.mapping import Line, Mapping
from kammodel.entities import Account
from kammodel.publish.fields import CustomField

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
ACCOUNTS = Mapping(
    Account,
    (
        Line("source_id", "Id", identifier),
        Line("updated_at", "Stamp", instant),
        Line("deleted", "IsDeleted", boolean),
        Line("name", "Name", text),
        Line("annual_revenue", "Revenue", money),
    ),
)


@dataclass
class Row:
    """One account of the scripted CRM."""

    name: str
    at: dt.datetime
    revenue: str | None = None
    deleted: bool = False


class ScriptedConnector:
    """Serves `rows` two to a page, in order of id. `before_page` may raise, drop rows, or do something meanwhile."""

    name = "scripted"
    write_batch = 2
    sweeps = None

    def __init__(self) -> None:
        self.calls = CallCount()
        self.settle = dt.timedelta(minutes=1)
        self.overlap = dt.timedelta(minutes=10)
        self.rows: dict[str, Row] = {}
        self.mapping = ACCOUNTS
        self.asked: list[tuple[Slice, str | None]] = []
        self.before_page: Callable[[int, pl.DataFrame], pl.DataFrame] = lambda _, page: page
        self.gone: dict[str, str | None] = {}
        self.announces = True
        self.is_incremental = True
        self.closed: dict[str, str] = {}

    def identify(self) -> Identity:
        return Identity(self.name, "org", "A scripted org")

    def streams(self) -> tuple[Stream, ...]:
        return (
            () if "accounts" in self.closed else (Stream("accounts", (self.mapping,), incremental=self.is_incremental),)
        )

    def unavailable(self) -> dict[str, str]:
        return self.closed

    def read(
        self, stream: Stream, span: Slice, resume: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        del known
        self.asked.append((span, resume))
        found = sorted(
            (id_, row)
            for id_, row in self.rows.items()
            if row.at < span.until and (span.since is None or row.at >= span.since)
        )
        rest = [(id_, row) for id_, row in found if resume is None or id_ > resume]
        pages = [rest[start : start + 2] for start in range(0, len(rest), 2)] or [[]]
        for number, page in enumerate(pages):
            self.calls.read += 1
            is_last = number == len(pages) - 1
            frame = self.before_page(number, _frame(page))
            yield Page(
                {"account": frame},
                None if is_last else page[-1][0],
                announced=len(found) if self.announces else None,
                gone=_gone(self.gone) if is_last and self.gone else None,
            )

    def missing_fields(self, fields: Sequence[CustomField]) -> list[str]:
        return []

    def read_fields(self, fields: Sequence[CustomField], ids: Sequence[str]) -> Iterator[pl.DataFrame]:
        raise AssertionError("not used here")

    def write_fields(
        self, fields: Sequence[CustomField], writes: Sequence[AccountWrite]
    ) -> Iterator[list[WriteOutcome]]:
        raise AssertionError("not used here")

    def provision(self, fields: Sequence[CustomField], language: str) -> Provisioned:
        return Provisioned()

    def export_provisioning(self, fields: Sequence[CustomField], language: str, folder: Path) -> list[Path]:
        return []

    def record_url(self, source_id: str) -> str:
        return f"https://crm.invalid/{source_id}"

    def close(self) -> None: ...


def _frame(page: list[tuple[str, Row]]) -> pl.DataFrame:
    rows = [(id_, row.at.isoformat(), str(row.deleted).lower(), row.name, row.revenue) for id_, row in page]
    return pl.DataFrame(rows, schema=dict.fromkeys(ACCOUNTS.raw_schema(), pl.String), orient="row")


def _gone(gone: dict[str, str | None]) -> pl.DataFrame:
    schema = {"source_id": pl.String, "merged_into_id": pl.String}
    return pl.DataFrame(list(gone.items()), schema=schema, orient="row")
